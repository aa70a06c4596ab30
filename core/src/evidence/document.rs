//! What is known of the identity document: its machine-readable zone as it was read, and how far
//! that was established.
//!
//! What a zone says is personal: it is wiped when dropped, `Debug` never shows it, and JSON leaves
//! it out.

use super::{Assessed, json, names};
use crate::geometry::Point;
use serde::Serialize;
use zeroize::Zeroize;

names! {
    /// How far a document was established, the weakest first. The three are never mixed: only a
    /// signature proves that an issuer said what is read.
    #[derive(PartialOrd, Ord)]
    pub enum DocumentLevel {
        /// The zone was read without doubt and its check digits hold. Anybody can print one.
        Read = 1 => "read",
        /// What the document shows more than once agrees, and nothing speaks against the page.
        Consistent = 2 => "consistent",
        /// The issuer's signature covers what is read and the portrait.
        Signed = 3 => "signed",
    }
}

names! {
    /// What was found where a document was looked for.
    #[non_exhaustive]
    pub enum DocumentSight {
        /// A machine-readable zone, every character of it beyond doubt.
        Zone => "mrz",
        /// A machine-readable zone of which characters are in doubt or check digits fail.
        UnclearZone => "mrz-unclear",
        /// No machine-readable zone.
        NoZone => "no-mrz",
        /// The files of a chip.
        Chip => "chip",
    }
}

names! {
    /// The shapes of a machine-readable zone (ICAO Doc 9303).
    pub enum Format {
        /// Card of the size ID-1, three lines of 30 (Doc 9303-5).
        Td1 => "TD1",
        /// Document of the size ID-2, two lines of 36 (Doc 9303-6).
        Td2 => "TD2",
        /// Passport, two lines of 44 (Doc 9303-4).
        Td3 => "TD3",
        /// Visa of full size, two lines of 44 (Doc 9303-7).
        MrvA => "MRV-A",
        /// Small visa, two lines of 36 (Doc 9303-7).
        MrvB => "MRV-B",
    }
}

names! {
    /// What stands in a zone.
    pub enum FieldName {
        /// The kind of document: P for a passport, I, A or C for a card, V for a visa.
        DocumentCode => "document-code",
        /// Who issued it.
        Issuer => "issuer",
        /// Family and given names.
        Name => "name",
        /// The document's number.
        Number => "number",
        /// The holder's nationality.
        Nationality => "nationality",
        /// The holder's birth date.
        BirthDate => "birth-date",
        /// The holder's sex: F, M, or a filler.
        Sex => "sex",
        /// The last day of validity.
        ExpiryDate => "expiry-date",
        /// At the issuer's choice; on cards also the end of a long number.
        Optional => "optional",
        /// A card's second optional field.
        Optional2 => "optional-2",
    }
}

names! {
    /// What a check digit covers.
    pub enum Check {
        /// The document's number.
        Number => "number",
        /// The birth date.
        BirthDate => "birth-date",
        /// The expiry date.
        ExpiryDate => "expiry-date",
        /// A passport's optional field.
        Optional => "optional",
        /// All of these together; neither names nor nationality.
        Composite => "composite",
    }
}

names! {
    /// What a check digit says.
    pub enum CheckResult {
        /// It is that of the field.
        Holds => "holds",
        /// It is another.
        Fails => "fails",
        /// The format has none there, or the issuer left it out.
        Absent => "absent",
    }
}

names! {
    /// What became of the issuer's signature over the data of a chip.
    #[non_exhaustive]
    pub enum SignatureStatus {
        /// It holds, and its signer is certified by an issuer of the operator's list.
        Valid => "valid",
        /// It holds, and no issuer of the operator's list certified its signer.
        IssuerUnknown => "issuer-unknown",
        /// It does not hold, or the data are not those that it covers.
        Invalid => "invalid",
    }
}

/// A calendar date. Ordered by time; on the wire `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// With its century.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Date {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date" })
    }
}

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A zone of one of the formats: lines of the right length of digits, A to Z and fillers. Wiped
/// when it is dropped, and never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Mrz {
    pub(crate) format: Format,
    pub(crate) lines: Vec<String>,
}

impl Drop for Mrz {
    fn drop(&mut self) {
        self.lines.zeroize();
    }
}

impl std::fmt::Debug for Mrz {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mrz({})", self.format.name())
    }
}

/// One field of a zone, without what stands in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DocumentField {
    /// Which field.
    pub name: FieldName,
    /// How far the field was from being read otherwise: by how much the log-likelihood of its least
    /// certain character exceeds that of the next likely one, in nats. `None` for what was not read
    /// off a picture.
    pub margin: Option<f32>,
    /// Its own check digit.
    pub check: CheckResult,
}

/// One check digit of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DocumentCheck {
    /// What it covers.
    pub name: Check,
    /// What it says.
    pub result: CheckResult,
}

/// What is known of an identity document.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DocumentReport {
    /// How far it was established; `None` where nothing that is read may be relied on.
    pub level: Option<DocumentLevel>,
    /// What was found.
    pub seen: DocumentSight,
    /// One sentence for a person, without anything personal.
    pub text: String,
    /// The shape of its zone; `None` without one. In JSON `zone_format`: `format` is that of the
    /// JSON itself.
    #[serde(rename = "zone_format")]
    pub format: Option<Format>,
    /// The fields that the format has, in a fixed order; empty without a zone.
    pub fields: Vec<DocumentField>,
    /// Every check digit, in a fixed order; empty without a zone.
    pub checks: Vec<DocumentCheck>,
    /// The issuer's signature; not asked of a picture, which has none.
    pub signature: Assessed<Signature>,
    /// The corners of the zone in pixels of the upright picture, in reading order: left and right
    /// end of its top, right and left end of its bottom. `None` where no picture shows one.
    pub place: Option<[Point; 4]>,
    /// What stands in the zone: personal, so not part of the JSON.
    #[serde(skip)]
    pub zone: Option<Mrz>,
}

/// What the issuer's signature says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Signature {
    /// Whether it holds.
    pub status: SignatureStatus,
    /// One sentence for a person.
    pub text: String,
}

impl DocumentReport {
    /// Returns the report as JSON, without what stands in the zone.
    pub fn to_json(&self) -> String {
        json(self)
    }

    /// Returns the field of that name; `None` where there is none.
    pub fn field(&self, name: FieldName) -> Option<&DocumentField> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Returns what a check digit says.
    pub fn check(&self, name: Check) -> CheckResult {
        let found = self.checks.iter().find(|check| check.name == name);
        found.map_or(CheckResult::Absent, |check| check.result)
    }
}
