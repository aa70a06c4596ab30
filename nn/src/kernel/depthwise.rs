//! Depthwise convolution: every channel by itself.

use super::epilogue::Sink;
use super::{Epilogue, F32s, Kernel, Simd, Target};
use std::ops::Range;

/// A depthwise convolution; outside the input there are zeros.
pub(crate) struct Depthwise<'a> {
    pub(crate) input: &'a [F32s],
    /// Pixels between the channel blocks of the input.
    pub(crate) input_plane: usize,
    /// Height and width.
    pub(crate) input_size: [usize; 2],
    pub(crate) output_size: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Rows and columns of zeros before the input.
    pub(crate) padding: [usize; 2],
    /// `[block][row][column]`.
    pub(crate) weights: &'a [F32s],
    pub(crate) bias: &'a [F32s],
    pub(crate) epilogue: Epilogue<'a>,
    pub(crate) target: Target<'a>,
}

/// Output pixels whose sums are in registers together.
const TILE: usize = 6;

impl Kernel for Depthwise<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Depthwise {
            input,
            input_plane,
            input_size,
            output_size,
            kernel,
            stride,
            padding,
            weights,
            bias,
            epilogue,
            target,
        } = self;
        let blocks = bias.len();
        assert!(weights.len() == blocks * kernel[0] * kernel[1]);
        let sink = Sink::new(epilogue, target, blocks, output_size[0] * output_size[1]);
        for block in 0..blocks {
            let plane = Plane {
                input: &input[block * input_plane..][..input_size[0] * input_size[1]],
                input_size,
                output_size,
                kernel,
                stride,
                padding,
                weights: &weights[block * kernel[0] * kernel[1]..][..kernel[0] * kernel[1]],
                bias: &bias[block],
                block,
                sink,
            };
            for y in 0..output_size[0] {
                match (kernel, stride[1]) {
                    ([3, 3], 1) => plane.row::<S, 3, 1>(simd, y),
                    ([3, 3], 2) => plane.row::<S, 3, 2>(simd, y),
                    ([5, 5], 1) => plane.row::<S, 5, 1>(simd, y),
                    ([5, 5], 2) => plane.row::<S, 5, 2>(simd, y),
                    _ => plane.edge(simd, y, 0..output_size[1]),
                }
            }
        }
    }
}

struct Plane<'a> {
    input: &'a [F32s],
    input_size: [usize; 2],
    output_size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    weights: &'a [F32s],
    bias: &'a F32s,
    block: usize,
    sink: Sink<'a>,
}

impl Plane<'_> {
    /// Returns the taps along `axis` that are inside the input at output coordinate `at`.
    #[inline(always)]
    fn inside(&self, axis: usize, at: usize) -> Range<usize> {
        let start = at * self.stride[axis];
        let first = self.padding[axis].saturating_sub(start);
        let end = (self.input_size[axis] + self.padding[axis])
            .saturating_sub(start)
            .min(self.kernel[axis]);
        first..end.max(first)
    }

    /// A row whose kernel is `K` wide with stride `STRIDE`.
    #[inline(always)]
    fn row<S: Simd, const K: usize, const STRIDE: usize>(&self, simd: S, y: usize) {
        let (width, columns, left) = (self.input_size[1], self.output_size[1], self.padding[1]);
        // Columns whose taps are all inside the input.
        let first = left.div_ceil(STRIDE).min(columns);
        let end = if width + left < K {
            first
        } else {
            ((width + left - K) / STRIDE + 1).clamp(first, columns)
        };
        self.edge(simd, y, 0..first);
        let mut x = first;
        while x + TILE <= end {
            self.tile::<S, K, STRIDE, TILE>(simd, y, x);
            x += TILE;
        }
        match end - x {
            5 => self.tile::<S, K, STRIDE, 5>(simd, y, x),
            4 => self.tile::<S, K, STRIDE, 4>(simd, y, x),
            3 => self.tile::<S, K, STRIDE, 3>(simd, y, x),
            2 => self.tile::<S, K, STRIDE, 2>(simd, y, x),
            1 => self.tile::<S, K, STRIDE, 1>(simd, y, x),
            _ => {}
        }
        self.edge(simd, y, end..columns);
    }

    #[inline(always)]
    fn tile<S: Simd, const K: usize, const STRIDE: usize, const P: usize>(
        &self,
        simd: S,
        y: usize,
        x: usize,
    ) {
        let rows = self.inside(0, y);
        // Known bounds let the loop over the rows be unrolled.
        if K == 3 && S::TILE_PIXELS > 1 && rows == (0..K) {
            self.rows::<S, K, STRIDE, P>(simd, y, x, 0..K);
        } else {
            self.rows::<S, K, STRIDE, P>(simd, y, x, rows);
        }
    }

    #[inline(always)]
    fn rows<S: Simd, const K: usize, const STRIDE: usize, const P: usize>(
        &self,
        simd: S,
        y: usize,
        x: usize,
        rows: Range<usize>,
    ) {
        let width = self.input_size[1];
        let left = x * STRIDE - self.padding[1];
        debug_assert!(left + (P - 1) * STRIDE + K <= width);
        // SAFETY: `inside` keeps the rows and the caller the columns inside the input; there are K
        // x K weights and the sink was checked.
        unsafe {
            let mut sums = [simd.load(self.bias.0.as_ptr()); P];
            for ky in rows {
                let row = self
                    .input
                    .as_ptr()
                    .add((y * self.stride[0] + ky - self.padding[0]) * width + left);
                let weights = self.weights.as_ptr().add(ky * K);
                let mut taps = [simd.splat(0.0); K];
                for (kx, tap) in taps.iter_mut().enumerate() {
                    *tap = simd.load(weights.add(kx).cast());
                }
                for column in 0..(P - 1) * STRIDE + K {
                    let value = simd.load(row.add(column).cast());
                    for (p, sum) in sums.iter_mut().enumerate() {
                        if column >= p * STRIDE && column - p * STRIDE < K {
                            *sum = simd.fma(value, taps[column - p * STRIDE], *sum);
                        }
                    }
                }
            }
            self.sink
                .put(simd, sums, self.block, y * self.output_size[1] + x, 1);
        }
    }

    /// Pixels one by one, with every tap checked.
    #[inline(always)]
    fn edge<S: Simd>(&self, simd: S, y: usize, columns: Range<usize>) {
        let width = self.input_size[1];
        let rows = self.inside(0, y);
        for x in columns {
            let across = self.inside(1, x);
            // SAFETY: `inside` keeps the taps inside the input; the sink was checked.
            unsafe {
                let mut sum = simd.load(self.bias.0.as_ptr());
                for ky in rows.clone() {
                    let row = (y * self.stride[0] + ky - self.padding[0]) * width;
                    for kx in across.clone() {
                        let value = simd.load(
                            self.input
                                .as_ptr()
                                .add(row + x * self.stride[1] + kx - self.padding[1])
                                .cast(),
                        );
                        sum = simd.fma(
                            value,
                            simd.load(self.weights.as_ptr().add(ky * self.kernel[1] + kx).cast()),
                            sum,
                        );
                    }
                }
                self.sink
                    .put(simd, [sum], self.block, y * self.output_size[1] + x, 1);
            }
        }
    }
}
