//! What a README's tables are made of: the figures of runs without names of samples, scores or
//! features, so that they can be kept in git; and the tables themselves.

use std::fmt::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::calibrate::Check;
use crate::detection::{DetectionRun, Setting};
use crate::document::{DocumentRun, Reads};
use crate::metrics::interval::clopper_pearson;
use crate::metrics::verification::{CONFIDENCE, OperatingPoint};
use crate::pad::PadRun;
use crate::run::{Origin, PackRecord, Run};

/// A weight and the hash of its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weight {
    /// Model id.
    pub id: String,
    /// Hash of the file.
    pub sha256: String,
}

/// The figures of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Where and how it was made.
    pub origin: Origin,
    /// Name and version of the pack.
    pub pack: String,
    /// The weights of the pack.
    pub weights: Vec<Weight>,
    /// The set; with `findings` defects.
    pub set: String,
    /// Number of accepted findings.
    pub findings: usize,
    /// What was seen.
    pub figures: Figures,
}

/// The figures by kind of run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Figures {
    /// Comparisons at fixed false match rates.
    Verification {
        /// `single` or `fused`, and what else the pack compares by.
        comparator: String,
        /// `exact` or `fast`.
        precision: String,
        /// Samples.
        samples: usize,
        /// Identities.
        identities: usize,
        /// Failures to acquire.
        failures: usize,
        /// Mated comparisons.
        mated: u64,
        /// Non-mated comparisons.
        non_mated: u64,
        /// Cross-validated accuracy and its standard deviation over folds.
        accuracy: Option<[f64; 2]>,
        /// Rates at fixed FMR.
        points: Vec<OperatingPoint>,
    },
    /// Average precision of face detection.
    Detection {
        /// Which detectors looked.
        detectors: Vec<String>,
        /// Pictures.
        images: usize,
        /// Per setting.
        settings: Vec<Setting>,
    },
    /// Calibrated thresholds on identities that the calibration never saw.
    Calibration {
        /// One a comparator and precision.
        checks: Vec<Check>,
    },
    /// Levels of risk over clips, as `models/sequence/evaluate.py record` counts them.
    Sequences {
        /// One a kind of clips.
        rows: Vec<Clips>,
    },
    /// Zones of identity documents.
    Documents {
        /// One a kind of picture.
        kinds: Vec<Reads>,
        /// One a format.
        formats: Vec<Reads>,
    },
    /// Errors of presentation attack detection.
    Presentations {
        /// Frames of a clip.
        frames: usize,
        /// Area under the curve over all sources.
        auc: Option<f64>,
        /// One a source and species.
        rows: Vec<Presentations>,
    },
}

/// Presentations of one source and species. An error is an attack taken for bona fide, or the other
/// way round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Presentations {
    /// Where they come from, and their species.
    pub kind: String,
    /// Presentations.
    pub presentations: u64,
    /// Those that were judged: the face was found, large enough, with its surroundings.
    pub judged: u64,
    /// Errors at the pack's threshold.
    pub errors: u64,
    /// Errors at the threshold of all other sources.
    pub left_out: Option<u64>,
}

/// The levels that clips of one kind were given, a window of frames each.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Clips {
    /// Bona fide, or what was done to them.
    pub kind: String,
    /// Clips.
    pub clips: usize,
    /// Windows of them at LOW, MEDIUM and HIGH.
    pub levels: [usize; 3],
    /// Area under the curve of the channel's score against the bona fide windows.
    pub auc: Option<f64>,
}

/// Any JSON that a run wrote.
#[derive(Deserialize)]
#[serde(untagged)]
enum Any {
    Record(Box<Record>),
    Verification(Box<Run>),
    Detection(Box<DetectionRun>),
    Presentations(Box<PadRun>),
    Documents(Box<DocumentRun>),
}

