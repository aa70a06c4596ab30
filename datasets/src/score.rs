//! Features to comparison scores: listed pairs one by one, all pairs in blocks.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, s};
use rayon::prelude::*;

use crate::extract::{Extracted, Outcome};
use crate::metrics::bootstrap::NonMatedPairs;
use crate::metrics::verification::{Histogram, Scores, Trial, allowed_false_matches};
use crate::protocol::{Comparison, Pairs, Protocol};

/// Model ids with their shares of the score: the score is the sum of share times cosine.
pub type Shares = [(String, f32)];

/// Scores of a protocol with what the bootstrap needs to know of it.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The scores.
    pub scores: Scores,
    /// How non-mated comparisons spread over identities.
    pub non_mated: NonMatedPairs,
}

/// The highest share of non-mated scores that is kept trial by trial.
const TAIL_FMR: f64 = 0.1;
const BLOCK: usize = 512;
const BINS: usize = 1 << 16;

/// Scores every comparison of a protocol. A sample that was not acquired scores minus infinity.
///
/// # Errors
/// Features of a model are missing.
pub fn score(
    protocol: &Protocol,
    extracted: &[Extracted],
    shares: &Shares,
) -> Result<Scored, String> {
    for (sample, extracted) in protocol.samples.iter().zip(extracted) {
        if let Outcome::Acquired { features, .. } = &extracted.outcome
            && let Some((missing, _)) = shares
                .iter()
                .find(|(model, _)| !features.contains_key(model))
        {
            return Err(format!("{} has no features of {missing}", sample.name));
        }
    }
    Ok(match &protocol.pairs {
        Pairs::Listed(comparisons) => score_listed(protocol, comparisons, extracted, shares),
        Pairs::All => score_all(protocol, extracted, shares),
    })
}

fn score_listed(
    protocol: &Protocol,
    comparisons: &[Comparison],
    extracted: &[Extracted],
    shares: &Shares,
) -> Scored {
    let scored = comparisons.par_iter().map(|c| {
        let pair = [c.probe, c.reference].map(|index| &extracted[index as usize].outcome);
        Trial {
            score: pair_score(pair, shares),
            probe: c.probe,
            reference: c.reference,
        }
    });
    let scored: Vec<Trial> = scored.collect();
    let side = |mated| {
        scored
            .iter()
            .zip(comparisons)
            .filter(move |(_, c)| c.mated == mated)
            .map(|(t, _)| *t)
            .collect::<Vec<_>>()
    };
    let non_mated = side(false);
    let identity = |sample: u32| protocol.samples[sample as usize].identity;
    Scored {
        non_mated: NonMatedPairs::Listed(
            non_mated
                .iter()
                .map(|t| (identity(t.probe), identity(t.reference)))
                .collect(),
        ),
        scores: Scores::from_trials(side(true), non_mated, -1.0, 1.0),
    }
}

/// Returns the score in the engine's own order of operations, so that it is the same bits.
fn pair_score(pair: [&Outcome; 2], shares: &Shares) -> f32 {
    let [
        Outcome::Acquired { features: a, .. },
        Outcome::Acquired { features: b, .. },
    ] = pair
    else {
        return f32::NEG_INFINITY;
    };
    let mut sum = 0.0;
    for (model, share) in shares {
        let cosine: f32 = a[model].iter().zip(&b[model]).map(|(x, y)| x * y).sum();
        sum += share * cosine;
    }
    sum.clamp(-1.0, 1.0)
}

