//! The record of one verification run: everything that its report says, and enough to compare it
//! with another run.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::calibrate::Check;
use crate::extract::{Extracted, Outcome};
use crate::findings::Findings;
use crate::metrics::bootstrap::Bootstrap;
use crate::metrics::groups::{Group, group_rate};
use crate::metrics::tenfold::{Labelled, Tenfold, tenfold};
use crate::metrics::verification::{
    Histogram, OperatingPoint, Trial, Unsupported, error_versus_discard,
};
use crate::protocol::{Pairs, Protocol};
use crate::score::Scored;

/// Version of the record's JSON.
pub const FORMAT: u32 = 1;

/// Where and how a run was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// The command line.
    pub command: Vec<String>,
    /// When it ended, RFC 3339, UTC.
    pub date: String,
    /// Processor, logical cores, operating system and architecture.
    pub machine: String,
    /// Version of this program.
    pub version: String,
}

impl Origin {
    /// Describes the running process and machine.
    pub fn here() -> Self {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = info.lines().find_map(|line| {
            line.strip_prefix("model name")
                .and_then(|rest| rest.split(':').nth(1))
        });
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            command: std::env::args().collect(),
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            machine: format!(
                "{}, {cores} logical cores, {} {}",
                cpu.unwrap_or("unknown processor").trim(),
                std::env::consts::OS,
                std::env::consts::ARCH
            ),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// A weight of the pack that was used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelRecord {
    /// Model id.
    pub id: String,
    /// Stage that it serves.
    pub task: String,
    /// Hash of the file.
    pub sha256: String,
    /// SPDX identifier of the weights' licence.
    pub licence: String,
    /// What the licence allows: permissive, non-commercial, unknown.
    pub licence_use: String,
    /// What is known of the training data.
    pub training_data: String,
}

/// The pack that was used.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PackRecord {
    /// Name and version.
    pub name: String,
    /// Its weights.
    pub models: Vec<ModelRecord>,
}

/// A failure to acquire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// The sample.
    pub sample: String,
    /// Why.
    pub reason: String,
}

/// One trial by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NamedTrial {
    /// Probe.
    pub probe: String,
    /// Reference.
    pub reference: String,
    /// Score; none for a failure to acquire.
    pub score: Option<f32>,
}

/// A listed trial: probe and reference as indices into `samples`, mated, fold, score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row(pub u32, pub u32, pub bool, pub u32, pub Option<f32>);

impl Row {
    /// Returns the score, minus infinity for a failure to acquire.
    pub fn score(&self) -> f32 {
        self.4.unwrap_or(f32::NEG_INFINITY)
    }
}

/// Seconds spent.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Timing {
    /// Wall-clock seconds of extraction, cache included.
    pub extraction_s: f64,
    /// Samples whose features came from the cache.
    pub from_cache: usize,
    /// Median over the samples of the seconds that extraction took on one core.
    pub median_sample_s: f64,
    /// Wall-clock seconds of scoring all comparisons.
    pub scoring_s: f64,
}

/// A verification run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// [`FORMAT`].
    pub format: u32,
    /// Where and how it was made.
    pub origin: Origin,
    /// The pack.
    pub pack: PackRecord,
    /// Name of the set and view.
    pub set: String,
    /// `single` or `fused`.
    pub comparator: String,
    /// `exact` or `fast`.
    pub precision: String,
    /// Number of identities.
    pub identities: usize,
    /// Number of mated comparisons.
    pub mated: u64,
    /// Number of non-mated comparisons.
    pub non_mated: u64,
    /// What is wrong with the set; rates over a set with findings are marked in every report.
    pub findings: Findings,
    /// Names of the samples.
    pub samples: Vec<String>,
    /// Failures to acquire; they count in every rate.
    pub failures: Vec<Failure>,
    /// Cross-validated accuracy, where the protocol has folds.
    pub tenfold: Option<Tenfold>,
    /// Rates at fixed FMR.
    pub operating_points: Vec<OperatingPoint>,
    /// Operating points that the comparisons cannot support.
    pub refused: Vec<Unsupported>,
    /// The pack's own thresholds on these comparisons; none where the pack holds no table for them.
    #[serde(default)]
    pub calibrated: Option<Check>,
    /// (FMR, FNMR, threshold) from the strictest to the loosest.
    pub det: Vec<[f64; 3]>,
    /// Mated scores.
    pub mated_histogram: Histogram,
    /// Non-mated scores.
    pub non_mated_histogram: Histogram,
    /// (discarded share, FNMR) at the threshold of the strictest operating point.
    pub discard: Vec<[f64; 2]>,
    /// Mated comparisons with the lowest scores.
    pub worst_mated: Vec<NamedTrial>,
    /// Non-mated comparisons with the highest scores.
    pub worst_non_mated: Vec<NamedTrial>,
    /// Rates by group at the strictest operating point.
    pub groups: Vec<Group>,
    /// Seconds spent.
    pub timing: Timing,
    /// Every listed trial; of an all-pairs run the mated ones.
    pub trials: Vec<Row>,
}

