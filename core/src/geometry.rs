//! Plain plane geometry. Pixel coordinates: x to the right, y down, and the centre of the first
//! pixel is (0.5, 0.5).

use serde::Serialize;

/// A point in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "x and y")]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

// Landmarks are wiped.
impl zeroize::DefaultIsZeroes for Point {}

impl Point {
    /// Returns the point (x, y).
    pub const fn new(x: f32, y: f32) -> Self {
        Point { x, y }
    }

    /// Returns the Euclidean distance to `other`, in pixels.
    pub fn distance(self, other: Point) -> f32 {
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        (dx * dx + dy * dy).sqrt()
    }

    /// Returns where the point of an upright picture lies when that was turned clockwise by so many
    /// quarters, and is of `size` (width, height) then.
    pub(crate) fn turned(self, quarters: u8, [width, height]: [f32; 2]) -> Point {
        match quarters % 4 {
            1 => Point::new(width - self.y, self.x),
            2 => Point::new(width - self.x, height - self.y),
            3 => Point::new(self.y, height - self.x),
            _ => self,
        }
    }

    /// Returns the centroid of `points`; the origin when there are none.
    pub fn mean(points: impl IntoIterator<Item = Point>) -> Point {
        let (mut x, mut y, mut n) = (0.0f32, 0.0f32, 0.0f32);
        for point in points {
            x += point.x;
            y += point.y;
            n += 1.0;
        }
        if n == 0.0 {
            Point::default()
        } else {
            Point::new(x / n, y / n)
        }
    }
}

/// An axis-parallel rectangle in pixels; it may reach beyond the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "left, top and the two sides")]
pub struct Rect {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Rect {
    /// Returns the smallest rectangle that holds all `points`; empty when there are none.
    pub fn around(points: impl IntoIterator<Item = Point>) -> Rect {
        let (mut lo, mut hi) = (
            Point::new(f32::INFINITY, f32::INFINITY),
            Point::new(f32::NEG_INFINITY, f32::NEG_INFINITY),
        );
        for point in points {
            lo = Point::new(lo.x.min(point.x), lo.y.min(point.y));
            hi = Point::new(hi.x.max(point.x), hi.y.max(point.y));
        }
        if lo.x > hi.x {
            return Rect::default();
        }
        Rect {
            x: lo.x,
            y: lo.y,
            width: hi.x - lo.x,
            height: hi.y - lo.y,
        }
    }

    /// Returns the rectangle about where `place`, a quarter turn or less, takes two corners.
    pub(crate) fn moved(&self, place: impl Fn(Point) -> Point) -> Rect {
        Rect::around([
            place(Point::new(self.x, self.y)),
            place(Point::new(self.x + self.width, self.y + self.height)),
        ])
    }

    /// Returns the middle of the rectangle.
    pub fn centre(&self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// Returns the geometric mean of the sides: the side of the square of the same area.
    pub fn side(&self) -> f32 {
        (self.width * self.height).max(0.0).sqrt()
    }

    /// Returns the area of the intersection with `other`.
    pub fn overlap(&self, other: &Rect) -> f32 {
        let w = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let h = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        w.max(0.0) * h.max(0.0)
    }

    /// Returns intersection over union with `other`, in 0..=1.
    pub fn iou(&self, other: &Rect) -> f32 {
        let shared = self.overlap(other);
        let union = self.width * self.height + other.width * other.height - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }
}

/// A shift, rotation and uniform scaling: x' = a·x - b·y + tx, y' = b·x + a·y + ty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Similarity {
    pub(crate) a: f32,
    pub(crate) b: f32,
    pub(crate) tx: f32,
    pub(crate) ty: f32,
}

impl Similarity {
    /// The map that takes the square `[0, side]²` to the square of side `extent` about `centre`
    /// whose x axis points along `direction`.
    pub(crate) fn onto_square(side: f32, centre: Point, extent: f32, direction: Point) -> Self {
        let length = (direction.x * direction.x + direction.y * direction.y)
            .sqrt()
            .max(f32::MIN_POSITIVE);
        let scale = extent / side;
        let (a, b) = (scale * direction.x / length, scale * direction.y / length);
        let half = side / 2.0;
        Similarity {
            a,
            b,
            tx: centre.x - (a * half - b * half),
            ty: centre.y - (b * half + a * half),
        }
    }

