//! What frames over time tell that a still cannot: is this one person, moving like one, before a real camera?

use serde::Serialize;

/// How much the sequence speaks for a deepfake or an injected stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RiskLevel {
    /// Like bona fide material.
    Low,
    /// Unusual for bona fide material.
    Medium,
    /// Hardly ever seen on bona fide material.
    High,
}

/// What is known from the frames.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SequenceEvidence {
    /// The level of risk; `None` when no frames were assessed, which says nothing about the sample.
    pub risk: Option<RiskLevel>,
    /// One sentence for a person.
    pub text: String,
}

impl SequenceEvidence {
    pub(crate) fn not_assessed() -> Self {
        SequenceEvidence { risk: None, text: "no frames were given, so nothing is known about a deepfake or an injected stream".to_owned() }
    }
}
