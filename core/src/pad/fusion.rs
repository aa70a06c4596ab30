//! The rule that fuses the networks with the signals: one line an item, and no doubt can raise
//! trust.
//!
//! ```text
//! margin(p) = ln(p / (1 - p)), clipped to -8..8
//! doubt(s)  = (s - knee) / (full - knee), clipped to 0..1
//! trust     = 1 / (1 + exp(-(bias + Σ weight · margin(network) - Σ weight · doubt(signal))))
//! ```

use super::signals::{NAMES, UNITS};
use super::{PadNetwork, PadSignal};
use crate::error::{Error, Kind, Result, Stage};
use serde::Deserialize;

/// The percentiles of bona fide material that the calibration states of each signal.
const LEVELS: [f32; 9] = [0.1, 1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0, 99.9];

const MARGIN: f32 = 8.0;

/// What the pack ships about PAD.
#[derive(Deserialize)]
pub(super) struct Calibration {
    signals: Vec<Term>,
    /// Without MiniFASNet.
    alone: Weights,
    /// With it.
    with_minifasnet: Weights,
}

#[derive(Deserialize)]
struct Term {
    name: String,
    /// Where doubt begins, and where it is full; the side of the larger doubt is that of `full`.
    knee: f32,
    full: f32,
    weight: f32,
    /// Values at `LEVELS` on bona fide material.
    percentiles: [f32; LEVELS.len()],
}

#[derive(Clone, Deserialize)]
struct Weights {
    own: f32,
    #[serde(default)]
    minifasnet: f32,
    bias: f32,
    threshold: f32,
}

/// The rule for the networks that are there.
pub(super) struct Rule {
    terms: Vec<Term>,
    weights: Weights,
}

impl Rule {
    /// Refuses a rule that is not monotone: with a negative weight, doubt would raise trust.
    pub(super) fn new(calibration: Calibration, with_minifasnet: bool) -> Result<Self> {
        let weights = if with_minifasnet {
            calibration.with_minifasnet
        } else {
            calibration.alone
        };
        let terms = calibration.signals;
        let fault = |what: String| {
            Err(Error::new(
                Stage::Pad,
                Kind::Model,
                format!("the calibration of PAD {what}"),
            ))
        };
        let names: Vec<&str> = terms.iter().map(|term| term.name.as_str()).collect();
        if names != NAMES {
            return fault(format!(
                "is of the signals {}, this engine has {}",
                names.join(", "),
                NAMES.join(", ")
            ));
        }
        if let Some(term) = terms.iter().find(|t| {
            t.weight.is_nan()
                || t.weight < 0.0
                || t.knee == t.full
                || !(t.knee - t.full).is_finite()
        }) {
            return fault(format!(
                "gives {} a weight below 0 or no range: doubt must lower trust",
                term.name
            ));
        }
        if let Some(term) = terms.iter().find(|t| !t.percentiles.is_sorted()) {
            return fault(format!(
                "has percentiles of {} that are not in order",
                term.name
            ));
        }
        let sound = weights.own >= 0.0 && weights.minifasnet >= 0.0 && weights.bias.is_finite();
        if !sound || !(0.0..=1.0).contains(&weights.threshold) {
            return fault("weighs a network below 0, or has a threshold outside 0..1".to_owned());
        }
        Ok(Rule { terms, weights })
    }

    /// From this trust on a presentation counts as bona fide.
    pub(super) fn threshold(&self) -> f32 {
        self.weights.threshold
    }

    /// Judges each network's share of "bona fide" and each signal, in the order of `NAMES`; returns
    /// trust in 0..=1 beside it.
    pub(super) fn judge(
        &self,
        own: f32,
        minifasnet: Option<f32>,
        values: [f32; NAMES.len()],
    ) -> (f32, Vec<PadNetwork>, Vec<PadSignal>) {
        let mut networks = vec![PadNetwork {
            name: "vultus-pad",
            score: own,
            weight: self.weights.own,
        }];
        networks.extend(minifasnet.map(|score| PadNetwork {
            name: "minifasnet",
            score,
            weight: self.weights.minifasnet,
        }));
        let signals: Vec<PadSignal> = self
            .terms
            .iter()
            .enumerate()
            .map(|(i, term)| {
                let value = values[i];
                let doubt = ((value - term.knee) / (term.full - term.knee)).clamp(0.0, 1.0);
                let percentile = percentile(&term.percentiles, value);
                PadSignal {
                    name: NAMES[i],
                    value,
                    unit: UNITS[i],
                    percentile,
                    doubt,
                    weight: term.weight,
                }
            })
            .collect();
        let trusted: f32 = networks
            .iter()
            .map(|network| network.weight * margin(network.score))
            .sum();
        let doubted: f32 = signals
            .iter()
            .map(|signal| signal.weight * signal.doubt)
            .sum();
        let trust = 1.0 / (1.0 + libm::expf(-(self.weights.bias + trusted - doubted)));
        (trust, networks, signals)
    }
}

