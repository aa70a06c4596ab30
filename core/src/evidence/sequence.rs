//! What is known from frames over time.

use super::{Assessed, json, names};
use serde::Serialize;

names! {
    /// How much the frames speak for a deepfake or an injected stream.
    #[derive(PartialOrd, Ord)]
    pub enum RiskLevel {
        /// Like bona fide material.
        Low = 1 => "LOW",
        /// Unusual for bona fide material.
        Medium = 2 => "MEDIUM",
        /// Hardly ever seen on bona fide material.
        High = 3 => "HIGH",
    }
}

names! {
    /// What a signal speaks for. The two are kept apart, and apart from presentation attack
    /// detection.
    pub enum Channel {
        /// The face was made or changed: a swap, a reenactment.
        Deepfake => "deepfake",
        /// The frames did not come from a camera as it saw them: a virtual camera, a file, a
        /// replaced stream.
        Injection => "injection",
    }
}

names! {
    /// What is measured over frames. Larger values are more suspicious.
    #[non_exhaustive]
    pub enum SignalName {
        /// How unlike the face is to itself from frame to frame, heads in like pose.
        IdentityConsistency => "identity-consistency" in "1 - cosine",
        /// How much the likeness of the face to itself varies.
        IdentityScatter => "identity-scatter" in "cosine",
        /// How unlike the person before a moment is to the one after it.
        IdentitySwitch => "identity-switch" in "1 - cosine",
        /// How much the colour of the lower face flickers against the forehead.
        ColourFlicker => "colour-flicker" in "of the value",
        /// How much the colour of the face flickers.
        HueFlicker => "hue-flicker" in "of the value",
        /// How much more the face flickers in brightness than its surroundings.
        BrightnessFlicker => "brightness-flicker" in "of the value",
        /// How much smoother or noisier than usual cheeks and nose are beside the forehead.
        TextureBalance => "texture-balance" in "deviations",
        /// How much of the skin's fine detail is made anew from frame to frame, against the ring
        /// around the face.
        SkinRenewal => "skin-renewal" in "log share",
        /// How much of the fine detail along the edge of the face is made anew.
        EdgeRenewal => "edge-renewal" in "log share",
        /// How much of the mouth is drawn anew.
        MouthRenewal => "mouth-renewal" in "log share",
        /// How much the landmarks tremble about a rigid head.
        LandmarkJitter => "landmark-jitter" in "eye distances",
        /// How much the inside of the face slips against its outline.
        InnerOuterMotion => "inner-outer-motion" in "eye distances",
        /// How much the direction of the head by its inside trembles against that by its outline.
        InnerOuterPose => "inner-outer-pose" in "degrees",
        /// How still the eyelids are.
        EyeStillness => "eye-stillness" in "mean over deviation",
        /// How little of a pulse the colour of the skin shows. Told and not trusted: recordings
        /// carry the pulse too, and coding destroys it.
        PulseAbsence => "pulse-absence" in "share of power",
        /// The longest run of frames that show the same.
        FrozenFrames => "frozen-frames" in "s",
        /// Frames that equal the one before in every pixel.
        RepeatedFrames => "repeated-frames" in "of the frames",
        /// Frames that were replaced by the one before them.
        DoubledFrames => "doubled-frames" in "of the frames",
        /// How exactly a moving scene comes again.
        LoopedFrames => "looped-frames" in "likeness",
        /// How exactly a moving scene runs backwards.
        ReversedFrames => "reversed-frames" in "likeness",
        /// Timestamps that repeat or go backwards.
        TimestampOrder => "timestamp-order" in "of the intervals",
        /// Intervals that are shorter than any camera's.
        TimestampHaste => "timestamp-haste" in "of the intervals",
        /// How much the frame rate changes from the beginning to the end.
        TimestampDrift => "timestamp-drift" in "octaves",
        /// How even the intervals are.
        TimestampEvenness => "timestamp-evenness" in "share",
        /// How often the frames change their size.
        FrameSizeChanges => "frame-size-changes" in "changes",
        /// The greatest change between neighbouring frames beside the movement around it.
        SceneCut => "scene-cut" in "times the movement",
        /// How strongly the frames carry the grid of a video coder.
        BlockCoding => "block-coding" in "of the step",
    }
}

/// Where a value stands among those of bona fide material.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Standing {
    /// Share of bona fide material with a lower value, 0..=100.
    pub percentile: f32,
    /// How much the value counts, 0..=1; 0 where bona fide material shows it as well.
    pub suspicion: f32,
    /// One sentence for a person.
    pub text: String,
}

/// One signal.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Signal {
    /// Which signal.
    pub name: SignalName,
    /// What it speaks for.
    pub channel: Channel,
    /// The value; larger is more suspicious. `None` when there was too little to measure.
    pub value: Option<f32>,
    /// Unit of the value.
    pub unit: &'static str,
    /// How much it counts in its channel, 0..=1; 0 for a signal that is told and decides nothing.
    pub weight: f32,
    /// What the value amounts to.
    #[serde(flatten)]
    pub standing: Assessed<Standing>,
}

/// How much of a channel was looked at, counted over frames that differ from each other: a frame
/// that comes again adds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Coverage {
    /// Sum of the weights of the signals that could be assessed.
    pub assessed: f32,
    /// Sum of the weights of all signals of the channel.
    pub of: f32,
}

