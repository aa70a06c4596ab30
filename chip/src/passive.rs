//! Passive authentication (Doc 9303-11, 5.1): whether the issuing state signed what the chip holds.

use crate::anchors::Anchors;
use crate::certificate::Certificate;
use crate::country;
use crate::data_group::{self, Portrait};
use crate::digest::Digest;
use crate::fault::Malformed;
use crate::security_object::{SecurityObject, card_security};
use crate::signed_data::SignedData;
use crate::time::{self, Seconds};
use serde::Serialize;
use zeroize::Zeroizing;

/// The files of a chip, as a reader read them, each with its tag.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// EF.SOD, tag 0x77.
    pub sod: &'a [u8],
    /// DG1, tag 0x61: the machine-readable zone.
    pub dg1: &'a [u8],
    /// DG2, tag 0x75: the portrait.
    pub dg2: &'a [u8],
    /// Further data groups by number; their digests are compared and nothing else.
    pub others: &'a [(u8, &'a [u8])],
}

/// Why a chip does not prove what it holds. None of them is an error: each is a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Finding {
    /// A data group is another than the one that was signed.
    DataGroupDiffers,
    /// A data group was given that the security object does not list.
    DataGroupNotSigned,
    /// The certificate of the signer is neither in the security object nor given beside it.
    SignerMissing,
    /// The algorithm, or the curve of a key, is none that identity documents may use.
    AlgorithmUnsupported,
    /// The signature of the security object does not hold.
    SignatureInvalid,
    /// No anchor issued the signer's certificate.
    IssuerUnknown,
    /// The signer's certificate, or its issuer's, was not valid when the document was signed.
    SignerNotValid,
    /// The signer, its issuer and the document do not name the same country.
    CountryDiffers,
}

impl Finding {
    /// All findings, in the order of their values.
    pub const ALL: [Finding; 8] = [
        Finding::DataGroupDiffers,
        Finding::DataGroupNotSigned,
        Finding::SignerMissing,
        Finding::AlgorithmUnsupported,
        Finding::SignatureInvalid,
        Finding::IssuerUnknown,
        Finding::SignerNotValid,
        Finding::CountryDiffers,
    ];

    /// Returns the stable name, as in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Finding::DataGroupDiffers => "data-group-differs",
            Finding::DataGroupNotSigned => "data-group-not-signed",
            Finding::SignerMissing => "signer-missing",
            Finding::AlgorithmUnsupported => "algorithm-unsupported",
            Finding::SignatureInvalid => "signature-invalid",
            Finding::IssuerUnknown => "issuer-unknown",
            Finding::SignerNotValid => "signer-not-valid",
            Finding::CountryDiffers => "country-differs",
        }
    }

    /// Returns one sentence for a person.
    pub fn text(self) -> &'static str {
        match self {
            Finding::DataGroupDiffers => "the chip holds other data than those that were signed",
            Finding::DataGroupNotSigned => "the chip holds data that nobody signed",
            Finding::SignerMissing => "the certificate of the signer is not there",
            Finding::AlgorithmUnsupported => {
                "the chip is signed in a way that identity documents may not be"
            }
            Finding::SignatureInvalid => "the signature on the chip's data does not hold",
            Finding::IssuerUnknown => "no trusted state issued the signer's certificate",
            Finding::SignerNotValid => "the signer's certificate was not valid when it signed",
            Finding::CountryDiffers => {
                "the signer's country is not the one that issued the document"
            }
        }
    }
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignerInfo {
    /// Country of the issuer of its certificate, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Its key: `RSA 2048`, `P-256`, `brainpoolP384r1`.
    pub key: Option<String>,
    /// First day on which its certificate is valid.
    pub not_before: String,
    /// Last day on which its certificate is valid.
    pub not_after: String,
}

/// What passive authentication found. It says who signed the data, and never that the chip is no
/// copy: that takes active or chip authentication in a live session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassiveAuthentication {
    /// Everything that speaks against it, in the order of the checks; empty when it holds.
    pub findings: Vec<Finding>,
    /// Data groups whose digests are as signed.
    pub data_groups: Vec<u8>,
    /// Digest of the data groups; `sha1` has been broken for who makes documents. None where no
    /// data groups are signed.
    pub digest: Option<Digest>,
    /// Who signed, when the certificate is there.
    pub signer: Option<SignerInfo>,
    /// When the signer says that it signed, as a date; many do not say.
    pub signed: Option<String>,
    /// Country of the anchor that the signer's certificate chains to.
    pub anchor: Option<String>,
}

impl PassiveAuthentication {
    /// Whether the state that the document names signed machine-readable zone and portrait.
    pub fn is_authentic(&self) -> bool {
        self.findings.is_empty() && self.anchor.is_some()
    }
}

/// A chip that was read and checked. What it holds is personal, is wiped when dropped, and does not
/// show in `Debug`.
pub struct Chip {
    /// The lines of the machine-readable zone, joined.
    pub mrz: Zeroizing<String>,
    /// The portrait, coded.
    pub portrait: Portrait,
    /// Whether the state signed them.
    pub authentication: PassiveAuthentication,
}

