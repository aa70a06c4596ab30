//! Eyes open, mouth closed (ISO/IEC 29794-5, 7.4.3 and 7.4.4), from the openings that the landmarks
//! show.

use crate::align::{AlignedFace, landmark};

/// Distance of the lids over the width of the eye, of the more closed eye.
pub(super) fn eye_opening(face: &AlignedFace<'_>) -> f32 {
    let points = face.points();
    let opening = |[outer, inner, upper, lower]: [usize; 4]| {
        points[upper].distance(points[lower]) / points[outer].distance(points[inner]).max(1e-3)
    };
    opening(landmark::LEFT_EYE).min(opening(landmark::RIGHT_EYE))
}

/// Distance of the inner lips over the distance of the eyes.
pub(super) fn mouth_opening(face: &AlignedFace<'_>) -> f32 {
    let points = face.points();
    points[landmark::LIP_UPPER_INNER].distance(points[landmark::LIP_LOWER_INNER])
        / face.inter_eye_px().max(1e-3)
}
