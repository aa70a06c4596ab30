//! FMR and FNMR at thresholds, after ISO/IEC 19795-1.
//!
//! A comparison is a match when its score reaches the threshold. A failure to acquire scores minus
//! infinity: on a mated comparison it is a false non-match, on a non-mated one it is never a false
//! match, and it stays in the denominators.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::interval::{Interval, clopper_pearson};

/// The confidence of every interval that is reported.
pub const CONFIDENCE: f64 = 0.95;

/// One scored comparison between two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// Comparison score, larger is more alike; minus infinity when a sample was not acquired.
    pub score: f32,
    /// Index of the probe's sample.
    pub probe: u32,
    /// Index of the reference's sample.
    pub reference: u32,
}

/// Orders by falling score, then by sample, so that the order never depends on threads.
pub(crate) fn by_falling_score(a: &Trial, b: &Trial) -> Ordering {
    b.score
        .total_cmp(&a.score)
        .then(a.probe.cmp(&b.probe))
        .then(a.reference.cmp(&b.reference))
}

/// Counts of scores in equal bins from `low` to `high`; scores outside fall into the end bins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Lower edge of the first bin.
    pub low: f32,
    /// Upper edge of the last bin.
    pub high: f32,
    /// One count a bin.
    pub counts: Vec<u64>,
}

impl Histogram {
    /// Returns an empty histogram.
    pub fn new(low: f32, high: f32, bins: usize) -> Self {
        Self {
            low,
            high,
            counts: vec![0; bins],
        }
    }

    /// Returns the bin of a score; it never falls as the score grows.
    pub fn bin(&self, score: f32) -> usize {
        let bins = self.counts.len() as f32;
        let position = (score - self.low) / (self.high - self.low) * bins;
        (position.max(0.0) as usize).min(self.counts.len() - 1)
    }

    /// Counts one score.
    pub fn add(&mut self, score: f32) {
        let bin = self.bin(score);
        self.counts[bin] += 1;
    }

    /// Adds the counts of a histogram of the same bins.
    pub fn merge(mut self, other: &Self) -> Self {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self
    }

    /// Returns the same counts in `bins` wider bins; `bins` must divide their number.
    pub fn coarser(&self, bins: usize) -> Self {
        let width = self.counts.len() / bins;
        Self {
            low: self.low,
            high: self.high,
            counts: self.counts.chunks(width).map(|c| c.iter().sum()).collect(),
        }
    }
}

/// The scores of an evaluation.
#[derive(Clone, Debug)]
pub struct Scores {
    /// Every mated trial, by falling score.
    pub mated: Vec<Trial>,
    /// The highest non-mated trials by falling score: all that could be false matches at an FMR of
    /// up to `tail.len() / non_mated`.
    pub tail: Vec<Trial>,
    /// Number of non-mated trials, failures to acquire included.
    pub non_mated: u64,
    /// All non-mated scores; failures to acquire are left out.
    pub histogram: Histogram,
}

/// Why an operating point was refused.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unsupported {
    /// The FMR asked for.
    pub fmr: f64,
    /// The non-mated comparisons at hand.
    pub non_mated: u64,
    /// The non-mated comparisons that it takes.
    pub non_mated_needed: u64,
}

/// Error rates at one threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatingPoint {
    /// The FMR asked for; the threshold is the lowest whose observed FMR does not exceed it.
    pub fmr: f64,
    /// Scores of this and above match.
    pub threshold: f32,
    /// Non-mated comparisons that match.
    pub false_matches: u64,
    /// Observed false match rate.
    pub fmr_observed: f64,
    /// Clopper-Pearson interval of the FMR at this threshold.
    pub fmr_interval: Interval,
    /// Mated comparisons that do not match.
    pub false_non_matches: u64,
    /// Observed false non-match rate.
    pub fnmr: f64,
    /// Clopper-Pearson interval of the FNMR at this threshold.
    pub fnmr_interval: Interval,
    /// Interval of the FNMR at this FMR, the threshold chosen anew in each resample of identities.
    pub fnmr_by_identity: Option<Interval>,
}

impl Scores {
    /// Sorts the trials of a listed protocol.
    pub fn from_trials(mated: Vec<Trial>, non_mated: Vec<Trial>, low: f32, high: f32) -> Self {
        let mut histogram = Histogram::new(low, high, 1 << 16);
        for trial in non_mated.iter().filter(|trial| trial.score.is_finite()) {
            histogram.add(trial.score);
        }
        let total = non_mated.len() as u64;
        Self::sorted(mated, non_mated, total, histogram)
    }

