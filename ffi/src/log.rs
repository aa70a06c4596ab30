use std::ffi::{c_char, c_void};
use std::sync::{PoisonError, RwLock};

/// A failed call.
pub const VULTUS_LOG_ERROR: i32 = 1;
/// An engine was opened.
pub const VULTUS_LOG_INFO: i32 = 3;
/// A decision was made.
pub const VULTUS_LOG_DEBUG: i32 = 4;

/// Takes one line of the log, which lives for the call only. It comes on the thread of the call
/// that it is about, from several threads at once, and must not call this library or throw.
pub type vultus_log_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, level: i32, message: *const c_char)>;

struct Sink {
    callback: unsafe extern "C" fn(*mut c_void, i32, *const c_char),
    user: *mut c_void,
}

// SAFETY: `user` is only handed back to its owner, who was told that calls come from any thread.
unsafe impl Send for Sink {}
// SAFETY: as above.
unsafe impl Sync for Sink {}

static SINK: RwLock<Option<Sink>> = RwLock::new(None);

/// Sends the log of the whole process to `callback`, with `user` as its first argument; NULL turns
/// the log off, as it is at the start. When this returns, the callback set before is not running
/// and will not be called again. No line holds pixels, features, scores or anything read off a
/// document.
#[unsafe(no_mangle)]
pub extern "C" fn vultus_set_log_callback(callback: vultus_log_callback, user: *mut c_void) {
    *SINK.write().unwrap_or_else(PoisonError::into_inner) =
        callback.map(|callback| Sink { callback, user });
}

pub(crate) fn write(level: i32, line: impl FnOnce() -> String) {
    let sink = SINK.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(sink) = &*sink {
        let line = crate::handle::c_text(&line());
        // SAFETY: the callback is callable until it is replaced, and replacing it waits for the
        // lock that is held here.
        unsafe { (sink.callback)(sink.user, level, line.as_ptr()) }
    }
}
