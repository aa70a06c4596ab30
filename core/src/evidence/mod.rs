//! The evidence: every result as plain data, with one word for what was not looked at.
//!
//! The stages fill these types, [`decide`](crate::decision) reads them, JSON carries them. Nothing
//! here computes.

mod comparison;
mod document;
mod findings;
mod guidance;
mod names;
mod pad;
mod quality;
mod reason;
mod sample;
mod sequence;

pub use comparison::{Comparator, Comparison, OperatingPoint};
pub use document::{
    Check, CheckResult, Date, DocumentCheck, DocumentField, DocumentLevel, DocumentReport,
    DocumentSight, FieldName, Format, Mrz, Signature, SignatureStatus,
};
pub use guidance::{Guidance, GuidanceCode};
pub use pad::{PadReport, PadStatus, PadView};
pub use quality::{Component, Measure, QualityReport};
pub use reason::{Effect, Outcome, Reason, ReasonCode};
pub use sample::{Detection, Detector, Face, Pose, Role, Sample};
pub use sequence::{
    CaptureLevel, ChallengeEvidence, ChallengeKind, ChallengeStatus, Channel, ChannelEvidence,
    ChannelRisk, Coverage, Direction, RiskLevel, SequenceEvidence, Signal, SignalName, Standing,
};

pub(crate) use findings::Findings;
pub(crate) use names::names;
pub(crate) use reason::Doubt;

use serde::{Serialize, Serializer};

/// What came of one part of the evidence. Only [`Assessed::Yes`] says anything of the person; the
/// other two say why nothing is known, and never speak for acceptance.
///
/// In JSON, `assessed` is `yes` beside the fields of what was found, or `not-asked`, or
/// `not-possible` beside `reason`; the latter two have a `text`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Assessed<T> {
    /// It was looked at, and this is what was found.
    Yes(T),
    /// Nobody asked for it: a document is a print, a still has no frames.
    NotAsked,
    /// It was to be looked at and could not be.
    NotPossible(Obstacle),
}

names! {
    /// Why something could not be assessed. Rows are added at the end: templates hold their place.
    #[non_exhaustive]
    pub enum Obstacle {
        /// No face was found.
        NoFace => "no-face",
        /// The face is too small for its texture to be judged; come closer.
        FaceTooSmall => "face-too-small",
        /// Too little of the surroundings is in the picture; hold the camera farther away.
        TooLittleAround => "too-little-around",
        /// The picture is grey or of one tint, which hides what prints and screens do to colours;
        /// send the camera's own picture.
        Colourless => "colourless",
        /// The picture has the few tones of a posterised or dithered one; send the camera's own
        /// picture.
        Posterised => "posterised",
        /// The face is made of areas of one colour, as a drawing is; send the camera's own picture.
        FlatAreas => "flat-areas",
        /// The reference is a stored template; a document is read off a picture.
        NoPicture => "no-picture",
        /// The model pack holds no weights for it.
        NoWeights => "no-weights",
        /// The model pack does not say what is usual.
        NoCalibration => "no-calibration",
        /// Too few frames that differ from each other show it.
        TooFewFrames => "too-few-frames",
        /// Too few of the signals could be measured to say that nothing is wrong.
        TooLittleCovered => "too-little-covered",
        /// The challenge was not begun.
        NotBegun => "not-begun",
        /// The challenge was not seen to its end.
        CutShort => "cut-short",
        /// The timestamps are not in order, so the answer cannot be followed in time.
        OutOfOrder => "out-of-order",
        /// The light of the screen hardly reaches the face; the room is too bright or the screen
        /// too dark.
        TooLittleLight => "too-little-light",
        /// Too many frames reached the host long after their capture, so it cannot be told when
        /// they were made.
        LateFrames => "late-frames",
    }
}

/// That something was assessed, and what was found: what support is made of. Nothing but
/// [`Assessed::proof`] makes one.
pub(crate) struct Proof<'a, T>(&'a T);

impl<'a, T> Proof<'a, T> {
    /// Returns what was found.
    pub(crate) fn found(&self) -> &'a T {
        self.0
    }
}

impl<T> Assessed<T> {
    /// Returns what was found; `None` where nothing is known.
    pub fn yes(&self) -> Option<&T> {
        match self {
            Assessed::Yes(found) => Some(found),
            Assessed::NotAsked | Assessed::NotPossible(_) => None,
        }
    }

    /// Returns a view of it.
    pub fn as_ref(&self) -> Assessed<&T> {
        match self {
            Assessed::Yes(found) => Assessed::Yes(found),
            Assessed::NotAsked => Assessed::NotAsked,
            Assessed::NotPossible(obstacle) => Assessed::NotPossible(*obstacle),
        }
    }

