//! What is asked of the evidence.

use super::document::DocumentRules;
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{CaptureLevel, Comparator, Date, Role};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What PAD decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PadRule {
    /// An attack rejects; PAD must have been assessed.
    Require,
    /// An attack rejects; a pack without PAD weights is noted.
    WhenAvailable,
    /// PAD is told and decides nothing.
    Ignore,
}

/// What a finding decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QualityLimits {
    /// Distance between the centres of the eyes in pixels.
    pub min_inter_eye_px: f32,
    /// Turn to either side in degrees.
    pub max_yaw_deg: f32,
    /// Nod up or down in degrees.
    pub max_pitch_deg: f32,
    /// Score of `face-inside-picture`.
    pub min_inside: u8,
    /// Score of sharpness, exposure and dynamic range, each.
    pub min_component: u8,
}

impl Default for QualityLimits {
    fn default() -> Self {
        QualityLimits {
            min_inter_eye_px: 30.0,
            max_yaw_deg: 35.0,
            max_pitch_deg: 35.0,
            min_inside: 50,
            min_component: 10,
        }
    }
}

/// The operating point and the rules of a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// False match rate, looked up in the pack's calibration.
    pub fmr: f64,
    /// Which features are compared.
    pub comparator: Comparator,
    /// What PAD decides.
    pub pad: PadRule,
    /// Whether a transaction without frames stays inconclusive. Frames that were looked at satisfy
    /// it, however they came; `min_capture` asks for how.
    pub require_sequence: bool,
    /// How the frames must have been captured; below it the transaction stays inconclusive.
    pub min_capture: CaptureLevel,
    /// What the evidence of the frames decides.
    pub sequence: SequenceRules,
    /// What a selfie decides that is a copy of the document's portrait.
    pub same_picture: RiskRule,
    /// What the selfie must have.
    pub selfie: QualityLimits,
    /// What the reference picture must have, and what is asked of it as a document.
    pub document: DocumentRules,
}

impl Default for Policy {
    /// One false match in 10,000 (NIST SP 800-63A-4), both embedders, PAD where the pack has it.
    fn default() -> Self {
        Policy {
            fmr: 1e-4,
            comparator: Comparator::Fused,
            pad: PadRule::WhenAvailable,
            require_sequence: false,
            min_capture: CaptureLevel::None,
            sequence: SequenceRules::default(),
            same_picture: RiskRule::Inconclusive,
            selfie: QualityLimits::default(),
            document: DocumentRules::default(),
        }
    }
}

impl Policy {
    /// Reads a policy from a JSON object; what it does not name keeps its default. `Kind::Usage`
    /// for unknown names, wrong types and values out of range.
    pub fn from_json(json: &str) -> Result<Policy> {
        let over: Value = serde_json::from_str(json)
            .map_err(|_| refused("the policy", "must be a JSON object"))?;
        let mut whole = serde_json::to_value(Policy::default())
            .map_err(|e| refused("the policy", "cannot be read").because(e))?;
        lay_over("", &mut whole, over)?;
        let policy: Policy = serde_json::from_value(whole)
            .map_err(|_| refused("the policy", "holds a number that is too large"))?;
        policy.validate()?;
        Ok(policy)
    }

    /// `Kind::Usage` for values out of range.
    pub(crate) fn validate(&self) -> Result<()> {
        if !(self.fmr > 0.0 && self.fmr < 1.0) {
            return Err(refused("fmr", "must be a number above 0 and below 1"));
        }
        for (role, limits) in [
            ("selfie", &self.selfie),
            ("document", &self.document.portrait),
        ] {
            let refused = |key: &str, what| Err(refused(&format!("{role}.{key}"), what));
            if !(0.0..=10_000.0).contains(&limits.min_inter_eye_px) {
                return refused("min_inter_eye_px", "must be a number from 0 to 10000");
            }
            for (key, degrees) in [
                ("max_yaw_deg", limits.max_yaw_deg),
                ("max_pitch_deg", limits.max_pitch_deg),
            ] {
                if !(0.0..=90.0).contains(&degrees) {
                    return refused(key, "must be a number from 0 to 90");
                }
            }
            for (key, score) in [
                ("min_inside", limits.min_inside),
                ("min_component", limits.min_component),
            ] {
                if score > 100 {
                    return refused(key, "must be a whole number from 0 to 100");
                }
            }
        }
        self.document
            .fault()
            .map_or(Ok(()), |(key, what)| Err(refused(key, what)))
    }

