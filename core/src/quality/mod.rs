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

use crate::align::{AlignedFace, landmark};
use crate::evidence::{Component, Measure, QualityReport};
use crate::geometry::{Point, Similarity};
use crate::image::Planar;
use crate::spare::{Buffer, FLAGS, FLOATS};
use detail::{jpeg_quality, sharpness};
use expression::{eye_opening, mouth_opening};
use framing::Framing;
use light::{Light, entropy, uniformity};

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
    let (light, framing, pose) = (Light::of(&canvas), Framing::of(face), face.pose());
    let components = std::array::from_fn(|place| {
        let component = Component::ALL[place];
        match component {
            Component::IlluminationUniformity => ramp(component, uniformity(&canvas), 0.15, 0.7),
            Component::UnderExposurePrevention => ramp(component, light.dark, 0.3, 0.0),
            Component::OverExposurePrevention => ramp(component, light.bright, 0.3, 0.02),
            Component::DynamicRange => ramp(component, entropy(&canvas), 4.0, 6.5),
            Component::Sharpness => ramp(component, sharpness(&canvas), 0.6, 8.0),
            Component::CompressionArtefacts => ramp(component, jpeg_quality(face), 10.0, 75.0),
            Component::SingleFacePresent => ramp(component, others as f32, 1.0, 0.0),
            Component::InterEyeDistance => ramp(component, face.inter_eye_px(), 12.0, 45.0),
            Component::FaceInsidePicture => ramp(component, framing.inside, 0.85, 1.0),
            Component::LeftwardCrop => ramp(component, framing.left, -0.3, 0.1),
            Component::RightwardCrop => ramp(component, framing.right, -0.3, 0.1),
            Component::MarginAbove => ramp(component, framing.above, -0.3, 0.1),
            Component::MarginBelow => ramp(component, framing.below, -0.3, 0.1),
            Component::HeadPoseYaw => ramp(component, pose.yaw_deg.abs(), 50.0, 10.0),
            Component::HeadPosePitch => ramp(component, pose.pitch_deg.abs(), 30.0, 2.0),
            Component::HeadPoseRoll => ramp(component, pose.roll_deg.abs(), 60.0, 15.0),
            Component::EyesOpen => ramp(component, eye_opening(face), 0.12, 0.3),
            Component::MouthClosed => ramp(component, mouth_opening(face), 0.5, 0.12),
        }
    });
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
fn ramp(name: Component, raw: f32, none: f32, full: f32) -> Measure {
    let share = ((raw - none) / (full - none)).clamp(0.0, 1.0);
    Measure {
        name,
        raw,
        unit: name.unit(),
        score: (share * 100.0 + 0.5) as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_works_both_ways_and_saturates() {
        let score = |raw, none, full| ramp(Component::Sharpness, raw, none, full).score;
        assert_eq!(score(5.0, 0.0, 10.0), 50);
        assert_eq!(score(2.0, 10.0, 0.0), 80);
        assert_eq!(score(99.0, 0.0, 10.0), 100);
        assert_eq!(score(f32::NAN, 0.0, 10.0), 0);
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
                score,
                ..ramp(Component::Sharpness, 0.0, 0.0, 1.0)
            })
            .collect();
        assert_eq!(unify(&components), 30);
    }
}