fn score_all(protocol: &Protocol, extracted: &[Extracted], shares: &Shares) -> Scored {
    let mut samples = vec![0_u32; protocol.identities.len()];
    for sample in &protocol.samples {
        samples[sample.identity as usize] += 1;
    }
    let pairs = |n: u64| n * n.saturating_sub(1) / 2;
    let mated_total: u64 = samples.iter().map(|&n| pairs(u64::from(n))).sum();
    let non_mated = pairs(protocol.samples.len() as u64) - mated_total;
    let matrix = Matrix::new(protocol, extracted, shares);

    let (mut mated, histogram) = matrix.first_pass();
    for (first, a) in protocol.samples.iter().enumerate() {
        let failed = |index: usize| !matches!(extracted[index].outcome, Outcome::Acquired { .. });
        if failed(first) {
            for (second, b) in protocol.samples.iter().enumerate() {
                if a.identity == b.identity
                    && second != first
                    && (second > first || !failed(second))
                {
                    mated.push(Trial {
                        score: f32::NEG_INFINITY,
                        probe: first as u32,
                        reference: second as u32,
                    });
                }
            }
        }
    }
    let wanted = allowed_false_matches(TAIL_FMR, non_mated) + 1;
    let tail = matrix.tail(&histogram, wanted);
    Scored {
        scores: Scores::sorted(mated, tail, non_mated, histogram),
        non_mated: NonMatedPairs::All { samples },
    }
}

/// Acquired samples as rows whose dot product is the score.
struct Matrix {
    rows: Array2<f32>,
    sample: Vec<u32>,
    identity: Vec<u32>,
}

impl Matrix {
    fn new(protocol: &Protocol, extracted: &[Extracted], shares: &Shares) -> Self {
        let (mut values, mut sample, mut identity) = (Vec::new(), Vec::new(), Vec::new());
        for (index, extracted) in extracted.iter().enumerate() {
            if let Outcome::Acquired { features, .. } = &extracted.outcome {
                for (model, share) in shares {
                    values.extend(features[model].iter().map(|v| v * share.sqrt()));
                }
                sample.push(index as u32);
                identity.push(protocol.samples[index].identity);
            }
        }
        let width = values.len() / sample.len().max(1);
        let rows = Array2::from_shape_vec((sample.len(), width), values)
            .expect("every row has the features of the same models");
        Self {
            rows,
            sample,
            identity,
        }
    }

    /// Calls `visit(state, row, column, score)` for every pair of rows once; states of blocks come
    /// back in any order.
    fn for_each<S: Send>(
        &self,
        start: impl Fn() -> S + Sync,
        visit: impl Fn(&mut S, usize, usize, f32) + Sync,
    ) -> Vec<S> {
        let count = self.sample.len();
        let blocks = count.div_ceil(BLOCK);
        (0..blocks)
            .into_par_iter()
            .with_max_len(1)
            .map(|row_block| {
                let mut state = start();
                let rows = row_block * BLOCK..((row_block + 1) * BLOCK).min(count);
                let left = self.rows.slice(s![rows.clone(), ..]);
                for column_block in row_block..blocks {
                    let columns = column_block * BLOCK..((column_block + 1) * BLOCK).min(count);
                    let right = self.rows.slice(s![columns.clone(), ..]);
                    let mut product = Array2::zeros((rows.len(), columns.len()));
                    general_mat_mul(1.0, &left, &right.t(), 0.0, &mut product);
                    for (i, row) in rows.clone().zip(product.rows()) {
                        for (j, &score) in columns.clone().zip(row) {
                            if j > i {
                                visit(&mut state, i, j, score.clamp(-1.0, 1.0));
                            }
                        }
                    }
                }
                state
            })
            .collect()
    }

    fn trial(&self, i: usize, j: usize, score: f32) -> Trial {
        Trial {
            score,
            probe: self.sample[i],
            reference: self.sample[j],
        }
    }

    /// Returns the mated trials and the histogram of the non-mated ones.
    fn first_pass(&self) -> (Vec<Trial>, Histogram) {
        let states = self.for_each(
            || (Vec::new(), Histogram::new(-1.0, 1.0, BINS)),
            |(mated, histogram), i, j, score| {
                if self.identity[i] == self.identity[j] {
                    mated.push(self.trial(i, j, score));
                } else {
                    histogram.add(score);
                }
            },
        );
        let mut mated = Vec::new();
        let mut histogram = Histogram::new(-1.0, 1.0, BINS);
        for (more, counts) in states {
            mated.extend(more);
            histogram = histogram.merge(&counts);
        }
        (mated, histogram)
    }

