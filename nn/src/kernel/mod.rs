//! The hot loops, and the only unsafe code of the engine.
//!
//! A kernel is a struct of its arguments with one generic body over [`Simd`]; [`Kernels::run`] runs
//! it on the instruction set that a [`Kernels`] stands for. Feature maps are blocked by 16 channels
//! (`[channel / 16][y][x][channel % 16]`): a vector holds 16 output channels of one pixel, every
//! sum runs over (input block, kernel row, kernel column, input lane) in that order with fused
//! multiply-adds, and nothing is summed across lanes except by a fixed tree. So every instruction
//! set gives the same bits.

#[cfg(target_arch = "x86_64")]
#[path = "x86_64/avx2.rs"]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64/avx512.rs"]
mod avx512;
mod conv;
mod depthwise;
mod dispatch;
mod dot;
mod epilogue;
#[cfg(target_arch = "aarch64")]
mod neon;
mod peak;
mod picture;
mod pool;
mod resize;
mod sample;
mod scalar;
mod simd;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "wasm32")]
mod wasm;

#[cfg(test)]
pub(crate) use tests::required;

pub(crate) use conv::{Conv, F32, I16, Layout, Taps};
pub(crate) use depthwise::Depthwise;
pub use dispatch::{Isa, Kernel, Kernels};
pub use dot::{Dot, SCAN_STEP, Scan};
pub(crate) use epilogue::{Activation, Combine, Epilogue, MAX_ACTIVATION, Target};
pub use peak::{Peak, peak};
pub(crate) use picture::Picture;
pub(crate) use pool::{Pool, PoolKind};
pub(crate) use resize::{Interpolation, Resize};
pub use sample::{Filter, Halve, Sample, Shrink};
pub use simd::Simd;

/// Channels in a block, and lanes in a vector, on every instruction set.
pub const LANES: usize = 16;

/// 16 channels of one pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct F32s(pub(crate) [f32; LANES]);

impl F32s {
    pub(crate) const ZERO: F32s = F32s([0.0; LANES]);
}

/// 16 channels of one pixel as integers; a convolution reads them in pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(32))]
pub(crate) struct I16s(pub(crate) [i16; LANES]);

impl I16s {
    pub(crate) const ZERO: I16s = I16s([0; LANES]);
}

/// Returns the values of `blocks` as one slice.
pub(crate) fn floats(blocks: &[F32s]) -> &[f32] {
    // SAFETY: F32s is 16 floats without padding.
    unsafe { std::slice::from_raw_parts(blocks.as_ptr().cast(), blocks.len() * LANES) }
}

/// Returns the values of `blocks` as one slice.
pub(crate) fn floats_mut(blocks: &mut [F32s]) -> &mut [f32] {
    // SAFETY: F32s is 16 floats without padding.
    unsafe { std::slice::from_raw_parts_mut(blocks.as_mut_ptr().cast(), blocks.len() * LANES) }
}
