//! Which instruction set runs the kernels: the one place that asks the CPU.

#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
#[cfg(target_arch = "wasm32")]
use super::wasm::Wasm;
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};
use super::{scalar::Scalar, simd::Simd};
use std::str::FromStr;

/// An instruction set that the kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// Plain Rust: the twin that every other one must equal bit for bit.
    Scalar,
    /// AArch64 NEON.
    Neon,
    /// WebAssembly with relaxed SIMD, where the host fuses multiply and add.
    Wasm,
    /// x86-64 AVX2 and FMA.
    Avx2,
    /// x86-64 AVX-512 F, BW and VNNI.
    Avx512,
}

impl Isa {
    /// Every instruction set, the widest of a CPU last.
    pub const ALL: [Isa; 5] = [Isa::Scalar, Isa::Neon, Isa::Wasm, Isa::Avx2, Isa::Avx512];

    /// Returns its name, which `parse` takes.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Neon => "neon",
            Isa::Wasm => "wasm",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }
}

impl FromStr for Isa {
    type Err = String;

    fn from_str(name: &str) -> Result<Isa, String> {
        let found = Isa::ALL.into_iter().find(|isa| isa.name() == name);
        found.ok_or_else(|| {
            let names = Isa::ALL.map(Isa::name).join(", ");
            format!("no such instruction set, allowed are {names}")
        })
    }
}

/// The kernels of one instruction set; holding one proves that the CPU has it.
#[derive(Clone, Copy)]
pub struct Kernels(Token);

#[derive(Clone, Copy)]
enum Token {
    Scalar(Scalar),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    #[cfg(target_arch = "wasm32")]
    Wasm(Wasm),
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
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => Neon::detect().map(Token::Neon),
            #[cfg(target_arch = "wasm32")]
            Isa::Wasm => Wasm::detect().map(Token::Wasm),
            _ => None,
        }
        .map(Kernels)
    }

    /// Returns the kernels of every instruction set that this CPU has, the widest last.
    pub fn all() -> impl DoubleEndedIterator<Item = Kernels> {
        Isa::ALL.into_iter().filter_map(Kernels::new)
    }

    /// Returns the fastest kernels that this CPU has.
    pub fn best() -> Kernels {
        Kernels::all()
            .next_back()
            .unwrap_or(Kernels(Token::Scalar(Scalar)))
    }

    /// Returns the instruction set.
    pub fn isa(self) -> Isa {
        match self.0 {
            Token::Scalar(_) => Isa::Scalar,
            #[cfg(target_arch = "aarch64")]
            Token::Neon(_) => Isa::Neon,
            #[cfg(target_arch = "wasm32")]
            Token::Wasm(_) => Isa::Wasm,
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
            #[cfg(target_arch = "aarch64")]
            Token::Neon(simd) => simd.call(kernel),
            #[cfg(target_arch = "wasm32")]
            Token::Wasm(simd) => simd.call(kernel),
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(simd) => simd.call(kernel),
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(simd) => simd.call(kernel),
        }
    }
}
