//! Classical evidence of a print or a display, each signal one named number.
//!
//! Luma is 0.299 R + 0.587 G + 0.114 B of code values over 255. Chroma is blue and red less luma. Logarithms are to base 10.

mod border;
mod colour;
mod focus;
mod frequency;
mod specular;

use crate::geometry::Rect;
use crate::image::{Planar, Pyramid};
use crate::pad::crop::Square;
use frequency::Spectrum;
use std::ops::Range;

/// The signals, in the order of their values.
pub(super) const NAMES: [&str; 8] =
    ["moire-peak", "chroma-noise", "saturation", "blue-shift", "specular", "focus-plane", "border-sides", "border-ends"];

/// What a value is measured in.
pub(super) const UNITS: [&str; 8] = [
    "log10 of power over the median of its ring",
    "log10 of chroma over luma edges",
    "mean distance from grey over luma",
    "log10 of blue over red",
    "share of the face",
    "log10 of edges of the face over edges around it",
    "log10 of the straightest edge over the mean",
    "log10 of the straightest edge over the mean",
];

/// Side of the face's own picture in pixels.
pub(super) const FACE_SIDE: usize = 128;

const EPS: f32 = 1e-6;

/// The tables that the signals need.
pub(super) struct Signals {
    spectrum: Spectrum,
}

/// The square about the face, `FACE_SIDE` wide.
struct Face {
    luma: Vec<f32>,
    /// Blue less luma.
    blueness: Vec<f32>,
    /// Red less luma.
    redness: Vec<f32>,
}

/// The face with its surroundings, and the pixels that its box covers.
struct Around {
    luma: Vec<f32>,
    side: usize,
    columns: Range<i32>,
    rows: Range<i32>,
}

impl Signals {
    pub(super) fn new() -> Self {
        Signals { spectrum: Spectrum::new() }
    }

    /// Measures the face at `bounds` and `around`, the picture with its surroundings as `form` made it of `square`.
    pub(super) fn measure(
        &self,
        pyramid: &Pyramid<'_>,
        bounds: &Rect,
        square: &Square,
        around: &[f32],
        form: &Planar,
    ) -> [f32; NAMES.len()] {
        let face = Face::of(pyramid, bounds);
        let around = Around::of(around, form, &square.place(bounds, form.width));
        [
            self.spectrum.moire_peak(&face.luma),
            colour::chroma_noise(&face),
            colour::saturation(&face),
            colour::blue_shift(&face),
            specular::highlights(&face),
            focus::plane(&around),
            border::sides(&around),
            border::ends(&around),
        ]
    }
}

impl Face {
    fn of(pyramid: &Pyramid<'_>, bounds: &Rect) -> Self {
        let Square { left, top, side } = Square::about(bounds, 1.0, pyramid.image().width(), pyramid.image().height());
        let form = Planar::pixels(FACE_SIDE, FACE_SIDE);
        let mut planes = vec![0.0; form.len()];
        pyramid.shrink(left, top, side, &form, &mut planes);
        let luma = luma(&planes, code);
        let chroma = |plane: &[f32]| plane.iter().zip(&luma).map(|(v, y)| code(*v) - y).collect();
        let pixels = FACE_SIDE * FACE_SIDE;
        Face { blueness: chroma(&planes[2 * pixels..]), redness: chroma(&planes[..pixels]), luma }
    }
}

impl Around {
    fn of(planes: &[f32], form: &Planar, bounds: &Rect) -> Self {
        let edge = |v: f32| v.round_ties_even() as i32;
        let (left, top) = (edge(bounds.x), edge(bounds.y));
        Around {
            luma: luma(planes, |v| code((v - form.offset) / form.scale)),
            side: form.width,
            columns: left..left + edge(bounds.width),
            rows: top..top + edge(bounds.height),
        }
    }
}

/// A pixel as a camera gives it: a whole number of 255 steps, here over 255.
fn code(value: f32) -> f32 {
    f32::from((value + 0.5) as u8) / 255.0
}

fn luma(planes: &[f32], code: impl Fn(f32) -> f32) -> Vec<f32> {
    let (red, rest) = planes.split_at(planes.len() / 3);
    let (green, blue) = rest.split_at(red.len());
    red.iter().zip(green).zip(blue).map(|((r, g), b)| 0.299 * code(*r) + 0.587 * code(*g) + 0.114 * code(*b)).collect()
}

/// The Laplacian (four neighbours) of the inner pixels of a square plane.
fn edges(plane: &[f32], side: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity((side - 2) * (side - 2));
    for y in 1..side - 1 {
        let row = |y: usize| &plane[y * side..(y + 1) * side];
        let (above, here, below) = (row(y - 1), row(y), row(y + 1));
        out.extend((1..side - 1).map(|x| above[x] + below[x] + here[x - 1] + here[x + 1] - 4.0 * here[x]));
    }
    out
}

fn mean_square(values: &[f32]) -> f32 {
    values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32
}

fn log10(value: f32) -> f32 {
    libm::log10f(value + EPS)
}
