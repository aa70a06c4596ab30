//! Maximum and average over windows.

use super::epilogue::Sink;
use super::{Epilogue, F32s, Kernel, Simd, Target};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PoolKind {
    Max,
    /// Divided by the number of inputs that the window covers.
    Average,
}

/// A pooling; what a window has outside the input does not count.
pub(crate) struct Pool<'a> {
    pub(crate) kind: PoolKind,
    pub(crate) input: &'a [F32s],
    /// Height and width.
    pub(crate) input_size: [usize; 2],
    pub(crate) output_size: [usize; 2],
    pub(crate) window: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Rows and columns of the window that may lie before the input.
    pub(crate) padding: [usize; 2],
    pub(crate) epilogue: Epilogue<'a>,
    pub(crate) target: Target<'a>,
}

impl Kernel for Pool<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let ([height, width], [rows, columns]) = (self.input_size, self.output_size);
        let blocks = self.input.len() / (height * width);
        let sink = Sink::new(self.epilogue, self.target, blocks, rows * columns);
        for block in 0..blocks {
            let plane = &self.input[block * height * width..][..height * width];
            for y in 0..rows {
                let top = (y * self.stride[0]).saturating_sub(self.padding[0]);
                let bottom = (y * self.stride[0] + self.window[0])
                    .saturating_sub(self.padding[0])
                    .min(height);
                for x in 0..columns {
                    let left = (x * self.stride[1]).saturating_sub(self.padding[1]);
                    let right = (x * self.stride[1] + self.window[1])
                        .saturating_sub(self.padding[1])
                        .min(width);
                    let start = if self.kind == PoolKind::Max {
                        f32::NEG_INFINITY
                    } else {
                        0.0
                    };
                    let mut value = simd.splat(start);
                    for row in top..bottom {
                        for column in left..right {
                            // SAFETY: row and column are below height and width.
                            let input = unsafe {
                                simd.load(plane.as_ptr().add(row * width + column).cast())
                            };
                            value = match self.kind {
                                PoolKind::Max => simd.max(value, input),
                                PoolKind::Average => simd.add(value, input),
                            };
                        }
                    }
                    if self.kind == PoolKind::Average {
                        let covered = bottom.saturating_sub(top) * right.saturating_sub(left);
                        value = simd.mul(value, simd.splat(1.0 / covered as f32));
                    }
                    // SAFETY: the sink was checked for these blocks and pixels.
                    unsafe { sink.put(simd, [value], block, y * columns + x, 1) };
                }
            }
        }
    }
}
