//! The picture in grey, seen through any affine map.

use crate::geometry::Point;
use crate::image::Pyramid;

/// Red, green and blue in luma (ITU-R BT.601), as the networks were trained.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

pub(super) struct Grey<'a> {
    pyramid: &'a Pyramid<'a>,
}

/// A place on the output to a place in the picture: the corner of the output, and a step to the
/// right and down.
#[derive(Clone, Copy)]
pub(super) struct Affine {
    pub(super) origin: Point,
    pub(super) across: Point,
    pub(super) down: Point,
}

impl Affine {
    pub(super) fn apply(&self, x: f32, y: f32) -> Point {
        Point::new(
            self.origin.x + self.across.x * x + self.down.x * y,
            self.origin.y + self.across.y * x + self.down.y * y,
        )
    }

    /// The map that takes `at` of the output to `to`.
    pub(super) fn through(across: Point, down: Point, [x, y]: [f32; 2], to: Point) -> Affine {
        Affine {
            origin: Point::new(
                to.x - across.x * x - down.x * y,
                to.y - across.y * x - down.y * y,
            ),
            across,
            down,
        }
    }
}

impl<'a> Grey<'a> {
    pub(super) fn of(pyramid: &'a Pyramid<'a>) -> Grey<'a> {
        Grey { pyramid }
    }

    pub(super) fn size(&self) -> [f32; 2] {
        [self.pyramid.width(), self.pyramid.height()]
    }

    /// Fills `out`, rows of `width`, with levels of 0..=255: bilinear on the level of the pyramid
    /// at which a step is one to two pixels; the edge goes on outside.
    pub(super) fn sample(&self, map: &Affine, width: usize, out: &mut [f32]) {
        let area = (map.across.x * map.down.y - map.across.y * map.down.x).abs();
        let (scale, columns, rows, rgb) = self.pyramid.level(area.sqrt());
        let luma = |x: usize, y: usize| {
            let at = (y * columns + x) * 3;
            LUMA[0] * f32::from(rgb[at])
                + LUMA[1] * f32::from(rgb[at + 1])
                + LUMA[2] * f32::from(rgb[at + 2])
        };
        let (right, bottom) = (columns as f32 - 1.0, rows as f32 - 1.0);
        for (y, row) in out.chunks_exact_mut(width).enumerate() {
            for (x, value) in row.iter_mut().enumerate() {
                let at = map.apply(x as f32 + 0.5, y as f32 + 0.5);
                let px = (at.x * scale - 0.5).clamp(0.0, right);
                let py = (at.y * scale - 0.5).clamp(0.0, bottom);
                let (left, top) = (px as usize, py as usize);
                let (dx, dy) = (px - left as f32, py - top as f32);
                let (next, below) = ((left + 1).min(columns - 1), (top + 1).min(rows - 1));
                let upper = luma(left, top) * (1.0 - dx) + luma(next, top) * dx;
                let lower = luma(left, below) * (1.0 - dx) + luma(next, below) * dx;
                *value = upper * (1.0 - dy) + lower * dy;
            }
        }
    }
}

/// Spreads the levels between the darkest and the lightest hundredth over -1..=1; black is taken
/// for what is no picture.
pub(super) fn stretch(levels: &mut [f32]) {
    let mut counts = [0usize; 256];
    for level in levels.iter().filter(|level| **level > 0.0) {
        counts[(*level as usize).min(255)] += 1;
    }
    let all: usize = counts.iter().sum();
    let rank = |share: f32| {
        let mut left = (share * all as f32) as usize;
        let found = counts.iter().position(|&count| {
            let is_here = count > left;
            left = left.saturating_sub(count);
            is_here
        });
        found.unwrap_or(0) as f32
    };
    let (low, high) = (rank(0.01), rank(0.99));
    let gain = 255.0 / (high - low).max(40.0);
    for level in levels {
        *level = ((*level - low) * gain).clamp(0.0, 255.0) / 127.5 - 1.0;
    }
}
