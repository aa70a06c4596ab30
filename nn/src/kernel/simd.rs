//! What a kernel body may ask of an instruction set: vectors of 16 lanes.

use super::Kernel;

/// Sixteen lanes of arithmetic whose results do not depend on the instruction set. A value of this
/// type proves that the CPU has it.
///
/// `min` and `max` return the second operand when the first is NaN. Pointers need no alignment
/// beyond that of their element.
pub trait Simd: Copy {
    /// 16 floats.
    type F: Copy;
    /// 16 32-bit integers.
    type I: Copy;

    /// Pixels of the largest convolution tile that stays in registers.
    const TILE_PIXELS: usize;
    /// Blocks of output channels of that tile.
    const TILE_BLOCKS: usize;

    /// Runs `kernel` as a function of its own, compiled for this instruction set.
    fn call<K: Kernel>(self, kernel: K);

    /// Returns `value` in every lane.
    fn splat(self, value: f32) -> Self::F;
    /// Reads 16 values.
    /// # Safety
    /// `from` is readable for 16 values.
    unsafe fn load(self, from: *const f32) -> Self::F;
    /// Writes 16 values.
    /// # Safety
    /// `to` is writable for 16 values.
    unsafe fn store(self, value: Self::F, to: *mut f32);
    /// `a + b`.
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b`.
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b + c`, rounded once.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// The larger; `b` when `a` is NaN or they are equal.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// The smaller; `b` when `a` is NaN or they are equal.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;

    /// Returns 0 in every lane.
    fn zero_i32(self) -> Self::I;
    /// Reads 16 pairs of 16-bit integers.
    /// # Safety
    /// `from` is readable for 16 pairs of 16-bit integers.
    unsafe fn load_pairs(self, from: *const i16) -> Self::I;
    /// Returns bytes 0 and 1, 2 and 3, ... as pairs of 16-bit integers.
    /// # Safety
    /// `from` is readable for 32 bytes.
    unsafe fn load_bytes(self, from: *const i8) -> Self::I;
    /// Returns `pair` in every lane.
    fn splat_pair(self, pair: i32) -> Self::I;
    /// `acc + a.0 * b.0 + a.1 * b.1` for pairs of 16-bit integers, wrapping.
    fn dot_pairs(self, acc: Self::I, a: Self::I, b: Self::I) -> Self::I;
    /// Rounds to the nearest float.
    fn to_f32(self, value: Self::I) -> Self::F;
    /// Adds the lanes, wrapping.
    fn total(self, value: Self::I) -> i32;
    /// Rounds to the nearest integer, ties to even, and stores 16-bit integers.
    /// # Safety
    /// `to` is writable for 16 values, and `value` is within the range of 16 bits.
    unsafe fn store_i16(self, value: Self::F, to: *mut i16);

    /// Adds the lanes by a fixed tree: 8 apart, then 4, 2 and 1.
    #[inline(always)]
    fn sum(self, value: Self::F) -> f32 {
        let mut lanes = [0.0; super::LANES];
        // SAFETY: the array holds 16 values.
        unsafe { self.store(value, lanes.as_mut_ptr()) };
        let mut half = super::LANES / 2;
        while half > 0 {
            for i in 0..half {
                lanes[i] += lanes[i + half];
            }
            half /= 2;
        }
        lanes[0]
    }
}