    pub(crate) fn sorted(
        mut mated: Vec<Trial>,
        mut tail: Vec<Trial>,
        non_mated: u64,
        histogram: Histogram,
    ) -> Self {
        mated.sort_unstable_by(by_falling_score);
        tail.sort_unstable_by(by_falling_score);
        Self {
            mated,
            tail,
            non_mated,
            histogram,
        }
    }

    /// Returns how many mated trials score below `threshold`.
    pub fn false_non_matches(&self, threshold: f32) -> u64 {
        (self.mated.len() - self.mated.partition_point(|t| t.score >= threshold)) as u64
    }

    /// Returns how many non-mated trials reach `threshold`, which must lie within the tail.
    pub fn false_matches(&self, threshold: f32) -> u64 {
        self.tail.partition_point(|t| t.score >= threshold) as u64
    }

    /// Returns the lowest threshold whose FMR does not exceed `fmr`.
    ///
    /// # Errors
    /// `min_false_matches` or more are needed at that FMR and the set has too few comparisons.
    pub fn threshold_at_fmr(&self, fmr: f64, min_false_matches: u64) -> Result<f32, Unsupported> {
        let allowed = allowed_false_matches(fmr, self.non_mated);
        if allowed < min_false_matches {
            return Err(Unsupported {
                fmr,
                non_mated: self.non_mated,
                non_mated_needed: (min_false_matches as f64 / fmr).ceil() as u64,
            });
        }
        match self.tail.get(allowed as usize) {
            Some(first_excluded) => Ok(first_excluded.score.next_up()),
            None => Err(Unsupported {
                fmr,
                non_mated: self.non_mated,
                non_mated_needed: self.non_mated,
            }),
        }
    }

    /// Returns the rates at the threshold of `fmr`.
    ///
    /// # Errors
    /// As [`Scores::threshold_at_fmr`].
    pub fn at_fmr(&self, fmr: f64, min_false_matches: u64) -> Result<OperatingPoint, Unsupported> {
        let threshold = self.threshold_at_fmr(fmr, min_false_matches)?;
        Ok(self.at_threshold(fmr, threshold))
    }

    /// Returns the rates at a given threshold.
    pub fn at_threshold(&self, fmr: f64, threshold: f32) -> OperatingPoint {
        let false_matches = self.false_matches(threshold);
        let false_non_matches = self.false_non_matches(threshold);
        let mated = self.mated.len() as u64;
        OperatingPoint {
            fmr,
            threshold,
            false_matches,
            fmr_observed: ratio(false_matches, self.non_mated),
            fmr_interval: clopper_pearson(false_matches, self.non_mated, CONFIDENCE),
            false_non_matches,
            fnmr: ratio(false_non_matches, mated),
            fnmr_interval: clopper_pearson(false_non_matches, mated, CONFIDENCE),
            fnmr_by_identity: None,
        }
    }

    /// Returns the DET curve as (FMR, FNMR, threshold), from the highest threshold down: at most
    /// `points` steps, exact in the tail and at bin edges below it.
    pub fn det(&self, points: usize) -> Vec<[f64; 3]> {
        if self.non_mated == 0 || self.mated.is_empty() {
            return Vec::new();
        }
        let total = self.non_mated as f64;
        let mut curve = Vec::new();
        let last = (self.tail.len() as f64).max(1.0);
        let mut previous = None;
        for step in 0..=points {
            let count = last.powf(step as f64 / points as f64).floor() as usize;
            let Some(trial) = self.tail.get(count - 1) else {
                break;
            };
            if !trial.score.is_finite() || previous.replace(trial.score) == Some(trial.score) {
                continue;
            }
            let matches = self.false_matches(trial.score) as f64;
            let misses = self.false_non_matches(trial.score);
            curve.push([
                matches / total,
                ratio(misses, self.mated.len() as u64),
                f64::from(trial.score),
            ]);
        }
        let tail_floor = self.tail.last().map_or(f32::INFINITY, |t| t.score);
        let histogram = self.histogram.coarser(self.histogram.counts.len().min(512));
        let width = (histogram.high - histogram.low) / histogram.counts.len() as f32;
        let mut above = 0;
        for (bin, count) in histogram.counts.iter().enumerate().rev() {
            above += count;
            let edge = histogram.low + bin as f32 * width;
            if edge < tail_floor {
                let misses = self.false_non_matches(edge);
                curve.push([
                    above as f64 / total,
                    ratio(misses, self.mated.len() as u64),
                    f64::from(edge),
                ]);
                if misses == 0 {
                    break;
                }
            }
        }
        curve
    }
}

/// Returns the largest number of false matches whose rate does not exceed `fmr`.
pub fn allowed_false_matches(fmr: f64, non_mated: u64) -> u64 {
    // The factor keeps 1e-3 of 3,000 at 3 in spite of rounding.
    (fmr * non_mated as f64 * (1.0 + 1e-12)).floor() as u64
}

