//! How far the eyes are open, by a network that sees each from near: the mesh sees the whole face
//! and hardly follows the lids.

use super::{AlignedFace, landmark};
use crate::error::Result;
use crate::geometry::{Point, Similarity};
use crate::network::{Loader, Viewer};
use vultus_nn::Pool;

/// The network that draws the contour of an eye.
pub(crate) struct Eyes {
    viewer: Viewer,
}

const ID: &str = "iris";
const INPUT_SIDE: usize = 64;
/// Points of the contour, the lids first.
const POINTS: usize = 71;
/// The side of the network's crop relative to the width of the eye.
const MARGIN: f32 = 2.3;

impl Eyes {
    /// `None` when the pack holds no such network.
    pub(crate) fn load(loader: &Loader<'_>) -> Result<Option<Self>> {
        if !loader.pack.has(ID) {
            return Ok(None);
        }
        Ok(Some(Eyes {
            viewer: Viewer::load(loader, ID, INPUT_SIDE, INPUT_SIDE, &[3 * POINTS])?,
        }))
    }

    /// Returns the opening of each eye over the length of the nose, the left of the picture first.
    ///
    /// The eye is no measure for itself: its width shrinks where a head or a photo turns to the
    /// side, and a photo that turns back would seem to blink.
    pub(crate) fn openings(&self, face: &AlignedFace<'_>, pool: Option<&Pool>) -> Result<[f32; 2]> {
        let square = |[outer, inner, ..]: [usize; 4], direction: f32| {
            let (outer, inner) = (face.points()[outer], face.points()[inner]);
            let along = Point::new(
                direction * (inner.x - outer.x),
                direction * (inner.y - outer.y),
            );
            Similarity::onto_square(
                INPUT_SIDE as f32,
                Point::mean([outer, inner]),
                MARGIN * outer.distance(inner).max(1.0),
                along,
            )
        };
        let maps = [
            square(landmark::LEFT_EYE, 1.0),
            square(landmark::RIGHT_EYE, -1.0),
        ];
        let nose_px = face.points()[landmark::NOSE_BRIDGE]
            .distance(face.points()[landmark::NOSE_BASE])
            .max(1.0);
        // The network knows the eye whose outer corner is on the left.
        self.viewer.run_pair(
            |form, [left, right]| {
                face.pyramid().sample(&maps[0], form, left);
                face.pyramid().sample(&maps[1], form, right);
                right
                    .chunks_exact_mut(INPUT_SIDE)
                    .for_each(<[f32]>::reverse);
            },
            pool,
            |contours| [0, 1].map(|eye| height(contours[eye]) * maps[eye].scale() / nose_px),
        )
    }
}

/// The mean distance of the lids. The lower one goes from the outer corner, point 0, to the inner
/// one, point 8; the points of the upper one, 9..=15, lie over those between.
fn height(contour: &[f32]) -> f32 {
    let point = |i: usize| Point::new(contour[3 * i], contour[3 * i + 1]);
    (1..8).map(|i| point(i).distance(point(i + 8))).sum::<f32>() / 7.0
}
