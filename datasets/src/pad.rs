//! PAD runs: the self-test of ISO/IEC 30107-3 on your own captured presentations.

use std::collections::BTreeMap;
use std::fmt::Write;

use indicatif::ParallelProgressIterator;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vultus::Image;

use crate::extract::progress;
use crate::findings::Findings;
use crate::metrics::pad::{
    LeaveOneOut, MOST_OF_A_SOURCE, PadRates, PadTrial, Share, area_under_curve, leave_one_out,
    rates, threshold_at_bpcer, threshold_over_sources,
};
use crate::readers::frames;
use crate::readers::pad::PadSet;
use crate::report::svg::{Axis, Scale, Series, Shape, escape, plot};
use crate::report::{page, percent, table};
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
    /// Pictures that were taken of a clip or a folder of frames.
    pub frames: usize,
    /// Every presentation. A score is the views' mean log odds.
    pub trials: Vec<PadTrial>,
    /// Area under the curve over all sources.
    pub auc: Option<f64>,
    /// Rates over all sources: at the pack's threshold, then at those of this set.
    pub points: Vec<PadPoint>,
    /// Rates per source at the pack's threshold.
    pub sets: Vec<(String, PadRates)>,
    /// Rates per source at thresholds of the other sources; none where there is only one.
    pub left_out: Option<LeaveOneOut>,
}

/// What a detector says of one presentation.
pub struct Judgement {
    /// Larger is more bona fide; none without an answer.
    pub score: Option<f32>,
    /// Whether the whole system accepted it, where a reference was given.
    pub accepted: Option<bool>,
}

