//! Plain Rust: the definition that every other instruction set must equal.

use super::dispatch::Kernel;
use super::simd::Simd;

#[derive(Clone, Copy)]
pub(super) struct Scalar;

macro_rules! lanes {
    ($i:ident => $value:expr) => {{
        let mut lanes = [Default::default(); 16];
        for ($i, lane) in lanes.iter_mut().enumerate() {
            *lane = $value;
        }
        lanes
    }};
}

impl Simd for Scalar {
    type F = [f32; 16];
    type I = [i32; 16];

    const TILE_PIXELS: usize = 1;
    const TILE_BLOCKS: usize = 1;

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) {
        kernel.run(self);
    }
    #[inline(always)]
    fn splat(self, value: f32) -> Self::F {
        [value; 16]
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::F {
        // SAFETY: as the trait demands.
        unsafe { from.cast::<Self::F>().read() }
    }
    #[inline(always)]
    unsafe fn store(self, value: Self::F, to: *mut f32) {
        // SAFETY: as the trait demands.
        unsafe { to.cast::<Self::F>().write(value) }
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        lanes!(i => a[i] + b[i])
    }
    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        lanes!(i => a[i] * b[i])
    }
    #[inline(always)]
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        lanes!(i => libm::fmaf(a[i], b[i], c[i]))
    }
    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        lanes!(i => if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        lanes!(i => if a[i] < b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn zero_i32(self) -> Self::I {
        [0; 16]
    }
    #[inline(always)]
    unsafe fn load_pairs(self, from: *const i16) -> Self::I {
        // SAFETY: as the trait demands; the read is unaligned.
        unsafe { from.cast::<Self::I>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn load_bytes(self, from: *const i8) -> Self::I {
        // SAFETY: as the trait demands.
        let bytes = unsafe { from.cast::<[i8; 32]>().read() };
        lanes!(i => (i32::from(bytes[2 * i]) & 0xffff) | (i32::from(bytes[2 * i + 1]) << 16))
    }
    #[inline(always)]
    fn splat_pair(self, pair: i32) -> Self::I {
        [pair; 16]
    }
    #[inline(always)]
    fn dot_pairs(self, acc: Self::I, a: Self::I, b: Self::I) -> Self::I {
        let low = |x: i32| i32::from(x as i16);
        let high = |x: i32| x >> 16;
        let products = |a, b| (low(a) * low(b)).wrapping_add(high(a) * high(b));
        lanes!(i => acc[i].wrapping_add(products(a[i], b[i])))
    }
    #[inline(always)]
    fn to_f32(self, value: Self::I) -> Self::F {
        lanes!(i => value[i] as f32)
    }
    #[inline(always)]
    fn total(self, value: Self::I) -> i32 {
        value.into_iter().fold(0, i32::wrapping_add)
    }
    #[inline(always)]
    unsafe fn store_i16(self, value: Self::F, to: *mut i16) {
        let rounded: [i16; 16] = lanes!(i => value[i].round_ties_even() as i16);
        // SAFETY: as the trait demands.
        unsafe { to.cast::<[i16; 16]>().write(rounded) }
    }
}
