//! Where the faces are: near range, far range, then small faces, each network seeing the picture through one [`Similarity`].

mod blaze;
mod cascade;
mod center;
mod choose;

use blaze::Blaze;
pub(crate) use cascade::Cascade;
pub use cascade::Role;
use center::Center;
pub(crate) use choose::{Choice, choose};

use crate::geometry::{Point, Rect, Similarity};
use serde::Serialize;

/// A face found in a picture. All coordinates are pixels of the upright picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Detection {
    /// The face's box, parallel to the sides of the picture.
    pub bounds: Rect,
    /// How sure the detector is, in 0..=1; larger is surer. Not comparable between detectors.
    pub score: f32,
    /// The eye on the left of an upright face's picture (the subject's right eye).
    pub left_eye: Point,
    /// The eye on the right of an upright face's picture.
    pub right_eye: Point,
    /// Which network found it.
    pub detector: Detector,
}

/// The detectors, from near to far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detector {
    /// BlazeFace short range: faces of a fifth of the frame and more.
    Near,
    /// BlazeFace full range: down to a twentieth.
    Far,
    /// CenterFace: small faces, portraits on documents.
    Small,
}

impl Detection {
    /// The direction of the face's own x axis, along the eyes.
    pub(crate) fn direction(&self) -> Point {
        Point::new(self.right_eye.x - self.left_eye.x, self.right_eye.y - self.left_eye.y)
    }

    /// Takes a detection in a network's input to the picture. Boxes stay parallel to the sides, which is exact for the
    /// quarter turns that detection uses.
    fn through(self, map: &Similarity) -> Detection {
        let Rect { x, y, width, height } = self.bounds;
        Detection {
            bounds: Rect::around([map.apply(Point::new(x, y)), map.apply(Point::new(x + width, y + height))]),
            left_eye: map.apply(self.left_eye),
            right_eye: map.apply(self.right_eye),
            ..self
        }
    }
}

/// A quarter turn of the picture before it is looked at; documents are photographed any way up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn(u8);

impl Turn {
    pub(crate) const NONE: Turn = Turn(0);
    pub(crate) const ALL: [Turn; 4] = [Turn(0), Turn(1), Turn(3), Turn(2)];

    fn direction(self) -> Point {
        [Point::new(1.0, 0.0), Point::new(0.0, 1.0), Point::new(-1.0, 0.0), Point::new(0.0, -1.0)][usize::from(self.0)]
    }
}

/// The map that shows the whole picture in the middle of a square of `side` pixels, `zoom` times as large as would just fit.
fn letterbox(side: usize, width: f32, height: f32, zoom: f32, turn: Turn) -> Similarity {
    Similarity::onto_square(side as f32, Point::new(width / 2.0, height / 2.0), width.max(height) / zoom, turn.direction())
}

/// Keeps the best of detections that overlap by more than `limit` (intersection over union), best first.
fn suppress(mut found: Vec<Detection>, limit: f32) -> Vec<Detection> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for detection in found {
        if kept.iter().all(|k| k.bounds.iou(&detection.bounds) <= limit) {
            kept.push(detection);
        }
    }
    kept
}

/// The logistic function; `libm`'s exponential gives the same bits on every machine.
fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-logit))
}
