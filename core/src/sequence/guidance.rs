//! What to tell the person while frames come in.

use crate::evidence::{Component, Guidance, GuidanceCode, Pose, QualityReport};
use crate::geometry::Rect;

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
const MIN_INTER_EYE_PX: f32 = 40.0;
/// A face higher than this share of the picture's height leaves no surroundings for presentation
/// attack detection.
const MAX_HEIGHT: f32 = 0.75;
/// How far the centre of the face may lie off the middle, over the picture's side.
const MAX_OFFSET: f32 = 0.25;
const MAX_TURN_DEG: f32 = 25.0;
const MIN_COMPONENT: u8 = 15;
/// Distances of the eyes a second.
const MAX_SPEED: f32 = 3.0;

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
    let low = |component| framing.quality.component(component).score < MIN_COMPONENT;
    let (width, height) = (framing.width as f32, framing.height as f32);
    let centre = framing.face.centre();
    if framing.has_rival {
        GuidanceCode::SeveralFaces
    } else if framing.face.height > MAX_HEIGHT * height || framing.face.width > MAX_HEIGHT * width {
        GuidanceCode::MoveBack
    } else if framing.inter_eye_px < MIN_INTER_EYE_PX {
        GuidanceCode::ComeCloser
    } else if (centre.x / width - 0.5).abs() > MAX_OFFSET
        || (centre.y / height - 0.5).abs() > MAX_OFFSET
        || low(Component::FaceInsidePicture)
    {
        GuidanceCode::CentreFace
    } else if framing.pose.yaw_deg.abs() > MAX_TURN_DEG
        || framing.pose.pitch_deg.abs() > MAX_TURN_DEG
    {
        GuidanceCode::LookAhead
    } else if low(Component::UnderExposurePrevention) {
        GuidanceCode::TurnToTheLight
    } else if low(Component::OverExposurePrevention) {
        GuidanceCode::TooBright
    } else if framing.speed > MAX_SPEED || low(Component::Sharpness) {
        GuidanceCode::HoldStill
    } else {
        GuidanceCode::Ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(change: impl FnOnce(&mut Framing<'_>), low: Option<Component>) -> GuidanceCode {
        let mut quality = QualityReport::even(80);
        if let Some(low) = low {
            quality.components[low as usize].score = 0;
        }
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
            code(|_| (), Some(Component::UnderExposurePrevention)),
            GuidanceCode::TurnToTheLight
        );
        assert_eq!(
            code(|_| (), Some(Component::OverExposurePrevention)),
            GuidanceCode::TooBright
        );
        assert_eq!(
            code(|_| (), Some(Component::Sharpness)),
            GuidanceCode::HoldStill
        );
        assert_eq!(
            code(|_| (), Some(Component::FaceInsidePicture)),
            GuidanceCode::CentreFace
        );
    }

    #[test]
    fn usable_frames_are_counted() {
        assert_eq!(advise(None, 7).frames, 7);
    }
}
