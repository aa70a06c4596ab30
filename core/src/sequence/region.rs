//! Patches of skin between landmarks, as rows of pixels.

use crate::geometry::Point;

/// Landmarks around each patch; the patch is their convex hull, drawn in by the factor.
pub(super) const FOREHEAD: (&[usize], f32) = (
    &[
        10, 338, 297, 332, 284, 9, 55, 285, 107, 336, 66, 296, 105, 334, 54, 103, 67, 109,
    ],
    0.85,
);
pub(super) const LEFT_CHEEK: (&[usize], f32) = (&[117, 118, 101, 205, 50, 123, 147, 187], 0.9);
pub(super) const RIGHT_CHEEK: (&[usize], f32) = (&[346, 347, 330, 425, 280, 352, 376, 411], 0.9);
pub(super) const NOSE: (&[usize], f32) = (&[6, 197, 195, 5, 4, 45, 275, 220, 440, 48, 278], 0.9);
/// From the cheeks beside the mouth to the chin.
pub(super) const LOWER_FACE: (&[usize], f32) = (
    &[
        205, 425, 152, 148, 377, 176, 400, 149, 378, 150, 379, 136, 365, 61, 291, 2,
    ],
    0.95,
);

/// A convex patch.
pub(super) struct Patch(Vec<Point>);

impl Patch {
    /// The patch between the landmarks `around` of a face whose landmarks are `points`, drawn
    /// towards its middle by `factor`.
    pub(super) fn of(points: &[Point], (around, factor): (&[usize], f32)) -> Patch {
        Patch::between(around.iter().map(|&i| points[i]).collect(), factor)
    }

    pub(super) fn between(mut points: Vec<Point>, factor: f32) -> Patch {
        let middle = Point::mean(points.iter().copied());
        points.iter_mut().for_each(|p| {
            *p = Point::new(
                middle.x + factor * (p.x - middle.x),
                middle.y + factor * (p.y - middle.y),
            )
        });
        Patch(hull(points))
    }

    /// The rows of whole pixels inside a picture of `width` x `height`: y, first x, end x.
    pub(super) fn rows(
        &self,
        width: usize,
        height: usize,
    ) -> impl Iterator<Item = (usize, usize, usize)> {
        let (top, bottom) = self
            .0
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(lo, hi), p| {
                (lo.min(p.y), hi.max(p.y))
            });
        let row = |y: f32, limit: usize| ((y - 0.5).ceil().max(0.0) as usize).min(limit);
        (row(top, height)..row(bottom, height)).filter_map(move |y| {
            let centre = y as f32 + 0.5;
            let (mut left, mut right) = (f32::INFINITY, f32::NEG_INFINITY);
            for (i, p) in self.0.iter().enumerate() {
                let q = self.0[(i + 1) % self.0.len()];
                if (p.y > centre) != (q.y > centre) {
                    let x = p.x + (centre - p.y) / (q.y - p.y) * (q.x - p.x);
                    (left, right) = (left.min(x), right.max(x));
                }
            }
            let (first, end) = (row(left, width), row(right, width));
            (first < end).then_some((y, first, end))
        })
    }
}

/// The convex hull (Andrew's monotone chain).
fn hull(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|p, q| p.x.total_cmp(&q.x).then(p.y.total_cmp(&q.y)));
    let turns_right = |chain: &[Point], p: Point| {
        let [.., a, b] = chain else { return false };
        (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x) <= 0.0
    };
    let half = |points: &mut dyn Iterator<Item = Point>| {
        let mut chain: Vec<Point> = Vec::new();
        for p in points {
            while turns_right(&chain, p) {
                chain.pop();
            }
            chain.push(p);
        }
        chain.pop();
        chain
    };
    let mut whole = half(&mut points.iter().copied());
    whole.extend(half(&mut points.iter().rev().copied()));
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hull_of_a_square_fills_exactly() {
        let points = [
            (10.0, 20.0),
            (30.0, 50.0),
            (20.0, 30.0),
            (30.0, 20.0),
            (10.0, 50.0),
            (10.0, 35.0),
        ];
        let patch = Patch(hull(points.map(|(x, y)| Point::new(x, y)).to_vec()));
        let rows: Vec<_> = patch.rows(100, 100).collect();
        assert_eq!(
            (rows.len(), rows[0], rows[29]),
            (30, (20, 10, 30), (49, 10, 30))
        );
        assert_eq!(
            patch.rows(15, 40).last(),
            Some((39, 10, 15)),
            "cut at the edge of the picture"
        );
        assert_eq!(patch.rows(10, 10).count(), 0);
    }

    #[test]
    fn degenerate_patches_are_empty() {
        assert_eq!(Patch::between(Vec::new(), 1.0).rows(9, 9).count(), 0);
        assert_eq!(
            Patch::between(vec![Point::new(3.0, 3.0); 5], 1.0)
                .rows(9, 9)
                .count(),
            0
        );
        assert_eq!(
            Patch::between(vec![Point::new(f32::NAN, 3.0); 5], 1.0)
                .rows(9, 9)
                .count(),
            0
        );
    }
}
