//! Why: stable codes for machines, a sentence for people.

use crate::detect::Role;
use serde::Serialize;

/// What a reason does to the outcome, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Rejects, whatever else speaks for the person.
    Reject,
    /// Leaves the question open.
    Inconclusive,
    /// Speaks for acceptance.
    Support,
    /// Is told, and decides nothing.
    Note,
}

/// Stable codes; one is never renamed or given another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReasonCode {
    /// The comparison score reaches the threshold.
    Match,
    /// The comparison score is below the threshold.
    NonMatch,
    /// No face was found: a failure to acquire.
    NoFace,
    /// A second face could be the one that is meant.
    SeveralFaces,
    /// The landmarks do not come to rest on the face that was detected.
    FaceNotPlaced,
    /// The eyes are too close together in pixels.
    FaceTooSmall,
    /// The face is cut by the edge of the picture.
    FaceCutOff,
    /// The head is turned or nods too far.
    FaceTurnedAway,
    /// The face is not sharp.
    Blurred,
    /// The face is under-exposed.
    TooDark,
    /// The face is over-exposed.
    TooBright,
    /// The face has too few levels of luminance.
    LowContrast,
    /// PAD finds nothing against a bona fide presentation.
    BonaFide,
    /// PAD finds a print, a screen or another instrument.
    PresentationAttack,
    /// PAD was not run.
    PadNotAssessed,
    /// PAD lacks what it needs to see.
    PadNotAssessable,
    /// The frames are like bona fide material.
    SequenceConsistent,
    /// The frames are unusual.
    SequenceSuspicious,
    /// The frames are like manipulated or injected material.
    SequenceManipulated,
    /// No frames were given, or too few.
    SequenceNotAssessed,
    /// The frames follow the challenge in time.
    ChallengePassed,
    /// The frames do not follow the challenge.
    ChallengeFailed,
    /// It cannot be told whether the frames follow the challenge.
    ChallengeNotAssessable,
}

impl ReasonCode {
    /// Whether it says that a sample is unfit to be compared.
    pub(super) fn is_about_the_sample(self) -> bool {
        use ReasonCode::*;
        matches!(
            self,
            NoFace
                | SeveralFaces
                | FaceNotPlaced
                | FaceTooSmall
                | FaceCutOff
                | FaceTurnedAway
                | Blurred
                | TooDark
                | TooBright
                | LowContrast
        )
    }

    /// Returns the stable name, as in the JSON.
    pub fn name(self) -> &'static str {
        use ReasonCode::*;
        match self {
            Match => "match",
            NonMatch => "non-match",
            NoFace => "no-face",
            SeveralFaces => "several-faces",
            FaceNotPlaced => "face-not-placed",
            FaceTooSmall => "face-too-small",
            FaceCutOff => "face-cut-off",
            FaceTurnedAway => "face-turned-away",
            Blurred => "blurred",
            TooDark => "too-dark",
            TooBright => "too-bright",
            LowContrast => "low-contrast",
            BonaFide => "bona-fide",
            PresentationAttack => "presentation-attack",
            PadNotAssessed => "pad-not-assessed",
            PadNotAssessable => "pad-not-assessable",
            SequenceConsistent => "sequence-consistent",
            SequenceSuspicious => "sequence-suspicious",
            SequenceManipulated => "sequence-manipulated",
            SequenceNotAssessed => "sequence-not-assessed",
            ChallengePassed => "challenge-passed",
            ChallengeFailed => "challenge-failed",
            ChallengeNotAssessable => "challenge-not-assessable",
        }
    }
}

/// One reason for an outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// For machines.
    pub code: ReasonCode,
    /// What it does to the outcome.
    pub effect: Effect,
    /// The picture that it is about; `None` for the transaction as a whole.
    pub role: Option<Role>,
    /// For people.
    pub text: String,
}
