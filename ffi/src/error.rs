use crate::handle::{self, Object, borrow, c_text};
use crate::panic::accessor;
use crate::status::{Fault, vultus_status};
use std::ffi::{CString, c_char};
use std::ptr::null;

/// Why a call failed.
pub struct vultus_error {
    _opaque: (),
}

pub(crate) struct Failure {
    status: vultus_status,
    stage: CString,
    message: CString,
}

impl Object for vultus_error {
    type Value = Failure;
    const NAME: &'static str = "vultus_error";
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure {
            status: fault.status,
            stage: c_text(fault.stage),
            message: c_text(&fault.message),
        }
    }
}

/// Returns the status that the failed call returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_error_code(error: *const vultus_error) -> vultus_status {
    accessor!(0, { Ok(borrow(error, "error")?.status) })
}

/// Returns one sentence for a log: the argument at fault, what was wrong, what is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_error_message(error: *const vultus_error) -> *const c_char {
    accessor!(null(), { Ok(borrow(error, "error")?.message.as_ptr()) })
}

/// Returns the stage of the pipeline where it happened, such as "image" or "model"; "interface" for
/// the call itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_error_stage(error: *const vultus_error) -> *const c_char {
    accessor!(null(), { Ok(borrow(error, "error")?.stage.as_ptr()) })
}

/// Frees an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_error_free(error: *mut vultus_error) {
    // SAFETY: the caller keeps the rules on pointers in the header's introduction.
    unsafe { handle::take_back(error) }
}
