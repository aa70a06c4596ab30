//! From values to levels: how unusual is each value for bona fide material, and what do the signals
//! of a channel amount to together?

use super::signals::{SIGNALS, Spec};
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{
    Assessed, Channel, ChannelEvidence, ChannelRisk, Coverage, Obstacle, RiskLevel, Signal,
    SignalName, Standing,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// What bona fide material showed.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Calibration {
    /// For each signal, values at rising percentiles of bona fide material: (percentile, value).
    signals: HashMap<SignalName, Vec<(f32, f32)>>,
    /// For each channel, how well it tells.
    #[serde(default)]
    channels: HashMap<Channel, Figure>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Figure {
    auc: f32,
}

/// Scores from here on are MEDIUM, and HIGH.
const MEDIUM: f32 = 0.3;
const HIGH: f32 = 0.6;

/// A value this many spreads above the median counts wholly. A spread is from the median to the
/// 95th percentile.
const WHOLLY: f32 = 3.0;
/// Below this a value is not spoken of.
pub(super) const WORTH_TELLING: f32 = 0.1;
const USUAL: &str = "as in bona fide material";

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
                "needs two rising percentiles at least for {}",
                name.name()
            ))),
            None => Ok(read),
        }
    }

    fn is_empty(&self) -> bool {
        self.signals.is_empty()
    }

    /// The share of bona fide material with a lower value, linear between the observed percentiles.
    fn percentile(&self, name: SignalName, value: f32) -> Option<f32> {
        let points = self.signals.get(&name)?;
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

    fn at(&self, name: SignalName, percentile: f32) -> Option<f32> {
        let points = self.signals.get(&name)?;
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

    fn standing(&self, spec: &Spec, value: f32) -> Option<Standing> {
        let suspicion = self.suspicion(spec, value)?;
        let text = match spec.uncounted {
            Some(why) => why,
            None if suspicion >= WORTH_TELLING => spec.unusual,
            None => USUAL,
        };
        Some(Standing {
            percentile: self.percentile(spec.name, value)?,
            suspicion,
            text: text.to_owned(),
        })
    }
}

/// The coverage, as a share of what there is, from which on nothing suspicious means something.
const MIN_COVERAGE: f32 = 0.5;

/// What a signal was measured to be, and whether frames that all differ from each other were enough
/// to measure it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Reading {
    pub(super) value: Option<f32>,
    pub(super) is_covered: bool,
}

/// The signals and the two channels of `readings`, which are in the order of [`SIGNALS`].
pub(super) fn fuse(
    readings: &[Reading],
    calibration: &Calibration,
) -> (Vec<Signal>, ChannelEvidence, ChannelEvidence) {
    let signals = SIGNALS
        .iter()
        .zip(readings)
        .map(|(spec, reading)| signal(spec, reading.value, calibration))
        .collect();
    (
        signals,
        channel(Channel::Deepfake, readings, calibration),
        channel(Channel::Injection, readings, calibration),
    )
}

fn signal(spec: &Spec, value: Option<f32>, calibration: &Calibration) -> Signal {
    let standing = match value {
        None => Assessed::NotPossible(Obstacle::TooFewFrames),
        Some(value) => calibration.standing(spec, value).map_or(
            Assessed::NotPossible(Obstacle::NoCalibration),
            Assessed::Yes,
        ),
    };
    Signal {
        name: spec.name,
        channel: spec.channel,
        value,
        unit: spec.name.unit(),
        weight: spec.weight,
        standing,
    }
}

