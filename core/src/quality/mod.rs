//! How fit a face sample is for comparison: the component measures of ISO/IEC 29794-5 that need no
//! further network.
//!
//! Every component is 0..=100, higher is better, a piecewise-linear map of a raw value that is kept
//! beside it. The ends of the maps lie where the component tells good from bad: their upper ends
//! are near the better quarter of LFW View 1, on which discarding the worst fifth by the unified
//! score nearly halves the false non-matches.

mod detail;
mod expression;
mod framing;
mod light;
mod pose;

use crate::align::{AlignedFace, landmark};
use crate::geometry::{Point, Similarity};
use crate::image::Planar;
use crate::spare::{Buffer, FLAGS, FLOATS};
use serde::Serialize;

/// One component of quality.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measure {
    /// Stable name, after ISO/IEC 29794-5.
    pub name: &'static str,
    /// What was measured, in the unit that `unit` names.
    pub raw: f32,
    /// Unit of `raw`.
    pub unit: &'static str,
    /// 0..=100, higher is better.
    pub score: u8,
}

/// The components and the unified score of one face sample.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QualityReport {
    /// Unified quality score, 0..=100: how much of it the weakest components leave.
    pub unified: u8,
    /// The components, in a fixed order.
    pub components: Vec<Measure>,
}

impl QualityReport {
    /// Returns the component of that name.
    pub fn component(&self, name: &str) -> Option<&Measure> {
        self.components.iter().find(|measure| measure.name == name)
    }
}

/// The face upright at a fixed size, and which of its pixels are skin inside the outline.
struct Canvas {
    /// Luminance (BT.709) in 0..=255, rows from the top.
    luminance: Buffer<f32>,
    inside: Buffer<bool>,
}

/// Side of the canvas in pixels; the eyes are 56 pixels apart, so that a face of that size is
/// neither enlarged nor reduced.
const SIDE: usize = 144;
const EYES_APART: f32 = 56.0;

impl Canvas {
    fn of(face: &AlignedFace<'_>) -> Canvas {
        let [left, right] = face.eye_centres();
        let middle = SIDE as f32 / 2.0;
        let standard = [
            Point::new(middle - EYES_APART / 2.0, 52.0),
            Point::new(middle + EYES_APART / 2.0, 52.0),
        ];
        let to_canvas = Similarity::fit(&[left, right], &standard);
        let form = Planar::pixels(SIDE, SIDE);
        let mut rgb = FLOATS.take(form.len());
        face.pyramid().sample(&to_canvas.inverse(), &form, &mut rgb);
        let plane = SIDE * SIDE;
        let luminance = FLOATS.collect(
            (0..plane)
                .map(|i| 0.2126 * rgb[i] + 0.7152 * rgb[plane + i] + 0.0722 * rgb[2 * plane + i]),
        );
        let outline = landmark::OVAL.map(|i| to_canvas.apply(face.points()[i]));
        Canvas {
            luminance,
            inside: fill(&outline),
        }
    }

    /// A face that fills the canvas.
    #[cfg(test)]
    fn drawn(luminance: impl FnMut(usize) -> f32) -> Canvas {
        Canvas {
            luminance: FLOATS.collect((0..SIDE * SIDE).map(luminance)),
            inside: FLAGS.collect((0..SIDE * SIDE).map(|_| true)),
        }
    }

    fn skin(&self) -> impl Iterator<Item = f32> + '_ {
        self.luminance
            .iter()
            .zip(&self.inside[..])
            .filter(|(_, inside)| **inside)
            .map(|(v, _)| *v)
    }
}

/// The pixels whose centre lies inside a polygon (even-odd rule).
fn fill(polygon: &[Point]) -> Buffer<bool> {
    let mut inside = FLAGS.take(SIDE * SIDE);
    for (i, p) in polygon.iter().enumerate() {
        let q = polygon[(i + 1) % polygon.len()];
        for y in 0..SIDE {
            let centre = y as f32 + 0.5;
            if (p.y > centre) == (q.y > centre) {
                continue;
            }
            let crossing = p.x + (centre - p.y) / (q.y - p.y) * (q.x - p.x);
            let first = (crossing - 0.5).ceil().clamp(0.0, SIDE as f32) as usize;
            inside[y * SIDE + first..(y + 1) * SIDE]
                .iter_mut()
                .for_each(|v| *v = !*v);
        }
    }
    inside
}

/// Measures a face. `others` is how many further faces of similar size the picture holds.
pub(crate) fn assess(face: &AlignedFace<'_>, others: usize) -> QualityReport {
    let canvas = Canvas::of(face);
    let mut components = Vec::with_capacity(20);
    light::measure(&canvas, &mut components);
    detail::measure(face, &canvas, &mut components);
    framing::measure(face, others, &mut components);
    pose::measure(&face.pose(), &mut components);
    expression::measure(face, &mut components);
    QualityReport {
        unified: unify(&components),
        components,
    }
}

/// The mean of the three lowest components: a sample is as good as what is worst about it, without
/// one measure deciding alone.
fn unify(components: &[Measure]) -> u8 {
    let mut worst = [100u8; 3];
    for component in components {
        if component.score < worst[2] {
            worst[2] = component.score;
            worst.sort_unstable();
        }
    }
    (worst.iter().map(|&s| f32::from(s)).sum::<f32>() / 3.0 + 0.5) as u8
}

/// A component whose score is 0 at `none`, 100 at `full`, and linear between (either may be the
/// larger).
fn ramp(name: &'static str, raw: f32, unit: &'static str, none: f32, full: f32) -> Measure {
    let share = ((raw - none) / (full - none)).clamp(0.0, 1.0);
    Measure {
        name,
        raw,
        unit,
        score: (share * 100.0 + 0.5) as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_works_both_ways_and_saturates() {
        assert_eq!(ramp("up", 5.0, "", 0.0, 10.0).score, 50);
        assert_eq!(ramp("down", 2.0, "", 10.0, 0.0).score, 80);
        assert_eq!(ramp("over", 99.0, "", 0.0, 10.0).score, 100);
        assert_eq!(ramp("nan", f32::NAN, "", 0.0, 10.0).score, 0);
    }

    #[test]
    fn a_square_is_filled_exactly() {
        let square = [
            Point::new(10.0, 20.0),
            Point::new(30.0, 20.0),
            Point::new(30.0, 50.0),
            Point::new(10.0, 50.0),
        ];
        let inside = fill(&square);
        assert_eq!(inside.iter().filter(|v| **v).count(), 20 * 30);
        assert!(inside[20 * SIDE + 10] && !inside[19 * SIDE + 10] && !inside[20 * SIDE + 30]);
    }

    #[test]
    fn unified_is_the_mean_of_the_three_worst() {
        let scores = [90, 10, 100, 20, 60];
        let components: Vec<Measure> = scores
            .iter()
            .map(|&score| Measure {
                name: "",
                raw: 0.0,
                unit: "",
                score,
            })
            .collect();
        assert_eq!(unify(&components), 30);
    }
}
