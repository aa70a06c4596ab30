use crate::engine::vultus_engine;
use crate::error::vultus_error;
use crate::handle::{self, Object, borrow, bytes, out};
use crate::panic::{accessor, boundary};
use crate::status::*;
use std::ptr::{null, null_mut};
use vultus::Template;

/// A stored reference. It is biometric data.
pub struct vultus_template {
    _opaque: (),
}

impl Object for vultus_template {
    type Value = Template;
    const NAME: &'static str = "vultus_template";
}

/// Reads what vultus_template_bytes() gave.
///
/// VULTUS_ERROR_INPUT when it is damaged, VULTUS_ERROR_UNSUPPORTED for another version of the
/// format, VULTUS_ERROR_USAGE when other weights or another precision than those of `engine` made
/// it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_template_read(
    engine: *const vultus_engine,
    stored: *const u8,
    length: usize,
    reference: *mut *mut vultus_template,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_template_read", error, {
        let result = out(reference, "reference", null_mut())?;
        let engine = borrow(engine, "engine")?;
        let stored = bytes(stored, length, "stored")?;
        *result = handle::give(
            engine
                .core
                .read_template(stored)
                .map_err(|e| e.in_argument("stored"))?,
        );
        Ok(())
    })
}

/// Returns the bytes to store, and their number in `length`. Encrypt them. They live as long as the
/// template.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_template_bytes(
    reference: *const vultus_template,
    length: *mut usize,
) -> *const u8 {
    accessor!(null(), {
        let length = out(length, "length", 0)?;
        let bytes = borrow(reference, "reference")?.to_bytes();
        *length = bytes.len();
        Ok(bytes.as_ptr())
    })
}

/// Returns what the picture was that it came from: one of VULTUS_ROLE_*.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_template_role(reference: *const vultus_template) -> i32 {
    accessor!(VULTUS_ROLE_NONE, {
        Ok(role_out(Some(borrow(reference, "reference")?.role())))
    })
}

/// Returns the unified quality score of the sample that it came from, 0 to 100, higher is better.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_template_quality(reference: *const vultus_template) -> i32 {
    accessor!(0, {
        Ok(i32::from(borrow(reference, "reference")?.quality()))
    })
}

/// Wipes and frees a template.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_template_free(reference: *mut vultus_template) {
    // SAFETY: the caller keeps the rules on pointers in the header's introduction.
    unsafe { handle::take_back(reference) }
}
