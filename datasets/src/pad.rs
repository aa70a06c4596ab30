//! PAD runs: the self-test of ISO/IEC 30107-3 on your own captured presentations.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use indicatif::ParallelProgressIterator;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::extract::progress;
use crate::findings::Findings;
use crate::metrics::pad::{PadRates, PadTrial, Share, rates, threshold_at_bpcer};
use crate::readers::pad::PadSet;
use crate::report::{page, percent, svg::escape, table};
use crate::run::{Origin, PackRecord};

/// Rates at one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PadPoint {
    /// How the threshold was chosen.
    pub what: String,
    /// The rates at it.
    pub rates: PadRates,
}

/// A PAD run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PadRun {
    /// Where and how it was made.
    pub origin: Origin,
    /// The pack.
    pub pack: PackRecord,
    /// Name of the set.
    pub set: String,
    /// What is wrong with the set.
    pub findings: Findings,
    /// Every presentation.
    pub trials: Vec<PadTrial>,
    /// Rates over all capture sets.
    pub points: Vec<PadPoint>,
    /// Rates per capture set at the first point's threshold: frames of one set are correlated.
    pub sets: Vec<(String, PadRates)>,
}

/// What a detector says of one presentation.
pub struct Judgement {
    /// Larger is more bona fide; none without an answer.
    pub score: Option<f32>,
    /// Whether the whole system accepted it, where a reference was given.
    pub accepted: Option<bool>,
}

/// Judges every presentation. `judge` gets the encoded image and, where there is one, the encoded
/// reference; of a folder of frames the mean of the scores counts.
pub fn judge_all(
    set: &PadSet,
    pack: PackRecord,
    bpcers: &[f64],
    judge: impl Fn(&[u8], Option<&[u8]>) -> Result<Judgement, String> + Sync,
) -> PadRun {
    let outcomes: Vec<Result<Judgement, String>> = set
        .presentations
        .par_iter()
        .with_max_len(1)
        .progress_with(progress(set.presentations.len(), "presentations"))
        .map(|presentation| {
            let read = |path: &Path| {
                std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
            };
            let reference = presentation.reference.as_deref().map(read).transpose()?;
            let mut scores = Vec::new();
            let mut accepted = None;
            for frame in frames(&presentation.path)? {
                let judgement = judge(&read(&frame)?, reference.as_deref())?;
                scores.extend(judgement.score);
                accepted = accepted.max(judgement.accepted);
            }
            let mean = scores.iter().sum::<f32>() / scores.len().max(1) as f32;
            Ok(Judgement {
                score: (!scores.is_empty()).then_some(mean),
                accepted,
            })
        })
        .collect();
    let mut findings = set.findings.clone();
    let mut trials = Vec::new();
    for (presentation, outcome) in set.presentations.iter().zip(outcomes) {
        match outcome {
            Ok(judgement) => trials.push(PadTrial {
                name: presentation.name.clone(),
                species: presentation.species.clone(),
                set: presentation.set.clone(),
                score: judgement.score,
                accepted: judgement.accepted,
            }),
            Err(error) => findings.add(&presentation.name, format!("unreadable: {error}")),
        }
    }
    let points: Vec<PadPoint> = bpcers
        .iter()
        .filter_map(|&bpcer| {
            let threshold = threshold_at_bpcer(&trials, bpcer)?;
            Some(PadPoint {
                what: format!("BPCER at most {:.0} %", 100.0 * bpcer),
                rates: rates(&trials, threshold),
            })
        })
        .collect();
    let mut names: Vec<&str> = trials
        .iter()
        .map(|trial| trial.set.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    let sets = points.first().map(|point| {
        let of_set = |name: &&str| {
            trials
                .iter()
                .filter(|trial| trial.set == **name)
                .cloned()
                .collect::<Vec<_>>()
        };
        names
            .iter()
            .map(|name| {
                (
                    (*name).to_owned(),
                    rates(&of_set(name), point.rates.threshold),
                )
            })
            .collect()
    });
    PadRun {
        origin: Origin::here(),
        pack,
        set: set.set.clone(),
        findings,
        sets: sets.unwrap_or_default(),
        points,
        trials,
    }
}

/// Returns the image itself, or the frames of a folder in order.
fn frames(path: &Path) -> Result<Vec<PathBuf>, String> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut findings = Findings::default();
    let frames = findings.list(path);
    match findings.0.first() {
        Some(finding) => Err(finding.to_string()),
        None if frames.is_empty() => Err("a folder without frames".to_owned()),
        None => Ok(frames),
    }
}

