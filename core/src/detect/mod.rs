//! Where the faces are: near range, far range, then small faces, each network seeing the picture
//! through one [`Similarity`].

mod blaze;
mod cascade;
mod center;
mod choose;
mod yunet;

use blaze::Blaze;
pub(crate) use cascade::{Attempt, Cascade};
use center::Center;
pub(crate) use choose::{Choice, choose};
use yunet::Yunet;

use crate::evidence::{Detection, Role, Sample};
use crate::geometry::{Point, Rect, Similarity};

impl Detection {
    /// The direction of the face's own x axis, along the eyes.
    pub(crate) fn direction(&self) -> Point {
        Point::new(
            self.right_eye.x - self.left_eye.x,
            self.right_eye.y - self.left_eye.y,
        )
    }

    /// Takes a detection to where `place` takes its points.
    pub(crate) fn moved(&self, place: impl Fn(Point) -> Point) -> Detection {
        Detection {
            bounds: self.bounds.moved(&place),
            left_eye: place(self.left_eye),
            right_eye: place(self.right_eye),
            ..self.clone()
        }
    }

    /// Takes a detection in a network's input to the picture. Boxes stay parallel to the sides,
    /// which is exact for the quarter turns that detection uses.
    fn through(self, map: &Similarity) -> Detection {
        self.moved(|point| map.apply(point))
    }
}

impl Sample {
    /// Takes what was found in the upright picture to the one of `size` (width, height) that was
    /// given, which was turned clockwise by so many quarters.
    pub(crate) fn turn(&mut self, quarters: u8, size: [f32; 2]) {
        let place = |point: Point| point.turned(quarters, size);
        if let Some(face) = &mut self.face {
            face.detection = face.detection.moved(place);
            face.bounds = face.bounds.moved(place);
            face.landmarks.iter_mut().for_each(|p| *p = place(*p));
            let roll = face.pose.roll_deg + 90.0 * f32::from(quarters);
            face.pose.roll_deg = if roll > 180.0 { roll - 360.0 } else { roll };
        }
        self.rival = self.rival.as_ref().map(|rival| rival.moved(place));
    }
}

/// A quarter turn of the picture before it is looked at; documents are photographed any way up, and
/// a selfie may have lost its orientation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn(u8);

impl Turn {
    pub(crate) const NONE: Turn = Turn(0);
    pub(crate) const ALL: [Turn; 4] = [Turn(0), Turn(1), Turn(3), Turn(2)];

    /// The turns in which a picture of that role is looked at, the likeliest first.
    fn of(role: Role) -> &'static [Turn] {
        match role {
            Role::Selfie => &[Turn::NONE],
            Role::Document => &Turn::ALL,
        }
    }

    /// The turn of a face whose eyes lie along `direction`.
    pub(crate) fn along(direction: Point) -> Turn {
        Turn(match (direction.x.abs() >= direction.y.abs(), direction) {
            (true, Point { x, .. }) => 2 * u8::from(x < 0.0),
            (false, Point { y, .. }) => 1 + 2 * u8::from(y < 0.0),
        })
    }

    /// How many quarter turns clockwise the picture has undergone.
    pub(crate) fn quarters(self) -> u8 {
        self.0
    }

    fn direction(self) -> Point {
        [
            Point::new(1.0, 0.0),
            Point::new(0.0, 1.0),
            Point::new(-1.0, 0.0),
            Point::new(0.0, -1.0),
        ][usize::from(self.0)]
    }
}

/// The square part of a picture that a look shows.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Window {
    centre: Point,
    extent: f32,
}

impl Window {
    /// The whole picture, `zoom` times as large as would just fit; below 1 with a margin around it.
    fn whole(width: f32, height: f32, zoom: f32) -> Window {
        Window {
            centre: Point::new(width / 2.0, height / 2.0),
            extent: width.max(height) / zoom,
        }
    }

    /// Overlapping windows that together show the whole picture `zoom` times as large, 1 to 2.
    fn tiles(width: f32, height: f32, zoom: f32) -> Vec<Window> {
        let extent = width.max(height) / zoom;
        let centres = |length: f32| {
            if length <= extent {
                vec![length / 2.0]
            } else {
                vec![extent / 2.0, length - extent / 2.0]
            }
        };
        let windows = centres(height)
            .into_iter()
            .flat_map(|y| centres(width).into_iter().map(move |x| Point::new(x, y)));
        windows.map(|centre| Window { centre, extent }).collect()
    }

    /// The map from a square input of `side` pixels to the picture.
    fn map(&self, side: usize, turn: Turn) -> Similarity {
        Similarity::onto_square(side as f32, self.centre, self.extent, turn.direction())
    }

    /// Tells whether a face comes so near to a side of the window, inside the picture, that the
    /// window may have cut it.
    fn cuts(&self, face: &Rect, width: f32, height: f32) -> bool {
        let cut = |low: f32, high: f32, centre: f32, length: f32| {
            let (first, last) = (centre - self.extent / 2.0, centre + self.extent / 2.0);
            let near = 0.1 * (high - low);
            (first > 0.0 && low < first + near) || (last < length && high > last - near)
        };
        cut(face.x, face.x + face.width, self.centre.x, width)
            || cut(face.y, face.y + face.height, self.centre.y, height)
    }
}

/// Keeps the best of detections that overlap by more than `limit` (intersection over union), best
/// first.
fn suppress(mut found: Vec<Detection>, limit: f32) -> Vec<Detection> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for detection in found {
        if kept
            .iter()
            .all(|k| k.bounds.iou(&detection.bounds) <= limit)
        {
            kept.push(detection);
        }
    }
    kept
}

/// The logistic function; `libm`'s exponential gives the same bits on every machine.
fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-logit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_show_the_whole_picture_and_tell_whom_they_cut() {
        let tiles = Window::tiles(1000.0, 500.0, 1.6);
        assert_eq!(tiles.len(), 2, "a picture of half the height needs one row");
        let [left, right] = [tiles[0], tiles[1]]
            .map(|t| (t.centre.x - t.extent / 2.0, t.centre.x + t.extent / 2.0));
        assert_eq!((left.0, right.1), (0.0, 1000.0));
        assert!(left.1 > right.0, "they overlap");
        assert_eq!(Window::tiles(800.0, 800.0, 1.6).len(), 4);
        let face = |x: f32| Rect {
            x,
            y: 100.0,
            width: 50.0,
            height: 50.0,
        };
        assert!(tiles[0].cuts(&face(left.1 - 50.0), 1000.0, 500.0));
        assert!(
            !tiles[1].cuts(&face(left.1 - 50.0), 1000.0, 500.0),
            "the neighbour shows it whole"
        );
        assert!(
            !tiles[0].cuts(&face(0.0), 1000.0, 500.0),
            "the edge of the picture is no cut"
        );
    }
}