    /// The least-squares similarity that takes `from` to `to` (Umeyama 1991, without reflection).
    pub(crate) fn fit(from: &[Point], to: &[Point]) -> Self {
        let (p, q) = (
            Point::mean(from.iter().copied()),
            Point::mean(to.iter().copied()),
        );
        let (mut dot, mut cross, mut norm) = (0.0f32, 0.0f32, 0.0f32);
        for (f, t) in from.iter().zip(to) {
            let (fx, fy, tx, ty) = (f.x - p.x, f.y - p.y, t.x - q.x, t.y - q.y);
            dot += fx * tx + fy * ty;
            cross += fx * ty - fy * tx;
            norm += fx * fx + fy * fy;
        }
        let norm = norm.max(f32::MIN_POSITIVE);
        let (a, b) = (dot / norm, cross / norm);
        Similarity {
            a,
            b,
            tx: q.x - (a * p.x - b * p.y),
            ty: q.y - (b * p.x + a * p.y),
        }
    }

    pub(crate) fn apply(&self, p: Point) -> Point {
        Point::new(
            self.a * p.x - self.b * p.y + self.tx,
            self.b * p.x + self.a * p.y + self.ty,
        )
    }

    /// Returns how many units of the target one unit of the source becomes.
    pub(crate) fn scale(&self) -> f32 {
        (self.a * self.a + self.b * self.b).sqrt()
    }

    /// Returns the inverse map; the scale must not be zero.
    pub(crate) fn inverse(&self) -> Self {
        let n = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / n, -self.b / n);
        Similarity {
            a,
            b,
            tx: -(a * self.tx - b * self.ty),
            ty: -(b * self.tx + a * self.ty),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn fit_recovers_a_similarity() {
        let truth = Similarity {
            a: 0.6,
            b: -1.3,
            tx: 12.0,
            ty: -7.5,
        };
        let from = [
            Point::new(0.0, 0.0),
            Point::new(10.0, 2.0),
            Point::new(-3.0, 8.0),
            Point::new(5.0, -6.0),
        ];
        let fitted = Similarity::fit(&from, &from.map(|p| truth.apply(p)));
        for (x, y) in [
            (fitted.a, truth.a),
            (fitted.b, truth.b),
            (fitted.tx, truth.tx),
            (fitted.ty, truth.ty),
        ] {
            assert_abs_diff_eq!(x, y, epsilon = 1e-4);
        }
    }

    #[test]
    fn inverse_undoes() {
        let map = Similarity {
            a: 0.2,
            b: 0.9,
            tx: 3.0,
            ty: 4.0,
        };
        let p = map.inverse().apply(map.apply(Point::new(17.0, -5.0)));
        assert_abs_diff_eq!(p.x, 17.0, epsilon = 1e-4);
        assert_abs_diff_eq!(p.y, -5.0, epsilon = 1e-4);
    }

    #[test]
    fn onto_square_hits_the_corners() {
        let map =
            Similarity::onto_square(192.0, Point::new(50.0, 60.0), 20.0, Point::new(0.0, 2.0));
        let corner = map.apply(Point::new(0.0, 0.0));
        assert_abs_diff_eq!(corner.x, 60.0, epsilon = 1e-4);
        assert_abs_diff_eq!(corner.y, 50.0, epsilon = 1e-4);
        let centre = map.apply(Point::new(96.0, 96.0));
        assert_abs_diff_eq!(centre.x, 50.0, epsilon = 1e-4);
        assert_abs_diff_eq!(centre.y, 60.0, epsilon = 1e-4);
    }

    #[test]
    fn four_quarter_turns_are_none() {
        let start = Point::new(1.0, 2.0);
        // A picture of 10 x 4: its corner region stays a corner region.
        let once = start.turned(1, [4.0, 10.0]);
        assert_eq!(once, Point::new(2.0, 1.0));
        let twice = once.turned(1, [10.0, 4.0]);
        assert_eq!(twice, start.turned(2, [10.0, 4.0]));
        let thrice = twice.turned(1, [4.0, 10.0]);
        assert_eq!(thrice, start.turned(3, [4.0, 10.0]));
        assert_eq!(thrice.turned(1, [10.0, 4.0]), start);
    }

    #[test]
    fn iou_of_known_rectangles() {
        let a = Rect {
            x: 0.0,
            y: 0.0,
            width: 2.0,
            height: 2.0,
        };
        let b = Rect {
            x: 1.0,
            y: 0.0,
            width: 2.0,
            height: 2.0,
        };
        assert_abs_diff_eq!(a.iou(&b), 1.0 / 3.0, epsilon = 1e-6);
        assert_eq!(a.iou(&Rect { x: 5.0, ..a }), 0.0);
    }
}
