//! Documents of a state of our own, whose keys and signatures openssl makes: what must be found as
//! signed, in every algorithm, and what must be refused, each with its reason.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;
use vultus_chip::{Anchors, Chip, Coding, Files, Finding, active_authentication};

const MRZ: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\
                   L898902C36UTO7408122F1204159ZE184226B<<<<<10";

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {said}");
}

fn tlv(tag: &[u8], content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let length = match length {
        0..0x80 => vec![length as u8],
        _ => vec![0x82, (length >> 8) as u8, length as u8],
    };
    [tag, &length, content].concat()
}

fn dg1(mrz: &str) -> Vec<u8> {
    tlv(&[0x61], &tlv(&[0x5f, 0x1f], mrz.as_bytes()))
}

/// A portrait that nobody decodes: the record of ISO/IEC 19794-5 around the start of a JPEG file.
fn dg2() -> Vec<u8> {
    let picture = [&[0xff, 0xd8, 0xff, 0xe0][..], &[7; 400]].concat();
    let length = (picture.len() + 32) as u32;
    let mut record = [
        &b"FAC\x00010\x00"[..],
        &(length + 14).to_be_bytes(),
        &[0, 1],
    ]
    .concat();
    record.extend(length.to_be_bytes());
    record.extend([0; 28]);
    record.extend(&picture);
    let template = tlv(
        &[0x7f, 0x60],
        &[tlv(&[0xa1], &[]), tlv(&[0x5f, 0x2e], &record)].concat(),
    );
    let group = tlv(&[0x7f, 0x61], &[tlv(&[0x02], &[1]), template].concat());
    tlv(&[0x75], &group)
}

/// A state with its signing certificate (CSCA) and one document signer (DS), each in a folder.
struct State {
    folder: PathBuf,
    digest: &'static str,
    pss: bool,
}

impl State {
    /// `key` is what follows `openssl genpkey`; `days` is how long the signer's certificate holds.
    fn new(root: &Path, name: &str, country: &str, key: &str, digest: &'static str) -> State {
        State::valid_for(root, name, country, key, digest, 3650)
    }

    fn valid_for(
        root: &Path,
        name: &str,
        country: &str,
        key: &str,
        digest: &'static str,
        days: i32,
    ) -> State {
        let folder = root.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let extensions = "[csca]\nbasicConstraints=critical,CA:true,pathlen:0\n\
            keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n\
            [ds]\nkeyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\n\
            authorityKeyIdentifier=keyid\n\
            [req]\ndistinguished_name=dn\nprompt=no\n[dn]\nC=XX\n";
        std::fs::write(folder.join("extensions"), extensions).unwrap();
        let run = |arguments: &str| openssl(&folder, arguments);
        let pss = key.contains("PSS");
        let key = key.replace(" PSS", "");
        for who in ["csca", "ds"] {
            run(&format!("genpkey {key} -out {who}.key"));
            let subject = format!("-subj /C={country}/O=State/CN={name}-{who}");
            run(&format!(
                "req -new -key {who}.key {subject} -config extensions -out {who}.req"
            ));
        }
        let sign = if pss {
            "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"
        } else {
            ""
        };
        run(&format!(
            "x509 -req -in csca.req -signkey csca.key -extfile extensions -extensions csca \
             -days 5000 -{digest} {sign} -out csca.pem"
        ));
        run(&format!(
            "x509 -req -in ds.req -CA csca.pem -CAkey csca.key -CAcreateserial \
             -extfile extensions -extensions ds -days {days} -{digest} {sign} -out ds.pem"
        ));
        run("x509 -in csca.pem -outform DER -out csca.der");
        State {
            folder,
            digest,
            pss,
        }
    }

    fn anchors(&self) -> Anchors {
        let mut anchors = Anchors::new();
        let csca = std::fs::read(self.folder.join("csca.der")).unwrap();
        anchors.add_certificate(&csca).unwrap();
        anchors
    }

    /// EF.SOD over some data groups.
    fn sign(&self, groups: &[(u8, &[u8])]) -> Vec<u8> {
        let (oid, length) = match self.digest {
            "sha1" => (&[0x2b, 0x0e, 0x03, 0x02, 0x1a][..], 20),
            "sha384" => (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2][..], 48),
            "sha512" => (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3][..], 64),
            _ => (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1][..], 32),
        };
        let digests = groups.iter().flat_map(|(number, bytes)| {
            std::fs::write(self.folder.join("group"), bytes).unwrap();
            openssl(
                &self.folder,
                &format!("dgst -{} -binary -out digest group", self.digest),
            );
            let digest = std::fs::read(self.folder.join("digest")).unwrap();
            assert_eq!(digest.len(), length);
            tlv(
                &[0x30],
                &[tlv(&[2], &[*number]), tlv(&[4], &digest)].concat(),
            )
        });
        let digests: Vec<u8> = digests.collect();
        let algorithm = tlv(&[0x30], &tlv(&[6], oid));
        let object = [tlv(&[2], &[0]), algorithm, tlv(&[0x30], &digests)].concat();
        std::fs::write(self.folder.join("object"), tlv(&[0x30], &object)).unwrap();
        let pss = if self.pss {
            "-keyopt rsa_padding_mode:pss"
        } else {
            ""
        };
        openssl(
            &self.folder,
            &format!(
                "cms -sign -binary -nodetach -outform DER -econtent_type 2.23.136.1.1.1 -in object \
             -signer ds.pem -inkey ds.key -md {} {pss} -out sod",
                self.digest
            ),
        );
        tlv(&[0x77], &std::fs::read(self.folder.join("sod")).unwrap())
    }
}