/// What one channel amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChannelRisk {
    /// The level. LOW is said only where the coverage is at least half.
    pub risk: RiskLevel,
    /// 0..=1, larger is more suspicious.
    pub score: f32,
    /// How well the score tells manipulated from bona fide material that the calibration did not
    /// see: the area under the curve, 0.5 for chance, at the lower end of its 95 % interval and for
    /// the kind of manipulation that is told worst. `None` where it was not measured. Below 0.8 a
    /// LOW risk speaks for nobody.
    pub auc: Option<f32>,
}

impl ChannelRisk {
    /// From this area under the curve on a LOW risk says something.
    pub const MIN_AUC: f32 = 0.8;

    /// Whether the channel was measured to tell manipulated material well enough that a LOW risk
    /// says something.
    pub fn tells(&self) -> bool {
        self.auc.is_some_and(|auc| auc >= Self::MIN_AUC)
    }
}

/// One channel of the frames.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChannelEvidence {
    /// How much of it was looked at.
    pub coverage: Coverage,
    /// What it amounts to. A suspicion stands at any coverage; that nothing is suspicious takes
    /// enough of it.
    #[serde(flatten)]
    pub finding: Assessed<ChannelRisk>,
}

names! {
    /// What can be asked.
    pub enum ChallengeKind {
        /// The screen shows colours; the face must reflect them in time (Face Flashing, Tang et
        /// al. 2018).
        Flash => "flash",
        /// The person turns the head to the left or right.
        HeadTurn => "head-turn",
        /// The person shuts both eyes for a moment, a number of times. It takes the pack's network
        /// of the eyes and eight frames a second; without them the challenge is not assessable.
        Blink => "blink",
        /// The person turns and nods the head in a drawn order: as hard to foresee as the flashes,
        /// for whom flashing is not for.
        HeadMoves => "head-moves",
    }
}

names! {
    /// How the frames were captured, as far as it was proven; each level holds those before it.
    #[derive(PartialOrd, Ord)]
    pub enum CaptureLevel {
        /// Nothing was asked, or the answer did not pass, or its script is easy to foresee.
        None = 1 => "none",
        /// The frames answer a challenge in time, on the clock of the capture, which whoever sends
        /// the frames may set.
        Challenge = 2 => "challenge",
        /// Each step of the challenge was given out when it was due, and its answer arrived in time
        /// by the clock of the host. A person who answers before a real-time deepfake reaches this
        /// level too.
        HostTime = 3 => "host-time",
        /// Moreover the host checked a signature of the capturing device over the nonce and every
        /// frame.
        Attested = 4 => "attested",
    }
}

names! {
    /// Where the head goes, for the person.
    pub enum Direction {
        /// Turned to the person's own left.
        Left => "left",
        /// Turned to the person's own right.
        Right => "right",
        /// Raised.
        Up => "up",
        /// Lowered.
        Down => "down",
    }
}

names! {
    /// How a challenge went.
    pub enum ChallengeStatus {
        /// The frames follow the challenge in time.
        Passed => "passed",
        /// They do not.
        Failed => "failed",
    }
}

/// How the challenge of the session went.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChallengeEvidence {
    /// Passed or failed.
    pub status: ChallengeStatus,
    /// Base-2 logarithm of how many scripts the kinds that were asked have. Below
    /// [`ChallengeEvidence::MIN_ENTROPY_BITS`] a passed challenge is told and supports nothing.
    pub entropy_bits: f32,
    /// One sentence for a person.
    pub text: String,
}

impl ChallengeEvidence {
    /// From this entropy on a passed challenge supports acceptance.
    pub const MIN_ENTROPY_BITS: f32 = 20.0;

    /// Whether it passed, and its script was hard to foresee.
    pub fn holds(&self) -> bool {
        self.status == ChallengeStatus::Passed && self.entropy_bits >= Self::MIN_ENTROPY_BITS
    }
}

/// What is known from the frames.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SequenceEvidence {
    /// The higher level of the two channels, LOW only where both were assessed; `None` when nothing
    /// can be said.
    pub risk: Option<RiskLevel>,
    /// One sentence for a person.
    pub text: String,
    /// Frames that were pushed.
    pub frames: u32,
    /// How many different ones they were.
    pub distinct_frames: u32,
    /// From the earliest to the latest timestamp in milliseconds.
    pub duration_ms: u64,
    /// Whether the face was made or changed.
    pub deepfake: ChannelEvidence,
    /// Whether the frames came from a camera.
    pub injection: ChannelEvidence,
    /// How the challenge went.
    pub challenge: Assessed<ChallengeEvidence>,
    /// How the frames were captured.
    pub capture: CaptureLevel,
    /// Every signal, in a fixed order.
    pub signals: Vec<Signal>,
}

impl SequenceEvidence {
    /// The evidence of a transaction without frames.
    pub(crate) fn not_asked() -> Self {
        let channel = ChannelEvidence {
            coverage: Coverage::default(),
            finding: Assessed::NotAsked,
        };
        SequenceEvidence {
            risk: None,
            text:
                "no frames were given, so nothing is known about a deepfake or an injected stream"
                    .to_owned(),
            frames: 0,
            distinct_frames: 0,
            duration_ms: 0,
            deepfake: channel,
            injection: channel,
            challenge: Assessed::NotAsked,
            capture: CaptureLevel::None,
            signals: Vec::new(),
        }
    }

    /// Returns the signal of that name; `None` when there were no frames.
    pub fn signal(&self, name: SignalName) -> Option<&Signal> {
        self.signals.iter().find(|signal| signal.name == name)
    }

    /// Returns the evidence as JSON.
    pub fn to_json(&self) -> String {
        json(self)
    }
}
