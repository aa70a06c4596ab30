//! How the landmarks move: a head is rigid, and its inside moves with its outline.

use super::frame::{FaceTrace, Frame};
use super::{median, triples};
use crate::geometry::{Point, Similarity};

/// What is left of the landmarks' movement after a least-squares affine motion, against the mean of
/// the neighbouring frames; over the distance of the eyes.
pub(super) fn jitter(frames: &[&Frame]) -> Option<f32> {
    median(triples(frames).map(|[a, b, c]| {
        let middle: Vec<Point> = a
            .inner()
            .iter()
            .zip(c.inner())
            .map(|(p, q)| Point::new((p.x + q.x) / 2.0, (p.y + q.y) / 2.0))
            .collect();
        residual(&middle, b.inner()) / b.inter_eye_px.max(1.0)
    }))
}

/// How far apart the rigid motions of the inner landmarks and of the outline take the middle of the
/// face from frame to frame; over the distance of the eyes.
pub(super) fn slip(frames: &[&Frame]) -> Option<f32> {
    median(triples(frames).map(|[a, b, _]| {
        let middle = Point::mean(a.points.iter().copied());
        let inner = Similarity::fit(a.inner(), b.inner()).apply(middle);
        inner.distance(Similarity::fit(a.outline(), b.outline()).apply(middle))
            / b.inter_eye_px.max(1.0)
    }))
}

/// How much the direction of the head by its inner landmarks trembles against that by its outline,
/// in degrees.
pub(super) fn pose_gap(frames: &[&Frame]) -> Option<f32> {
    let second = |gap: fn(&FaceTrace) -> f32, [a, b, c]: [&FaceTrace; 3]| {
        (gap(b) - (gap(a) + gap(c)) / 2.0).abs()
    };
    median(
        triples(frames).map(|three| {
            second(|f| f.pose_gap_deg[0], three) + second(|f| f.pose_gap_deg[1], three)
        }),
    )
}

/// How still the eyelids are: the reciprocal of the relative spread of their opening. A living eye
/// blinks and follows.
pub(super) fn eye_stillness(frames: &[&Frame]) -> Option<f32> {
    let openings: Vec<f32> = frames
        .iter()
        .filter_map(|frame| frame.face.as_ref())
        .map(|face| face.eye_opening)
        .collect();
    let seconds = frames
        .last()?
        .timestamp_us
        .saturating_sub(frames.first()?.timestamp_us) as f32
        * 1e-6;
    if seconds < LEAST_EYE_SECONDS || openings.len() < 20 {
        return None;
    }
    let mean = openings.iter().sum::<f32>() / openings.len() as f32;
    let variance = openings
        .iter()
        .map(|o| (o - mean) * (o - mean))
        .sum::<f32>()
        / openings.len() as f32;
    Some(mean / variance.sqrt().max(1e-3))
}

/// People blink every two to ten seconds.
const LEAST_EYE_SECONDS: f32 = 4.0;

/// The mean distance of `to` from the least-squares affine image of `from`.
fn residual(from: &[Point], to: &[Point]) -> f32 {
    let (p, q) = (
        Point::mean(from.iter().copied()),
        Point::mean(to.iter().copied()),
    );
    let centred = || {
        from.iter()
            .zip(to)
            .map(|(f, t)| (f.x - p.x, f.y - p.y, t.x - q.x, t.y - q.y))
    };
    let mut sums = [0.0f32; 7];
    for (fx, fy, tx, ty) in centred() {
        for (sum, term) in sums.iter_mut().zip([
            fx * fx,
            fx * fy,
            fy * fy,
            fx * tx,
            fy * tx,
            fx * ty,
            fy * ty,
        ]) {
            *sum += term;
        }
    }
    let [xx, xy, yy, xu, yu, xv, yv] = sums;
    let determinant = xx * yy - xy * xy;
    if determinant <= f32::MIN_POSITIVE {
        return 0.0;
    }
    let (a, b) = (
        (xu * yy - yu * xy) / determinant,
        (yu * xx - xu * xy) / determinant,
    );
    let (c, d) = (
        (xv * yy - yv * xy) / determinant,
        (yv * xx - xv * xy) / determinant,
    );
    let total: f32 = centred()
        .map(|(fx, fy, tx, ty)| {
            Point::new(a * fx + b * fy, c * fx + d * fy).distance(Point::new(tx, ty))
        })
        .sum();
    total / from.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_affine_motion_leaves_nothing() {
        let from: Vec<Point> = (0..20)
            .map(|i| Point::new((i * 7 % 13) as f32, (i * 5 % 11) as f32))
            .collect();
        let moved =
            |p: &Point| Point::new(1.2 * p.x - 0.3 * p.y + 5.0, 0.1 * p.x + 0.9 * p.y - 2.0);
        let to: Vec<Point> = from.iter().map(moved).collect();
        assert!(residual(&from, &to) < 1e-4);
        let mut bent = to.clone();
        bent[3].x += 2.0;
        assert!(residual(&from, &bent) > 0.1);
        assert_eq!(
            residual(&[Point::default(); 5], &[Point::default(); 5]),
            0.0
        );
    }
}
