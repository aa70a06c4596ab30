//! McNemar's test: whether two systems that judged the same trials differ by more than chance.

use serde::{Deserialize, Serialize};

/// The discordant trials of two runs and what they say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Trials that only the first got right.
    pub only_first_right: u64,
    /// Trials that only the second got right.
    pub only_second_right: u64,
    /// Two-sided p of the exact binomial test.
    pub p_value: f64,
}

/// Returns the exact two-sided test on the counts of discordant trials.
pub fn mcnemar(only_first_right: u64, only_second_right: u64) -> McNemar {
    let fewer = only_first_right.min(only_second_right);
    let total = only_first_right + only_second_right;
    // Sum of C(total, i) / 2^total for i up to `fewer`, in logarithms.
    let mut log_term = -(total as f64) * std::f64::consts::LN_2;
    let mut tail = 0.0;
    for i in 0..=fewer {
        tail += log_term.exp();
        log_term += ((total - i) as f64).ln() - ((i + 1) as f64).ln();
    }
    McNemar {
        only_first_right,
        only_second_right,
        p_value: (2.0 * tail).min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_p_by_hand() {
        assert_eq!(mcnemar(0, 0).p_value, 1.0);
        assert_eq!(mcnemar(3, 3).p_value, 1.0);
        // 2 * (1 + 6) / 64
        assert!((mcnemar(1, 5).p_value - 0.21875).abs() < 1e-12);
        // 2 / 1024
        assert!((mcnemar(10, 0).p_value - 0.001953125).abs() < 1e-12);
        assert!(mcnemar(2_000, 2_500).p_value < 1e-12);
    }
}
