//! Passive authentication of electronic identity documents (ICAO Doc 9303-10 to -12): bytes of a
//! chip go in, evidence comes out. No pixels, no clock, no files, no network.
//!
//! ```text
//! EF.SOD -signed_data-> signature of a document signer -certificate, anchors-> its issuing state
//!    +- digests of the data groups <- DG1 (machine-readable zone), DG2 (portrait)
//! ```
//!
//! What holds proves that the named state signed these data. It does not prove that the chip is
//! no copy, that the document is not revoked, or that its holder is who shows it: the portrait of
//! DG2 is the reference to compare a face with.
//!
//! ```no_run
//! use vultus_chip::{Anchors, Chip, Files};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let read = |name: &str| std::fs::read(name);
//! let mut anchors = Anchors::new();
//! anchors.add_master_list(&read("DE_ML.ml")?, &read("CSCA_DE.cer")?)?;
//! let (sod, dg1, dg2) = (read("EF.SOD")?, read("DG1")?, read("DG2")?);
//! let files = Files { sod: &sod, dg1: &dg1, dg2: &dg2, others: &[] };
//! let chip = Chip::read(&files, &anchors)?;
//! for finding in &chip.authentication.findings {
//!     println!("{}", finding.text());
//! }
//! # Ok(())
//! # }
//! ```

mod active;
mod anchors;
mod certificate;
mod country;
mod curve;
mod data_group;
mod digest;
mod ecdsa;
mod fault;
mod key;
mod oid;
mod passive;
mod security_object;
mod signed_data;
mod time;
mod tlv;

pub use active::active_authentication;
pub use anchors::{Anchors, ListInfo};
pub use data_group::{Coding, Portrait};
pub use digest::Digest;
pub use fault::Malformed;
pub use passive::{
    Chip, Files, Finding, PassiveAuthentication, SignerInfo, check_card_security,
    check_security_object,
};
