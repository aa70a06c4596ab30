//! Inference: an ONNX graph is lowered once to a plan of fused steps, then run as often as needed.
//!
//! ```text
//! bytes -onnx-> Graph -lower-> Plan (steps over blocked maps) -bands-> pieces -memory-> buffers -execute-> one kernel a piece
//! ```
//!
//! A graph that cannot be lowered runs through tract whole; [`Network::explain`] says which node
//! stood in the way.
//!
//! The same input gives the same bits on every instruction set, in [`Precision::Exact`] and in
//! [`Precision::Fast`].

mod bands;
mod error;
mod execute;
mod explain;
pub mod kernel;
mod lower;
mod memory;
mod network;
mod onnx;
mod pack;
mod plan;
mod ranges;
mod reference;
pub mod spare;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use explain::{Explanation, Layer};
pub use network::{Network, Scratch};
pub use ranges::{Precision, Ranges};
pub use reference::OutputInfo;
