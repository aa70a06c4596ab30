//! What the arithmetic units could do if memory were free: the physical limit that the kernels are
//! held against.

use super::{Kernel, Kernels, LANES, Simd};
use std::hint::black_box;
use std::time::Instant;

/// Multiply-adds a second of one thread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// In 32-bit floats.
    pub floats: f64,
    /// In 16-bit integers with 32-bit sums.
    pub integers: f64,
}

/// Measures the peak of an instruction set, for about 20 ms.
pub fn peak(kernels: Kernels) -> Peak {
    const ROUNDS: usize = 20_000;
    let best = |integers: bool| {
        let run = || {
            let (start, mut macs) = (Instant::now(), 0);
            kernels.run(Spin {
                rounds: black_box(ROUNDS),
                integers,
                macs: &mut macs,
            });
            macs as f64 / start.elapsed().as_secs_f64()
        };
        (0..20).map(|_| run()).fold(0.0, f64::max)
    };
    Peak {
        floats: best(false),
        integers: best(true),
    }
}

/// Independent chains of multiply-adds that stay in registers.
struct Spin<'a> {
    rounds: usize,
    integers: bool,
    macs: &'a mut usize,
}

impl Kernel for Spin<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        *self.macs = match (S::TILE_PIXELS * S::TILE_BLOCKS > 6, self.integers) {
            (true, false) => floats::<S, 16>(simd, self.rounds),
            (false, false) => floats::<S, 6>(simd, self.rounds),
            (true, true) => integers::<S, 16>(simd, self.rounds),
            (false, true) => integers::<S, 6>(simd, self.rounds),
        };
    }
}

#[inline(always)]
fn floats<S: Simd, const CHAINS: usize>(simd: S, rounds: usize) -> usize {
    let factor = simd.splat(black_box(0.999));
    let mut sums = [simd.splat(1.0); CHAINS];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = simd.fma(*sum, factor, factor);
        }
    }
    black_box(sums.map(|sum| simd.sum(sum)));
    rounds * CHAINS * LANES
}

#[inline(always)]
fn integers<S: Simd, const CHAINS: usize>(simd: S, rounds: usize) -> usize {
    let factor = simd.splat_pair(black_box(0x0001_0002));
    let mut sums = [simd.zero_i32(); CHAINS];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = simd.dot_pairs(*sum, factor, factor);
        }
    }
    black_box(sums.map(|sum| simd.total(sum)));
    rounds * CHAINS * 2 * LANES
}