fn findings(sod: &[u8], dg1: &[u8], dg2: &[u8], anchors: &Anchors) -> Vec<Finding> {
    let files = Files {
        sod,
        dg1,
        dg2,
        others: &[],
    };
    let chip = Chip::read(&files, anchors).unwrap();
    assert_eq!(
        chip.authentication.is_authentic(),
        chip.authentication.findings.is_empty()
    );
    chip.authentication.findings
}

const ECDSA_CURVES: [&str; 10] = [
    "secp224r1",
    "prime256v1",
    "secp384r1",
    "secp521r1",
    "brainpoolP224r1",
    "brainpoolP256r1",
    "brainpoolP320r1",
    "brainpoolP384r1",
    "brainpoolP512r1",
    "brainpoolP256r1",
];

#[test]
fn what_a_state_signed_is_authentic_in_every_algorithm() {
    let root = tempfile::tempdir().unwrap();
    let (dg1, dg2) = (dg1(MRZ), dg2());
    let mut keys: Vec<(String, &str)> = vec![
        (
            "-algorithm RSA -pkeyopt rsa_keygen_bits:2048".to_owned(),
            "sha1",
        ),
        (
            "-algorithm RSA -pkeyopt rsa_keygen_bits:2048".to_owned(),
            "sha256",
        ),
        (
            "-algorithm RSA -pkeyopt rsa_keygen_bits:2048 PSS".to_owned(),
            "sha256",
        ),
        (
            "-algorithm RSA -pkeyopt rsa_keygen_bits:2048 PSS".to_owned(),
            "sha512",
        ),
    ];
    for (i, curve) in ECDSA_CURVES.iter().enumerate() {
        let encoding = ["explicit", "named_curve"][i % 2];
        let digest = ["sha256", "sha384", "sha512", "sha1"][i % 4];
        keys.push((
            format!(
                "-algorithm EC -pkeyopt ec_paramgen_curve:{curve} -pkeyopt ec_param_enc:{encoding}"
            ),
            digest,
        ));
    }
    for (i, (key, digest)) in keys.iter().enumerate() {
        let state = State::new(root.path(), &format!("s{i}"), "UT", key, digest);
        let sod = state.sign(&[(1, &dg1), (2, &dg2)]);
        let anchors = state.anchors();
        assert_eq!(findings(&sod, &dg1, &dg2, &anchors), [], "{key} {digest}");
        // The same signature over other data.
        let mut other = dg2.clone();
        *other.last_mut().unwrap() ^= 1;
        let found = findings(&sod, &dg1, &other, &anchors);
        assert_eq!(found, [Finding::DataGroupDiffers], "{key} {digest}");
        // The last byte is the signature's.
        let mut broken = sod.clone();
        *broken.last_mut().unwrap() ^= 1;
        let found = findings(&broken, &dg1, &dg2, &anchors);
        assert_eq!(found, [Finding::SignatureInvalid], "{key} {digest}");
    }
    println!("{} algorithms", keys.len());
}

const P256: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 \
                    -pkeyopt ec_param_enc:explicit";