impl Record {
    /// Reads a record, or the full JSON of a run and keeps its figures.
    ///
    /// # Errors
    /// The file is neither.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        match serde_json::from_slice(&bytes) {
            Ok(Any::Record(record)) => Ok(*record),
            Ok(Any::Verification(run)) => Ok(Self::of_verification(&run)),
            Ok(Any::Detection(run)) => Ok(Self::of_detection(&run)),
            Ok(Any::Presentations(run)) => Ok(Self::of_presentations(&run)),
            Ok(Any::Documents(run)) => Ok(Self::of_documents(&run)),
            Err(_) => Err(format!("{} is no record of a run", path.display())),
        }
    }

    fn new(
        origin: &Origin,
        pack: &PackRecord,
        set: &str,
        findings: usize,
        figures: Figures,
    ) -> Self {
        let weights = pack
            .models
            .iter()
            .map(|m| Weight {
                id: m.id.clone(),
                sha256: m.sha256.clone(),
            })
            .collect();
        Self {
            origin: origin.clone(),
            pack: pack.name.clone(),
            weights,
            set: set.to_owned(),
            findings,
            figures,
        }
    }

    /// Keeps the figures of a verification run.
    pub fn of_verification(run: &Run) -> Self {
        let figures = Figures::Verification {
            comparator: run.comparator.clone(),
            precision: run.precision.clone(),
            samples: run.samples.len(),
            identities: run.identities,
            failures: run.failures.len(),
            mated: run.mated,
            non_mated: run.non_mated,
            accuracy: run.tenfold.as_ref().map(|t| [t.accuracy, t.deviation]),
            points: run.operating_points.clone(),
        };
        Self::new(
            &run.origin,
            &run.pack,
            &run.set,
            run.findings.0.len(),
            figures,
        )
    }

    /// Keeps the figures of a detection run.
    pub fn of_detection(run: &DetectionRun) -> Self {
        let figures = Figures::Detection {
            detectors: run.detectors.clone(),
            images: run.images,
            settings: run.settings.clone(),
        };
        Self::new(
            &run.origin,
            &run.pack,
            &run.set,
            run.findings.0.len(),
            figures,
        )
    }

    /// Keeps the counts of a run over documents.
    pub fn of_documents(run: &DocumentRun) -> Self {
        let figures = Figures::Documents {
            kinds: run.kinds.clone(),
            formats: run.formats.clone(),
        };
        Self::new(
            &run.origin,
            &run.pack,
            &run.set,
            run.findings.0.len(),
            figures,
        )
    }

    /// Keeps the errors of a run over presentations.
    pub fn of_presentations(run: &PadRun) -> Self {
        let rows = run.sets.iter().flat_map(|(source, rates)| {
            let left_out = run.left_out.iter().flat_map(|all| &all.sources);
            let left_out = left_out
                .filter(|s| s.source == *source)
                .map(|s| &s.rates)
                .next();
            let attacks = rates
                .species
                .iter()
                .enumerate()
                .map(move |(i, s)| Presentations {
                    kind: format!("{source}, {}", s.name),
                    presentations: s.apnrr.of,
                    judged: s.apcer.of,
                    errors: s.apcer.count,
                    left_out: left_out.map(|rates| rates.species[i].apcer.count),
                });
            let bona_fide = (rates.bpnrr.of > 0).then(|| Presentations {
                kind: format!("{source}, bona fide"),
                presentations: rates.bpnrr.of,
                judged: rates.bpcer.of,
                errors: rates.bpcer.count,
                left_out: left_out.map(|rates| rates.bpcer.count),
            });
            attacks.chain(bona_fide)
        });
        let figures = Figures::Presentations {
            frames: run.frames,
            auc: run.auc,
            rows: rows.collect(),
        };
        Self::new(
            &run.origin,
            &run.pack,
            &run.set,
            run.findings.0.len(),
            figures,
        )
    }

    /// Keeps the checks of a calibration.
    pub fn of_calibration(pack: &PackRecord, set: &str, checks: Vec<Check>) -> Self {
        Self::new(
            &Origin::here(),
            pack,
            set,
            0,
            Figures::Calibration { checks },
        )
    }

    /// Returns the name of its file: what was run, in lower-case words.
    pub fn file_name(&self) -> String {
        let how = match &self.figures {
            Figures::Verification {
                comparator,
                precision,
                ..
            } => format!("{comparator} {precision}"),
            Figures::Detection { detectors, .. } => detectors.join(" "),
            Figures::Calibration { .. } => "held out".to_owned(),
            Figures::Sequences { .. } => "sequences".to_owned(),
            Figures::Presentations { .. } => "presentations".to_owned(),
            Figures::Documents { .. } => "documents".to_owned(),
        };
        let words = format!("{} {how}", self.set).to_lowercase();
        let words: Vec<&str> = words
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        words.join("-") + ".json"
    }
}

