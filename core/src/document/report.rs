//! How far a document is established by what was found of it.

use super::codes;
use crate::evidence::{
    Assessed, Check, CheckResult, Date, DocumentCheck, DocumentField, DocumentLevel,
    DocumentReport, DocumentSight, FieldName, Mrz, Signature, SignatureStatus,
};
use crate::geometry::Point;
use zeroize::Zeroizing;

/// The check digit of a field alone.
fn own_check(name: FieldName) -> Option<Check> {
    match name {
        FieldName::Number => Some(Check::Number),
        FieldName::BirthDate => Some(Check::BirthDate),
        FieldName::ExpiryDate => Some(Check::ExpiryDate),
        FieldName::Optional => Some(Check::Optional),
        _ => None,
    }
}

/// The margins from which on a character is beyond doubt, in nats.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeastMargins {
    pub(crate) any: f32,
    /// In names, which no check digit covers.
    pub(crate) name: f32,
}

impl DocumentReport {
    fn empty(seen: DocumentSight, text: String) -> DocumentReport {
        DocumentReport {
            level: None,
            seen,
            text,
            format: None,
            fields: Vec::new(),
            checks: Vec::new(),
            signature: Assessed::NotAsked,
            place: None,
            zone: None,
        }
    }

    /// The report on a picture that shows no zone.
    pub(crate) fn without_zone(text: String) -> DocumentReport {
        DocumentReport::empty(DocumentSight::NoZone, text)
    }

    /// The report on a zone that was read off a picture: `margins` has a value for each character
    /// of each line; `fault` says what else is in doubt, in words that fit after "but".
    pub(crate) fn of_print(
        zone: Mrz,
        margins: &[Vec<f32>],
        least: LeastMargins,
        fault: Option<&str>,
        place: [Point; 4],
    ) -> DocumentReport {
        let margin_of = |name: FieldName| {
            let place = zone.format().place(name)?;
            let margins = margins.get(place.line)?.get(place.columns)?;
            margins.iter().copied().reduce(f32::min)
        };
        let mut report = DocumentReport {
            place: Some(place),
            ..DocumentReport::of_zone(zone.clone(), margin_of)
        };
        let name = zone.format().place(FieldName::Name);
        let is_name = |line: usize, column: usize| {
            let place = name.as_ref();
            place.is_some_and(|place| place.line == line && place.columns.contains(&column))
        };
        let unclear = |line: usize, margins: &Vec<f32>| {
            let is_unclear = |(column, margin): &(usize, &f32)| {
                let least = if is_name(line, *column) {
                    least.name
                } else {
                    least.any
                };
                margin.is_nan() || **margin < least
            };
            margins.iter().enumerate().filter(is_unclear).count()
        };
        let unclear: usize = margins
            .iter()
            .enumerate()
            .map(|(line, margins)| unclear(line, margins))
            .sum();
        let failing = report.failing();
        let odd = oddities(&zone);
        let format = zone.format().name();
        if unclear == 0 && failing.is_empty() && odd.is_empty() && fault.is_none() {
            report.level = Some(DocumentLevel::Read);
            report.seen = DocumentSight::Zone;
            report.text = format!(
                "the machine-readable zone ({format}) was read without doubt and its check digits \
                hold; anybody can print such a zone"
            );
        } else {
            let mut faults = Vec::new();
            match unclear {
                0 => {}
                1 => faults.push("1 character is in doubt".to_owned()),
                n => faults.push(format!("{n} characters are in doubt")),
            }
            if !failing.is_empty() {
                faults.push(format!("check digits fail ({})", failing.join(", ")));
            }
            faults.extend(odd.iter().chain(&fault).map(|&odd| odd.to_owned()));
            report.text = format!(
                "a machine-readable zone ({format}) is there, but {}",
                faults.join(" and ")
            );
        }
        report
    }

    /// The report on the data of a chip: the zone of its DG1, and what its signature says of DG1
    /// and of the portrait in DG2. The portrait is the picture to hand in beside it.
    pub fn of_chip(zone: Mrz, signature: Signature) -> DocumentReport {
        let mut report = DocumentReport {
            seen: DocumentSight::Chip,
            text: signature.text.clone(),
            ..DocumentReport::of_zone(zone, |_| None)
        };
        if signature.status == SignatureStatus::Valid {
            report.level = Some(DocumentLevel::Signed);
        }
        report.signature = Assessed::Yes(signature);
        report
    }

