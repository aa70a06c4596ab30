//! Runs over pictures of identity documents: what was read beside what is printed there.
//!
//! A record has counts alone, and nothing of what stands in a document.

use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::ParallelProgressIterator;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vultus::DocumentReport;
use vultus::document::Mrz;

use crate::extract::progress;
use crate::findings::{Findings, file_name};
use crate::run::{Origin, PackRecord};

/// A picture, and the zone that is printed in it.
pub struct Printed {
    /// The file.
    pub path: PathBuf,
    /// Its folder below the root: how it was taken, or what was done to it.
    pub kind: String,
    /// What is printed; `None` where no zone is.
    pub zone: Option<Mrz>,
}

/// What was read in pictures of one kind or format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    /// The kind or the format.
    pub kind: String,
    /// Pictures.
    pub documents: u64,
    /// Those whose every line was read as it is printed, in doubt or not.
    pub exact: u64,
    /// Lines that are printed.
    pub lines: u64,
    /// Those that were read as they are printed.
    pub lines_exact: u64,
    /// Pictures of the level `read`.
    pub read: u64,
    /// Those of them in which a line was read otherwise than it is printed.
    pub read_wrong: u64,
}

impl Reads {
    fn add(&mut self, zone: Option<&Mrz>, report: &DocumentReport) {
        let printed = zone.map_or(&[][..], Mrz::lines);
        let seen = report.zone.as_ref().map_or(&[][..], Mrz::lines);
        let is_exact = printed == seen;
        let is_read = report.level.is_some();
        let same = printed.iter().zip(seen).filter(|(a, b)| a == b).count();
        self.documents += 1;
        self.exact += u64::from(is_exact);
        self.lines += printed.len() as u64;
        self.lines_exact += same as u64;
        self.read += u64::from(is_read);
        self.read_wrong += u64::from(is_read && !is_exact);
    }
}

/// A run over pictures of documents.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DocumentRun {
    /// Where and how it was made.
    pub origin: Origin,
    /// The pack.
    pub pack: PackRecord,
    /// Name of the set.
    pub set: String,
    /// What is wrong with the set.
    pub findings: Findings,
    /// By kind of picture.
    pub kinds: Vec<Reads>,
    /// By format of the zone.
    pub formats: Vec<Reads>,
    /// Median of the time that a decoded picture took on its thread, in milliseconds.
    pub milliseconds: f64,
}

/// Lists the pictures below `root`. Beside each a text file of the same name, ending in `.mrz`, has
/// the lines that are printed; an empty one says that no zone is there.
pub fn list(root: &Path, findings: &mut Findings) -> Vec<Printed> {
    let mut all = Vec::new();
    for path in findings.images_below(root) {
        let told = path.with_extension("mrz");
        let text = findings.read_text(&told);
        let zone = match Mrz::parse(&text) {
            _ if text.trim().is_empty() => None,
            Ok(zone) => Some(zone),
            Err(error) => {
                findings.add(told.display(), error);
                continue;
            }
        };
        let folder = path
            .parent()
            .and_then(|folder| folder.strip_prefix(root).ok());
        let kind = folder.map(|folder| folder.display().to_string());
        all.push(Printed {
            kind: kind
                .filter(|kind| !kind.is_empty())
                .unwrap_or_else(|| file_name(root)),
            path,
            zone,
        });
    }
    all
}

