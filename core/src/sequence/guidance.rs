//! What to tell the person while frames come in.

use crate::align::Pose;
use crate::geometry::Rect;
use crate::quality::QualityReport;
use serde::Serialize;

/// Stable codes; one is never renamed or given another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it, the texts in full")]
pub enum GuidanceCode {
    Ready,
    NoFace,
    SeveralFaces,
    ComeCloser,
    MoveBack,
    CentreFace,
    LookAhead,
    TurnToTheLight,
    TooBright,
    HoldStill,
}

impl GuidanceCode {
    /// Returns the stable name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            GuidanceCode::Ready => "ready",
            GuidanceCode::NoFace => "no-face",
            GuidanceCode::SeveralFaces => "several-faces",
            GuidanceCode::ComeCloser => "come-closer",
            GuidanceCode::MoveBack => "move-back",
            GuidanceCode::CentreFace => "centre-face",
            GuidanceCode::LookAhead => "look-ahead",
            GuidanceCode::TurnToTheLight => "turn-to-the-light",
            GuidanceCode::TooBright => "too-bright",
            GuidanceCode::HoldStill => "hold-still",
        }
    }

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

/// What guidance looks at in a frame with a face.
pub(crate) struct Framing<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) face: Rect,
    pub(crate) inter_eye_px: f32,
    pub(crate) pose: Pose,
    pub(crate) quality: &'a QualityReport,
    pub(crate) has_rival: bool,
    /// Movement of the face since the frame before, over the distance of the eyes, a second.
    pub(crate) speed: f32,
}

/// Eyes closer together than this many pixels leave too little detail to compare and to judge.
const LEAST_INTER_EYE_PX: f32 = 40.0;
/// A face higher than this share of the picture's height leaves no surroundings for presentation
/// attack detection.
const MOST_HEIGHT: f32 = 0.75;
/// How far the centre of the face may lie off the middle, over the picture's side.
const MOST_OFFSET: f32 = 0.25;
const MOST_TURN_DEG: f32 = 25.0;
const LEAST_COMPONENT: u8 = 15;
/// Distances of the eyes a second.
const MOST_SPEED: f32 = 3.0;

/// Returns the first thing that is wrong with a frame, in the order in which a person can mend it.
/// `None` is a frame without a face.
pub(crate) fn advise(framing: Option<&Framing<'_>>, usable: u32) -> Guidance {
    let code = framing.map_or(GuidanceCode::NoFace, judge);
    let frames = usable + u32::from(code == GuidanceCode::Ready);
    Guidance {
        code,
        text: code.text().to_owned(),
        face: framing.map(|f| f.face),
        frames,
    }
}

fn judge(framing: &Framing<'_>) -> GuidanceCode {
    let low = |name| {
        framing
            .quality
            .component(name)
            .is_some_and(|c| c.score < LEAST_COMPONENT)
    };
    let (width, height) = (framing.width as f32, framing.height as f32);
    let centre = framing.face.centre();
    if framing.has_rival {
        GuidanceCode::SeveralFaces
    } else if framing.face.height > MOST_HEIGHT * height || framing.face.width > MOST_HEIGHT * width
    {
        GuidanceCode::MoveBack
    } else if framing.inter_eye_px < LEAST_INTER_EYE_PX {
        GuidanceCode::ComeCloser
    } else if (centre.x / width - 0.5).abs() > MOST_OFFSET
        || (centre.y / height - 0.5).abs() > MOST_OFFSET
        || low("face-inside-picture")
    {
        GuidanceCode::CentreFace
    } else if framing.pose.yaw_deg.abs() > MOST_TURN_DEG
        || framing.pose.pitch_deg.abs() > MOST_TURN_DEG
    {
        GuidanceCode::LookAhead
    } else if low("under-exposure-prevention") {
        GuidanceCode::TurnToTheLight
    } else if low("over-exposure-prevention") {
        GuidanceCode::TooBright
    } else if framing.speed > MOST_SPEED || low("sharpness") {
        GuidanceCode::HoldStill
    } else {
        GuidanceCode::Ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::Measure;

    fn code(
        change: impl FnOnce(&mut Framing<'_>),
        component: Option<(&'static str, u8)>,
    ) -> GuidanceCode {
        let components = component
            .map(|(name, score)| Measure {
                name,
                raw: 0.0,
                unit: "",
                score,
            })
            .into_iter()
            .collect();
        let quality = QualityReport {
            unified: 80,
            components,
        };
        let mut framing = Framing {
            width: 640,
            height: 480,
            face: Rect {
                x: 240.0,
                y: 140.0,
                width: 160.0,
                height: 200.0,
            },
            inter_eye_px: 70.0,
            pose: Pose {
                yaw_deg: 0.0,
                pitch_deg: 0.0,
                roll_deg: 0.0,
            },
            quality: &quality,
            has_rival: false,
            speed: 0.1,
        };
        change(&mut framing);
        advise(Some(&framing), 0).code
    }

    #[test]
    fn each_fault_has_its_code() {
        assert_eq!(code(|_| (), None), GuidanceCode::Ready);
        assert_eq!(
            advise(None, 3),
            Guidance {
                code: GuidanceCode::NoFace,
                text: GuidanceCode::NoFace.text().into(),
                face: None,
                frames: 3
            }
        );
        assert_eq!(
            code(|f| f.has_rival = true, None),
            GuidanceCode::SeveralFaces
        );
        assert_eq!(
            code(|f| f.inter_eye_px = 20.0, None),
            GuidanceCode::ComeCloser
        );
        assert_eq!(
            code(|f| f.face.height = 470.0, None),
            GuidanceCode::MoveBack
        );
        assert_eq!(code(|f| f.face.x = 450.0, None), GuidanceCode::CentreFace);
        assert_eq!(
            code(|f| f.pose.yaw_deg = -40.0, None),
            GuidanceCode::LookAhead
        );
        assert_eq!(code(|f| f.speed = 9.0, None), GuidanceCode::HoldStill);
        assert_eq!(
            code(|_| (), Some(("under-exposure-prevention", 0))),
            GuidanceCode::TurnToTheLight
        );
        assert_eq!(
            code(|_| (), Some(("over-exposure-prevention", 0))),
            GuidanceCode::TooBright
        );
        assert_eq!(
            code(|_| (), Some(("sharpness", 0))),
            GuidanceCode::HoldStill
        );
        assert_eq!(
            code(|_| (), Some(("face-inside-picture", 0))),
            GuidanceCode::CentreFace
        );
    }

    #[test]
    fn usable_frames_are_counted() {
        assert_eq!(advise(None, 7).frames, 7);
    }
}