    fn of_zone(zone: Mrz, margin_of: impl Fn(FieldName) -> Option<f32>) -> DocumentReport {
        let field = |&name: &FieldName| {
            zone.format().place(name)?;
            Some(DocumentField {
                name,
                margin: margin_of(name),
                check: own_check(name).map_or(CheckResult::Absent, |check| zone.check(check)),
            })
        };
        let check = |&name: &Check| DocumentCheck {
            name,
            result: zone.check(name),
        };
        DocumentReport {
            format: Some(zone.format()),
            fields: FieldName::ALL.iter().filter_map(field).collect(),
            checks: Check::ALL.iter().map(check).collect(),
            zone: Some(zone.clone()),
            ..DocumentReport::empty(DocumentSight::UnclearZone, String::new())
        }
    }

    /// What stands in the zone, as JSON, or `null` without one: `lines` as printed, then by name
    /// `document_code`, `issuer`, `number`, `nationality`, `family_name`, `given_names`, `sex`,
    /// `birth_date` and `expiry_date` (`YYYY-MM-DD` where `today` tells the century, else and where
    /// a part is unknown as printed, `YYMMDD`), `optional`. All of it is personal: keep what is
    /// needed, and wipe the rest. The text is wiped when it is dropped.
    pub fn personal_json(&self, today: Option<Date>) -> Zeroizing<String> {
        let Some(zone) = &self.zone else {
            return Zeroizing::new("null".to_owned());
        };
        let names = zone.names();
        let field = |name: FieldName| zone.field(name).unwrap_or_default();
        let date = |name: FieldName, whole: Option<Date>| {
            whole.map_or_else(|| field(name).to_owned(), |date| date.to_string())
        };
        let born = today.and_then(|today| zone.birth_date()?.before(today));
        let until = today.and_then(|today| zone.expiry_date()?.nearest(today));
        let optional = [FieldName::Optional, FieldName::Optional2].map(field);
        let rows = [
            ("document_code", zone.code().to_owned()),
            ("issuer", zone.issuer().to_owned()),
            ("number", zone.number()),
            ("nationality", zone.nationality().to_owned()),
            ("family_name", names.family.join(" ")),
            ("given_names", names.given.join(" ")),
            ("sex", zone.sex().to_owned()),
            ("birth_date", date(FieldName::BirthDate, born)),
            ("expiry_date", date(FieldName::ExpiryDate, until)),
            ("optional", optional.join(" ").trim().to_owned()),
        ];
        // Digits, capitals, fillers, hyphens and spaces: nothing to escape.
        let lines: Vec<String> = zone
            .lines()
            .iter()
            .map(|line| format!("\"{line}\""))
            .collect();
        let mut text = Zeroizing::new(String::with_capacity(1_024));
        text.push_str("{\"lines\":[");
        text.push_str(&Zeroizing::new(lines.join(",")));
        text.push(']');
        for (name, value) in rows {
            let value = Zeroizing::new(value);
            text.push_str(",\"");
            text.push_str(name);
            text.push_str("\":\"");
            text.push_str(&value);
            text.push('"');
        }
        text.push('}');
        drop(Zeroizing::new(lines));
        text
    }

    /// The names of the check digits that fail.
    pub(crate) fn failing(&self) -> Vec<&'static str> {
        let fails = |check: &&DocumentCheck| check.result == CheckResult::Fails;
        let names = self.checks.iter().filter(fails);
        names.map(|check| check.name.name()).collect()
    }
}

/// What no genuine zone has, in words that fit after "but".
fn oddities(zone: &Mrz) -> Vec<&'static str> {
    let mut odd = Vec::new();
    if !codes::is_state(zone.issuer()) {
        odd.push("its issuer is none of Doc 9303");
    }
    if zone.birth_date().is_none() {
        odd.push("its birth date is no date");
    }
    let no_expiry = zone.field(FieldName::ExpiryDate).is_some_and(str::is_empty);
    if zone.expiry_date().is_none() && !no_expiry {
        odd.push("its expiry date is no date");
    }
    if zone.names().family.is_empty() {
        odd.push("it has no name");
    }
    odd
}
