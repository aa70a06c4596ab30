//! How alike two faces are, and what that is worth.

use super::{json, names};
use serde::Serialize;

names! {
    /// Which features are compared.
    pub enum Comparator {
        /// The first embedder of the pack alone: the faster. Of the default pack that is SFace.
        Single => "single",
        /// Every embedder of the pack: the more accurate. Of the default pack SFace and
        /// MobileFaceNet, trained by different people with different losses.
        Fused => "fused",
    }
}

/// A threshold with the false match rate that was observed at it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OperatingPoint {
    /// False match rate asked for.
    pub fmr: f64,
    /// 95 % confidence interval of the false match rate at the threshold.
    pub fmr_interval: [f64; 2],
    /// Scores from here on are matches.
    pub threshold: f32,
    /// Non-mated comparisons behind it.
    pub non_mated: u64,
    /// The set that they came from.
    pub set: String,
}

/// The outcome of comparing a probe with a reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Comparison {
    /// Which features were compared.
    pub comparator: Comparator,
    /// How alike they are, in -1..=1; larger means more alike.
    pub score: f32,
    /// The false match rate at which this score would be the threshold; `None` beyond what the
    /// calibration observed.
    pub fmr_at_score: Option<f64>,
    /// The operating point that the policy asked for.
    pub operating_point: OperatingPoint,
    /// Whether the score reaches the threshold.
    #[serde(rename = "match")]
    pub is_match: bool,
}

impl Comparison {
    /// Returns the comparison as JSON.
    pub fn to_json(&self) -> String {
        json(self)
    }
}