/// Returns the Markdown tables of the records, one a kind, in the order of the records.
pub fn tables(records: &[Record]) -> String {
    let mut tables = [
        String::from(
            "| set | comparator | accuracy | FNMR at FMR (95 % over identities) | failures to \
            acquire |\n|---|---|---|---|---|\n",
        ),
        String::new(),
        String::from(
            "| thresholds of | FMR | identities | non-mated | FMR seen (95 %) | holds \
            |\n|---|---|---|---|---|---|\n",
        ),
        String::from(
            "| sequences | clips | windows | LOW | MEDIUM | HIGH | AUC of the score \
            |\n|---|---|---|---|---|---|---|\n",
        ),
        String::new(),
        String::new(),
    ];
    let empty = tables.clone();
    for record in records {
        match &record.figures {
            Figures::Verification { .. } => verification_row(&mut tables[0], record),
            Figures::Detection { .. } => detection_row(&mut tables[1], record),
            Figures::Calibration { checks } => checks
                .iter()
                .for_each(|check| calibration_rows(&mut tables[2], check)),
            Figures::Sequences { rows } => {
                rows.iter().for_each(|row| clips_row(&mut tables[3], row))
            }
            Figures::Presentations { rows, .. } => presentations_rows(&mut tables[4], rows),
            Figures::Documents { kinds, formats } => {
                let rows = kinds.iter().chain(formats);
                rows.for_each(|row| reads_row(&mut tables[5], &record.set, row));
            }
        }
    }
    let filled: Vec<String> = tables
        .into_iter()
        .zip(empty)
        .filter(|(table, empty)| table != empty)
        .map(|(table, _)| table)
        .collect();
    filled.join("\n")
}

fn verification_row(table: &mut String, record: &Record) {
    let Figures::Verification {
        comparator,
        precision,
        samples,
        failures,
        accuracy,
        points,
        ..
    } = &record.figures
    else {
        return;
    };
    let accuracy = accuracy.map_or(String::new(), |[mean, _]| format!("{:.2} %", 100.0 * mean));
    let points: Vec<String> = points
        .iter()
        .map(|p| {
            let interval = p.fnmr_by_identity.unwrap_or(p.fnmr_interval);
            format!(
                "{:.0e}: {:.2} % ({:.2} to {:.2})",
                p.fmr,
                100.0 * p.fnmr,
                100.0 * interval.low,
                100.0 * interval.high
            )
        })
        .collect();
    let _ = writeln!(
        table,
        "| {}{} | {comparator}, {precision} | {accuracy} | {} | {failures} of {samples} |",
        record.set,
        marked(record),
        points.join("; ")
    );
}

fn detection_row(table: &mut String, record: &Record) {
    let Figures::Detection {
        detectors,
        images,
        settings,
    } = &record.figures
    else {
        return;
    };
    if table.is_empty() {
        let names: Vec<&str> = settings.iter().map(|s| s.name.as_str()).collect();
        let _ = writeln!(
            table,
            "| set | detectors | AP {} |\n|---|---|{}",
            names.join(" | AP "),
            "---|".repeat(names.len())
        );
    }
    let cells: Vec<String> = settings
        .iter()
        .map(|s| format!("{:.3}", s.average_precision))
        .collect();
    let _ = writeln!(
        table,
        "| {}, {images} pictures{} | {} | {} |",
        record.set,
        marked(record),
        detectors.join(", "),
        cells.join(" | ")
    );
}

fn calibration_rows(table: &mut String, check: &Check) {
    for point in &check.points {
        let _ = writeln!(
            table,
            "| {}, {} | {:.0e} | {} | {} | {:.2e} ({:.1e} to {:.1e}) | {} |",
            check.comparator,
            check.precision,
            point.fmr,
            check.identities,
            check.non_mated,
            point.fmr_observed,
            point.fmr_low,
            point.fmr_high,
            if point.holds { "yes" } else { "NO" }
        );
    }
}

fn clips_row(table: &mut String, row: &Clips) {
    let [low, medium, high] = row.levels;
    let auc = row.auc.map_or(String::new(), |auc| format!("{auc:.2}"));
    let _ = writeln!(
        table,
        "| {} | {} | {} | {low} | {medium} | {high} | {auc} |",
        row.kind,
        row.clips,
        low + medium + high
    );
}

fn reads_row(table: &mut String, set: &str, row: &Reads) {
    if table.is_empty() {
        table.push_str(
            "| documents | exact | lines exact | level `read` | `read` and wrong (95 %) \
            |\n|---|---|---|---|---|\n",
        );
    }
    let wrong = share(row.read_wrong, row.read);
    let _ = writeln!(
        table,
        "| {set}, {} | {} of {} | {} of {} | {} | {wrong} |",
        row.kind, row.exact, row.documents, row.lines_exact, row.lines, row.read
    );
}

fn presentations_rows(table: &mut String, rows: &[Presentations]) {
    if table.is_empty() {
        table.push_str(
            "| presentations | judged | errors at the pack's threshold (95 %) | at the threshold \
            of the other sources |\n|---|---|---|---|\n",
        );
    }
    for row in rows {
        let share = |errors: u64| {
            if row.judged == 0 {
                return String::new();
            }
            let interval = clopper_pearson(errors, row.judged, CONFIDENCE);
            let rate = 100.0 * errors as f64 / row.judged as f64;
            format!(
                "{errors}: {rate:.1} % ({:.1} to {:.1})",
                100.0 * interval.low,
                100.0 * interval.high
            )
        };
        let _ = writeln!(
            table,
            "| {} | {} of {} | {} | {} |",
            row.kind,
            row.judged,
            row.presentations,
            share(row.errors),
            row.left_out.map_or(String::new(), share)
        );
    }
}

