//! Score to FMR: the tables that the engine looks its thresholds up in.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::metrics::bootstrap::Bootstrap;
use crate::metrics::tail::ParetoTail;
use crate::metrics::verification::Unsupported;
use crate::protocol::Protocol;
use crate::score::Scored;

/// The FMRs of a table, as far as the comparisons support them.
pub const FMRS: [f64; 9] = [1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5];

/// A point needs as many false matches observed at it: below, its interval is wider than a factor
/// of two either way.
pub const MIN_FALSE_MATCHES: u64 = 10;

/// One point of the error curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// False match rate.
    pub fmr: f64,
    /// Scores from here on are matches.
    pub threshold: f32,
    /// Lower end of the 95 % interval of the FMR at the threshold, over resampled identities.
    pub fmr_low: f64,
    /// Upper end.
    pub fmr_high: f64,
    /// False non-match rate on the mated comparisons of the same set.
    pub fnmr: f64,
    /// True where the threshold was not observed but extrapolated from the tail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub extrapolated: bool,
}

/// The error curve of one comparator in one precision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// `single` or `fused`.
    pub comparator: String,
    /// `exact` or `fast`.
    pub precision: String,
    /// The calibration set.
    pub set: String,
    /// Its identities.
    pub identities: usize,
    /// Its mated comparisons.
    pub mated: u64,
    /// Its non-mated comparisons.
    pub non_mated: u64,
    /// From the loosest to the strictest.
    pub points: Vec<Point>,
}

/// The calibration of a pack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Version of the format: 1.
    pub format: u32,
    /// One table a comparator and precision.
    pub tables: Vec<Table>,
}

impl Calibration {
    /// Reads a calibration; a file that does not exist gives an empty one.
    ///
    /// # Errors
    /// The file is there and is no calibration.
    pub fn read(path: &Path) -> Result<Self, String> {
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| format!("{}: {error}", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self {
                format: 1,
                ..Self::default()
            }),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    /// Reads the calibration that a pack holds; empty where it holds none.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub fn of_pack(pack: &Path) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Manifest {
            calibration: Option<Calibration>,
        }
        let path = pack.join("pack.json");
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(manifest.calibration.unwrap_or_default())
    }

    /// Returns the table of a comparator in a precision.
    ///
    /// # Errors
    /// There is none.
    pub fn table(&self, comparator: &str, precision: &str) -> Result<&Table, String> {
        let found = self
            .tables
            .iter()
            .find(|t| (t.comparator.as_str(), t.precision.as_str()) == (comparator, precision));
        found.ok_or_else(|| {
            format!(
                "the calibration holds no table of the {comparator} \
            comparator in {precision} precision"
            )
        })
    }

    /// Puts a table in the place of the one with the same comparator and precision.
    pub fn insert(&mut self, table: Table) {
        self.tables.retain(|old| {
            (&old.comparator, &old.precision) != (&table.comparator, &table.precision)
        });
        self.tables.push(table);
        self.tables
            .sort_by(|a, b| (&a.comparator, &a.precision).cmp(&(&b.comparator, &b.precision)));
    }
}

