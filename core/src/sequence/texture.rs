//! Fine texture of the skin: what a network paints or a warp interpolates is smoother, or noisier,
//! than the skin beside it.

use super::frame::{Frame, luminance};
use super::region::{FOREHEAD, LEFT_CHEEK, NOSE, Patch, RIGHT_CHEEK};
use crate::align::AlignedFace;
use crate::geometry::{Point, Rect, Similarity};
use crate::image::{Planar, Pyramid};
use crate::spare::{FLOATS, POINTS};

/// Log ratios of residual energy against the forehead, which most manipulations leave alone: cheeks
/// and nose at the scale of the pixels, then both at half of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Texture(pub(super) [f32; 4]);

/// Residuals of a flat area lie below the noise of eight bits; log(energy + floor) does not run
/// away there.
const FLOOR: f32 = 0.01;
/// Pixels that a patch must have.
const LEAST_PIXELS: usize = 30;
/// The share of a patch's pixels, smoothest first, that counts: hair and edges are left out.
const SMOOTH_SHARE: f32 = 0.75;

impl Texture {
    pub(super) fn of(face: &AlignedFace<'_>) -> Option<Texture> {
        let mut ratios = [0.0; 4];
        for (band, pair) in ratios.chunks_exact_mut(2).enumerate() {
            let energy =
                |patches: &[(&[usize], f32)]| patch_energy(face, patches, (1 << band) as f32);
            let forehead = energy(&[FOREHEAD])?;
            pair[0] = energy(&[LEFT_CHEEK, RIGHT_CHEEK])? - forehead;
            pair[1] = energy(&[NOSE])? - forehead;
        }
        Some(Texture(ratios))
    }
}

/// The log of the mean squared residual over the smoother pixels of the patches, seen at one pixel
/// in `step`.
fn patch_energy(face: &AlignedFace<'_>, patches: &[(&[usize], f32)], step: f32) -> Option<f32> {
    let mut squares = Vec::new();
    for &around in patches {
        residuals(face.pyramid(), face.points(), around, step, &mut squares);
    }
    if squares.len() < LEAST_PIXELS {
        return None;
    }
    let count = (squares.len() as f32 * SMOOTH_SHARE) as usize;
    squares.sort_unstable_by(f32::total_cmp);
    // What lies above the limit counts as the limit, so that its number matters and not its height.
    let limit = squares[count];
    let mean = squares.iter().map(|&square| square.min(limit)).sum::<f32>() / squares.len() as f32;
    Some(libm::logf(mean + FLOOR))
}

/// Appends the squared second difference in x and y of the luminance at each pixel of the patch.
fn residuals(
    pyramid: &Pyramid<'_>,
    points: &[Point],
    around: (&[usize], f32),
    step: f32,
    into: &mut Vec<f32>,
) {
    let bounds = Rect::around(around.0.iter().map(|&i| points[i]));
    let (left, top) = (
        (bounds.x / step).floor() - 1.0,
        (bounds.y / step).floor() - 1.0,
    );
    let (width, height) = (
        (bounds.width / step) as usize + 4,
        (bounds.height / step) as usize + 4,
    );
    if width > MOST_SIDE || height > MOST_SIDE {
        return;
    }
    let form = Planar::pixels(width, height);
    let mut planes = FLOATS.take(form.len());
    let map = Similarity {
        a: step,
        b: 0.0,
        tx: left * step,
        ty: top * step,
    };
    pyramid.sample(&map, &form, &mut planes);
    let plane = width * height;
    let grey = FLOATS.collect(
        (0..plane).map(|i| luminance([planes[i], planes[plane + i], planes[2 * plane + i]])),
    );
    let local = POINTS.collect(
        points
            .iter()
            .map(|p| Point::new(p.x / step - left, p.y / step - top)),
    );
    for (y, first, end) in Patch::of(&local, around).rows(width, height) {
        if y == 0 || y + 1 >= height {
            continue;
        }
        for x in first.max(1)..end.min(width - 1) {
            let row = |y: usize| {
                grey[y * width + x - 1] - 2.0 * grey[y * width + x] + grey[y * width + x + 1]
            };
            let residual = (row(y - 1) - 2.0 * row(y) + row(y + 1)) / 4.0;
            into.push(residual * residual);
        }
    }
}

/// Larger patches are of faces that fill a picture of many megapixels; their noise says little and
/// costs much.
const MOST_SIDE: usize = 1_024;

/// Median and standard deviation of each ratio over bona fide clips (`models/sequence/evaluate.py`
/// measures them).
const USUAL: [(f32, f32); 4] = [(-0.02, 0.33), (0.42, 0.21), (0.07, 0.42), (0.68, 0.40)];

/// The greatest deviation of a ratio, in the median of the frames, from what is usual, in standard
/// deviations.
pub(super) fn imbalance(frames: &[&Frame]) -> Option<f32> {
    let deviation = |(i, (usual, spread)): (usize, &(f32, f32))| {
        let ratio = super::median(
            frames
                .iter()
                .filter_map(|frame| frame.texture.as_ref())
                .map(|texture| texture.0[i]),
        )?;
        Some((ratio - usual).abs() / spread)
    };
    USUAL
        .iter()
        .enumerate()
        .filter_map(deviation)
        .max_by(f32::total_cmp)
}
