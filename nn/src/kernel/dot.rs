//! Dot products of features.

use super::{Kernel, LANES, Simd};

/// The dot product of two slices of equal length: 4 x 16 running sums, then a fixed tree.
pub struct Dot<'a> {
    /// One slice.
    pub a: &'a [f32],
    /// The other.
    pub b: &'a [f32],
    /// Where the sum goes.
    pub result: &'a mut f32,
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
                    *sum = simd.fma(
                        simd.load(self.a.as_ptr().add(at)),
                        simd.load(self.b.as_ptr().add(at)),
                        *sum,
                    );
                }
            }
        }
        let total = simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]));
        let tail = self.a[whole..]
            .iter()
            .zip(&self.b[whole..])
            .fold(0.0f32, |sum, (a, b)| libm::fmaf(*a, *b, sum));
        *self.result = simd.sum(total) + tail;
    }
}

/// Bytes that one step of a scan reads.
pub const SCAN_STEP: usize = 2 * LANES;

/// The dot products of one vector of 16-bit integers with many vectors of bytes that lie one after
/// another; the length of a vector is a multiple of [`SCAN_STEP`].
pub struct Scan<'a> {
    /// Vectors of bytes, one after another.
    pub codes: &'a [i8],
    /// The vector of integers.
    pub probe: &'a [i16],
    /// One a vector of bytes, wrapping.
    pub sums: &'a mut [i32],
}

impl Kernel for Scan<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let length = self.probe.len();
        assert!(length.is_multiple_of(SCAN_STEP) && self.codes.len() == length * self.sums.len());
        for (at, sum) in self.sums.iter_mut().enumerate() {
            let mut total = simd.zero_i32();
            for step in (0..length).step_by(SCAN_STEP) {
                // SAFETY: both vectors hold 32 values from `step` on.
                unsafe {
                    let code = simd.load_bytes(self.codes.as_ptr().add(at * length + step));
                    total =
                        simd.dot_pairs(total, code, simd.load_pairs(self.probe.as_ptr().add(step)));
                }
            }
            *sum = simd.total(total);
        }
    }
}