    /// Changes what was found.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Assessed<U> {
        match self {
            Assessed::Yes(found) => Assessed::Yes(change(found)),
            Assessed::NotAsked => Assessed::NotAsked,
            Assessed::NotPossible(obstacle) => Assessed::NotPossible(obstacle),
        }
    }

    /// Returns both where both were assessed, or else why the first that was not is missing.
    pub fn and<U>(self, other: Assessed<U>) -> Assessed<(T, U)> {
        match self {
            Assessed::Yes(one) => other.map(|other| (one, other)),
            Assessed::NotAsked => Assessed::NotAsked,
            Assessed::NotPossible(obstacle) => Assessed::NotPossible(obstacle),
        }
    }

    /// Returns why nothing is known, as a sentence; `None` where something is.
    pub fn absence(&self) -> Option<&'static str> {
        match self {
            Assessed::Yes(_) => None,
            Assessed::NotAsked => Some("It was not asked for."),
            Assessed::NotPossible(obstacle) => Some(obstacle.sentence()),
        }
    }

    pub(crate) fn proof(&self) -> Option<Proof<'_, T>> {
        self.yes().map(Proof)
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Assessed<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Assessed{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let found = generator.subschema_for::<T>();
        let obstacle = generator.subschema_for::<Obstacle>();
        let text = serde_json::json!({ "type": "string", "description": "Why, for a person." });
        let is = |name: &str| serde_json::json!({ "const": name });
        schemars::json_schema!({
            "description": "What was found, or why nothing is known.",
            "oneOf": [
                {
                    "description": "It was looked at, and this is what was found.",
                    "allOf": [found],
                    "properties": { "assessed": is("yes") },
                    "required": ["assessed"],
                },
                {
                    "description": "Nobody asked for it.",
                    "properties": { "assessed": is("not-asked"), "text": text },
                    "required": ["assessed", "text"],
                },
                {
                    "description": "It was to be looked at and could not be.",
                    "properties": {
                        "assessed": is("not-possible"), "reason": obstacle, "text": text,
                    },
                    "required": ["assessed", "reason", "text"],
                },
            ],
        })
    }
}

impl<T: Serialize> Serialize for Assessed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(tag = "assessed", rename_all = "kebab-case")]
        enum Form<'a, T> {
            Yes(&'a T),
            NotAsked {
                text: &'static str,
            },
            NotPossible {
                reason: Obstacle,
                text: &'static str,
            },
        }
        let text = self.absence().unwrap_or_default();
        match self {
            Assessed::Yes(found) => Form::Yes(found),
            Assessed::NotAsked => Form::NotAsked { text },
            Assessed::NotPossible(reason) => Form::NotPossible {
                reason: *reason,
                text,
            },
        }
        .serialize(serializer)
    }
}

/// Returns a sentence as it stands within another.
pub(crate) fn clause(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// The version of the JSON: a reader that knows it knows every field of it. It changes when a field
/// goes or changes its meaning, and stays when one is added.
pub const FORMAT: u32 = 1;

/// Returns evidence as JSON, with its format.
pub(crate) fn json(value: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Formatted<'a, T> {
        format: u32,
        #[serde(flatten)]
        value: &'a T,
    }
    let formatted = Formatted {
        format: FORMAT,
        value,
    };
    serde_json::to_string(&formatted).expect("evidence holds nothing that JSON cannot")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Found {
        score: f32,
    }

    #[test]
    fn json_says_what_was_assessed() {
        let text = |assessed: &Assessed<Found>| serde_json::to_string(assessed).unwrap();
        assert_eq!(
            text(&Assessed::Yes(Found { score: 0.1 })),
            r#"{"assessed":"yes","score":0.1}"#
        );
        assert_eq!(
            text(&Assessed::NotAsked),
            r#"{"assessed":"not-asked","text":"It was not asked for."}"#
        );
        assert_eq!(
            text(&Assessed::NotPossible(Obstacle::NoFace)),
            r#"{"assessed":"not-possible","reason":"no-face","text":"No face was found."}"#
        );
    }

    #[test]
    fn both_are_assessed_or_none_is() {
        let (yes, no) = (
            Assessed::Yes(1),
            Assessed::<i32>::NotPossible(Obstacle::NoFace),
        );
        assert_eq!(yes.and(yes), Assessed::Yes((1, 1)));
        assert_eq!(yes.and(no), Assessed::NotPossible(Obstacle::NoFace));
        assert_eq!(
            Assessed::<i32>::NotAsked.and(no).absence(),
            Some("It was not asked for.")
        );
        assert!(yes.proof().is_some() && no.proof().is_none());
    }

    #[test]
    fn unknown_names_are_errors_that_do_not_echo() {
        let message = serde_json::from_str::<Effect>("\"secret\"")
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("reject, inconclusive") && !message.contains("secret"),
            "{message}"
        );
        assert_eq!(Effect::from_name("Reject"), None);
        for code in ReasonCode::ALL {
            assert_eq!(ReasonCode::from_name(code.name()), Some(*code));
            assert!(code.sentence().ends_with('.'), "{code:?}");
        }
    }
}
