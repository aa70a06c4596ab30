//! Security objects of real passports, specimens and mocks, and the lists of two states, where
//! they are: the folder that `VULTUS_DATASETS` names, or ../shared/datasets beside the checkout.
//! They are of real documents, so none is part of the project.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use vultus_chip::{
    Anchors, Chip, Coding, Files, Finding, check_card_security, check_security_object,
};

fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/datasets");
    let datasets = std::env::var_os("VULTUS_DATASETS").map_or(PathBuf::from(beside), PathBuf::from);
    let folder = datasets.join("documents/chip");
    if !folder.is_dir() {
        println!("not here, so not looked at: {}", folder.display());
        return None;
    }
    Some(folder)
}

fn anchors(folder: &std::path::Path) -> Anchors {
    let read = |name: &str| std::fs::read(folder.join("master-lists").join(name)).unwrap();
    let mut anchors = Anchors::new();
    for (list, root) in [
        ("DE_ML_2026-05-28-08-28-45.ml", "DE_ROOT_CA_CSCA07.cer"),
        ("NL_ML_2026-07-22.ml", "NL_ROOT_CA.cer"),
    ] {
        let info = anchors.add_master_list(&read(list), &read(root)).unwrap();
        println!("{info:?}");
        assert!(
            info.certificates > 400 && info.unreadable * 50 < info.certificates,
            "{info:?}"
        );
    }
    let mocks = folder.join("mock-zkpassport");
    for entry in std::fs::read_dir(mocks).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match name.strip_suffix(".pem") {
            Some(name) if name.contains("csca") => anchors.add_certificate(&der(&path)).unwrap(),
            Some(_) => anchors.add_signer(&der(&path)).unwrap(),
            None => {}
        }
    }
    anchors
}

fn der(pem: &std::path::Path) -> Vec<u8> {
    let arguments = ["x509", "-outform", "DER", "-in"];
    let output = std::process::Command::new("openssl")
        .args(arguments)
        .arg(pem)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "openssl: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// As EF.SOD, tag 0x77.
fn tagged(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u16).to_be_bytes();
    [&[0x77, 0x82], &length[..], content].concat()
}

#[test]
fn every_security_object_parses_and_its_signature_holds() {
    let Some(folder) = folder() else { return };
    let anchors = anchors(&folder);
    let (mut seen, mut chained) = (0, Vec::new());
    for kind in [
        "real-sod",
        "mock-zkpassport",
        "specimen-bsi2008",
        "specimen-loes2006",
    ] {
        for entry in std::fs::read_dir(folder.join(kind)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).unwrap();
            let started = std::time::Instant::now();
            let found = match bytes.first() {
                Some(0x77) => check_security_object(&bytes, &anchors),
                // The mocks are without the tag of the file.
                Some(0x30) if name.ends_with(".sod") => {
                    check_security_object(&tagged(&bytes), &anchors)
                }
                Some(0x30) if name.contains("cardsecurity") => {
                    check_card_security(&bytes, &anchors)
                }
                _ => continue,
            };
            let found = found.unwrap_or_else(|e| panic!("{name}: {e}"));
            println!("{name}: {:?} {found:?}", started.elapsed());
            assert!(
                !found.findings.contains(&Finding::SignatureInvalid),
                "{name}"
            );
            assert!(
                !found.findings.contains(&Finding::AlgorithmUnsupported),
                "{name}"
            );
            seen += 1;
            if found.anchor.is_some() {
                chained.push(name);
            }
        }
    }
    println!(
        "{seen} security objects, {} chain to an anchor: {chained:?}",
        chained.len()
    );
    assert_eq!((seen, chained.len()), (20, 15), "{chained:?}");
}

#[test]
fn whole_specimens_are_read() {
    let Some(folder) = folder() else { return };
    for (dir, dg1, dg2, sod, state) in [
        (
            "specimen-bsi2008",
            "bsi2008_Datagroup1.bin",
            "bsi2008_Datagroup2.bin",
            "bsi2008_EF_SOD.bin",
            "D<<",
        ),
        (
            "specimen-loes2006",
            "loes2006_ef0101.bin",
            "loes2006_ef0102.bin",
            "loes2006_ef011D.bin",
            "NLD",
        ),
    ] {
        let read = |name: &str| std::fs::read(folder.join(dir).join(name)).unwrap();
        let (sod, dg1, dg2) = (read(sod), read(dg1), read(dg2));
        let files = Files {
            sod: &sod,
            dg1: &dg1,
            dg2: &dg2,
            others: &[],
        };
        let chip = Chip::read(&files, &Anchors::new()).unwrap();
        assert_eq!(&chip.mrz[2..5], state);
        assert_eq!(chip.portrait.coding, Coding::Jpeg2000, "{dir}");
        assert_eq!(chip.authentication.data_groups, [1, 2], "{dir}");
        println!("{dir}: {:?}", chip.authentication);
        // Nobody is trusted, so nothing is proven.
        let findings = &chip.authentication.findings;
        assert!(
            findings.contains(&Finding::IssuerUnknown),
            "{dir}: {findings:?}"
        );
        // The German specimen's signer states no country.
        assert_eq!(
            findings.contains(&Finding::CountryDiffers),
            state == "D<<",
            "{dir}"
        );
        assert!(!chip.authentication.is_authentic());
        // One bit of the portrait.
        let mut changed = dg2.clone();
        changed[9000] ^= 1;
        let files = Files {
            dg2: &changed,
            ..files
        };
        let chip = Chip::read(&files, &Anchors::new()).unwrap();
        assert!(
            chip.authentication
                .findings
                .contains(&Finding::DataGroupDiffers),
            "{dir}"
        );
        assert_eq!(chip.authentication.data_groups, [1], "{dir}");
    }
}
