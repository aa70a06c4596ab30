//! Why: stable codes for machines, a sentence for people.

use super::{Proof, Role, names};
use serde::Serialize;

names! {
    /// What was decided. There is no boolean: a doubt is its own answer.
    pub enum Outcome {
        /// Another person, or no bona fide one.
        Reject = 1 => "reject",
        /// It cannot be said; the reasons tell what to do better.
        Inconclusive = 2 => "inconclusive",
        /// A real and the right person, as far as was looked.
        Accept = 3 => "accept",
    }
}

names! {
    /// What a reason does to the outcome, the gravest first.
    #[derive(PartialOrd, Ord)]
    pub enum Effect {
        /// Rejects, whatever else speaks for the person.
        Reject = 1 => "reject",
        /// Leaves the question open.
        Inconclusive = 2 => "inconclusive",
        /// Speaks for acceptance.
        Support = 3 => "support",
        /// Is told, and decides nothing.
        Note = 4 => "note",
    }
}

names! {
    /// Stable codes; one is never renamed or given another meaning.
    #[non_exhaustive]
    pub enum ReasonCode {
        /// The comparison score reaches the threshold.
        Match = 1 => "match",
        /// The comparison score is below the threshold.
        NonMatch = 2 => "non-match",
        /// No face was found: a failure to acquire.
        NoFace = 3 => "no-face",
        /// A second face could be the one that is meant.
        SeveralFaces = 4 => "several-faces",
        /// The eyes are too close together in pixels.
        FaceTooSmall = 5 => "face-too-small",
        /// The face is cut by the edge of the picture.
        FaceCutOff = 6 => "face-cut-off",
        /// The head is turned or nods too far.
        FaceTurnedAway = 7 => "face-turned-away",
        /// The face is not sharp.
        Blurred = 8 => "blurred",
        /// The face is under-exposed.
        TooDark = 9 => "too-dark",
        /// The face is over-exposed.
        TooBright = 10 => "too-bright",
        /// The face has too few levels of luminance.
        LowContrast = 11 => "low-contrast",
        /// Presentation attack detection finds nothing against a bona fide presentation.
        BonaFide = 12 => "bona-fide",
        /// Presentation attack detection finds a print, a screen or another instrument.
        PresentationAttack = 13 => "presentation-attack",
        /// Presentation attack detection was not run: nobody asked, or the pack has no weights.
        PadNotAssessed = 14 => "pad-not-assessed",
        /// Presentation attack detection lacks what it needs to see.
        PadNotAssessable = 15 => "pad-not-assessable",
        /// The frames are like bona fide material, in both channels; a support only where both were
        /// measured to tell manipulated material.
        SequenceConsistent = 16 => "sequence-consistent",
        /// The frames are unusual.
        SequenceSuspicious = 17 => "sequence-suspicious",
        /// The frames are like manipulated or injected material.
        SequenceManipulated = 18 => "sequence-manipulated",
        /// No frames were given, or they show too little of a channel to say that nothing is wrong.
        SequenceNotAssessed = 19 => "sequence-not-assessed",
        /// The frames follow the challenge in time.
        ChallengePassed = 20 => "challenge-passed",
        /// The frames do not follow the challenge.
        ChallengeFailed = 21 => "challenge-failed",
        /// It cannot be told whether the frames follow the challenge.
        ChallengeNotAssessable = 22 => "challenge-not-assessable",
        /// The landmarks do not come to rest on the face that was detected.
        FaceNotPlaced = 23 => "face-not-placed",
        /// The document's zone was read without doubt and its check digits hold; anybody can print
        /// such a zone.
        DocumentRead = 24 => "document-read",
        /// The document was not looked at, shows no zone, or shows one that cannot be read without
        /// doubt.
        DocumentNotRead = 25 => "document-not-read",
        /// Check digits of the document fail: it was misread, or no issuer printed it so.
        DocumentDigits = 26 => "document-digits",
        /// The document has expired, or its last day of validity is not known.
        DocumentExpired = 27 => "document-expired",
        /// The document is of a kind that the policy does not take.
        DocumentKind = 28 => "document-kind",
        /// The document names the holder that the policy states.
        DocumentHolder = 29 => "document-holder",
        /// The document names another holder than the policy states.
        DocumentHolderDiffers = 30 => "document-holder-differs",
        /// It cannot be told whether the document names the holder that the policy states.
        DocumentHolderUnclear = 31 => "document-holder-unclear",
        /// What the document shows more than once agrees.
        DocumentConsistent = 32 => "document-consistent",
        /// It is not known that what the document shows more than once agrees, or it does not.
        DocumentNotConsistent = 33 => "document-not-consistent",
        /// An issuer that the operator trusts signed what is read and the portrait.
        DocumentSigned = 34 => "document-signed",
        /// No issuer's signature was handed in.
        DocumentNotSigned = 35 => "document-not-signed",
        /// The issuer's signature does not hold, or the data are not those that it covers.
        DocumentSignature = 36 => "document-signature",
        /// No issuer of the operator's list certified who signed the document.
        DocumentIssuerUnknown = 37 => "document-issuer-unknown",
        /// The selfie and the portrait of the document come from one capture.
        SamePicture = 38 => "same-picture",
        /// It is not proven that the frames were captured as the policy demands.
        CaptureLevel = 39 => "capture-level",
    }
}

/// One reason for an outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reason {
    /// For machines.
    pub code: ReasonCode,
    /// What it does to the outcome.
    pub effect: Effect,
    /// The picture that it is about; `None` for the transaction as a whole.
    pub role: Option<Role>,
    /// For people.
    pub text: String,
    /// Only the functions below make a reason.
    #[serde(skip)]
    sealed: Sealed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Sealed;

/// What a reason that is no support does to the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    Reject,
    Inconclusive,
    Note,
}

impl Reason {
    /// A reason that speaks for acceptance: it takes the proof that something was assessed.
    pub(crate) fn support<T>(
        _assessed: Proof<'_, T>,
        code: ReasonCode,
        role: Option<Role>,
        text: impl Into<String>,
    ) -> Reason {
        Reason {
            code,
            effect: Effect::Support,
            role,
            text: text.into(),
            sealed: Sealed,
        }
    }

    /// A reason that speaks against acceptance, or decides nothing.
    pub(crate) fn doubt(
        doubt: Doubt,
        code: ReasonCode,
        role: Option<Role>,
        text: impl Into<String>,
    ) -> Reason {
        Reason {
            code,
            effect: match doubt {
                Doubt::Reject => Effect::Reject,
                Doubt::Inconclusive => Effect::Inconclusive,
                Doubt::Note => Effect::Note,
            },
            role,
            text: text.into(),
            sealed: Sealed,
        }
    }
}