impl std::fmt::Debug for Chip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chip")
            .field("authentication", &self.authentication)
            .finish_non_exhaustive()
    }
}

impl Chip {
    /// Reads the files of a chip and checks them against the anchors.
    ///
    /// A bad signature, an unknown issuer and the like are findings; `Malformed` is for files that
    /// cannot be read at all.
    pub fn read(files: &Files<'_>, anchors: &Anchors) -> Result<Chip, Malformed> {
        let object = SecurityObject::read(files.sod)?;
        let mrz = data_group::mrz(files.dg1)?;
        let portrait = data_group::portrait(files.dg2)?;
        let mut check = Check::of(&object.signed);
        check.data_groups(&object, files);
        check.signature(anchors);
        check.country(&mrz);
        Ok(Chip {
            mrz,
            portrait,
            authentication: check.done(Some(object.digest)),
        })
    }
}

/// Checks the signature of EF.SOD and its chain, without the data that it covers: what can be said
/// of a security object alone. Its `data_groups` are empty, so it proves nothing of a document.
pub fn check_security_object(
    sod: &[u8],
    anchors: &Anchors,
) -> Result<PassiveAuthentication, Malformed> {
    let object = SecurityObject::read(sod)?;
    let mut check = Check::of(&object.signed);
    check.signature(anchors);
    Ok(check.done(Some(object.digest)))
}

/// Checks the signature of EF.CardSecurity of an identity card and its chain. What is signed there
/// is the chip's keys, not the holder's data, so it proves nothing of a document by itself.
pub fn check_card_security(
    bytes: &[u8],
    anchors: &Anchors,
) -> Result<PassiveAuthentication, Malformed> {
    let signed = card_security(bytes)?;
    let mut check = Check::of(&signed);
    check.signature(anchors);
    Ok(check.done(None))
}

struct Check<'a> {
    signed: &'a SignedData,
    findings: Vec<Finding>,
    data_groups: Vec<u8>,
    signer: Option<&'a Certificate>,
    anchor: Option<String>,
}

impl<'a> Check<'a> {
    fn of(signed: &'a SignedData) -> Self {
        let (findings, data_groups) = (Vec::new(), Vec::new());
        Check {
            signed,
            findings,
            data_groups,
            signer: None,
            anchor: None,
        }
    }

    fn find(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn data_groups(&mut self, object: &SecurityObject, files: &Files<'_>) {
        let given = [(1, files.dg1), (2, files.dg2)];
        for &(number, bytes) in given.iter().chain(files.others) {
            let listed = object.digests.iter().find(|(listed, _)| *listed == number);
            match listed {
                None => self.find(Finding::DataGroupNotSigned),
                Some((_, digest)) if object.digest.hash(bytes) == *digest => {
                    self.data_groups.push(number);
                }
                Some(_) => self.find(Finding::DataGroupDiffers),
            }
        }
    }

    fn signature(&mut self, anchors: &'a Anchors) {
        let signed = self.signed;
        let Some(signer) = signed.signer(anchors.signers()) else {
            self.find(Finding::SignerMissing);
            return;
        };
        self.signer = Some(signer);
        match signed.is_signed_by(signer) {
            Ok(true) => {}
            Ok(false) => self.find(Finding::SignatureInvalid),
            Err(_) => self.find(Finding::AlgorithmUnsupported),
        }
        let Some(anchor) = anchors.issuer(signer) else {
            self.find(Finding::IssuerUnknown);
            return;
        };
        self.anchor = anchor.subject.country.clone().or(Some(String::new()));
        // Without a stated time the certificate began, at the latest, when it first signed.
        let at: Seconds = signed.signing_time().unwrap_or(signer.not_before);
        if !signer.is_valid_at(at) || !anchor.is_valid_at(at) {
            self.find(Finding::SignerNotValid);
        }
        if signer.issuer.country != anchor.subject.country {
            self.find(Finding::CountryDiffers);
        }
    }

    /// A state that is trusted for its own documents must not sign another's.
    fn country(&mut self, mrz: &str) {
        let Some(signer) = self.signer else { return };
        let state = country::of_state(&mrz[2..5]);
        if state.is_none() || state != signer.issuer.country.as_deref() {
            self.find(Finding::CountryDiffers);
        }
    }

    fn done(self, digest: Option<Digest>) -> PassiveAuthentication {
        let signer = self.signer.map(|certificate| SignerInfo {
            country: certificate.issuer.country.clone(),
            key: certificate.key.as_ref().ok().map(|key| key.name()),
            not_before: time::date(certificate.not_before),
            not_after: time::date(certificate.not_after),
        });
        PassiveAuthentication {
            findings: self.findings,
            data_groups: self.data_groups,
            digest,
            signer,
            signed: self.signed.signing_time().map(time::date),
            anchor: self.anchor,
        }
    }
}
