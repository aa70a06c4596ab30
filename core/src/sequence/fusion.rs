//! From values to levels: how unusual is each value for bona fide material, and what do the signals
//! of a channel amount to together?

use super::evidence::{Channel, ChannelEvidence, RiskLevel, Signal, SignalStatus};
use super::signals::{SIGNALS, Spec};
use crate::error::{Error, Kind, Result, Stage};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What bona fide material showed.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Calibration {
    /// For each signal, values at rising percentiles of bona fide material: (percentile, value).
    signals: BTreeMap<String, Vec<(f32, f32)>>,
}

/// Scores from here on are MEDIUM, and HIGH.
const MEDIUM: f32 = 0.3;
const HIGH: f32 = 0.6;

/// A value this many spreads above the median counts wholly. A spread is from the median to the
/// 95th percentile.
const WHOLLY: f32 = 3.0;
/// Below this a value is not spoken of.
const WORTH_TELLING: f32 = 0.1;

impl Calibration {
    /// Reads `sequence` of a pack's calibration; without it every percentile and level stays
    /// unknown.
    pub(crate) fn read(pack: &Value) -> Result<Calibration> {
        let value = &pack["sequence"];
        if value.is_null() {
            return Ok(Calibration::default());
        }
        let fault = |message: &str| {
            Error::new(
                Stage::Sequence,
                Kind::Model,
                format!("the pack's calibration of sequences {message}"),
            )
        };
        let read =
            Calibration::deserialize(value).map_err(|e| fault("cannot be read").because(e))?;
        let rises = |points: &[(f32, f32)]| {
            points
                .windows(2)
                .all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1)
        };
        match read
            .signals
            .iter()
            .find(|(_, points)| points.len() < 2 || !rises(points))
        {
            Some((name, _)) => Err(fault(&format!(
                "needs two rising percentiles at least for {name}"
            ))),
            None => Ok(read),
        }
    }

    fn is_empty(&self) -> bool {
        self.signals.is_empty()
    }

    /// The share of bona fide material with a lower value, linear between the observed percentiles.
    fn percentile(&self, name: &str, value: f32) -> Option<f32> {
        let points = self.signals.get(name)?;
        let above = points.iter().position(|&(_, at)| at > value);
        Some(match above {
            None => 100.0,
            Some(0) => points[0].0,
            Some(i) => {
                let ((p, a), (q, b)) = (points[i - 1], points[i]);
                p + (q - p) * (value - a) / (b - a)
            }
        })
    }

    fn at(&self, name: &str, percentile: f32) -> Option<f32> {
        let points = self.signals.get(name)?;
        points
            .iter()
            .find(|(p, _)| *p >= percentile)
            .map(|(_, value)| *value)
    }

    /// How much a value counts, in 0..=1: with the third power of its excess, so that what bona
    /// fide material shows too hardly counts.
    fn suspicion(&self, spec: &Spec, value: f32) -> Option<f32> {
        let (median, high) = (self.at(spec.name, 50.0)?, self.at(spec.name, 95.0)?);
        let excess = (value - median) / (high - median).max(spec.least_spread);
        let share = (excess / WHOLLY).clamp(0.0, 1.0);
        Some(share * share * share)
    }
}

/// The signals and the two channels of `values`, which are in the order of [`SIGNALS`].
pub(super) fn fuse(
    values: &[Option<f32>],
    calibration: &Calibration,
) -> (Vec<Signal>, ChannelEvidence, ChannelEvidence) {
    let signals = SIGNALS
        .iter()
        .zip(values)
        .map(|(spec, &value)| signal(spec, value, calibration))
        .collect();
    (
        signals,
        channel(Channel::Deepfake, values, calibration),
        channel(Channel::Injection, values, calibration),
    )
}

fn signal(spec: &Spec, value: Option<f32>, calibration: &Calibration) -> Signal {
    let percentile = value.and_then(|value| calibration.percentile(spec.name, value));
    let suspicion = value.and_then(|value| calibration.suspicion(spec, value));
    let assessed = value.is_some() && spec.abstains.is_none();
    let text = match (spec.abstains, suspicion) {
        (Some(why), _) => why,
        (None, None) if value.is_none() => "too few frames to tell",
        (None, None) => "the pack does not say what is usual",
        (None, Some(suspicion)) if suspicion >= WORTH_TELLING => spec.unusual,
        (None, Some(_)) => "as in bona fide material",
    };
    Signal {
        name: spec.name,
        channel: spec.channel,
        value,
        unit: spec.unit,
        percentile,
        weight: spec.weight,
        status: if assessed {
            SignalStatus::Assessed
        } else {
            SignalStatus::Abstained
        },
        text: text.to_owned(),
    }
}

