//! What is asked of the evidence.

use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{Comparator, Role};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What PAD decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PadRule {
    /// An attack rejects; PAD must have been assessed.
    Require,
    /// An attack rejects; a pack without PAD weights is noted.
    WhenAvailable,
    /// PAD is told and decides nothing.
    Ignore,
}

/// What a level of risk decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RiskRule {
    /// It rejects.
    Reject,
    /// It leaves the question open.
    Inconclusive,
    /// It is told and decides nothing.
    Ignore,
}

/// What the evidence of the frames decides. Nothing in it raises trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceRules {
    /// A channel at MEDIUM risk.
    pub medium: RiskRule,
    /// A channel at HIGH risk.
    pub high: RiskRule,
    /// Frames that do not follow the challenge.
    pub challenge_failed: RiskRule,
    /// A challenge of which it cannot be told.
    pub challenge_not_assessable: RiskRule,
}

impl Default for SequenceRules {
    fn default() -> Self {
        SequenceRules {
            medium: RiskRule::Inconclusive,
            high: RiskRule::Reject,
            challenge_failed: RiskRule::Reject,
            challenge_not_assessable: RiskRule::Inconclusive,
        }
    }
}

/// What a sample must have. The defaults are loose: they refuse what cannot be compared, not what
/// is unflattering.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityLimits {
    /// Distance between the centres of the eyes in pixels.
    pub least_inter_eye_px: f32,
    /// Turn to either side in degrees.
    pub most_yaw_deg: f32,
    /// Nod up or down in degrees.
    pub most_pitch_deg: f32,
    /// Score of `face-inside-picture`.
    pub least_inside: u8,
    /// Score of sharpness, exposure and dynamic range, each.
    pub least_component: u8,
}

impl Default for QualityLimits {
    fn default() -> Self {
        QualityLimits {
            least_inter_eye_px: 30.0,
            most_yaw_deg: 35.0,
            most_pitch_deg: 35.0,
            least_inside: 50,
            least_component: 10,
        }
    }
}

/// The operating point and the rules of a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// False match rate, looked up in the pack's calibration.
    pub fmr: f64,
    /// Which features are compared.
    pub comparator: Comparator,
    /// What PAD decides.
    pub pad: PadRule,
    /// Whether a transaction without frames stays inconclusive.
    pub require_sequence: bool,
    /// What the evidence of the frames decides.
    pub sequence: SequenceRules,
    /// What the selfie must have.
    pub selfie: QualityLimits,
    /// What the document's portrait must have.
    pub document: QualityLimits,
}

impl Default for Policy {
    /// One false match in 10,000 (NIST SP 800-63A-4), both embedders, PAD where the pack has it.
    fn default() -> Self {
        Policy {
            fmr: 1e-4,
            comparator: Comparator::Fused,
            pad: PadRule::WhenAvailable,
            require_sequence: false,
            sequence: SequenceRules::default(),
            selfie: QualityLimits::default(),
            document: QualityLimits {
                least_inter_eye_px: 14.0,
                least_component: 0,
                ..QualityLimits::default()
            },
        }
    }
}

impl Policy {
    /// Reads a policy from a JSON object; what it does not name keeps its default. `Kind::Usage`
    /// for unknown names and wrong types.
    pub fn from_json(json: &str) -> Result<Policy> {
        let fault = |e: serde_json::Error| {
            Error::new(Stage::Decision, Kind::Usage, "the policy cannot be read").because(e)
        };
        let mut whole = serde_json::to_value(Policy::default()).map_err(fault)?;
        lay_over(&mut whole, serde_json::from_str(json).map_err(fault)?);
        serde_json::from_value(whole).map_err(fault)
    }

    pub(crate) fn limits(&self, role: Role) -> &QualityLimits {
        match role {
            Role::Selfie => &self.selfie,
            Role::Document => &self.document,
        }
    }
}

fn lay_over(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                lay_over(base.entry(name).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_overrides_only_what_it_names() {
        let policy =
            Policy::from_json(r#"{"fmr": 1e-3, "document": {"most_yaw_deg": 10}}"#).unwrap();
        let mut expected = Policy {
            fmr: 1e-3,
            ..Policy::default()
        };
        expected.document.most_yaw_deg = 10.0;
        assert_eq!(policy, expected);
        assert_eq!(Policy::from_json("{}").unwrap(), Policy::default());
    }

    #[test]
    fn unknown_names_and_wrong_types_are_refused() {
        for bad in [
            "{\"far\": 1}",
            "{\"fmr\": \"low\"}",
            "{\"selfie\": {\"yaw\": 1}}",
            "[]",
            "{",
        ] {
            assert_eq!(
                Policy::from_json(bad).unwrap_err().kind(),
                Kind::Usage,
                "{bad}"
            );
        }
    }
}
