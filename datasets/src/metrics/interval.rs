//! Confidence intervals of a proportion, and the sample sizes that they ask for.

use serde::{Deserialize, Serialize};
use statrs::function::beta::beta_reg;

/// Both ends of a two-sided confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Returns the Clopper-Pearson interval of `errors` in `trials` at `confidence` (0.95).
///
/// With no error seen all of the risk goes to the upper end, so that at 95 % it is the rule of
/// three: 1 - 0.05^(1/n), about 3/n. No trials give [0, 1].
pub fn clopper_pearson(errors: u64, trials: u64, confidence: f64) -> Interval {
    let alpha = 1.0 - confidence;
    if errors == 0 {
        return Interval {
            low: 0.0,
            high: upper_bound(0, trials, confidence),
        };
    }
    if errors == trials {
        return Interval {
            low: alpha.powf(1.0 / trials as f64),
            high: 1.0,
        };
    }
    Interval {
        low: beta_quantile(errors as f64, (trials - errors + 1) as f64, alpha / 2.0),
        high: upper_bound(errors, trials, 1.0 - alpha / 2.0),
    }
}

/// Returns the one-sided upper Clopper-Pearson bound of a proportion.
pub fn upper_bound(errors: u64, trials: u64, confidence: f64) -> f64 {
    if errors >= trials {
        return 1.0;
    }
    if errors == 0 {
        return -f64::exp_m1((1.0 - confidence).ln() / trials as f64);
    }
    beta_quantile((errors + 1) as f64, (trials - errors) as f64, confidence)
}

/// Returns the fewest trials that, with `errors` seen, bound the proportion by `limit`.
pub fn trials_needed(errors: u64, limit: f64, confidence: f64) -> u64 {
    let mut high = errors + 1;
    while upper_bound(errors, high, confidence) > limit {
        high *= 2;
    }
    let mut low = errors;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if upper_bound(errors, middle, confidence) > limit {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Returns x with I_x(a, b) = p, by bisection down to neighbouring numbers.
fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    loop {
        let middle: f64 = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if beta_reg(a, b, middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clopper_pearson_agrees_with_scipy() {
        // scipy.stats.beta.ppf
        for (errors, trials, low, high) in [
            (1, 10, 0.0025285785444617848, 0.4450161170281954),
            (5, 100, 0.016431879182052155, 0.11283491110546275),
            (36, 3000, 0.008418418490880434, 0.016574688765795646),
        ] {
            let interval = clopper_pearson(errors, trials, 0.95);
            assert!((interval.low - low).abs() < 1e-10, "{interval:?}");
            assert!((interval.high - high).abs() < 1e-10, "{interval:?}");
        }
    }

    #[test]
    fn no_error_gives_the_rule_of_three() {
        let interval = clopper_pearson(0, 3000, 0.95);
        assert_eq!(interval.low, 0.0);
        assert!((interval.high - 9.980796e-4).abs() < 1e-9, "{interval:?}");
        assert_eq!(
            clopper_pearson(0, 0, 0.95),
            Interval {
                low: 0.0,
                high: 1.0
            }
        );
        assert_eq!(clopper_pearson(7, 7, 0.95).high, 1.0);
    }

    #[test]
    fn sample_sizes_are_those_of_the_standards() {
        assert_eq!(trials_needed(0, 0.07, 0.95), 42);
        assert_eq!(trials_needed(0, 1e-4, 0.95), 29_956);
        assert_eq!(trials_needed(0, 0.05, 0.90), 45);
        let n = trials_needed(3, 0.01, 0.95);
        assert!(upper_bound(3, n, 0.95) <= 0.01 && upper_bound(3, n - 1, 0.95) > 0.01);
    }
}
