//! AVX2 and FMA: two registers are one vector.

use std::arch::x86_64::*;

use super::dispatch::Kernel;
use super::simd::Simd;

#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Avx2> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Avx2(()))
    }
}

macro_rules! halves {
    ($op:ident $(, $arg:ident)+) => {
        // SAFETY: a value of `Avx2` proves that the CPU has the instructions.
        unsafe { [$op($($arg[0]),+), $op($($arg[1]),+)] }
    };
}

// SAFETY of every block below: a value of `Avx2` proves that the CPU has the instructions; pointers
// are as the trait demands.
#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "one reason for all, above"
)]
impl Simd for Avx2 {
    type F = [__m256; 2];
    type I = [__m256i; 2];

    const TILE_PIXELS: usize = 6;
    const TILE_BLOCKS: usize = 1;

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) {
        #[inline(never)]
        #[target_feature(enable = "avx2,fma")]
        fn with_avx2<K: Kernel>(kernel: K, simd: Avx2) {
            kernel.run(simd);
        }
        unsafe { with_avx2(kernel, self) }
    }
    #[inline(always)]
    fn splat(self, value: f32) -> Self::F {
        unsafe { [_mm256_set1_ps(value); 2] }
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::F {
        unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))] }
    }
    #[inline(always)]
    unsafe fn store(self, value: Self::F, to: *mut f32) {
        unsafe {
            _mm256_storeu_ps(to, value[0]);
            _mm256_storeu_ps(to.add(8), value[1]);
        }
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        halves!(_mm256_add_ps, a, b)
    }
    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        halves!(_mm256_mul_ps, a, b)
    }
    #[inline(always)]
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        halves!(_mm256_fmadd_ps, a, b, c)
    }
    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        halves!(_mm256_max_ps, a, b)
    }
    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        halves!(_mm256_min_ps, a, b)
    }
    #[inline(always)]
    fn zero_i32(self) -> Self::I {
        unsafe { [_mm256_setzero_si256(); 2] }
    }
    #[inline(always)]
    unsafe fn load_pairs(self, from: *const i16) -> Self::I {
        unsafe {
            [
                _mm256_loadu_si256(from.cast()),
                _mm256_loadu_si256(from.add(16).cast()),
            ]
        }
    }
    #[inline(always)]
    unsafe fn load_bytes(self, from: *const i8) -> Self::I {
        unsafe { [0, 16].map(|at| _mm256_cvtepi8_epi16(_mm_loadu_si128(from.add(at).cast()))) }
    }
    #[inline(always)]
    fn splat_pair(self, pair: i32) -> Self::I {
        unsafe { [_mm256_set1_epi32(pair); 2] }
    }
    #[inline(always)]
    fn dot_pairs(self, acc: Self::I, a: Self::I, b: Self::I) -> Self::I {
        let products = halves!(_mm256_madd_epi16, a, b);
        halves!(_mm256_add_epi32, acc, products)
    }
    #[inline(always)]
    fn to_f32(self, value: Self::I) -> Self::F {
        halves!(_mm256_cvtepi32_ps, value)
    }
    #[inline(always)]
    fn total(self, value: Self::I) -> i32 {
        unsafe {
            let both = _mm256_add_epi32(value[0], value[1]);
            let four = _mm_add_epi32(
                _mm256_castsi256_si128(both),
                _mm256_extracti128_si256::<1>(both),
            );
            let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
            _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two)))
        }
    }
    #[inline(always)]
    unsafe fn store_i16(self, value: Self::F, to: *mut i16) {
        unsafe {
            let packed =
                _mm256_packs_epi32(_mm256_cvtps_epi32(value[0]), _mm256_cvtps_epi32(value[1]));
            _mm256_storeu_si256(to.cast(), _mm256_permute4x64_epi64::<0b11_01_10_00>(packed));
        }
    }
}
