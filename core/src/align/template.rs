//! The standard position that the embedders were trained on.

use super::{AlignedFace, landmark};
use crate::geometry::{Point, Similarity};

/// Width and height of the crop that embedders see.
pub(crate) const CROP_SIDE: usize = 112;

/// Eyes, nose tip, corners of the mouth in the crop (ArcFace; Deng et al. 2019).
const ARCFACE: [Point; 5] = [
    Point::new(38.2946, 51.6963),
    Point::new(73.5318, 51.5014),
    Point::new(56.0252, 71.7366),
    Point::new(41.5493, 92.3655),
    Point::new(70.7299, 92.2041),
];

impl AlignedFace<'_> {
    /// The map from the crop with the face in its standard position to the picture.
    pub(crate) fn crop(&self) -> Similarity {
        let points = self.points();
        let [left, right] = self.eye_centres();
        let [nose, mouth_left, mouth_right] = [
            landmark::NOSE_TIP,
            landmark::MOUTH_LEFT,
            landmark::MOUTH_RIGHT,
        ]
        .map(|i| points[i]);
        Similarity::fit(&[left, right, nose, mouth_left, mouth_right], &ARCFACE).inverse()
    }
}
