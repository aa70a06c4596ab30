//! NEON: four registers are one vector.
//!
//! A product of 16-bit pairs takes four instructions for eight products, where floats take one for
//! four: by count, integers are half as fast as floats here, and save only memory.

use std::arch::aarch64::*;

use super::dispatch::Kernel;
use super::simd::Simd;

#[derive(Clone, Copy)]
pub(super) struct Neon(());

impl Neon {
    pub(super) fn detect() -> Option<Neon> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Neon(()))
    }
}

macro_rules! quarters {
    ($i:ident => $value:expr) => {{
        // SAFETY: a value of `Neon` proves that the CPU has the instructions; pointers are as the
        // trait demands.
        #[allow(
            unused_unsafe,
            reason = "some values are safe where NEON is always there"
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

impl Simd for Neon {
    type F = [float32x4_t; 4];
    type I = [int32x4_t; 4];

    const TILE_PIXELS: usize = 6;
    const TILE_BLOCKS: usize = 1;

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) {
        #[inline(never)]
        #[target_feature(enable = "neon")]
        fn with_neon<K: Kernel>(kernel: K, simd: Neon) {
            kernel.run(simd);
        }
        #[allow(unused_unsafe, reason = "safe where NEON is always there")]
        // SAFETY: a value of `Neon` proves that the CPU has the instructions.
        unsafe {
            with_neon(kernel, self)
        }
    }
    #[inline(always)]
    fn splat(self, value: f32) -> Self::F {
        quarters!(_i => vdupq_n_f32(value))
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::F {
        quarters!(i => vld1q_f32(from.add(4 * i)))
    }
    #[inline(always)]
    unsafe fn store(self, value: Self::F, to: *mut f32) {
        quarters!(i => vst1q_f32(to.add(4 * i), value[i]));
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        quarters!(i => vaddq_f32(a[i], b[i]))
    }
    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        quarters!(i => vmulq_f32(a[i], b[i]))
    }
    #[inline(always)]
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        quarters!(i => vfmaq_f32(c[i], a[i], b[i]))
    }
    // NEON's own maximum and minimum return NaN when either operand is one.
    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        quarters!(i => vbslq_f32(vcgtq_f32(a[i], b[i]), a[i], b[i]))
    }
    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        quarters!(i => vbslq_f32(vcltq_f32(a[i], b[i]), a[i], b[i]))
    }
    #[inline(always)]
    fn zero_i32(self) -> Self::I {
        quarters!(_i => vdupq_n_s32(0))
    }
    #[inline(always)]
    unsafe fn load_pairs(self, from: *const i16) -> Self::I {
        quarters!(i => vreinterpretq_s32_s16(vld1q_s16(from.add(8 * i))))
    }
    #[inline(always)]
    unsafe fn load_bytes(self, from: *const i8) -> Self::I {
        quarters!(i => vreinterpretq_s32_s16(vmovl_s8(vld1_s8(from.add(8 * i)))))
    }
    #[inline(always)]
    fn splat_pair(self, pair: i32) -> Self::I {
        quarters!(_i => vdupq_n_s32(pair))
    }
    #[inline(always)]
    fn dot_pairs(self, acc: Self::I, a: Self::I, b: Self::I) -> Self::I {
        quarters!(i => {
            let (a, b) = (vreinterpretq_s16_s32(a[i]), vreinterpretq_s16_s32(b[i]));
            let low = vmull_s16(vget_low_s16(a), vget_low_s16(b));
            vaddq_s32(acc[i], vpaddq_s32(low, vmull_high_s16(a, b)))
        })
    }
    #[inline(always)]
    fn to_f32(self, value: Self::I) -> Self::F {
        quarters!(i => vcvtq_f32_s32(value[i]))
    }
    #[inline(always)]
    fn total(self, value: Self::I) -> i32 {
        let [a, b, c, d] = value;
        // SAFETY: a value of `Neon` proves that the CPU has the instructions.
        unsafe { vaddvq_s32(vaddq_s32(vaddq_s32(a, b), vaddq_s32(c, d))) }
    }
    #[inline(always)]
    unsafe fn store_i16(self, value: Self::F, to: *mut i16) {
        let [a, b, c, d] = quarters!(i => vqmovn_s32(vcvtnq_s32_f32(value[i])));
        // SAFETY: `to` is writable for 16 values, as the trait demands.
        unsafe {
            vst1q_s16(to, vcombine_s16(a, b));
            vst1q_s16(to.add(8), vcombine_s16(c, d));
        }
    }
}
