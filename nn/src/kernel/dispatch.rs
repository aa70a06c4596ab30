//! Which instruction set runs the kernels: the one place that asks the CPU.

#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};
use super::{scalar::Scalar, simd::Simd};

/// An instruction set that the kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// Plain Rust: the twin that every other one must equal bit for bit.
    Scalar,
    /// x86-64 AVX2 and FMA.
    Avx2,
    /// x86-64 AVX-512 F, BW and VNNI.
    Avx512,
}

impl Isa {
    /// Every instruction set, the widest last.
    pub const ALL: [Isa; 3] = [Isa::Scalar, Isa::Avx2, Isa::Avx512];
}

/// The kernels of one instruction set; holding one proves that the CPU has it.
#[derive(Clone, Copy)]
pub struct Kernels(Token);

#[derive(Clone, Copy)]
enum Token {
    Scalar(Scalar),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

/// A loop that is written once and compiled for every instruction set. `run` must be
/// `#[inline(always)]`, and so must all that it calls: only then is it compiled with the
/// instructions of `S`.
pub trait Kernel {
    /// Does the work, with the vectors of `simd`.
    fn run<S: Simd>(self, simd: S);
}

impl Kernels {
    /// Returns the kernels of `isa` if this CPU has it.
    pub fn new(isa: Isa) -> Option<Kernels> {
        match isa {
            Isa::Scalar => Some(Token::Scalar(Scalar)),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Avx2::detect().map(Token::Avx2),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Avx512::detect().map(Token::Avx512),
            #[cfg(not(target_arch = "x86_64"))]
            _ => None,
        }
        .map(Kernels)
    }

    /// Returns the fastest kernels that this CPU has.
    pub fn best() -> Kernels {
        Isa::ALL
            .into_iter()
            .rev()
            .find_map(Kernels::new)
            .unwrap_or(Kernels(Token::Scalar(Scalar)))
    }

    /// Returns the instruction set.
    pub fn isa(self) -> Isa {
        match self.0 {
            Token::Scalar(_) => Isa::Scalar,
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(_) => Isa::Avx2,
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(_) => Isa::Avx512,
        }
    }

    /// Runs `kernel` on this instruction set.
    pub fn run<K: Kernel>(self, kernel: K) {
        match self.0 {
            Token::Scalar(simd) => simd.call(kernel),
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(simd) => simd.call(kernel),
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(simd) => simd.call(kernel),
        }
    }
}