/// One minus the product of what each signal leaves of trust: monotone, and no signal can make up
/// for another.
fn channel(channel: Channel, values: &[Option<f32>], calibration: &Calibration) -> ChannelEvidence {
    let of_channel = SIGNALS.iter().zip(values).filter(|(spec, _)| {
        spec.channel == channel && spec.weight > 0.0 && spec.abstains.is_none()
    });
    let suspicions: Vec<f32> = of_channel
        .filter_map(|(spec, value)| Some(spec.weight * calibration.suspicion(spec, (*value)?)?))
        .collect();
    if suspicions.is_empty() || calibration.is_empty() {
        return ChannelEvidence::default();
    }
    let score = 1.0 - suspicions.iter().map(|s| 1.0 - s).product::<f32>();
    let risk = if score >= HIGH {
        RiskLevel::High
    } else if score >= MEDIUM {
        RiskLevel::Medium
    } else {
        RiskLevel::Low
    };
    ChannelEvidence {
        risk: Some(risk),
        score: Some(score),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> Calibration {
        let all: serde_json::Map<String, Value> = SIGNALS
            .iter()
            .map(|s| {
                (
                    s.name.to_owned(),
                    serde_json::json!([[0.0, 0.0], [50.0, 10.0], [95.0, 20.0], [100.0, 30.0]]),
                )
            })
            .collect();
        Calibration::read(&serde_json::json!({ "sequence": { "signals": all } })).unwrap()
    }

    fn score(values: &[(&str, f32)], channel: Channel) -> f32 {
        let value = |spec: &Spec| {
            Some(
                values
                    .iter()
                    .find(|(name, _)| *name == spec.name)
                    .map_or(10.0, |(_, value)| *value),
            )
        };
        let values: Vec<Option<f32>> = SIGNALS.iter().map(value).collect();
        super::channel(channel, &values, &calibration())
            .score
            .unwrap()
    }

    #[test]
    fn names_are_unique_and_weights_are_shares() {
        for (i, spec) in SIGNALS.iter().enumerate() {
            assert!(
                SIGNALS[..i].iter().all(|other| other.name != spec.name),
                "{}",
                spec.name
            );
            assert!(
                (0.0..1.0).contains(&spec.weight) && spec.least_spread > 0.0,
                "{}",
                spec.name
            );
        }
    }

    #[test]
    fn percentiles_are_linear_between_and_saturate() {
        let calibration = calibration();
        let at = |value| calibration.percentile("scene-cut", value).unwrap();
        assert_eq!(
            (at(-5.0), at(5.0), at(15.0), at(99.0)),
            (0.0, 25.0, 72.5, 100.0)
        );
        assert_eq!(calibration.percentile("unknown", 1.0), None);
    }

    #[test]
    fn every_weighted_signal_raises_its_own_channel_and_no_other() {
        for spec in SIGNALS {
            let other = if spec.channel == Channel::Deepfake {
                Channel::Injection
            } else {
                Channel::Deepfake
            };
            let raised = score(&[(spec.name, 1e3)], spec.channel);
            let counts = if spec.abstains.is_some() {
                0.0
            } else {
                spec.weight
            };
            assert!((raised - counts).abs() < 1e-6, "{}: {raised}", spec.name);
            assert_eq!(score(&[(spec.name, 1e3)], other), 0.0);
        }
    }

    #[test]
    fn usual_values_are_low_and_nothing_is_raised_by_a_low_one() {
        assert_eq!(score(&[], Channel::Deepfake), 0.0);
        assert_eq!(score(&[("colour-flicker", -1e9)], Channel::Deepfake), 0.0);
        assert!(
            score(
                &[("identity-switch", 1e3), ("colour-flicker", 1e3)],
                Channel::Deepfake
            ) > score(&[("identity-switch", 1e3)], Channel::Deepfake)
        );
    }

    #[test]
    fn without_a_calibration_nothing_is_known() {
        let values: Vec<Option<f32>> = SIGNALS.iter().map(|_| Some(1e3)).collect();
        let (signals, deepfake, injection) = fuse(&values, &Calibration::default());
        assert_eq!((deepfake, injection), Default::default());
        assert!(
            signals
                .iter()
                .all(|s| s.percentile.is_none() && s.value.is_some())
        );
    }

    #[test]
    fn a_calibration_that_falls_is_refused() {
        for bad in [
            serde_json::json!([[50.0, 1.0]]),
            serde_json::json!([[50.0, 2.0], [95.0, 1.0]]),
            serde_json::json!("x"),
        ] {
            assert!(
                Calibration::read(
                    &serde_json::json!({ "sequence": { "signals": { "scene-cut": bad } } })
                )
                .is_err()
            );
        }
    }
}