fn margin(share: f32) -> f32 {
    (libm::logf(share) - libm::log1pf(-share)).clamp(-MARGIN, MARGIN)
}

/// The percentile of `value`, linear between the stated ones and 0 or 100 beyond them.
fn percentile(stated: &[f32; LEVELS.len()], value: f32) -> f32 {
    match stated.iter().position(|&at| value < at) {
        Some(0) => 0.0,
        Some(i) => {
            LEVELS[i - 1]
                + (LEVELS[i] - LEVELS[i - 1]) * (value - stated[i - 1])
                    / (stated[i] - stated[i - 1])
        }
        None => 100.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    fn calibration() -> Calibration {
        let term = |name: &&str| Term {
            name: (*name).to_owned(),
            knee: 1.0,
            full: 3.0,
            weight: 2.0,
            percentiles: [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
        };
        let weights = Weights {
            own: 1.0,
            minifasnet: 0.5,
            bias: 0.25,
            threshold: 0.6,
        };
        Calibration {
            signals: NAMES.iter().map(term).collect(),
            alone: weights.clone(),
            with_minifasnet: weights,
        }
    }

    #[test]
    fn trust_is_the_stated_sum() {
        let rule = Rule::new(calibration(), false).unwrap();
        let mut values = [0.0; NAMES.len()];
        assert_abs_diff_eq!(
            rule.judge(0.5, None, values).0,
            1.0 / (1.0 + libm::expf(-0.25)),
            epsilon = 1e-6
        );
        values[2] = 2.0;
        let (trust, networks, signals) = rule.judge(0.5, Some(0.5), values);
        assert_abs_diff_eq!(trust, 1.0 / (1.0 + libm::expf(0.75)), epsilon = 1e-6);
        assert_eq!(
            (networks.len(), signals[2].doubt, signals[2].percentile),
            (2, 0.5, 5.0)
        );
    }

    #[test]
    fn doubt_never_raises_trust_and_belief_never_lowers_it() {
        let rule = Rule::new(calibration(), true).unwrap();
        let trust =
            |own: f32, peer: f32, value: f32| rule.judge(own, Some(peer), [value; NAMES.len()]).0;
        let steps: Vec<f32> = (0..=20).map(|i| i as f32 / 20.0).collect();
        for pair in steps.windows(2) {
            for &other in &steps {
                assert!(trust(pair[1], other, 1.1) >= trust(pair[0], other, 1.1));
                assert!(trust(other, pair[1], 1.1) >= trust(other, pair[0], 1.1));
                assert!(trust(other, 0.9, 4.0 * pair[1]) <= trust(other, 0.9, 4.0 * pair[0]));
            }
        }
        assert!(
            (0.0..=1.0).contains(&trust(0.0, 0.0, 9.0))
                && (0.0..=1.0).contains(&trust(1.0, 1.0, 0.0))
        );
    }

    #[test]
    fn a_rule_that_is_not_monotone_is_refused() {
        let refused = |change: fn(&mut Calibration)| {
            let mut bad = calibration();
            change(&mut bad);
            Rule::new(bad, false)
                .err()
                .expect("must be refused")
                .to_string()
        };
        assert!(refused(|c| c.signals[3].weight = -0.1).contains("blue-shift a weight below 0"));
        assert!(refused(|c| c.signals[3].full = 1.0).contains("no range"));
        assert!(refused(|c| c.alone.own = -1.0).contains("below 0"));
        assert!(refused(|c| c.signals[0].percentiles[4] = 9.0).contains("not in order"));
        assert!(refused(|c| c.signals.truncate(3)).contains("this engine has moire-peak"));
    }

    #[test]
    fn percentiles_are_linear_between_and_end_at_0_and_100() {
        let stated = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        assert_eq!(
            (
                percentile(&stated, -1.0),
                percentile(&stated, 4.0),
                percentile(&stated, 8.0)
            ),
            (0.0, 50.0, 100.0)
        );
        assert_abs_diff_eq!(percentile(&stated, 3.5), 37.5);
        // A value that many share counts as the highest of its percentiles.
        assert_eq!(
            percentile(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 2.0, 3.0], 0.0),
            50.0
        );
    }
}