/// Returns one Markdown table of what matters most, what goes wrong first: errors over all sources
/// of each set of presentations, non-matches at an FMR of 1e-4 over all pairs.
pub fn summary(records: &[Record]) -> String {
    let mut table = String::from(
        "| what went wrong | how often (95 %) | not judged | where |\n|---|---|---|---|\n",
    );
    let mut non_matches = String::new();
    for record in records {
        let set = format!("{}{}", record.set, marked(record));
        match &record.figures {
            Figures::Presentations { rows, .. } => {
                for (what, bona_fide) in [
                    ("attacks taken for captures", false),
                    ("captures taken for attacks", true),
                ] {
                    let rows = rows
                        .iter()
                        .filter(|row| row.kind.ends_with(", bona fide") == bona_fide);
                    let [all, judged, errors] = rows.fold([0; 3], |[all, judged, errors], row| {
                        [
                            all + row.presentations,
                            judged + row.judged,
                            errors + row.errors,
                        ]
                    });
                    if all > 0 {
                        let _ = writeln!(
                            table,
                            "| {what} | {} | {} of {all} | {set} |",
                            share(errors, judged),
                            all - judged
                        );
                    }
                }
            }
            Figures::Verification {
                comparator,
                precision,
                accuracy: None,
                points,
                samples,
                failures,
                ..
            } if comparator == "fused" => {
                for point in points.iter().filter(|point| point.fmr == 1e-4) {
                    let interval = point.fnmr_by_identity.unwrap_or(point.fnmr_interval);
                    let _ = writeln!(
                        non_matches,
                        "| mated pairs that do not match at an FMR of 1e-4 | {:.2} % ({:.2} to \
                        {:.2}) | {failures} of {samples} | {set}; {precision} |",
                        100.0 * point.fnmr,
                        100.0 * interval.low,
                        100.0 * interval.high
                    );
                }
            }
            _ => {}
        }
    }
    table + &non_matches
}

/// Errors of so many, with their share and its interval; empty where nothing was judged.
fn share(errors: u64, judged: u64) -> String {
    if judged == 0 {
        return String::new();
    }
    let interval = clopper_pearson(errors, judged, CONFIDENCE);
    format!(
        "{errors} of {judged}: {:.1} % ({:.1} to {:.1})",
        100.0 * errors as f64 / judged as f64,
        100.0 * interval.low,
        100.0 * interval.high
    )
}

/// A set with accepted findings is never shown as if it were whole.
fn marked(record: &Record) -> String {
    if record.findings == 0 {
        String::new()
    } else {
        format!(" ({} findings)", record.findings)
    }
}

const BEGIN: &str = "<!-- figures: made by `vultus-datasets table`; do not edit -->\n";
const END: &str = "<!-- end of figures -->";

/// Returns `text` with the tables between its two marks replaced.
///
/// # Errors
/// The marks are missing.
pub fn replace(text: &str, tables: &str) -> Result<String, String> {
    let missing = || {
        format!(
            "the text holds no place for the tables: {:?} and {END:?}",
            BEGIN.trim_end()
        )
    };
    let (before, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{BEGIN}{tables}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_go_between_the_marks_and_nowhere_else() {
        let text = format!("a\n{BEGIN}old\n{END}\nb\n");
        let new = replace(&text, "| new |\n").unwrap();
        assert_eq!(new, format!("a\n{BEGIN}| new |\n{END}\nb\n"));
        assert_eq!(replace(&new, "| new |\n").unwrap(), new);
        assert!(replace("no marks", "").is_err());
    }

    #[test]
    fn errors_come_with_their_interval_and_only_where_something_was_judged() {
        let row = |kind: &str, presentations, judged, errors, left_out| Presentations {
            kind: kind.to_owned(),
            presentations,
            judged,
            errors,
            left_out,
        };
        let mut table = String::new();
        presentations_rows(
            &mut table,
            &[
                row("clips", 3, 3, 0, Some(1)),
                row("photos", 3, 3, 0, None),
                row("crops", 9, 0, 0, Some(0)),
            ],
        );
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| clips | 3 of 3 | 0: 0.0 % (0.0 to 63.2) | 1: 33.3 % (0.8 to 90.6) |",
                "| photos | 3 of 3 | 0: 0.0 % (0.0 to 63.2) |  |",
                "| crops | 0 of 9 |  |  |"
            ]
        );
    }
}