/// Reads every picture and counts. A picture that cannot be read is a finding and counts nowhere.
pub fn read_all(
    root: &Path,
    printed: &[Printed],
    pack: PackRecord,
    read: impl Fn(&[u8]) -> Result<(DocumentReport, Instant), String> + Sync,
) -> DocumentRun {
    let look = |one: &Printed| {
        let bytes = std::fs::read(&one.path).map_err(|error| error.to_string())?;
        let (report, began) = read(&bytes)?;
        Ok::<_, String>((report, began.elapsed().as_secs_f64() * 1e3))
    };
    let reports: Vec<_> = printed
        .par_iter()
        .with_max_len(1)
        .progress_with(progress(printed.len(), "documents"))
        .map(look)
        .collect();
    let mut findings = Findings::default();
    let (mut kinds, mut formats) = (Vec::new(), Vec::new());
    let mut times = Vec::new();
    for (one, outcome) in printed.iter().zip(reports) {
        match outcome {
            Ok((report, time)) => {
                let format = one
                    .zone
                    .as_ref()
                    .map_or("no zone", |zone| zone.format().name());
                row(&mut kinds, &one.kind).add(one.zone.as_ref(), &report);
                row(&mut formats, format).add(one.zone.as_ref(), &report);
                times.push(time);
            }
            Err(error) => findings.add(one.path.display(), error),
        }
    }
    times.sort_by(f64::total_cmp);
    DocumentRun {
        origin: Origin::here(),
        pack,
        set: file_name(root),
        findings,
        kinds,
        formats,
        milliseconds: times.get(times.len() / 2).copied().unwrap_or_default(),
    }
}

/// The row of that name, at the end where there is none.
fn row<'a>(rows: &'a mut Vec<Reads>, kind: &str) -> &'a mut Reads {
    let at = rows.iter().position(|row| row.kind == kind);
    let at = at.unwrap_or_else(|| {
        let kind = kind.to_owned();
        rows.push(Reads {
            kind,
            ..Reads::default()
        });
        rows.len() - 1
    });
    &mut rows[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\n\
        ERIKSSON<<ANNA<MARIA<<<<<<<<<<\n";

    #[test]
    fn pictures_are_listed_with_what_is_printed() {
        let folder = tempfile::tempdir().unwrap();
        let turned = folder.path().join("turned");
        std::fs::create_dir(&turned).unwrap();
        for (name, text) in [("a", CARD), ("b", ""), ("c", "no zone at all")] {
            std::fs::write(turned.join(name).with_extension("png"), b"").unwrap();
            std::fs::write(turned.join(name).with_extension("mrz"), text).unwrap();
        }
        std::fs::write(folder.path().join("d.jpg"), b"").unwrap();
        let mut findings = Findings::default();
        let all = list(folder.path(), &mut findings);
        let zones: Vec<_> = all
            .iter()
            .map(|one| (file_name(&one.path), one.zone.is_some()))
            .collect();
        assert!(zones.contains(&("a.png".to_owned(), true)), "{zones:?}");
        assert!(zones.contains(&("b.png".to_owned(), false)), "{zones:?}");
        // What cannot be read, and what is missing.
        assert_eq!(findings.0.len(), 2, "{findings:?}");
        assert!(findings.0.iter().all(|f| !f.problem.contains("no zone at")));
    }

    #[test]
    fn a_reading_is_counted_against_what_is_printed() {
        let zone = Mrz::parse(CARD).unwrap();
        let mut reads = Reads::default();
        let folder = tempfile::tempdir().unwrap();
        let picture = folder.path().join("x.png");
        std::fs::write(&picture, b"").unwrap();
        let chip = |status| {
            let text = String::new();
            DocumentReport::of_chip(zone.clone(), vultus::Signature { status, text })
        };
        reads.add(Some(&zone), &chip(vultus::SignatureStatus::Valid));
        assert_eq!(
            (reads.exact, reads.lines_exact, reads.read_wrong),
            (1, 3, 0)
        );
        // Something was told as sure where nothing is printed.
        reads.add(None, &chip(vultus::SignatureStatus::Valid));
        assert_eq!((reads.documents, reads.exact, reads.read_wrong), (2, 1, 1));
        // In doubt, and as it is printed.
        reads.add(Some(&zone), &chip(vultus::SignatureStatus::IssuerUnknown));
        assert_eq!((reads.exact, reads.read, reads.read_wrong), (2, 2, 1));
    }
}
