//! The standard positions that the embedders were trained on.

use super::{AlignedFace, landmark};
use crate::geometry::{Point, Similarity};

/// A crop with the face in a fixed place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crop {
    /// 112 x 112, five points (ArcFace; Deng et al. 2019).
    ArcFace,
    /// 150 x 150, the eye corners and the base of the nose (dlib's five-point chip with a padding of a quarter).
    Dlib,
}

/// Eyes, nose tip, corners of the mouth.
const ARCFACE: [Point; 5] = [
    Point::new(38.2946, 51.6963),
    Point::new(73.5318, 51.5014),
    Point::new(56.0252, 71.7366),
    Point::new(41.5493, 92.3655),
    Point::new(70.7299, 92.2041),
];

/// Right outer, right inner, left outer, left inner corner of the eyes and base of the nose, on the unit square.
const DLIB: [Point; 5] = [
    Point::new(0.859_567, 0.213_498),
    Point::new(0.646_060, 0.228_967),
    Point::new(0.120_575, 0.213_727),
    Point::new(0.334_085, 0.229_064),
    Point::new(0.490_112, 0.627_798),
];

const DLIB_SIDE: f32 = 150.0;
const DLIB_PADDING: f32 = 0.25;

impl AlignedFace<'_> {
    /// The map from the crop to the picture.
    pub(crate) fn crop(&self, crop: Crop) -> Similarity {
        let points = self.points();
        let (seen, standard) = match crop {
            Crop::ArcFace => {
                let [left, right] = self.eye_centres();
                let rest = [landmark::NOSE_TIP, landmark::MOUTH_LEFT, landmark::MOUTH_RIGHT].map(|i| points[i]);
                ([left, right, rest[0], rest[1], rest[2]], ARCFACE)
            }
            Crop::Dlib => {
                let unit = |v: f32| (v + DLIB_PADDING) / (1.0 + 2.0 * DLIB_PADDING) * DLIB_SIDE;
                ([263, 362, 33, 133, landmark::NOSE_BASE].map(|i| points[i]), DLIB.map(|p| Point::new(unit(p.x), unit(p.y))))
            }
        };
        Similarity::fit(&seen, &standard).inverse()
    }
}
