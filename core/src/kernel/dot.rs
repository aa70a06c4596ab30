//! Dot products of features.

use super::{Kernel, LANES, Simd};

/// The dot product of two slices of equal length: 4 x 16 running sums, then a fixed tree.
pub(crate) struct Dot<'a> {
    pub(crate) a: &'a [f32],
    pub(crate) b: &'a [f32],
    pub(crate) result: &'a mut f32,
}

impl Kernel for Dot<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        const CHAINS: usize = 4;
        assert_eq!(self.a.len(), self.b.len());
        let mut sums = [simd.splat(0.0); CHAINS];
        let whole = self.a.len() / (CHAINS * LANES) * (CHAINS * LANES);
        for at in (0..whole).step_by(CHAINS * LANES) {
            for (chain, sum) in sums.iter_mut().enumerate() {
                // SAFETY: at + 64 values are inside both slices.
                unsafe {
                    let at = at + chain * LANES;
                    *sum = simd.fma(simd.load(self.a.as_ptr().add(at)), simd.load(self.b.as_ptr().add(at)), *sum);
                }
            }
        }
        let total = simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]));
        let tail = self.a[whole..].iter().zip(&self.b[whole..]).fold(0.0f32, |sum, (a, b)| a.mul_add(*b, sum));
        *self.result = simd.sum(total) + tail;
    }
}
