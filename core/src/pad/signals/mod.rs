//! Classical evidence of a print or a display, each signal one named number.
//!
//! Luma is 0.299 R + 0.587 G + 0.114 B of code values over 255. Chroma is blue and red less luma.
//! Logarithms are to base 10.

mod border;
mod colour;
mod focus;
mod frequency;
mod specular;

use crate::geometry::Rect;
use crate::image::{Planar, Pyramid};
use crate::pad::crop::Square;
use crate::spare::{Buffer, FLOATS};
use frequency::Spectrum;
use std::ops::Range;
use vultus_nn::kernel::{Kernel, Kernels, LANES, Simd};

/// The signals, in the order of their values.
pub(super) const NAMES: [&str; 8] = [
    "moire-peak",
    "chroma-noise",
    "saturation",
    "blue-shift",
    "specular",
    "focus-plane",
    "border-sides",
    "border-ends",
];

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

/// The square about the face, `FACE_SIDE` wide: values of 0..=1.
struct Face<'a> {
    rgb: [&'a [f32]; 3],
    luma: Buffer<f32>,
    /// Blue less luma.
    blueness: Buffer<f32>,
    /// Red less luma.
    redness: Buffer<f32>,
}

/// The face with its surroundings, and the pixels that its box covers.
struct Around {
    luma: Buffer<f32>,
    side: usize,
    columns: Range<i32>,
    rows: Range<i32>,
}

impl Signals {
    pub(super) fn new() -> Self {
        Signals {
            spectrum: Spectrum::new(),
        }
    }

    /// Measures the face at `bounds` and `around`, the picture with its surroundings as `form` made
    /// it of `square`.
    pub(super) fn measure(
        &self,
        pyramid: &Pyramid<'_>,
        bounds: &Rect,
        square: &Square,
        around: &[f32],
        form: &Planar,
    ) -> [f32; NAMES.len()] {
        let Square { left, top, side } = Square::about(
            bounds,
            1.0,
            pyramid.image().width(),
            pyramid.image().height(),
        );
        let pixels = Planar::pixels(FACE_SIDE, FACE_SIDE);
        let mut face = FLOATS.take(pixels.len());
        pyramid.shrink(left, top, side, &pixels, &mut face);
        let mut values = [0.0; NAMES.len()];
        let bounds = square.place(bounds, form.width);
        Kernels::best().run(Measure {
            spectrum: &self.spectrum,
            face: &mut face,
            around,
            form,
            bounds,
            values: &mut values,
        });
        values
    }
}

/// Everything that is measured, compiled for the CPU at hand.
struct Measure<'a> {
    spectrum: &'a Spectrum,
    face: &'a mut [f32],
    around: &'a [f32],
    form: &'a Planar,
    /// The face in `around`.
    bounds: Rect,
    values: &'a mut [f32; NAMES.len()],
}

impl Kernel for Measure<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.face.iter_mut().for_each(|value| *value = code(*value));
        let (face, around) = (
            Face::of(self.face),
            Around::of(self.around, self.form, &self.bounds),
        );
        *self.values = [
            self.spectrum.moire_peak(&face.luma),
            colour::chroma_noise(&face),
            colour::saturation(&face),
            colour::blue_shift(&face),
            specular::highlights(&face),
            focus::plane(&around),
            border::sides(&around),
            border::ends(&around),
        ];
    }
}

impl<'a> Face<'a> {
    #[inline(always)]
    fn of(planes: &'a [f32]) -> Self {
        let rgb = thirds(planes);
        let luma = luma(rgb, |value| value);
        let chroma =
            |plane: &[f32]| FLOATS.collect(plane.iter().zip(&luma[..]).map(|(v, y)| v - y));
        Face {
            rgb,
            blueness: chroma(rgb[2]),
            redness: chroma(rgb[0]),
            luma,
        }
    }
}

impl Around {
    #[inline(always)]
    fn of(planes: &[f32], form: &Planar, bounds: &Rect) -> Self {
        let edge = |v: f32| v.round_ties_even() as i32;
        let (left, top) = (edge(bounds.x), edge(bounds.y));
        Around {
            luma: luma(thirds(planes), |value| {
                code((value - form.offset) / form.scale)
            }),
            side: form.width,
            columns: left..left + edge(bounds.width),
            rows: top..top + edge(bounds.height),
        }
    }
}

#[inline(always)]
fn thirds(planes: &[f32]) -> [&[f32]; 3] {
    let (red, rest) = planes.split_at(planes.len() / 3);
    let (green, blue) = rest.split_at(red.len());
    [red, green, blue]
}

#[inline(always)]
fn luma([red, green, blue]: [&[f32]; 3], code: impl Fn(f32) -> f32) -> Buffer<f32> {
    FLOATS.collect(
        red.iter()
            .zip(green)
            .zip(blue)
            .map(|((r, g), b)| 0.299 * code(*r) + 0.587 * code(*g) + 0.114 * code(*b)),
    )
}

/// A pixel as a camera gives it: a whole number of 255 steps, here over 255.
#[inline(always)]
fn code(value: f32) -> f32 {
    (value + 0.5).floor() / 255.0
}

/// Writes the Laplacian (four neighbours) of the inner pixels of row `y` of a square plane, and
/// returns it.
#[inline(always)]
fn edges<'a>(plane: &[f32], side: usize, y: usize, out: &'a mut [f32; FACE_SIDE]) -> &'a [f32] {
    let row = |y: usize, x: usize| &plane[y * side + x..][..side - 2];
    let (above, left, here, right, below) = (
        row(y - 1, 1),
        row(y, 0),
        row(y, 1),
        row(y, 2),
        row(y + 1, 1),
    );
    let out = &mut out[..side - 2];
    for (i, edge) in out.iter_mut().enumerate() {
        *edge = above[i] + below[i] + left[i] + right[i] - 4.0 * here[i];
    }
    out
}

/// Sums `term` over planes side by side, in lanes whose order does not depend on the instruction
/// set.
#[inline(always)]
fn sum<const N: usize>(planes: [&[f32]; N], term: impl Fn([f32; N]) -> f32) -> f32 {
    let parts = planes.map(|plane| plane.as_chunks::<LANES>());
    let mut lanes = [0.0f32; LANES];
    for at in 0..parts[0].0.len() {
        let chunks = parts.map(|(whole, _)| whole[at]);
        lanes
            .iter_mut()
            .enumerate()
            .for_each(|(i, lane)| *lane += term(chunks.map(|chunk| chunk[i])));
    }
    let rest = (0..parts[0].1.len()).map(|i| term(parts.map(|(_, rest)| rest[i])));
    lanes.iter().sum::<f32>() + rest.sum::<f32>()
}

fn log10(value: f32) -> f32 {
    libm::log10f(value + EPS)
}
