//! What 16-bit arithmetic is scaled by.

use std::collections::BTreeMap;

/// Arithmetic of the networks.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point.
    #[default]
    Exact,
    /// 16-bit integers where they do not change the answer.
    Fast,
}

/// The largest magnitudes of the values that the convolutions of a network read, by their ONNX
/// names.
pub type Ranges = BTreeMap<String, f32>;
