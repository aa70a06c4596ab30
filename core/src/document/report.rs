//! How far a document is established by what was found of it.

use super::codes;
use crate::evidence::{
    Assessed, Check, CheckResult, DocumentCheck, DocumentField, DocumentLevel, DocumentReport,
    DocumentSight, FieldName, Mrz, Signature, SignatureStatus,
};
use crate::geometry::Point;

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

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "for the reader of pictures, to come")
)]
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
    /// of each line, `least` is the margin from which on a character is beyond doubt.
    pub(crate) fn of_print(
        zone: Mrz,
        margins: &[Vec<f32>],
        least: f32,
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
        let unclear = margins
            .iter()
            .flatten()
            .filter(|&&m| m.is_nan() || m < least);
        let unclear = unclear.count();
        let failing = report.failing();
        let odd = oddities(&zone);
        let format = zone.format().name();
        if unclear == 0 && failing.is_empty() && odd.is_empty() {
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
            faults.extend(odd.iter().map(|&odd| odd.to_owned()));
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
