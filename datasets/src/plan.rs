//! How many trials a claim takes.

use crate::metrics::interval::{trials_needed, upper_bound};

/// One row of a plan: with so many errors seen, so many trials are needed.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// What is counted.
    pub what: String,
    /// Errors seen.
    pub errors: u64,
    /// Trials needed at least.
    pub trials: u64,
}

/// A claim that a test is to show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Claim {
    /// FMR at most this, at 95 % confidence.
    Fmr(f64),
    /// FNMR at most this, at 95 % confidence.
    Fnmr(f64),
    /// IAPAR below this for each attack species, at 95 % confidence.
    Iapar(f64),
    /// iBeta level 1 or 2.
    Ibeta(u8),
    /// FIDO Biometric Component: FAR <= 0.01 %, FRR <= 5 % at the upper end of an 80 % interval.
    Fido,
}

/// Returns what a claim takes, and notes that go with it.
///
/// # Errors
/// The rate is no rate, or the level does not exist.
pub fn plan(claim: Claim) -> Result<(Vec<Requirement>, Vec<String>), String> {
    let rows = |what: &str, limit: f64, confidence: f64| -> Vec<Requirement> {
        let row = |errors| Requirement {
            what: what.to_owned(),
            errors,
            trials: trials_needed(errors, limit, confidence),
        };
        [0, 1, 3, 10, 30].map(row).to_vec()
    };
    if let Claim::Fmr(rate) | Claim::Fnmr(rate) | Claim::Iapar(rate) = claim
        && !(rate > 0.0 && rate < 1.0)
    {
        return Err(format!("{rate} is no rate between 0 and 1"));
    }
    Ok(match claim {
        Claim::Fmr(rate) => {
            let subjects = people(trials_needed(0, rate, 0.95));
            (
                rows("independent non-mated comparisons", rate, 0.95),
                vec![
                    format!(
                        "comparing all of n people with each other, no error seen: n >= \
                        {subjects}, but such comparisons are correlated: resample identities for \
                        the interval"
                    ),
                    format!(
                        "a calibrated point of this project needs 10 false matches observed: \
                        {:.0} non-mated comparisons",
                        (10.0 / rate).ceil()
                    ),
                ],
            )
        }
        Claim::Fnmr(rate) => (
            rows("independent mated comparisons", rate, 0.95),
            Vec::new(),
        ),
        Claim::Iapar(rate) => (
            rows("attack presentations of each species", rate, 0.95),
            vec![
                "errors are attacks that the whole system accepts; the standard allows no \
                average over species"
                    .to_owned(),
            ],
        ),
        Claim::Ibeta(level @ (1 | 2)) => {
            let passes = if level == 1 { 0 } else { 1 };
            let row = Requirement {
                what: "attack presentations of each \
                species"
                    .to_owned(),
                errors: passes,
                trials: 150,
            };
            let bound = upper_bound(passes, 150, 0.95);
            (
                vec![row],
                vec![
                    format!(
                        "level {level} allows {} % of attacks to pass; {passes} of 150 bounds the \
                        APCER by {:.2} % at 95 %",
                        passes,
                        100.0 * bound
                    ),
                    format!(
                        "BPCER at most 15 %: {} bona fide presentations if none is \
                        refused",
                        trials_needed(0, 0.15, 0.95)
                    ),
                    "says nothing of injection or of the comparison's FMR".to_owned(),
                ],
            )
        }
        Claim::Ibeta(level) => return Err(format!("iBeta has levels 1 and 2, not {level}")),
        Claim::Fido => {
            // The upper end of a two-sided 80 % interval is a one-sided bound at 90 %.
            let mut all = rows("impostor transactions (FAR <= 0.01 %)", 1e-4, 0.90);
            all.extend(rows("genuine transactions (FRR <= 5 %)", 0.05, 0.90));
            (
                all,
                vec![
                    "bounds at the upper end of an 80 % interval, FIDO Biometric Component \
                v4"
                    .to_owned(),
                ],
            )
        }
    })
}

/// Returns the fewest people whose pairs are at least `pairs`.
fn people(pairs: u64) -> u64 {
    let mut n = (2.0 * pairs as f64).sqrt() as u64;
    while n * n.saturating_sub(1) / 2 < pairs {
        n += 1;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_standards() {
        assert_eq!(plan(Claim::Iapar(0.07)).unwrap().0[0].trials, 42);
        assert_eq!(plan(Claim::Fmr(1e-4)).unwrap().0[0].trials, 29_956);
        let fido = plan(Claim::Fido).unwrap().0;
        assert_eq!((fido[0].trials, fido[5].trials), (23_025, 45));
        assert!(plan(Claim::Ibeta(1)).unwrap().1[0].contains("1.98 %"));
        assert!(plan(Claim::Ibeta(3)).is_err() && plan(Claim::Fmr(1.0)).is_err());
        assert_eq!(people(29_956), 246);
    }
}
