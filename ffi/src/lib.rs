//! The C ABI of vultus: `include/vultus.h` is made of these files and is its manual. No logic, only
//! translation.
//!
//! Every export runs inside `panic::cross`; every pointer of a caller goes through `handle`.
#![expect(non_camel_case_types, reason = "the names are those of the header")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the header's introduction is the contract of every pointer"
)]

mod panic;

mod challenge;
mod comparison;
mod decision;
mod document;
mod engine;
mod error;
mod evidence;
mod face;
mod gallery;
mod handle;
mod image;
mod log;
mod sample;
mod session;
mod status;
mod template;
mod version;

pub use challenge::*;
pub use comparison::*;
pub use decision::*;
pub use document::*;
pub use engine::*;
pub use error::*;
pub use evidence::*;
pub use face::*;
pub use gallery::*;
pub use handle::*;
pub use image::*;
pub use log::*;
pub use sample::*;
pub use session::*;
pub use status::*;
pub use template::*;
pub use version::*;
