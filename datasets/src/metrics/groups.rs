//! Differential performance: error rates of each group beside those of all.

use serde::{Deserialize, Serialize};

use super::interval::{Interval, clopper_pearson};
use super::verification::{CONFIDENCE, ratio};

/// A group may be at most this much worse than all together (NIST SP 800-63A-4).
pub const TOLERANCE: f64 = 0.25;

/// One rate of one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRate {
    /// Errors seen.
    pub errors: u64,
    /// Trials made.
    pub trials: u64,
    /// The rate.
    pub rate: f64,
    /// Clopper-Pearson interval of the rate.
    pub interval: Interval,
    /// What the counts say about the 25 % rule.
    pub verdict: Verdict,
}

/// What the counts of a group say about the 25 % rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval lies within the rule.
    Within,
    /// The rate breaks the rule.
    Exceeds,
    /// The rate keeps the rule, but the trials are too few to exclude that it breaks it.
    Undecided,
}

/// The rates of one group at the threshold of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// False match rate.
    pub fmr: GroupRate,
    /// False non-match rate.
    pub fnmr: GroupRate,
}

/// Returns a group's rate beside the rate of all trials.
pub fn group_rate(errors: u64, trials: u64, overall: f64) -> GroupRate {
    let rate = ratio(errors, trials);
    let interval = clopper_pearson(errors, trials, CONFIDENCE);
    let limit = overall * (1.0 + TOLERANCE);
    let verdict = if rate > limit {
        Verdict::Exceeds
    } else if interval.high > limit {
        Verdict::Undecided
    } else {
        Verdict::Within
    };
    GroupRate {
        errors,
        trials,
        rate,
        interval,
        verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_a_quarter_worse_than_all() {
        assert_eq!(group_rate(126, 10_000, 0.01).verdict, Verdict::Exceeds);
        assert_eq!(group_rate(125, 10_000, 0.01).verdict, Verdict::Undecided);
        assert_eq!(group_rate(90, 10_000, 0.01).verdict, Verdict::Within);
        assert_eq!(group_rate(0, 10, 0.01).verdict, Verdict::Undecided);
    }
}
