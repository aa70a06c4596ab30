//! Pixels of interleaved 8-bit RGB: read between pixel centres, and averaged four to one.

use super::{Kernel, Simd};
use crate::spare::{Buffer, FLOATS, PLACES};
use std::ops::Range;

/// Reads a picture along parallel lines, bilinear between pixel centres at integer coordinates;
/// black outside.
pub struct Sample<'a, F: Fn(usize) -> [f32; 2]> {
    /// The picture.
    pub rgb: &'a [u8],
    /// Height and width of the picture.
    pub size: [usize; 2],
    /// Returns where the first pixel of an output row lies: x, y.
    pub start: F,
    /// From one pixel of a row to the next: x, y.
    pub step: [f32; 2],
    /// What a value is multiplied by, and what is added.
    pub affine: [f32; 2],
    /// Red, green and blue, in rows of `columns`.
    pub planes: [&'a mut [f32]; 3],
    /// Pixels of an output row.
    pub columns: usize,
}

impl<F: Fn(usize) -> [f32; 2]> Kernel for Sample<'_, F> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let ([height, width], columns) = (self.size, self.columns);
        assert_eq!(self.rgb.len(), height * width * 3);
        let [red, green, blue] = self.planes;
        let rows = red
            .chunks_exact_mut(columns)
            .zip(green.chunks_exact_mut(columns))
            .zip(blue.chunks_exact_mut(columns));
        for (y, ((red, green), blue)) in rows.enumerate() {
            let [x0, y0] = (self.start)(y);
            for (x, ((red, green), blue)) in red.iter_mut().zip(green).zip(blue).enumerate() {
                let at = [x0 + self.step[0] * x as f32, y0 + self.step[1] * x as f32];
                let pixel = bilinear(self.rgb, width, height, at);
                [*red, *green, *blue] = pixel.map(|value| value * self.affine[0] + self.affine[1]);
            }
        }
    }
}

/// Reads a picture between pixel centres at integer coordinates; black outside.
#[inline(always)]
fn bilinear(rgb: &[u8], width: usize, height: usize, [x, y]: [f32; 2]) -> [f32; 3] {
    let (fx, fy) = (x.floor(), y.floor());
    let (wx, wy) = (x - fx, y - fy);
    let (ix, iy) = (fx as isize, fy as isize);
    let mix = |[p, q, r, s]: [f32; 4]| {
        let (upper, lower) = (p + (q - p) * wx, r + (s - r) * wx);
        upper + (lower - upper) * wy
    };
    if ix >= 0 && iy >= 0 && ix + 1 < width as isize && iy + 1 < height as isize {
        let at = (iy as usize * width + ix as usize) * 3;
        let (top, bottom) = (&rgb[at..at + 6], &rgb[at + width * 3..at + width * 3 + 6]);
        std::array::from_fn(|c| mix([top[c], top[c + 3], bottom[c], bottom[c + 3]].map(f32::from)))
    } else {
        let pixel = |x: isize, y: isize, c: usize| {
            let inside = x >= 0 && y >= 0 && x < width as isize && y < height as isize;
            if inside {
                f32::from(rgb[(y as usize * width + x as usize) * 3 + c])
            } else {
                0.0
            }
        };
        std::array::from_fn(|c| {
            mix([
                pixel(ix, iy, c),
                pixel(ix + 1, iy, c),
                pixel(ix, iy + 1, c),
                pixel(ix + 1, iy + 1, c),
            ])
        })
    }
}

/// The inputs that each output sums along one axis, and by which weights.
pub struct Filter {
    /// For each output: the first input, and the one after the last.
    spans: Buffer<usize>,
    /// As many for each output as the longest span may have.
    weights: Buffer<f32>,
    most: usize,
}

impl Filter {
    /// A filter of `count` outputs that sum `most` inputs at the most.
    pub fn new(count: usize, most: usize) -> Self {
        Filter {
            spans: PLACES.take(2 * count),
            weights: FLOATS.take(count * most),
            most,
        }
    }