/// One minus the product of what each signal leaves of trust: monotone, and no signal can make up
/// for another.
fn channel(channel: Channel, readings: &[Reading], calibration: &Calibration) -> ChannelEvidence {
    let (mut trust, mut assessed, mut of) = (1.0f32, 0.0f32, 0.0f32);
    for (spec, reading) in SIGNALS.iter().zip(readings) {
        if spec.channel != channel || spec.weight == 0.0 {
            continue;
        }
        of += spec.weight;
        let suspicion = reading
            .value
            .and_then(|value| calibration.suspicion(spec, value));
        if let Some(suspicion) = suspicion {
            trust *= 1.0 - spec.weight * suspicion;
            assessed += if reading.is_covered { spec.weight } else { 0.0 };
        }
    }
    let score = 1.0 - trust;
    let risk = if score >= HIGH {
        RiskLevel::High
    } else if score >= MEDIUM {
        RiskLevel::Medium
    } else {
        RiskLevel::Low
    };
    let finding = if calibration.is_empty() {
        Assessed::NotPossible(Obstacle::NoCalibration)
    } else if risk > RiskLevel::Low || assessed >= MIN_COVERAGE * of {
        let auc = calibration.channels.get(&channel).map(|figure| figure.auc);
        Assessed::Yes(ChannelRisk { risk, score, auc })
    } else if assessed == 0.0 {
        Assessed::NotPossible(Obstacle::TooFewFrames)
    } else {
        Assessed::NotPossible(Obstacle::TooLittleCovered)
    };
    let rounded = |weight: f32| (weight * 100.0).round() / 100.0;
    ChannelEvidence {
        coverage: Coverage {
            assessed: rounded(assessed),
            of: rounded(of),
        },
        finding,
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
                    s.name.name().to_owned(),
                    serde_json::json!([[0.0, 0.0], [50.0, 10.0], [95.0, 20.0], [100.0, 30.0]]),
                )
            })
            .collect();
        Calibration::read(&serde_json::json!({ "sequence": { "signals": all } })).unwrap()
    }

    /// Readings of what is usual, but for some.
    fn readings(values: &[(SignalName, f32)]) -> Vec<Reading> {
        let reading = |spec: &Spec| Reading {
            value: Some(
                values
                    .iter()
                    .find(|(name, _)| *name == spec.name)
                    .map_or(10.0, |(_, value)| *value),
            ),
            is_covered: true,
        };
        SIGNALS.iter().map(reading).collect()
    }

    fn score(values: &[(SignalName, f32)], channel: Channel) -> f32 {
        super::channel(channel, &readings(values), &calibration())
            .finding
            .yes()
            .unwrap()
            .score
    }

    #[test]
    fn every_signal_is_in_the_table_and_weights_are_shares() {
        assert_eq!(SIGNALS.len(), SignalName::ALL.len());
        for (spec, name) in SIGNALS.iter().zip(SignalName::ALL) {
            assert_eq!(spec.name, *name);
            assert!(
                (0.0..1.0).contains(&spec.weight) && spec.least_spread > 0.0,
                "{name:?}"
            );
        }
    }

    #[test]
    fn percentiles_are_linear_between_and_saturate() {
        let calibration = calibration();
        let at = |value| calibration.percentile(SignalName::SceneCut, value).unwrap();
        assert_eq!(
            (at(-5.0), at(5.0), at(15.0), at(99.0)),
            (0.0, 25.0, 72.5, 100.0)
        );
        let empty = Calibration::default();
        assert_eq!(empty.percentile(SignalName::SceneCut, 1.0), None);
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
            assert!(
                (raised - spec.weight).abs() < 1e-6,
                "{:?}: {raised}",
                spec.name
            );
            assert_eq!(score(&[(spec.name, 1e3)], other), 0.0);
        }
    }

    #[test]
    fn usual_values_are_low_and_nothing_is_raised_by_a_low_one() {
        assert_eq!(score(&[], Channel::Deepfake), 0.0);
        assert_eq!(
            score(&[(SignalName::ColourFlicker, -1e9)], Channel::Deepfake),
            0.0
        );
        assert!(
            score(
                &[
                    (SignalName::IdentitySwitch, 1e3),
                    (SignalName::ColourFlicker, 1e3)
                ],
                Channel::Deepfake
            ) > score(&[(SignalName::IdentitySwitch, 1e3)], Channel::Deepfake)
        );
    }

    #[test]
    fn without_a_calibration_nothing_is_known() {
        let (signals, deepfake, injection) = fuse(&readings(&[]), &Calibration::default());
        let unknown = Obstacle::NoCalibration;
        for channel in [deepfake, injection] {
            assert_eq!(channel.finding, Assessed::NotPossible(unknown));
            assert_eq!(channel.coverage.assessed, 0.0);
        }
        assert!(
            signals
                .iter()
                .all(|s| s.standing == Assessed::NotPossible(unknown) && s.value.is_some())
        );
    }

    #[test]
    fn low_risk_takes_coverage_and_a_suspicion_takes_none() {
        let channel = |readings: &[Reading]| channel(Channel::Deepfake, readings, &calibration());
        let all = channel(&readings(&[]));
        assert_eq!(all.coverage.assessed, all.coverage.of);
        assert_eq!(all.finding.yes().unwrap().risk, RiskLevel::Low);
        let mut heaviest_first: Vec<usize> = (0..SIGNALS.len()).collect();
        heaviest_first.sort_by(|&a, &b| SIGNALS[b].weight.total_cmp(&SIGNALS[a].weight));
        let mut left = readings(&[]);
        for place in heaviest_first {
            left[place].is_covered = false;
            let ChannelEvidence { coverage, finding } = channel(&left);
            let enough = coverage.assessed >= 0.5 * coverage.of;
            assert_eq!(finding.yes().is_some(), enough, "{coverage:?}");
        }
        assert_eq!(
            channel(&left).finding,
            Assessed::NotPossible(Obstacle::TooFewFrames)
        );
        let mut suspicious = vec![Reading::default(); SIGNALS.len()];
        suspicious[SignalName::IdentitySwitch as usize].value = Some(1e3);
        let found = channel(&suspicious);
        assert_eq!(found.coverage.assessed, 0.0);
        assert_eq!(found.finding.yes().unwrap().risk, RiskLevel::High);
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