/// Judges every presentation. `judge` gets its pictures, `frames` of a clip or a folder, and the
/// reference, where there is one; `shipped` is the pack's threshold.
pub fn judge_all(
    set: &PadSet,
    pack: PackRecord,
    shipped: f32,
    bpcers: &[f64],
    frames: usize,
    judge: impl Fn(&[Image], Option<&Image>) -> Result<Judgement, String> + Sync,
) -> PadRun {
    let outcomes: Vec<Result<Judgement, String>> = set
        .presentations
        .par_iter()
        .with_max_len(1)
        .progress_with(progress(set.presentations.len(), "presentations"))
        .map(|presentation| {
            let reference = presentation.reference.as_deref();
            let reference = reference.map(|path| frames::read(path, 1)).transpose()?;
            let pictures = frames::read(&presentation.path, frames)?;
            judge(&pictures, reference.as_ref().and_then(|r| r.first()))
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
    let own = bpcers.iter().filter_map(|&bpcer| {
        let what = format!("BPCER at most {:.0} % of this set", 100.0 * bpcer);
        Some((what, threshold_at_bpcer(&trials, bpcer)?))
    });
    let points = std::iter::once(("threshold of the pack".to_owned(), shipped))
        .chain(own)
        .map(|(what, threshold)| PadPoint {
            what,
            rates: rates(&trials, threshold),
        })
        .collect();
    let mut sources: BTreeMap<&str, Vec<PadTrial>> = BTreeMap::new();
    for trial in trials.iter().filter(|trial| !trial.set.is_empty()) {
        sources.entry(&trial.set).or_default().push(trial.clone());
    }
    PadRun {
        origin: Origin::here(),
        pack,
        set: set.set.clone(),
        findings,
        frames,
        auc: area_under_curve(&trials),
        points,
        sets: sources
            .into_iter()
            .map(|(name, trials)| (name.to_owned(), rates(&trials, shipped)))
            .collect(),
        left_out: bpcers
            .first()
            .and_then(|&bpcer| leave_one_out(&trials, bpcer)),
        trials,
    }
}

/// What a pack ships about PAD, as `models/calibration/pad.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// The mean log odds from which on a presentation counts as bona fide.
    pub threshold: f32,
    /// The share of the bona fide presentations below it, at the most.
    pub bpcer: f64,
    /// Pictures taken of a clip.
    pub frames: usize,
    /// How many of a source count at the most.
    pub most_of_a_source: usize,
    /// Bona fide presentations with a score, by source.
    pub sources: BTreeMap<String, u64>,
}

/// Returns the calibration that the bona fide presentations of all sources give; none without one.
pub fn calibrated(run: &PadRun, bpcer: f64) -> Option<Calibration> {
    let threshold = threshold_over_sources(&run.trials, bpcer)?;
    let sources = run.sets.iter().filter(|(_, rates)| rates.bpcer.of > 0);
    Some(Calibration {
        threshold: (threshold * 100.0).floor() / 100.0,
        bpcer,
        frames: run.frames,
        most_of_a_source: MOST_OF_A_SOURCE,
        sources: sources
            .map(|(name, rates)| (name.clone(), rates.bpcer.of))
            .collect(),
    })
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

/// One row a source: attacks passed by species, and bona fide refused.
fn source_row(name: &str, rates: &PadRates) -> Vec<String> {
    let of = |share: &Share| match share.of {
        0 => String::new(),
        _ => format!("{} of {}", share.count, share.of),
    };
    let species = rates.species.iter();
    let passed: Vec<String> = species
        .map(|s| format!("{} {}", of(&s.apcer), s.name))
        .collect();
    vec![
        name.to_owned(),
        format!("{:.2}", rates.threshold),
        passed.join(", "),
        of(&rates.bpcer),
    ]
}

/// Returns the report as text.
pub fn text(run: &PadRun) -> String {
    let mut text = format!(
        "{}: {} presentations, {} frames of a clip\n",
        run.set,
        run.trials.len(),
        run.frames
    );
    if let Some(auc) = run.auc {
        let _ = writeln!(text, "  AUC over all sources {auc:.4}");
    }
    for point in &run.points {
        let _ = writeln!(
            text,
            "  {}, {:.4}: worst APCER {}",
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
    let mut row = |name: &str, rates: &PadRates| {
        let [name, threshold, passed, refused] = &source_row(name, rates)[..] else {
            return;
        };
        let _ = writeln!(
            text,
            "    {name} at {threshold}: attacks passed {passed}; bona fide refused {refused}"
        );
    };
    for (name, rates) in &run.sets {
        row(name, rates);
    }
    if let Some(loo) = &run.left_out {
        for source in &loo.sources {
            row(&format!("left out: {}", source.source), &source.rates);
        }
        let _ = writeln!(
            text,
            "  each source at the threshold of the others, BPCER at most {} of them: attacks \
            passed {}; bona fide refused {}",
            percent(loo.bpcer),
            share(&loo.passed),
            share(&loo.refused)
        );
    }
    text
}

/// Shares of the scores of bona fide presentations and attacks in bins of one.
fn histogram(run: &PadRun) -> String {
    let scores = |is_attack: bool| -> Vec<f32> {
        let of_kind = run
            .trials
            .iter()
            .filter(|t| t.species.is_some() == is_attack);
        of_kind.filter_map(|t| t.score).collect()
    };
    let all = run.trials.iter().filter_map(|t| t.score);
    let (low, high) = all.fold((0.0f32, 1.0f32), |(low, high), score| {
        (low.min(score.floor()), high.max(score.floor() + 1.0))
    });
    let mut highest = 0.0f64;
    let mut series = |name: &str, is_attack: bool, colour: usize| {
        let scores = scores(is_attack);
        let mut points = Vec::new();
        for bin in low as i32..high as i32 {
            let inside = scores.iter().filter(|s| s.floor() as i32 == bin).count();
            let share = inside as f64 / scores.len().max(1) as f64;
            highest = highest.max(share);
            points.extend([[f64::from(bin), share], [f64::from(bin) + 1.0, share]]);
        }
        Series {
            name: name.to_owned(),
            points,
            shape: Shape::Area,
            colour,
        }
    };
    let both = [series("attacks", true, 1), series("bona fide", false, 0)];
    let axis = |label: &str, range, percent| Axis {
        label: label.to_owned(),
        range,
        scale: Scale::Linear,
        percent,
    };
    plot(
        &axis("mean log odds", [f64::from(low), f64::from(high)], false),
        &axis("share of presentations a bin", [0.0, highest * 1.05], true),
        &both,
    )
}

/// APCER over BPCER at every threshold, one curve a species.
fn curves(run: &PadRun) -> String {
    let mut scores: Vec<f32> = run.trials.iter().filter_map(|t| t.score).collect();
    scores.sort_by(f32::total_cmp);
    scores.dedup();
    let mut series: Vec<Series> = Vec::new();
    for threshold in scores {
        let rates = rates(&run.trials, threshold);
        for (colour, species) in rates.species.iter().enumerate() {
            if series.len() == colour {
                series.push(Series {
                    name: species.name.clone(),
                    points: Vec::new(),
                    shape: Shape::Line,
                    colour,
                });
            }
            series[colour]
                .points
                .push([rates.bpcer.rate, species.apcer.rate]);
        }
    }
    let axis = |label: &str| Axis {
        label: label.to_owned(),
        range: [0.0, 1.0],
        scale: Scale::Linear,
        percent: true,
    };
    plot(&axis("BPCER"), &axis("APCER"), &series)
}

/// Returns the report as a self-contained page.
pub fn html(run: &PadRun) -> String {
    let mut body = format!(
        "<h1>Presentation attack detection: {}</h1><p class=\"sub\">After ISO/IEC 30107-3. {} \
        presentations, {} frames of a clip. {}</p>",
        escape(&run.set),
        run.trials.len(),
        run.frames,
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
    const HEADS: [&str; 4] = [
        "Source",
        "#threshold",
        "attacks passed",
        "bona fide refused",
    ];
    if !run.sets.is_empty() {
        body.push_str("<h2>By source, at the pack's threshold</h2>");
        let rows = run.sets.iter().map(|(name, rates)| source_row(name, rates));
        body.push_str(&table(&HEADS, rows));
    }
    if let Some(loo) = &run.left_out {
        let _ = write!(
            body,
            "<h2>By source, at the threshold of all other sources</h2><p class=\"sub\">BPCER at \
            most {} of them. All together: attacks passed {}; bona fide refused {}.</p>",
            percent(loo.bpcer),
            share(&loo.passed),
            share(&loo.refused)
        );
        let rows = loo.sources.iter().map(|s| source_row(&s.source, &s.rates));
        body.push_str(&table(&HEADS, rows));
    }
    let auc = run
        .auc
        .map_or(String::new(), |auc| format!(" (AUC {auc:.4})"));
    let _ = write!(
        body,
        "<h2>Scores{auc}</h2>{}<h2>Errors at every threshold</h2>{}",
        histogram(run),
        curves(run)
    );
    let _ = write!(
        body,
        "<p class=\"sub\">{}. <code>{}</code></p>",
        escape(&run.origin.machine),
        escape(&run.origin.command.join(" "))
    );
    page(&run.set, &body)
}
