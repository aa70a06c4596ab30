//! Intervals from resampled identities: comparisons that share a person are correlated, and only
//! identities are independent.

use rayon::prelude::*;

use super::interval::Interval;
use super::verification::{CONFIDENCE, Scores, allowed_false_matches};

/// How the non-mated comparisons spread over identities.
#[derive(Clone, Debug)]
pub enum NonMatedPairs {
    /// Every sample of an identity against every sample of every other.
    All {
        /// Samples of each identity.
        samples: Vec<u32>,
    },
    /// The identities of each listed comparison.
    Listed(Vec<(u32, u32)>),
}

impl NonMatedPairs {
    /// Returns the weight of all non-mated comparisons when identity i was drawn `drawn[i]` times.
    fn weight(&self, drawn: &[u32]) -> f64 {
        match self {
            Self::All { samples } => {
                let (mut sum, mut squares) = (0.0, 0.0);
                for (&count, &times) in samples.iter().zip(drawn) {
                    let weight = f64::from(count) * f64::from(times);
                    sum += weight;
                    squares += weight * weight;
                }
                0.5 * (sum * sum - squares)
            }
            Self::Listed(pairs) => pairs
                .iter()
                .map(|&(a, b)| f64::from(drawn[a as usize] * drawn[b as usize]))
                .sum(),
        }
    }
}

/// Resamples identities with replacement.
#[derive(Clone, Debug)]
pub struct Bootstrap<'a> {
    /// The scored trials.
    pub scores: &'a Scores,
    /// The identity of each sample.
    pub identity: &'a [u32],
    /// Number of identities.
    pub identities: usize,
    /// The non-mated comparisons.
    pub non_mated: &'a NonMatedPairs,
    /// Number of resamples; 1,000 give ends that are stable to a few percent.
    pub resamples: usize,
}

impl Bootstrap<'_> {
    /// Returns for each FMR the interval of the FNMR, the threshold chosen anew in each resample.
    pub fn fnmr_at_fmr(&self, fmrs: &[f64]) -> Vec<Interval> {
        let most = fmrs.iter().fold(0.0, |most: f64, &fmr| most.max(fmr));
        // A resample may weigh the tail less than the sample does: three times its length is safe
        // where there is that much, and a resample that runs out of it takes the tail's end.
        let depth = 3 * allowed_false_matches(most, self.scores.non_mated) as usize + 100;
        let tail = self.identity_pairs(depth);
        self.intervals(fmrs.len(), |drawn| {
            let total = self.non_mated.weight(drawn);
            let mut order: Vec<usize> = (0..fmrs.len()).collect();
            order.sort_by(|&a, &b| fmrs[a].total_cmp(&fmrs[b]));
            let mut thresholds = vec![f32::NEG_INFINITY; fmrs.len()];
            let (mut seen, mut next) = (0.0, 0);
            for &(score, a, b) in &tail {
                seen += f64::from(drawn[a as usize] * drawn[b as usize]);
                while next < order.len() && seen > fmrs[order[next]] * total * (1.0 + 1e-12) {
                    thresholds[order[next]] = score.next_up();
                    next += 1;
                }
                if next == order.len() {
                    break;
                }
            }
            let floor = tail.last().map_or(f32::NEG_INFINITY, |last| last.0);
            thresholds
                .iter()
                .map(|&t| self.fnmr(t.max(floor), drawn))
                .collect()
        })
    }

    /// Returns for each threshold the interval of the FMR.
    pub fn fmr_at(&self, thresholds: &[f32]) -> Vec<Interval> {
        let lowest = thresholds.iter().fold(f32::INFINITY, |low, &t| low.min(t));
        let depth = self.scores.false_matches(lowest) as usize;
        let tail = self.identity_pairs(depth);
        let depths: Vec<usize> = thresholds
            .iter()
            .map(|&t| self.scores.false_matches(t) as usize)
            .collect();
        self.intervals(thresholds.len(), |drawn| {
            let total = self.non_mated.weight(drawn);
            let mut sums = vec![0.0; thresholds.len()];
            for (rank, &(_, a, b)) in tail.iter().enumerate() {
                let weight = f64::from(drawn[a as usize] * drawn[b as usize]);
                if weight > 0.0 {
                    for (sum, &depth) in sums.iter_mut().zip(&depths) {
                        if rank < depth {
                            *sum += weight;
                        }
                    }
                }
            }
            sums.iter()
                .map(|sum| if total > 0.0 { sum / total } else { 0.0 })
                .collect()
        })
    }

    fn identity_pairs(&self, depth: usize) -> Vec<(f32, u32, u32)> {
        let tail = &self.scores.tail[..depth.min(self.scores.tail.len())];
        let identity = |sample: u32| self.identity[sample as usize];
        tail.iter()
            .map(|t| (t.score, identity(t.probe), identity(t.reference)))
            .collect()
    }

    fn fnmr(&self, threshold: f32, drawn: &[u32]) -> f64 {
        let matches = self.scores.mated.partition_point(|t| t.score >= threshold);
        let weight = |trials: &[super::verification::Trial]| -> u64 {
            trials
                .iter()
                .map(|t| u64::from(drawn[self.identity[t.probe as usize] as usize]))
                .sum()
        };
        let missed = weight(&self.scores.mated[matches..]);
        let total = missed + weight(&self.scores.mated[..matches]);
        super::verification::ratio(missed, total)
    }

    fn intervals(
        &self,
        width: usize,
        statistic: impl Fn(&[u32]) -> Vec<f64> + Sync,
    ) -> Vec<Interval> {
        let rows: Vec<Vec<f64>> = (0..self.resamples)
            .into_par_iter()
            .map(|resample| statistic(&draw(self.identities, resample as u64)))
            .collect();
        (0..width)
            .map(|column| {
                let mut values: Vec<f64> = rows.iter().map(|row| row[column]).collect();
                values.sort_by(f64::total_cmp);
                let at = |p: f64| {
                    let index = (p * (values.len() - 1) as f64).round() as usize;
                    values.get(index).copied().unwrap_or(0.0)
                };
                Interval {
                    low: at((1.0 - CONFIDENCE) / 2.0),
                    high: at((1.0 + CONFIDENCE) / 2.0),
                }
            })
            .collect()
    }
}

