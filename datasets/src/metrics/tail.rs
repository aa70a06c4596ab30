//! Extreme-value extrapolation of the non-mated tail: a generalised Pareto distribution fitted to
//! the scores above a high threshold. Used only where a caller asks for it by name.

use serde::{Deserialize, Serialize};

use super::verification::{Scores, Unsupported, ratio};

/// A generalised Pareto tail.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParetoTail {
    /// Scores above this were fitted.
    pub threshold: f64,
    /// Share of non-mated comparisons above the threshold.
    pub share: f64,
    /// Scale, in units of the score.
    pub scale: f64,
    /// Shape; negative for a bounded tail.
    pub shape: f64,
    /// Number of exceedances fitted.
    pub exceedances: u64,
}

impl ParetoTail {
    /// Fits the highest `share` of the non-mated scores by probability-weighted moments
    /// (Hosking and Wallis 1987).
    ///
    /// # Errors
    /// Fewer than 100 scores lie in that share, or they do not vary.
    pub fn fit(scores: &Scores, share: f64) -> Result<Self, Unsupported> {
        let count = (share * scores.non_mated as f64) as usize;
        let refused = Unsupported {
            fmr: share,
            non_mated: scores.non_mated,
            non_mated_needed: (100.0 / share).ceil() as u64,
        };
        if count < 100 || count >= scores.tail.len() {
            return Err(refused);
        }
        let threshold = f64::from(scores.tail[count].score);
        let n = count as f64;
        let (mut mean, mut weighted) = (0.0, 0.0);
        for (rank, trial) in scores.tail[..count].iter().rev().enumerate() {
            let excess = f64::from(trial.score) - threshold;
            mean += excess / n;
            weighted += (1.0 - (rank as f64 + 0.65) / n) * excess / n;
        }
        let denominator = mean - 2.0 * weighted;
        if denominator <= 0.0 || !threshold.is_finite() {
            return Err(refused);
        }
        Ok(Self {
            threshold,
            share: ratio(count as u64, scores.non_mated),
            scale: 2.0 * mean * weighted / denominator,
            shape: 2.0 - mean / denominator,
            exceedances: count as u64,
        })
    }

    /// Returns the score that a share `fmr` of non-mated comparisons exceeds; `fmr` must not be
    /// above the fitted share.
    pub fn threshold_at_fmr(&self, fmr: f64) -> f64 {
        let odds = fmr / self.share;
        let excess = if self.shape.abs() < 1e-9 {
            -self.scale * odds.ln()
        } else {
            self.scale / self.shape * (odds.powf(-self.shape) - 1.0)
        };
        self.threshold + excess
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::verification::Trial;

    #[test]
    fn a_known_tail_is_found_again_and_extrapolated() {
        // Quantiles of P(X > x) = (1 - x)^4, a Pareto tail of shape -1/4 everywhere.
        let n = 200_000;
        let tail: Vec<Trial> = (0..n)
            .map(|i| Trial {
                score: 1.0 - ((i as f32 + 0.5) / n as f32).powf(0.25),
                probe: i,
                reference: n,
            })
            .collect();
        let scores = Scores::from_trials(Vec::new(), tail, 0.0, 1.0);
        let fit = ParetoTail::fit(&scores, 0.01).unwrap();
        assert!((fit.shape + 0.25).abs() < 0.01, "{fit:?}");
        for fmr in [1e-3_f64, 1e-5, 1e-7] {
            let truth = 1.0 - fmr.powf(0.25);
            assert!(
                (fit.threshold_at_fmr(fmr) - truth).abs() < 3e-3,
                "{fmr}: {fit:?}"
            );
        }
        assert!(ParetoTail::fit(&scores, 1e-4).is_err());
    }
}
