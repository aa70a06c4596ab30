//! Enlarging a feature map by whole factors.

use super::epilogue::Sink;
use super::{Epilogue, F32s, Kernel, Simd, Target};

/// For one output row or column: the two inputs it lies between, and the weight of the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interpolation {
    pub(crate) low: u32,
    pub(crate) high: u32,
    pub(crate) weight: f32,
}

impl Interpolation {
    /// Pixel centres half a pixel inside their squares, edges repeated.
    pub(crate) fn linear(from: usize, to: usize) -> Vec<Interpolation> {
        let last = from.saturating_sub(1) as f32;
        (0..to)
            .map(|i| {
                let at = ((i as f32 + 0.5) * (from as f32 / to as f32) - 0.5).clamp(0.0, last);
                let low = at.floor();
                Interpolation {
                    low: low as u32,
                    high: (low + 1.0).min(last) as u32,
                    weight: at - low,
                }
            })
            .collect()
    }

    /// The input at or before, with the corners of the two maps together.
    pub(crate) fn nearest(from: usize, to: usize) -> Vec<Interpolation> {
        (0..to as u32)
            .map(|i| i * from as u32 / to as u32)
            .map(|low| Interpolation {
                low,
                high: low,
                weight: 0.0,
            })
            .collect()
    }
}

/// A resize by tables.
pub(crate) struct Resize<'a> {
    pub(crate) input: &'a [F32s],
    /// Height and width.
    pub(crate) input_size: [usize; 2],
    pub(crate) rows: &'a [Interpolation],
    pub(crate) columns: &'a [Interpolation],
    pub(crate) epilogue: Epilogue<'a>,
    pub(crate) target: Target<'a>,
}

impl Kernel for Resize<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let [height, width] = self.input_size;
        let blocks = self.input.len() / (height * width);
        assert!(self.rows.iter().all(|r| r.low.max(r.high) < height as u32));
        assert!(
            self.columns
                .iter()
                .all(|c| c.low.max(c.high) < width as u32)
        );
        let sink = Sink::new(
            self.epilogue,
            self.target,
            blocks,
            self.rows.len() * self.columns.len(),
        );
        for block in 0..blocks {
            let plane = &self.input[block * height * width..][..height * width];
            for (y, row) in self.rows.iter().enumerate() {
                let (upper, lower) = (row.low as usize * width, row.high as usize * width);
                let down = simd.splat(row.weight);
                let up = simd.splat(1.0 - row.weight);
                for (x, column) in self.columns.iter().enumerate() {
                    let (right, left) =
                        (simd.splat(column.weight), simd.splat(1.0 - column.weight));
                    // SAFETY: rows and columns were checked against the input, and the sink for
                    // these blocks and pixels.
                    unsafe {
                        let at = plane.as_ptr();
                        let a = simd.load(at.add(upper + column.low as usize).cast());
                        let b = simd.load(at.add(upper + column.high as usize).cast());
                        let c = simd.load(at.add(lower + column.low as usize).cast());
                        let d = simd.load(at.add(lower + column.high as usize).cast());
                        let above = simd.fma(b, right, simd.mul(a, left));
                        let below = simd.fma(d, right, simd.mul(c, left));
                        let value = simd.fma(below, down, simd.mul(above, up));
                        sink.put(simd, [value], block, y * self.columns.len() + x, 1);
                    }
                }
            }
        }
    }
}
