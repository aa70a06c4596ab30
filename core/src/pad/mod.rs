//! Presentation attack detection: was a bona fide person before the camera, or a print or a screen?

use serde::Serialize;

/// What is known about a presentation attack (ISO/IEC 30107-3).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PadReport {
    /// What the evidence amounts to.
    pub status: PadStatus,
    /// 0..=1, larger is more bona fide; `None` unless it was assessed.
    pub score: Option<f32>,
    /// One sentence for a person.
    pub text: String,
}

/// What PAD has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PadStatus {
    /// Nobody looked: no PAD weights, or not asked for. Says nothing about the sample.
    NotAssessed,
    /// It was looked at, but the picture lacks what is needed, such as the surroundings of the face.
    NotAssessable,
    /// Nothing speaks against a bona fide presentation.
    BonaFide,
    /// A print, a screen or another instrument was presented.
    Attack,
}

impl PadReport {
    pub(crate) fn not_assessed(why: &str) -> Self {
        PadReport { status: PadStatus::NotAssessed, score: None, text: why.to_owned() }
    }
}