/// Makes the table of one comparator, and says which points the comparisons cannot support.
///
/// With `extrapolate` those points are taken from a generalised Pareto tail fitted to the highest
/// thousandth, and marked.
pub fn calibrate(
    protocol: &Protocol,
    scored: &Scored,
    comparator: &str,
    precision: &str,
    resamples: usize,
    extrapolate: bool,
) -> (Table, Vec<Unsupported>) {
    let scores = &scored.scores;
    let (mut points, mut refused) = (Vec::new(), Vec::new());
    for fmr in FMRS {
        match scores.at_fmr(fmr, MIN_FALSE_MATCHES) {
            Ok(point) if point.false_matches >= MIN_FALSE_MATCHES => points.push(point),
            Ok(_) => refused.push(Unsupported {
                fmr,
                non_mated: scores.non_mated,
                non_mated_needed: (MIN_FALSE_MATCHES as f64 / fmr).ceil() as u64,
            }),
            Err(unsupported) => refused.push(unsupported),
        }
    }
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
        resamples,
    };
    let thresholds: Vec<f32> = points.iter().map(|point| point.threshold).collect();
    let intervals = bootstrap.fmr_at(&thresholds);
    let mut table = Table {
        comparator: comparator.to_owned(),
        precision: precision.to_owned(),
        set: protocol.set.clone(),
        identities: protocol.identities.len(),
        mated: scores.mated.len() as u64,
        non_mated: scores.non_mated,
        points: points
            .iter()
            .zip(intervals)
            .map(|(point, interval)| Point {
                fmr: point.fmr,
                threshold: point.threshold,
                fmr_low: interval.low,
                fmr_high: interval.high,
                fnmr: point.fnmr,
                extrapolated: false,
            })
            .collect(),
    };
    if extrapolate && let Ok(tail) = ParetoTail::fit(scores, 1e-3) {
        for unsupported in refused.drain(..) {
            let threshold = tail.threshold_at_fmr(unsupported.fmr) as f32;
            let misses = scores.false_non_matches(threshold) as f64;
            table.points.push(Point {
                fmr: unsupported.fmr,
                threshold,
                fmr_low: 0.0,
                fmr_high: 1.0,
                fnmr: misses / scores.mated.len().max(1) as f64,
                extrapolated: true,
            });
        }
    }
    (table, refused)
}

/// How a calibrated threshold did on people that the calibration never saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// The FMR that the table gives.
    pub fmr: f64,
    /// The table's threshold.
    pub threshold: f32,
    /// Observed FMR on the other identities.
    pub fmr_observed: f64,
    /// Its 95 % interval over resampled identities.
    pub fmr_low: f64,
    /// Upper end.
    pub fmr_high: f64,
    /// Observed FNMR on the other identities.
    pub fnmr: f64,
    /// Whether that interval and the table's own overlap.
    pub holds: bool,
}

/// How the thresholds of one table did on people that the calibration never saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// `single` or `fused`.
    pub comparator: String,
    /// `exact` or `fast`.
    pub precision: String,
    /// Identities, none of them in the calibration.
    pub identities: usize,
    /// Non-mated comparisons.
    pub non_mated: u64,
    /// One a point of the table.
    pub points: Vec<HeldOut>,
}

/// Applies a table's thresholds to a protocol of other identities.
pub fn held_out(table: &Table, protocol: &Protocol, scored: &Scored, resamples: usize) -> Check {
    let identity: Vec<u32> = protocol
        .samples
        .iter()
        .map(|sample| sample.identity)
        .collect();
    let bootstrap = Bootstrap {
        scores: &scored.scores,
        identity: &identity,
        identities: protocol.identities.len(),
        non_mated: &scored.non_mated,
        resamples,
    };
    let floor = scored
        .scores
        .tail
        .last()
        .map_or(f32::INFINITY, |trial| trial.score);
    let points: Vec<&Point> = table
        .points
        .iter()
        .filter(|point| point.threshold > floor)
        .collect();
    let thresholds: Vec<f32> = points.iter().map(|point| point.threshold).collect();
    let points = points
        .iter()
        .zip(bootstrap.fmr_at(&thresholds))
        .map(|(point, interval)| {
            let observed = scored.scores.at_threshold(point.fmr, point.threshold);
            HeldOut {
                fmr: point.fmr,
                threshold: point.threshold,
                fmr_observed: observed.fmr_observed,
                fmr_low: interval.low,
                fmr_high: interval.high.max(observed.fmr_interval.high),
                fnmr: observed.fnmr,
                holds: interval.low <= point.fmr_high
                    && point.fmr_low <= interval.high.max(observed.fmr_interval.high),
            }
        })
        .collect();
    Check {
        comparator: table.comparator.clone(),
        precision: table.precision.clone(),
        identities: protocol.identities.len(),
        non_mated: scored.scores.non_mated,
        points,
    }
}
