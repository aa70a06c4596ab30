//! The evidence of a sequence: levels of risk, and every signal behind them.

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

impl RiskLevel {
    /// Returns the stable upper-case name.
    pub fn name(self) -> &'static str {
        match self {
            RiskLevel::Low => "LOW",
            RiskLevel::Medium => "MEDIUM",
            RiskLevel::High => "HIGH",
        }
    }
}

/// What a signal speaks for. The two are kept apart, and apart from presentation attack detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// The face was made or changed: a swap, a reenactment.
    Deepfake,
    /// The frames did not come from a camera as it saw them: a virtual camera, a file, a replaced
    /// stream.
    Injection,
}

/// Whether a signal had what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SignalStatus {
    /// It has a value.
    Assessed,
    /// It says nothing: too few frames, no face, or no evidence yet that it can be trusted.
    Abstained,
}

/// One signal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Signal {
    /// Stable kebab-case name.
    pub name: &'static str,
    /// What it speaks for.
    pub channel: Channel,
    /// The value; larger is more suspicious. `None` when there was too little to measure.
    pub value: Option<f32>,
    /// Unit of the value.
    pub unit: &'static str,
    /// Share of bona fide material with a lower value, 0..=100; `None` without a value or a
    /// calibration.
    pub percentile: Option<f32>,
    /// How much it counts in the fusion, 0..=1; 0 for a signal that is told and decides nothing.
    pub weight: f32,
    /// Whether it was assessed.
    pub status: SignalStatus,
    /// One sentence for a person.
    pub text: String,
}

/// What one channel amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ChannelEvidence {
    /// The level; `None` when no signal of the channel was assessed.
    pub risk: Option<RiskLevel>,
    /// 0..=1, larger is more suspicious.
    pub score: Option<f32>,
}

/// How a challenge went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChallengeStatus {
    /// The frames follow the challenge in time.
    Passed,
    /// They do not.
    Failed,
    /// The session has no challenge.
    NotAsked,
    /// It cannot be told: not begun, cut short, or too few frames with a face.
    NotAssessable,
}

/// How the challenge of the session went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChallengeEvidence {
    /// Passed, failed, or why not known.
    pub status: ChallengeStatus,
    /// One sentence for a person.
    pub text: String,
}

/// What is known from the frames.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SequenceEvidence {
    /// The higher level of the two channels; `None` when no frames were assessed, which says
    /// nothing about the sample.
    pub risk: Option<RiskLevel>,
    /// One sentence for a person.
    pub text: String,
    /// Frames that were pushed.
    pub frames: u32,
    /// From the earliest to the latest timestamp in milliseconds.
    pub duration_ms: u64,
    /// Whether the face was made or changed.
    pub deepfake: ChannelEvidence,
    /// Whether the frames came from a camera.
    pub injection: ChannelEvidence,
    /// How the challenge went.
    pub challenge: ChallengeEvidence,
    /// Every signal, in a fixed order.
    pub signals: Vec<Signal>,
}

impl SequenceEvidence {
    pub(crate) fn not_assessed() -> Self {
        SequenceEvidence {
            risk: None,
            text:
                "no frames were given, so nothing is known about a deepfake or an injected stream"
                    .to_owned(),
            frames: 0,
            duration_ms: 0,
            deepfake: ChannelEvidence::default(),
            injection: ChannelEvidence::default(),
            challenge: ChallengeEvidence {
                status: ChallengeStatus::NotAsked,
                text: "nothing was asked".to_owned(),
            },
            signals: Vec::new(),
        }
    }

    /// Returns the signal of that name.
    pub fn signal(&self, name: &str) -> Option<&Signal> {
        self.signals.iter().find(|signal| signal.name == name)
    }

    /// Returns the evidence as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("evidence holds nothing that JSON cannot")
    }
}
