//! WebAssembly: four registers of simd128 are one vector.
//!
//! The multiply-add is that of relaxed SIMD, which a host may fuse or not: `detect` asks, and only
//! where it fuses are these kernels run, for only then are the bits those of every other set.

use std::arch::wasm32::*;

use super::dispatch::Kernel;
use super::simd::Simd;

#[derive(Clone, Copy)]
pub(super) struct Wasm(());

impl Wasm {
    pub(super) fn detect() -> Option<Wasm> {
        // (1 + e)(1 - e) - 1 is -e^2 where it is rounded once, and 0 where it is rounded twice.
        #[target_feature(enable = "simd128,relaxed-simd")]
        fn fused(e: f32) -> bool {
            let (more, less) = (f32x4_splat(1.0 + e), f32x4_splat(1.0 - e));
            f32x4_extract_lane::<0>(f32x4_relaxed_madd(more, less, f32x4_splat(-1.0))) != 0.0
        }
        fused(std::hint::black_box(f32::EPSILON)).then_some(Wasm(()))
    }
}

macro_rules! quarters {
    ($i:ident => $value:expr) => {{
        // SAFETY: a value of `Wasm` proves that the host has the instructions; pointers are as the
        // trait demands.
        #[allow(
            unused_unsafe,
            reason = "values are safe in a function with the feature"
        )]
        let quarters = unsafe {
            [
                {
                    let $i = 0;
                    $value
                },
                {
                    let $i = 1;
                    $value
                },
                {
                    let $i = 2;
                    $value
                },
                {
                    let $i = 3;
                    $value
                },
            ]
        };
        quarters
    }};
}

impl Simd for Wasm {
    type F = [v128; 4];
    type I = [v128; 4];

    const TILE_PIXELS: usize = 2;
    const TILE_BLOCKS: usize = 1;

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) {
        #[inline(never)]
        #[target_feature(enable = "simd128,relaxed-simd")]
        fn with_wasm<K: Kernel>(kernel: K, simd: Wasm) {
            kernel.run(simd);
        }
        with_wasm(kernel, self);
    }
    #[inline(always)]
    fn splat(self, value: f32) -> Self::F {
        quarters!(_i => f32x4_splat(value))
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::F {
        quarters!(i => v128_load(from.add(4 * i).cast()))
    }
    #[inline(always)]
    unsafe fn store(self, value: Self::F, to: *mut f32) {
        quarters!(i => v128_store(to.add(4 * i).cast(), value[i]));
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        quarters!(i => f32x4_add(a[i], b[i]))
    }
    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        quarters!(i => f32x4_mul(a[i], b[i]))
    }
    #[inline(always)]
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        quarters!(i => f32x4_relaxed_madd(a[i], b[i], c[i]))
    }
    // WebAssembly's own maximum and minimum return NaN when either operand is one.
    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        quarters!(i => v128_bitselect(a[i], b[i], f32x4_gt(a[i], b[i])))
    }
    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        quarters!(i => v128_bitselect(a[i], b[i], f32x4_lt(a[i], b[i])))
    }
    #[inline(always)]
    fn zero_i32(self) -> Self::I {
        quarters!(_i => i32x4_splat(0))
    }
    #[inline(always)]
    unsafe fn load_pairs(self, from: *const i16) -> Self::I {
        quarters!(i => v128_load(from.add(8 * i).cast()))
    }
    #[inline(always)]
    unsafe fn load_bytes(self, from: *const i8) -> Self::I {
        quarters!(i => i16x8_load_extend_i8x8(from.add(8 * i)))
    }
    #[inline(always)]
    fn splat_pair(self, pair: i32) -> Self::I {
        quarters!(_i => i32x4_splat(pair))
    }
    #[inline(always)]
    fn dot_pairs(self, acc: Self::I, a: Self::I, b: Self::I) -> Self::I {
        quarters!(i => i32x4_add(acc[i], i32x4_dot_i16x8(a[i], b[i])))
    }
    #[inline(always)]
    fn to_f32(self, value: Self::I) -> Self::F {
        quarters!(i => f32x4_convert_i32x4(value[i]))
    }
    #[inline(always)]
    fn total(self, value: Self::I) -> i32 {
        let [a, b, c, d] = value;
        let mut lanes = [0; 4];
        // SAFETY: a value of `Wasm` proves that the host has the instructions; `lanes` is one
        // register long.
        unsafe {
            let sum = i32x4_add(i32x4_add(a, b), i32x4_add(c, d));
            v128_store(lanes.as_mut_ptr().cast(), sum);
        }
        lanes.into_iter().fold(0, i32::wrapping_add)
    }
    #[inline(always)]
    unsafe fn store_i16(self, value: Self::F, to: *mut i16) {
        let r = quarters!(i => i32x4_trunc_sat_f32x4(f32x4_nearest(value[i])));
        // SAFETY: `to` is writable for 16 values, as the trait demands.
        unsafe {
            v128_store(to.cast(), i16x8_narrow_i32x4(r[0], r[1]));
            v128_store(to.add(8).cast(), i16x8_narrow_i32x4(r[2], r[3]));
        }
    }
}
