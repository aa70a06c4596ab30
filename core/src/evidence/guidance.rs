//! What to tell the person while frames come in.

use super::names;
use crate::geometry::Rect;
use serde::Serialize;

names! {
    /// Stable codes; one is never renamed or given another meaning.
    #[non_exhaustive]
    pub enum GuidanceCode {
        /// Nothing is wrong with the frame.
        Ready = 1 => "ready",
        /// No face is in the frame.
        NoFace = 2 => "no-face",
        /// A second face is so large that either could be meant.
        SeveralFaces = 3 => "several-faces",
        /// The face is too small.
        ComeCloser = 4 => "come-closer",
        /// The face is too large.
        MoveBack = 5 => "move-back",
        /// The face is far from the middle of the frame.
        CentreFace = 6 => "centre-face",
        /// The head is turned away.
        LookAhead = 7 => "look-ahead",
        /// The face is too dark.
        TurnToTheLight = 8 => "turn-to-the-light",
        /// The face is too bright.
        TooBright = 9 => "too-bright",
        /// The face moves or is blurred.
        HoldStill = 10 => "hold-still",
    }
}

impl GuidanceCode {
    /// Returns what to tell the person.
    pub fn text(self) -> &'static str {
        match self {
            GuidanceCode::Ready => "good; stay like this",
            GuidanceCode::NoFace => "no face is in the picture; hold the camera before your face",
            GuidanceCode::SeveralFaces => "a second face is in the picture; only one may be",
            GuidanceCode::ComeCloser => "come closer to the camera",
            GuidanceCode::MoveBack => "move back from the camera",
            GuidanceCode::CentreFace => "bring your face to the middle of the picture",
            GuidanceCode::LookAhead => "look straight into the camera",
            GuidanceCode::TurnToTheLight => "turn to the light",
            GuidanceCode::TooBright => "avoid direct light",
            GuidanceCode::HoldStill => "hold still",
        }
    }
}

/// What to tell the person now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Guidance {
    /// For machines.
    pub code: GuidanceCode,
    /// For the person.
    pub text: String,
    /// The box around the landmarks, in pixels of the frame.
    pub face: Option<Rect>,
    /// Usable frames so far: those with a face that nothing is wrong with.
    pub frames: u32,
}