    /// Lets output `at` sum the inputs `span`, and returns their weights, to be set. Spans move to
    /// the right.
    pub fn set(&mut self, at: usize, span: Range<usize>) -> &mut [f32] {
        self.spans[2 * at..][..2].copy_from_slice(&[span.start, span.end]);
        &mut self.weights[at * self.most..][..span.len()]
    }

    /// The first input and the weights from there on of each output.
    #[inline(always)]
    fn taps(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.spans()
            .iter()
            .zip(self.weights.chunks_exact(self.most))
            .map(|(&[first, end], weights)| (first, &weights[..end - first]))
    }

    #[inline(always)]
    fn spans(&self) -> &[[usize; 2]] {
        self.spans.as_chunks().0
    }
}

/// Sums pixels by weights along rows and columns.
pub struct Shrink<'a> {
    /// The picture.
    pub rgb: &'a [u8],
    /// Width of the picture.
    pub width: usize,
    /// What each output column sums.
    pub columns: &'a Filter,
    /// What each output row sums.
    pub rows: &'a Filter,
    /// What a value is multiplied by, and what is added.
    pub affine: [f32; 2],
    /// Red, green and blue.
    pub planes: [&'a mut [f32]; 3],
}

impl Kernel for Shrink<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let mut planes = self.planes;
        let (Some(&[from, _]), Some(&[_, end])) =
            (self.columns.spans().first(), self.columns.spans().last())
        else {
            return;
        };
        let mut line = FLOATS.take(3 * (end - from));
        for (y, (first_row, weights)) in self.rows.taps().enumerate() {
            line.fill(0.0);
            for (i, weight) in weights.iter().enumerate() {
                let row = (first_row + i) * self.width;
                for (sum, &value) in line
                    .iter_mut()
                    .zip(&self.rgb[3 * (row + from)..3 * (row + end)])
                {
                    *sum += weight * f32::from(value);
                }
            }
            for (x, (first, weights)) in self.columns.taps().enumerate() {
                let mut sums = [0.0f32; 3];
                for (weight, pixel) in weights
                    .iter()
                    .zip(line[(first - from) * 3..].as_chunks::<3>().0)
                {
                    (0..3).for_each(|c| sums[c] += weight * pixel[c]);
                }
                for (plane, sum) in planes.iter_mut().zip(sums) {
                    plane[y * self.columns.spans().len() + x] =
                        sum * self.affine[0] + self.affine[1];
                }
            }
        }
    }
}

/// Halves a picture: each pixel the rounded mean of four. An odd last row or column is left out.
pub struct Halve<'a> {
    /// The picture.
    pub rgb: &'a [u8],
    /// Height and width of the picture.
    pub size: [usize; 2],
    /// Half as wide and half as high.
    pub half: &'a mut [u8],
}

impl Kernel for Halve<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let [height, width] = self.size;
        assert!(
            self.rgb.len() == height * width * 3
                && self.half.len() == (height / 2) * (width / 2) * 3
        );
        if width < 2 {
            return;
        }
        /// Output pixels whose sums are taken at once.
        const RUN: usize = 64;
        let mut means = [0u8; 6 * RUN];
        for (y, row) in self.half.chunks_exact_mut((width / 2) * 3).enumerate() {
            let (top, bottom) = (
                &self.rgb[2 * y * width * 3..][..width * 3],
                &self.rgb[(2 * y + 1) * width * 3..][..width * 3],
            );
            let mut start = 0;
            for run in row.chunks_mut(3 * RUN) {
                // The mean of every byte with those beside and below it; every other three are
                // wanted.
                let length = 2 * run.len() - 3;
                let sources = [
                    &top[start..],
                    &top[start + 3..],
                    &bottom[start..],
                    &bottom[start + 3..],
                ]
                .map(|bytes| &bytes[..length]);
                for (i, mean) in means[..length].iter_mut().enumerate() {
                    *mean = ((sources
                        .map(|bytes| u16::from(bytes[i]))
                        .into_iter()
                        .sum::<u16>()
                        + 2)
                        >> 2) as u8;
                }
                for (pixel, mean) in run.chunks_exact_mut(3).zip(means.chunks(6)) {
                    pixel.copy_from_slice(&mean[..3]);
                }
                start += 2 * run.len();
            }
        }
    }
}