/// Returns how often each of `count` identities is drawn; the same for the same `seed`.
fn draw(count: usize, seed: u64) -> Vec<u32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5EED;
    let mut drawn = vec![0; count];
    for _ in 0..count {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        drawn[((u128::from(z) * count as u128) >> 64) as usize] += 1;
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::verification::Trial;

    /// 200 identities of two samples; the first tenth never match themselves.
    fn world() -> (Scores, Vec<u32>, NonMatedPairs) {
        let identity: Vec<u32> = (0..400).map(|sample| sample / 2).collect();
        let mated = (0..200)
            .map(|i| Trial {
                score: if i < 20 { 0.1 } else { 0.9 },
                probe: 2 * i,
                reference: 2 * i + 1,
            })
            .collect();
        let mut tail = Vec::new();
        for a in 0..400_u32 {
            for b in a + 1..400 {
                if a / 2 != b / 2 {
                    let score = ((a * 7919 + b * 104_729) % 10_007) as f32 / 20_014.0;
                    tail.push(Trial {
                        score,
                        probe: a,
                        reference: b,
                    });
                }
            }
        }
        let scores = Scores::from_trials(mated, tail, -1.0, 1.0);
        let pairs = NonMatedPairs::All {
            samples: vec![2; 200],
        };
        (scores, identity, pairs)
    }

    #[test]
    fn the_interval_has_the_width_that_the_number_of_identities_gives() {
        let (scores, identity, non_mated) = world();
        let bootstrap = Bootstrap {
            scores: &scores,
            identity: &identity,
            identities: 200,
            non_mated: &non_mated,
            resamples: 1000,
        };
        let interval = bootstrap.fnmr_at_fmr(&[0.01])[0];
        // Standard error of 10 % of 200 identities: 2.1 %; the normal interval is 5.8 to 14.2 %.
        assert!((interval.low - 0.058).abs() < 0.01, "{interval:?}");
        assert!((interval.high - 0.142).abs() < 0.01, "{interval:?}");
        let threshold = scores.threshold_at_fmr(0.01, 1).unwrap();
        let fmr = bootstrap.fmr_at(&[threshold])[0];
        assert!(
            fmr.low < 0.01 && 0.01 < fmr.high && fmr.high < 0.02,
            "{fmr:?}"
        );
        assert_eq!(bootstrap.fnmr_at_fmr(&[0.01])[0], interval);
    }

    #[test]
    fn weights_of_all_pairs_equal_those_of_the_list() {
        let all = NonMatedPairs::All {
            samples: vec![2, 1, 3],
        };
        let listed = NonMatedPairs::Listed(vec![
            (0, 1),
            (0, 1),
            (0, 2),
            (0, 2),
            (0, 2),
            (0, 2),
            (0, 2),
            (0, 2),
            (1, 2),
            (1, 2),
            (1, 2),
        ]);
        for drawn in [[1, 1, 1], [2, 0, 1], [0, 3, 0]] {
            assert_eq!(all.weight(&drawn), listed.weight(&drawn));
        }
    }

    #[test]
    fn every_draw_has_as_many_identities_as_the_set() {
        for seed in 0..20 {
            assert_eq!(draw(137, seed).iter().sum::<u32>(), 137);
        }
        assert_ne!(draw(137, 0), draw(137, 1));
    }
}
