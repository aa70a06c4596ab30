//! What is asked of the evidence.

use crate::compare::Comparator;
use crate::detect::Role;
use serde::{Deserialize, Serialize};

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

/// What a sample must have. The defaults are loose: they refuse what cannot be compared, not what is unflattering.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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
        QualityLimits { least_inter_eye_px: 30.0, most_yaw_deg: 35.0, most_pitch_deg: 35.0, least_inside: 50, least_component: 10 }
    }
}

/// The operating point and the rules of a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// False match rate, looked up in the pack's calibration.
    pub fmr: f64,
    /// Which features are compared.
    pub comparator: Comparator,
    /// What PAD decides.
    pub pad: PadRule,
    /// Whether a transaction without frames stays inconclusive.
    pub require_sequence: bool,
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
            selfie: QualityLimits::default(),
            document: QualityLimits { least_inter_eye_px: 14.0, least_component: 0, ..QualityLimits::default() },
        }
    }
}

impl Policy {
    pub(crate) fn limits(&self, role: Role) -> &QualityLimits {
        match role {
            Role::Selfie => &self.selfie,
            Role::Document => &self.document,
        }
    }
}
