//! Wholly in the picture, with room around (ISO/IEC 29794-5, 7.4.6 to 7.4.10).

use crate::align::AlignedFace;
use crate::geometry::Rect;

/// Where the face lies in the picture.
pub(super) struct Framing {
    /// The share of the face's box that lies inside: a face cut by the edge has lost what the
    /// networks need.
    pub(super) inside: f32,
    /// Room on each side, in distances of the eyes.
    pub(super) left: f32,
    pub(super) right: f32,
    pub(super) above: f32,
    pub(super) below: f32,
}

impl Framing {
    pub(super) fn of(face: &AlignedFace<'_>) -> Framing {
        let bounds = face.bounds();
        let (width, height) = (face.image().width() as f32, face.image().height() as f32);
        let picture = Rect {
            x: 0.0,
            y: 0.0,
            width,
            height,
        };
        let apart = face.inter_eye_px().max(1.0);
        Framing {
            inside: bounds.overlap(&picture) / (bounds.width * bounds.height).max(1.0),
            left: bounds.x / apart,
            right: (width - bounds.x - bounds.width) / apart,
            above: bounds.y / apart,
            below: (height - bounds.y - bounds.height) / apart,
        }
    }
}