    pub(crate) fn limits(&self, role: Role) -> &QualityLimits {
        match role {
            Role::Selfie => &self.selfie,
            Role::Document => &self.document.portrait,
        }
    }
}

fn refused(key: &str, what: &str) -> Error {
    let message = format!("the policy is refused: {key} {what}");
    Error::new(Stage::Decision, Kind::Usage, message)
}

/// The words that a key takes.
fn choices(key: &str) -> &'static [&'static str] {
    match key {
        "comparator" => &["single", "fused"],
        "min_capture" => &["none", "challenge", "host-time", "attested"],
        "pad" => &["require", "when-available", "ignore"],
        "document.require" => &["read", "consistent", "signed"],
        "document.kinds" => &["TD1", "TD2", "TD3", "MRV-A", "MRV-B"],
        _ => &["reject", "inconclusive", "ignore"],
    }
}

/// Takes the values of `over` into `base`, which has every key there is and a value of its type.
fn lay_over(key: &str, base: &mut Value, over: Value) -> Result<()> {
    let refused = |what: &str| {
        let key = if key.is_empty() { "the policy" } else { key };
        Err(refused(key, what))
    };
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                let allowed = base.keys().cloned().collect::<Vec<_>>().join(", ");
                let Some(known) = base.get_mut(&name) else {
                    return refused(&format!("has an unknown key, allowed are {allowed}"));
                };
                let path = if key.is_empty() {
                    name
                } else {
                    format!("{key}.{name}")
                };
                lay_over(&path, known, value)?;
            }
        }
        (Value::Object(_), _) => return refused("must be an object"),
        (base @ Value::Bool(_), over @ Value::Bool(_)) => *base = over,
        (Value::Bool(_), _) => return refused("must be true or false"),
        (base @ Value::Number(_), over @ Value::Number(_)) => {
            let is_whole = |value: &Value| value.as_u64().is_some_and(|n| n <= 255);
            if base.is_u64() && !is_whole(&over) {
                return refused("must be a whole number from 0 to 100");
            }
            *base = over;
        }
        (Value::Number(_), _) => return refused("must be a number"),
        // What has no value unless it is stated.
        (base @ Value::Null, Value::Null) => *base = Value::Null,
        (base @ Value::Null, Value::String(text)) => {
            let fault = match key {
                "document.require" if !choices(key).contains(&text.as_str()) => {
                    Some(format!("must be one of {}", choices(key).join(", ")))
                }
                "document.today" | "document.holder.birthdate" => Date::from_iso(&text)
                    .is_none()
                    .then(|| "must be a date of the calendar, YYYY-MM-DD".to_owned()),
                _ => None,
            };
            if let Some(fault) = fault {
                return refused(&fault);
            }
            *base = Value::String(text);
        }
        (Value::Null, _) => return refused("must be a text, or null"),
        (base @ Value::Array(_), Value::Array(words)) => {
            let allowed = choices(key);
            if words
                .iter()
                .any(|word| !word.as_str().is_some_and(|w| allowed.contains(&w)))
            {
                return refused(&format!("may hold {}", allowed.join(", ")));
            }
            *base = Value::Array(words);
        }
        (Value::Array(_), _) => {
            return refused(&format!("must be a list of {}", choices(key).join(", ")));
        }
        (base @ Value::String(_), Value::String(word)) => {
            let allowed = choices(key);
            if !allowed.contains(&word.as_str()) {
                return refused(&format!("must be one of {}", allowed.join(", ")));
            }
            *base = Value::String(word);
        }
        (_, _) => return refused(&format!("must be one of {}", choices(key).join(", "))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_overrides_only_what_it_names() {
        let policy =
            Policy::from_json(r#"{"fmr": 1e-3, "document": {"max_yaw_deg": 10}}"#).unwrap();
        let mut expected = Policy {
            fmr: 1e-3,
            ..Policy::default()
        };
        expected.document.portrait.max_yaw_deg = 10.0;
        assert_eq!(policy, expected);
        assert_eq!(Policy::from_json("{}").unwrap(), Policy::default());
    }

    #[test]
    fn values_out_of_range_are_refused_in_words_and_without_content() {
        for (json, words) in [
            (r#"{"fmr": 0}"#, "fmr must be a number above 0 and below 1"),
            (r#"{"fmr": "secret"}"#, "fmr must be a number"),
            (r#"{"fmr": null}"#, "fmr must be a number"),
            (
                r#"{"selfie": {"min_inter_eye_px": -5}}"#,
                "selfie.min_inter_eye_px must be",
            ),
            (r#"{"selfie": {"max_yaw_deg": 91}}"#, "from 0 to 90"),
            (
                r#"{"document": {"min_component": 200}}"#,
                "document.min_component must be a whole",
            ),
            (
                r#"{"document": {"min_component": 1.5}}"#,
                "whole number from 0 to 100",
            ),
            (
                r#"{"document": {"min_component": -1}}"#,
                "whole number from 0 to 100",
            ),
            (
                r#"{"pad": "secret"}"#,
                "pad must be one of require, when-available, ignore",
            ),
            (
                r#"{"min_capture": "secret"}"#,
                "min_capture must be one of none, challenge, host-time, attested",
            ),
            (
                r#"{"sequence": {"high": "secret"}}"#,
                "sequence.high must be one of reject",
            ),
            (
                r#"{"require_sequence": 1}"#,
                "require_sequence must be true or false",
            ),
            (
                r#"{"secret": 1}"#,
                "unknown key, allowed are comparator, document, fmr",
            ),
            (r#"{"selfie": 1}"#, "selfie must be an object"),
            (
                r#"{"document": {"require": "secret"}}"#,
                "document.require must be one of read, consistent, signed",
            ),
            (
                r#"{"document": {"require": 1}}"#,
                "document.require must be a text, or null",
            ),
            (
                r#"{"document": {"kinds": "TD3"}}"#,
                "document.kinds must be a list of TD1",
            ),
            (
                r#"{"document": {"kinds": ["secret"]}}"#,
                "document.kinds may hold TD1, TD2",
            ),
            (
                r#"{"document": {"unexpired": true}}"#,
                "document.today must be given",
            ),
            (
                r#"{"document": {"today": "2026-02-29"}}"#,
                "document.today must be a date of the calendar, YYYY-MM-DD",
            ),
            (
                r#"{"document": {"holder": {"birthdate": "secret"}}}"#,
                "document.holder.birthdate must be a date",
            ),
            (
                r#"{"document": {"holder": {"family_name": " "}}}"#,
                "document.holder.family_name must be a name of 1 to 1000 bytes",
            ),
            (
                r#"{"document": {"holder": {"secret": " "}}}"#,
                "document.holder has an unknown key, allowed are birthdate, family_name",
            ),
        ] {
            let message = Policy::from_json(json).unwrap_err().to_string();
            assert!(message.contains(words), "{json}: {message}");
            assert!(!message.contains("secret"), "{message}");
        }
        let mut policy = Policy::default();
        policy.selfie.max_pitch_deg = f32::NAN;
        assert_eq!(policy.validate().unwrap_err().kind(), Kind::Usage);
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