#[test]
fn what_does_not_hold_is_found_with_its_reason() {
    let root = tempfile::tempdir().unwrap();
    let (dg1, dg2) = (dg1(MRZ), dg2());
    let state = State::new(root.path(), "own", "UT", P256, "sha256");
    let rogue = State::new(root.path(), "rogue", "NL", P256, "sha256");
    let groups = [(1, &dg1[..]), (2, &dg2[..])];
    let sod = state.sign(&groups);

    assert_eq!(
        findings(&sod, &dg1, &dg2, &Anchors::new()),
        [Finding::IssuerUnknown]
    );
    assert_eq!(
        findings(&sod, &dg1, &dg2, &rogue.anchors()),
        [Finding::IssuerUnknown]
    );

    // A state that is trusted for its own documents signs one of another's.
    let foreign = rogue.sign(&groups);
    assert_eq!(
        findings(&foreign, &dg1, &dg2, &rogue.anchors()),
        [Finding::CountryDiffers]
    );

    // The portrait was never signed.
    let half = state.sign(&groups[..1]);
    assert_eq!(
        findings(&half, &dg1, &dg2, &state.anchors()),
        [Finding::DataGroupNotSigned]
    );

    // The digests in another order belong to other groups.
    let swapped = state.sign(&[(1, &dg2), (2, &dg1)]);
    assert_eq!(
        findings(&swapped, &dg1, &dg2, &state.anchors()),
        [Finding::DataGroupDiffers]
    );

    let late = State::valid_for(root.path(), "late", "UT", P256, "sha256", -1);
    let found = findings(&late.sign(&groups), &dg1, &dg2, &late.anchors());
    assert_eq!(found, [Finding::SignerNotValid]);

    // A document signer is no issuer of certificates, though the operator trusts it.
    let mut anchors = Anchors::new();
    openssl(&state.folder, "x509 -in ds.pem -outform DER -out ds.der");
    let ds = std::fs::read(state.folder.join("ds.der")).unwrap();
    assert!(anchors.add_certificate(&ds).is_err());
    anchors.add_signer(&ds).unwrap();
    assert_eq!(
        findings(&sod, &dg1, &dg2, &anchors),
        [Finding::IssuerUnknown]
    );
}

#[test]
fn files_that_are_none_are_refused_without_a_panic() {
    let root = tempfile::tempdir().unwrap();
    let (dg1, dg2) = (dg1(MRZ), dg2());
    let state = State::new(root.path(), "own", "UT", P256, "sha256");
    let (sod, anchors) = (state.sign(&[(1, &dg1), (2, &dg2)]), state.anchors());
    let read = |sod: &[u8], dg1: &[u8], dg2: &[u8]| {
        Chip::read(
            &Files {
                sod,
                dg1,
                dg2,
                others: &[],
            },
            &anchors,
        )
    };
    let whole = read(&sod, &dg1, &dg2).unwrap();
    assert_eq!(
        (&*whole.mrz, whole.portrait.coding),
        (&MRZ.replace(' ', ""), Coding::Jpeg)
    );
    assert!(!format!("{whole:?}").contains("ERIKSSON"));

    for (file, bytes) in [("EF.SOD", &sod), ("DG1", &dg1), ("DG2", &dg2)] {
        let with = |changed: &[u8]| match file {
            "EF.SOD" => read(changed, &dg1, &dg2),
            "DG1" => read(&sod, changed, &dg2),
            _ => read(&sod, &dg1, changed),
        };
        let trailing = [&bytes[..], &[0]].concat();
        let message = with(&trailing).unwrap_err().to_string();
        assert!(
            message.starts_with(file) && message.contains("bytes follow"),
            "{message}"
        );
        for end in 0..bytes.len() {
            assert!(with(&bytes[..end]).is_err(), "{file} cut at {end}");
        }
        // No changed byte may be found authentic.
        let mut changed = bytes.to_vec();
        for i in 0..changed.len() {
            changed[i] ^= 0x11;
            if let Ok(chip) = with(&changed) {
                let certificates_unsigned_parts = file == "EF.SOD";
                assert!(
                    certificates_unsigned_parts || !chip.authentication.is_authentic(),
                    "{file} changed at {i}"
                );
            }
            changed[i] ^= 0x11;
        }
    }
}

#[test]
fn active_authentication_takes_the_chips_answer_only() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    let challenge = *b"\x01\x02\x03\x04\x05\x06\x07\x08";
    std::fs::write(folder.join("challenge"), challenge).unwrap();
    openssl(folder, &format!("genpkey {P256} -out key"));
    openssl(
        folder,
        "pkey -in key -pubout -outform DER -ec_param_enc explicit -out public",
    );
    openssl(folder, "dgst -sha256 -sign key -out answer challenge");
    let public = std::fs::read(folder.join("public")).unwrap();
    let dg15 = tlv(&[0x6f], &public);
    // SEQUENCE of two integers, as r and s of 32 bytes.
    let answer = std::fs::read(folder.join("answer")).unwrap();
    let integer = |at: usize| {
        let bytes = &answer[at + 2..at + 2 + usize::from(answer[at + 1])];
        let bytes = &bytes[bytes.len().saturating_sub(32)..];
        [&vec![0; 32 - bytes.len()], bytes].concat()
    };
    let second = 4 + usize::from(answer[3]);
    let plain = [integer(2), integer(second)].concat();
    let holds = |challenge, plain: &[u8]| active_authentication(&dg15, None, challenge, plain);
    assert_eq!(holds(&challenge, &plain), Ok(true));
    assert_eq!(
        holds(b"\x01\x02\x03\x04\x05\x06\x07\x09", &plain),
        Ok(false)
    );
    assert_eq!(holds(&challenge, &plain[1..]), Ok(false));
    assert_eq!(holds(&challenge, &[]), Ok(false));
    assert!(active_authentication(&public, None, &challenge, &plain).is_err());
}
