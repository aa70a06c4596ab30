//! The picture as the first convolution reads it.

use super::{Kernel, LANES, Simd};

/// Copies planes, each scaled and shifted, between rows and columns of zeros.
pub(crate) struct Picture<'a> {
    pub(crate) input: &'a [f32],
    /// Scale and shift of each plane.
    pub(crate) affine: &'a [[f32; 2]],
    /// Height and width.
    pub(crate) input_size: [usize; 2],
    pub(crate) output_size: [usize; 2],
    /// Rows and columns of zeros before the picture.
    pub(crate) padding: [usize; 2],
    /// May be longer than the planes: the rest becomes zero.
    pub(crate) output: &'a mut [f32],
}

impl Kernel for Picture<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let ([rows, columns], [height, width], [top, left]) =
            (self.input_size, self.output_size, self.padding);
        assert!(top + rows <= height && left + columns <= width);
        let (planes, rest) = self.output.split_at_mut(self.affine.len() * height * width);
        rest.fill(0.0);
        for (channel, &[scale, offset]) in self.affine.iter().enumerate() {
            let plane = &mut planes[channel * height * width..][..height * width];
            plane[..top * width].fill(0.0);
            plane[(top + rows) * width..].fill(0.0);
            for y in 0..rows {
                let from = &self.input[(channel * rows + y) * columns..][..columns];
                let row = &mut plane[(top + y) * width..][..width];
                row[..left].fill(0.0);
                row[left + columns..].fill(0.0);
                let to = &mut row[left..left + columns];
                let whole = columns / LANES * LANES;
                for x in (0..whole).step_by(LANES) {
                    // SAFETY: both rows hold 16 values from `x` on.
                    unsafe {
                        let value = simd.load(from.as_ptr().add(x));
                        simd.store(
                            simd.fma(value, simd.splat(scale), simd.splat(offset)),
                            to.as_mut_ptr().add(x),
                        );
                    }
                }
                for (to, from) in to[whole..].iter_mut().zip(&from[whole..]) {
                    *to = libm::fmaf(*from, scale, offset);
                }
            }
        }
    }
}