/// Returns a proportion, 0 of 0 being 0.
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// Returns the error-versus-discard curve of ISO/IEC 29794-1 as (discarded share, FNMR): the mated
/// comparisons of the lowest pair quality are left out first, at one fixed threshold.
///
/// A pair's quality is the lower of its two; a sample that was not acquired has none and goes
/// first.
pub fn error_versus_discard(
    mated: &[Trial],
    quality: impl Fn(u32) -> Option<f32>,
    threshold: f32,
) -> Vec<[f64; 2]> {
    let mut pairs: Vec<(f32, bool)> = mated
        .iter()
        .map(|trial| {
            let pair = quality(trial.probe)
                .zip(quality(trial.reference))
                .map_or(f32::NEG_INFINITY, |(a, b)| a.min(b));
            (pair, trial.score < threshold)
        })
        .collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut errors_left = pairs.iter().filter(|pair| pair.1).count() as u64;
    let mut curve = Vec::new();
    let mut discarded = 0;
    for percent in 0..=50 {
        let target = pairs.len() * percent / 100;
        for pair in &pairs[discarded..target] {
            errors_left -= u64::from(pair.1);
        }
        discarded = target;
        curve.push([
            percent as f64 / 100.0,
            ratio(errors_left, (pairs.len() - discarded) as u64),
        ]);
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(scores: &[f32]) -> Vec<Trial> {
        let trial = |(index, &score): (usize, &f32)| Trial {
            score,
            probe: index as u32,
            reference: 100 + index as u32,
        };
        scores.iter().enumerate().map(trial).collect()
    }

    /// Ten non-mated scores 0.0 to 0.9 and five mated ones, one of them not acquired.
    fn scores() -> Scores {
        let non_mated: Vec<f32> = (0..10).map(|i| i as f32 / 10.0).collect();
        let mated = [0.95, 0.85, 0.75, 0.35, f32::NEG_INFINITY];
        Scores::from_trials(trials(&mated), trials(&non_mated), -1.0, 1.0)
    }

    #[test]
    fn rates_at_fixed_fmr_by_hand() {
        // Two of ten may match: 0.9 and 0.8; the threshold lies just above 0.7.
        let point = scores().at_fmr(0.2, 1).unwrap();
        assert_eq!(point.threshold, 0.7_f32.next_up());
        assert_eq!((point.false_matches, point.fmr_observed), (2, 0.2));
        // 0.35 and the failure to acquire are below it.
        assert_eq!((point.false_non_matches, point.fnmr), (2, 0.4));
    }

    #[test]
    fn ties_never_exceed_the_rate() {
        let scores = Scores::from_trials(trials(&[0.5]), trials(&[0.9, 0.7, 0.7, 0.7]), -1.0, 1.0);
        let point = scores.at_fmr(0.5, 1).unwrap();
        assert_eq!(point.false_matches, 1);
    }

    #[test]
    fn failures_to_acquire_are_no_false_matches_but_count_as_trials() {
        let scores = Scores::from_trials(
            trials(&[0.5]),
            trials(&[0.9, f32::NEG_INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY]),
            -1.0,
            1.0,
        );
        assert_eq!(scores.at_fmr(0.25, 1).unwrap().fmr_observed, 0.25);
        assert_eq!(scores.histogram.counts.iter().sum::<u64>(), 1);
    }

    #[test]
    fn a_rate_that_the_counts_cannot_show_is_refused_with_the_number_it_takes() {
        let refused = scores().at_fmr(0.05, 1).unwrap_err();
        assert_eq!((refused.non_mated, refused.non_mated_needed), (10, 20));
        assert!(scores().at_fmr(0.3, 10).is_err());
        assert_eq!(allowed_false_matches(1e-3, 3_000), 3);
    }

    #[test]
    fn the_det_curve_falls_from_left_to_right_and_meets_the_counts() {
        let curve = scores().det(50);
        assert_eq!(curve[0][..2], [0.1, 0.8]);
        for pair in curve.windows(2) {
            assert!(pair[0][0] <= pair[1][0] && pair[0][1] >= pair[1][1]);
        }
    }

    #[test]
    fn discarding_the_worst_pairs_first_by_hand() {
        // Qualities 4, 3, 2, 1, none; errors at 0.5 are the last two.
        let mated = trials(&[0.95, 0.85, 0.75, 0.35, f32::NEG_INFINITY]);
        let quality = |index: u32| match index % 100 {
            4 => None,
            index => Some(4.0 - index as f32),
        };
        let curve = error_versus_discard(&mated, quality, 0.5);
        assert_eq!(curve[0], [0.0, 0.4]);
        assert_eq!(curve[20], [0.2, 0.25]);
        assert_eq!(curve[40], [0.4, 0.0]);
    }
}
