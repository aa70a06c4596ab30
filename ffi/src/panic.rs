//! The border that no panic crosses.

use crate::error::vultus_error;
use crate::status::{Fault, VULTUS_ERROR_PANIC, VULTUS_OK, vultus_status};
use crate::{handle, log};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the body of a fallible export; `$name` is its name in the log.
macro_rules! boundary {
    ($name:literal, $error:expr, $body:block) => {{
        // SAFETY: the caller keeps the rules on pointers in the header's introduction.
        let body = || unsafe { $body };
        // SAFETY: as above.
        unsafe { $crate::panic::cross($name, $error, body) }
    }};
}

/// Runs the body of an accessor, which gives `$otherwise` for a NULL or wrong handle.
macro_rules! accessor {
    ($otherwise:expr, $body:block) => {{
        // SAFETY: the caller keeps the rules on pointers in the header's introduction.
        let body = || unsafe { $body };
        $crate::panic::guarded(body).unwrap_or($otherwise)
    }};
}

pub(crate) use {accessor, boundary};

/// Returns what `body` returns; a panic becomes a [`Fault`].
///
/// Unwinding cannot break an invariant: the core's objects do not change after they were made, and
/// those that do lie behind a lock that a panic poisons.
pub(crate) fn guarded<T>(body: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let what = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied());
        Err(Fault::new(
            VULTUS_ERROR_PANIC,
            format!(
                "a defect of the engine: {}",
                what.unwrap_or("a panic without a message")
            ),
        ))
    })
}

/// Runs `body`, logs its fault and hands it to the caller.
///
/// # Safety
/// `error` is NULL or a slot that may be written.
pub(crate) unsafe fn cross(
    name: &str,
    error: *mut *mut vultus_error,
    body: impl FnOnce() -> Result<(), Fault>,
) -> vultus_status {
    if !error.is_null() {
        // SAFETY: by the contract of this function.
        unsafe { error.write(std::ptr::null_mut()) };
    }
    let Err(fault) = guarded(body) else {
        return VULTUS_OK;
    };
    let status = fault.status;
    log::write(log::VULTUS_LOG_ERROR, || {
        format!("{name}: {}", fault.message)
    });
    if !error.is_null() {
        // SAFETY: by the contract of this function.
        unsafe { error.write(handle::give(fault.into())) };
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{vultus_error_code, vultus_error_free, vultus_error_message};
    use std::ffi::CStr;

    /// As a caller of C sees it.
    fn call(
        error: *mut *mut vultus_error,
        body: impl FnOnce() -> Result<(), Fault>,
    ) -> vultus_status {
        // SAFETY: every test passes NULL or a slot of its own.
        unsafe { cross("test", error, body) }
    }

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        for panicking in [
            || panic!("a forced panic"),
            || panic!("a {} panic", "forced"),
        ] {
            let mut error = std::ptr::null_mut();
            assert_eq!(call(&mut error, panicking), VULTUS_ERROR_PANIC);
            // SAFETY: the call filled the slot with an error, which is freed once.
            unsafe {
                let message = CStr::from_ptr(vultus_error_message(error))
                    .to_str()
                    .unwrap();
                assert_eq!(message, "a defect of the engine: a forced panic");
                assert_eq!(vultus_error_code(error), VULTUS_ERROR_PANIC);
                vultus_error_free(error);
            }
        }
    }

    #[test]
    fn a_panic_needs_no_error_slot() {
        assert_eq!(
            call(std::ptr::null_mut(), || panic!("a forced panic")),
            VULTUS_ERROR_PANIC
        );
    }

    #[test]
    fn a_panic_in_an_accessor_gives_its_zero() {
        assert_eq!(guarded::<i32>(|| panic!("a forced panic")).unwrap_or(0), 0);
    }

    #[test]
    fn success_clears_the_error_slot() {
        let mut error = std::ptr::dangling_mut();
        assert_eq!(call(&mut error, || Ok(())), VULTUS_OK);
        assert!(error.is_null());
    }
}
