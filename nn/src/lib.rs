//! Inference: an ONNX graph is lowered once to a plan of fused steps, then run as often as needed.
//!
//! ```text
//! bytes -onnx-> Graph -lower-> Plan (steps over blocked maps)
//!       -bands-> pieces -memory-> buffers -execute-> one kernel a piece
//! ```
//!
//! A graph that cannot be lowered runs through tract whole; [`Network::explain`] says which node
//! stood in the way.
//!
//! The same input gives the same bits on every instruction set, in [`Precision::Exact`] and in
//! [`Precision::Fast`].
//!
//! Without the feature `onnx` there are the kernels alone, which build in seconds for any target.

#![cfg_attr(not(feature = "onnx"), allow(dead_code, unused_imports))]

#[cfg(feature = "onnx")]
mod bands;
mod error;
#[cfg(feature = "onnx")]
mod execute;
#[cfg(feature = "onnx")]
mod explain;
pub mod kernel;
#[cfg(feature = "onnx")]
mod lower;
#[cfg(feature = "onnx")]
mod memory;
#[cfg(feature = "onnx")]
mod network;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(feature = "onnx")]
mod pack;
#[cfg(feature = "onnx")]
mod plan;
mod pool;
mod ranges;
#[cfg(feature = "onnx")]
mod reference;
pub mod spare;
#[cfg(all(test, feature = "onnx"))]
mod tests;

pub use error::Error;
#[cfg(feature = "onnx")]
pub use explain::{Explanation, Layer};
#[cfg(feature = "onnx")]
pub use network::{Network, Scratch};
pub use pool::Pool;
pub use ranges::{Precision, Ranges};
#[cfg(feature = "onnx")]
pub use reference::OutputInfo;
