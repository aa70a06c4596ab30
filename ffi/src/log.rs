use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::sync::{Arc, PoisonError, RwLock};

/// A failed call.
pub const VULTUS_LOG_ERROR: i32 = 1;
/// An engine was opened.
pub const VULTUS_LOG_INFO: i32 = 3;
/// A decision was made.
pub const VULTUS_LOG_DEBUG: i32 = 4;

/// Takes one line of the log, which lives for the call only. It comes on the thread of the call
/// that it is about, from several threads at once, and must not throw. It may call this library,
/// and set another callback or none; what its own calls would log is left out.
pub type vultus_log_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, level: i32, message: *const c_char)>;

struct Sink {
    callback: unsafe extern "C" fn(*mut c_void, i32, *const c_char),
    user: *mut c_void,
    /// Held while the callback runs.
    running: RwLock<()>,
}

// SAFETY: `user` is only handed back to its owner, who was told that calls come from any thread.
unsafe impl Send for Sink {}
// SAFETY: as above.
unsafe impl Sync for Sink {}

static SINK: RwLock<Option<Arc<Sink>>> = RwLock::new(None);

thread_local! {
    /// Whether this thread is in a callback.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Sends the log of the whole process to `callback`, with `user` as its first argument; NULL turns
/// the log off, as it is at the start. When this returns, the callback set before is not running,
/// unless it is the one that calls this, and will not be called again. No line holds pixels,
/// features, scores or anything read off a document.
#[unsafe(no_mangle)]
pub extern "C" fn vultus_set_log_callback(callback: vultus_log_callback, user: *mut c_void) {
    let sink = callback.map(|callback| {
        Arc::new(Sink {
            callback,
            user,
            running: RwLock::new(()),
        })
    });
    let before = std::mem::replace(
        &mut *SINK.write().unwrap_or_else(PoisonError::into_inner),
        sink,
    );
    if let Some(before) = before
        && !IS_INSIDE.get()
    {
        drop(before.running.write());
    }
}

fn current() -> Option<Arc<Sink>> {
    SINK.read().unwrap_or_else(PoisonError::into_inner).clone()
}

pub(crate) fn write(level: i32, line: impl FnOnce() -> String) {
    if IS_INSIDE.get() {
        return;
    }
    let Some(sink) = current() else { return };
    let _running = sink.running.read().unwrap_or_else(PoisonError::into_inner);
    // It may have been replaced meanwhile, and whoever did so waits for no call that comes later.
    if !current().is_some_and(|now| Arc::ptr_eq(&now, &sink)) {
        return;
    }
    let line = crate::handle::c_text(&line());
    IS_INSIDE.set(true);
    // SAFETY: the callback is callable until it is replaced, and replacing it waits for the lock
    // that is held here, or comes from the callback itself.
    unsafe { (sink.callback)(sink.user, level, line.as_ptr()) }
    IS_INSIDE.set(false);
}