    /// Returns at least the `wanted` highest non-mated trials: whole bins of the histogram.
    fn tail(&self, histogram: &Histogram, wanted: u64) -> Vec<Trial> {
        let mut above = 0;
        let mut lowest = histogram.counts.len();
        while lowest > 0 && above < wanted {
            lowest -= 1;
            above += histogram.counts[lowest];
        }
        let states = self.for_each(Vec::new, |tail, i, j, score| {
            if histogram.bin(score) >= lowest && self.identity[i] != self.identity[j] {
                tail.push(self.trial(i, j, score));
            }
        });
        states.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Builder;
    use std::collections::BTreeMap;

    fn shares() -> [(String, f32); 2] {
        [("a".to_owned(), 0.25), ("b".to_owned(), 0.75)]
    }

    fn unit(seed: &mut u64, size: usize) -> Vec<f32> {
        let mut next = || {
            *seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (*seed >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        let vector: Vec<f32> = (0..size).map(|_| next()).collect();
        let norm = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
        vector.iter().map(|v| v / norm).collect()
    }

    /// 600 samples of 150 persons, every 50th not acquired.
    fn world() -> (Protocol, Vec<Extracted>) {
        let mut builder = Builder::new("world");
        let mut seed = 7;
        let mut extracted = Vec::new();
        for index in 0..600 {
            builder.sample(
                &format!("s{index}"),
                &format!("p{}", index % 150),
                Vec::new(),
            );
            let features = BTreeMap::from([
                ("a".to_owned(), unit(&mut seed, 13)),
                ("b".to_owned(), unit(&mut seed, 7)),
            ]);
            let outcome = if index % 50 == 0 {
                Outcome::NotAcquired(String::new())
            } else {
                Outcome::Acquired {
                    features,
                    quality: None,
                    components: BTreeMap::new(),
                }
            };
            extracted.push(Extracted {
                outcome,
                seconds: 0.0,
                cached: false,
            });
        }
        (builder.finish(0).into_all_pairs(), extracted)
    }

    #[test]
    fn blocks_give_what_one_pair_after_another_gives() {
        let (protocol, extracted) = world();
        let fast = score(&protocol, &extracted, &shares()).unwrap().scores;
        let mut pairs = Vec::new();
        for probe in 0..600_u32 {
            for reference in probe + 1..600 {
                let mated = probe % 150 == reference % 150;
                pairs.push(Comparison {
                    probe,
                    reference,
                    mated,
                    fold: 0,
                    group: None,
                });
            }
        }
        let listed = Protocol {
            pairs: Pairs::Listed(pairs),
            ..protocol
        };
        let slow = score(&listed, &extracted, &shares()).unwrap().scores;
        assert_eq!(fast.non_mated, slow.non_mated);
        assert_eq!(fast.mated.len(), slow.mated.len());
        for (a, b) in fast.mated.iter().zip(&slow.mated) {
            assert!(a.score == b.score || (a.score - b.score).abs() < 1e-6);
        }
        assert!(fast.tail.len() as f64 >= 0.1 * fast.non_mated as f64);
        assert!(fast.tail.len() < slow.tail.len());
        for (a, b) in fast.tail.iter().zip(&slow.tail) {
            assert!((a.score - b.score).abs() < 1e-6);
        }
        let finite: u64 = slow.tail.iter().filter(|t| t.score.is_finite()).count() as u64;
        assert_eq!(fast.histogram.counts.iter().sum::<u64>(), finite);
    }

    #[test]
    fn features_of_a_model_that_are_missing_are_named() {
        let (protocol, extracted) = world();
        let error = score(&protocol, &extracted, &[("c".to_owned(), 1.0)]).unwrap_err();
        assert_eq!(error, "s1 has no features of c");
    }
}