/// What a run is asked to report.
#[derive(Clone, Debug)]
pub struct Questions {
    /// FMRs of the operating points.
    pub fmrs: Vec<f64>,
    /// Resamples of the bootstrap over identities; 0 leaves it out.
    pub resamples: usize,
    /// How many worst pairs are named.
    pub worst: usize,
}

/// An operating point of a report needs this many false matches allowed at it: at n = 3/FMR
/// comparisons none seen would just bound the rate (rule of three).
const MIN_FALSE_MATCHES: u64 = 3;

/// How a run came by its features.
#[derive(Clone, Debug)]
pub struct Means {
    /// The pack.
    pub pack: PackRecord,
    /// `single` or `fused`.
    pub comparator: String,
    /// `exact` or `fast`.
    pub precision: String,
    /// Wall-clock time of extraction.
    pub extraction: Duration,
    /// Wall-clock time of scoring.
    pub scoring: Duration,
}

impl Run {
    /// Computes everything that a report says of a scored protocol.
    pub fn new(
        protocol: &Protocol,
        extracted: &[Extracted],
        scored: &Scored,
        means: Means,
        questions: &Questions,
    ) -> Self {
        let scores = &scored.scores;
        let mut operating_points = Vec::new();
        let mut refused = Vec::new();
        for &fmr in &questions.fmrs {
            match scores.at_fmr(fmr, MIN_FALSE_MATCHES) {
                Ok(point) => operating_points.push(point),
                Err(unsupported) => refused.push(unsupported),
            }
        }
        if questions.resamples > 0 && !operating_points.is_empty() {
            let identity: Vec<u32> = protocol
                .samples
                .iter()
                .map(|sample| sample.identity)
                .collect();
            let bootstrap = Bootstrap {
                scores,
                identity: &identity,
                identities: protocol.identities.len(),
                non_mated: &scored.non_mated,
                resamples: questions.resamples,
            };
            let fmrs: Vec<f64> = operating_points.iter().map(|point| point.fmr).collect();
            for (point, interval) in operating_points
                .iter_mut()
                .zip(bootstrap.fnmr_at_fmr(&fmrs))
            {
                point.fnmr_by_identity = Some(interval);
            }
        }
        let strictest = operating_points
            .iter()
            .min_by(|a, b| a.fmr.total_cmp(&b.fmr));
        let quality = |index: u32| match &extracted[index as usize].outcome {
            Outcome::Acquired { quality, .. } => *quality,
            _ => None,
        };
        let discard = strictest
            .map(|point| error_versus_discard(&scores.mated, quality, point.threshold))
            .unwrap_or_default();
        let trials = rows(protocol, scored);
        let groups = strictest
            .map(|point| groups(protocol, &trials, point))
            .unwrap_or_default();
        let mut mated_histogram = Histogram::new(-1.0, 1.0, 200);
        for trial in scores.mated.iter().filter(|trial| trial.score.is_finite()) {
            mated_histogram.add(trial.score);
        }
        let name = |trial: &Trial| NamedTrial {
            probe: protocol.samples[trial.probe as usize].name.clone(),
            reference: protocol.samples[trial.reference as usize].name.clone(),
            score: trial.score.is_finite().then_some(trial.score),
        };
        let mut seconds: Vec<f64> = extracted.iter().map(|e| e.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        Self {
            format: FORMAT,
            origin: Origin::here(),
            pack: means.pack,
            set: protocol.set.clone(),
            comparator: means.comparator,
            precision: means.precision,
            identities: protocol.identities.len(),
            mated: scores.mated.len() as u64,
            non_mated: scores.non_mated,
            findings: protocol.findings.clone(),
            failures: protocol
                .samples
                .iter()
                .zip(extracted)
                .filter_map(failure)
                .collect(),
            tenfold: tenfold_of(protocol, &trials),
            det: scores.det(300),
            mated_histogram,
            non_mated_histogram: coarse(&scores.histogram, 200),
            discard,
            worst_mated: scores
                .mated
                .iter()
                .rev()
                .take(questions.worst)
                .map(name)
                .collect(),
            worst_non_mated: scores.tail.iter().take(questions.worst).map(name).collect(),
            groups,
            timing: Timing {
                extraction_s: means.extraction.as_secs_f64(),
                from_cache: extracted.iter().filter(|e| e.cached).count(),
                median_sample_s: seconds.get(seconds.len() / 2).copied().unwrap_or(0.0),
                scoring_s: means.scoring.as_secs_f64(),
            },
            samples: protocol
                .samples
                .iter()
                .map(|sample| sample.name.clone())
                .collect(),
            operating_points,
            refused,
            calibrated: None,
            trials,
        }
    }
}

fn failure((sample, extracted): (&crate::protocol::Sample, &Extracted)) -> Option<Failure> {
    match &extracted.outcome {
        Outcome::Acquired { .. } => None,
        Outcome::NotAcquired(reason) | Outcome::Unreadable(reason) => Some(Failure {
            sample: sample.name.clone(),
            reason: reason.clone(),
        }),
    }
}

fn rows(protocol: &Protocol, scored: &Scored) -> Vec<Row> {
    let row = |trial: &Trial, mated, fold| {
        Row(
            trial.probe,
            trial.reference,
            mated,
            fold,
            trial.score.is_finite().then_some(trial.score),
        )
    };
    match &protocol.pairs {
        Pairs::All => scored
            .scores
            .mated
            .iter()
            .map(|trial| row(trial, true, 0))
            .collect(),
        Pairs::Listed(comparisons) => {
            let folds: std::collections::HashMap<(u32, u32), u32> = comparisons
                .iter()
                .map(|c| ((c.probe, c.reference), c.fold))
                .collect();
            let fold = |trial: &Trial| {
                folds
                    .get(&(trial.probe, trial.reference))
                    .copied()
                    .unwrap_or(0)
            };
            let mated = scored
                .scores
                .mated
                .iter()
                .map(|trial| row(trial, true, fold(trial)));
            mated
                .chain(
                    scored
                        .scores
                        .tail
                        .iter()
                        .map(|trial| row(trial, false, fold(trial))),
                )
                .collect()
        }
    }
}

fn tenfold_of(protocol: &Protocol, trials: &[Row]) -> Option<Tenfold> {
    let labelled: Vec<Labelled> = trials
        .iter()
        .map(|row| Labelled {
            score: row.score(),
            mated: row.2,
            fold: row.3,
        })
        .collect();
    (protocol.folds > 1 && !labelled.is_empty()).then(|| tenfold(&labelled, protocol.folds))
}

fn groups(protocol: &Protocol, trials: &[Row], point: &OperatingPoint) -> Vec<Group> {
    let Pairs::Listed(comparisons) = &protocol.pairs else {
        return Vec::new();
    };
    let group: std::collections::HashMap<(u32, u32), u32> = comparisons
        .iter()
        .filter_map(|c| Some(((c.probe, c.reference), c.group?)))
        .collect();
    let count = |index: u32, mated: bool| {
        let of_group = trials
            .iter()
            .filter(|row| row.2 == mated && group.get(&(row.0, row.1)) == Some(&index));
        let (mut errors, mut all) = (0, 0);
        for row in of_group {
            errors += u64::from((row.score() >= point.threshold) != mated);
            all += 1;
        }
        (errors, all)
    };
    (0..protocol.groups.len() as u32)
        .map(|index| {
            let (false_matches, non_mated) = count(index, false);
            let (false_non_matches, mated) = count(index, true);
            Group {
                name: protocol.groups[index as usize].clone(),
                fmr: group_rate(false_matches, non_mated, point.fmr_observed),
                fnmr: group_rate(false_non_matches, mated, point.fnmr),
            }
        })
        .collect()
}

/// Bins of a report; the fine histogram's number of bins is no multiple of 200.
fn coarse(fine: &Histogram, bins: usize) -> Histogram {
    let mut coarse = Histogram::new(fine.low, fine.high, bins);
    for (bin, count) in fine.counts.iter().enumerate() {
        coarse.counts[bin * bins / fine.counts.len()] += count;
    }
    coarse
}