/// The fewest attacks of a species that bound an IAPAR of 7 % when none passes.
const ENOUGH_ATTACKS: u64 = 42;

fn share(share: &Share) -> String {
    format!(
        "{} ({} of {}), {} to {}",
        percent(share.rate),
        share.count,
        share.of,
        percent(share.interval.low),
        percent(share.interval.high)
    )
}

fn species_rows(rates: &PadRates) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = rates
        .species
        .iter()
        .map(|s| {
            let enough = if s.apcer.of >= ENOUGH_ATTACKS {
                ""
            } else {
                "fewer than 42: too few for a claim"
            };
            vec![
                format!("APCER {}", s.name),
                share(&s.apcer),
                share(&s.apnrr),
                s.iapar.as_ref().map(share).unwrap_or_default(),
                enough.to_owned(),
            ]
        })
        .collect();
    rows.push(vec![
        "BPCER".to_owned(),
        share(&rates.bpcer),
        share(&rates.bpnrr),
        String::new(),
        String::new(),
    ]);
    rows
}

/// Returns the report as text.
pub fn text(run: &PadRun) -> String {
    let mut text = format!("{}: {} presentations\n", run.set, run.trials.len());
    for point in &run.points {
        let _ = writeln!(
            text,
            "  {}, threshold {:.4}: worst APCER {}",
            point.what,
            point.rates.threshold,
            percent(point.rates.apcer_worst)
        );
        for row in species_rows(&point.rates) {
            let _ = writeln!(
                text,
                "    {}: {}; no answer {} {}",
                row[0], row[1], row[2], row[4]
            );
        }
    }
    for (name, rates) in &run.sets {
        let _ = writeln!(
            text,
            "  set {name}: worst APCER {}, BPCER {}",
            percent(rates.apcer_worst),
            percent(rates.bpcer.rate)
        );
    }
    if run.points.is_empty() {
        text.push_str("  no bona fide presentation has a score: no threshold, no rates\n");
    }
    text
}

/// Returns the report as a self-contained page.
pub fn html(run: &PadRun) -> String {
    let mut body = format!(
        "<h1>Presentation attack detection: {}</h1><p class=\"sub\">After ISO/IEC 30107-3. {} \
        presentations. {}</p>",
        escape(&run.set),
        run.trials.len(),
        run.origin.date
    );
    if !run.findings.is_empty() {
        body.push_str("<div class=\"bad\">");
        body.push_str(&table(
            &["Place", "Problem"],
            run.findings
                .0
                .iter()
                .map(|f| vec![f.place.clone(), f.problem.clone()]),
        ));
        body.push_str("</div>");
    }
    for point in &run.points {
        let _ = write!(
            body,
            "<h2>{} (threshold {:.4})</h2>",
            escape(&point.what),
            point.rates.threshold
        );
        body.push_str(&table(
            &[
                "",
                "rate, 95 %",
                "no answer",
                "accepted by the whole system (IAPAR)",
                "",
            ],
            species_rows(&point.rates),
        ));
    }
    if !run.sets.is_empty() {
        body.push_str("<h2>By capture set, at the first threshold</h2>");
        let rows = run.sets.iter().map(|(name, rates)| {
            vec![
                name.clone(),
                percent(rates.apcer_worst),
                percent(rates.bpcer.rate),
            ]
        });
        body.push_str(&table(&["Set", "#worst APCER", "#BPCER"], rows));
    }
    let _ = write!(
        body,
        "<p class=\"sub\">{}. <code>{}</code></p>",
        escape(&run.origin.machine),
        escape(&run.origin.command.join(" "))
    );
    page(&run.set, &body)
}
