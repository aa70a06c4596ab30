use crate::panic::accessor;
use crate::status::*;
use std::ffi::{CStr, CString, c_char};
use std::sync::atomic::{AtomicUsize, Ordering};

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Returns how many handles of all types exist now: 0 when all were freed, for tests that look for
/// leaks.
#[unsafe(no_mangle)]
pub extern "C" fn vultus_live_objects() -> usize {
    LIVE.load(Ordering::SeqCst)
}

/// A type of the header: what a handle of it holds, and what tells it from the others.
pub(crate) trait Object {
    type Value;
    const NAME: &'static str;
}

/// What a handle points to. The tag comes first in every type, so that it can be read before the
/// type is known.
#[repr(C)]
struct Tagged<T> {
    tag: u64,
    value: T,
}

/// The first bytes of the type's name: unlike for every type, and unlike what memory often holds.
const fn tag<O: Object>() -> u64 {
    let name = O::NAME.as_bytes();
    let (mut tag, mut i) = (0_u64, "vultus_".len());
    while i < name.len() {
        tag = tag.rotate_left(8) ^ name[i] as u64;
        i += 1;
    }
    tag
}

/// Moves a value to the heap; the caller of the library owns it.
pub(crate) fn give<O: Object>(value: O::Value) -> *mut O {
    LIVE.fetch_add(1, Ordering::SeqCst);
    Box::into_raw(Box::new(Tagged {
        tag: tag::<O>(),
        value,
    }))
    .cast()
}

/// Borrows the value behind the argument `name`.
///
/// # Safety
/// `handle` is NULL or a live handle of any type.
pub(crate) unsafe fn borrow<'a, O: Object>(
    handle: *const O,
    name: &str,
) -> Result<&'a O::Value, Fault> {
    not_null(handle, name)?;
    // SAFETY: every live handle begins with a tag.
    if unsafe { handle.cast::<u64>().read() } != tag::<O>() {
        return Err(Fault::new(
            VULTUS_ERROR_HANDLE,
            format!(
                "{name}: is a handle of another type, a {} is needed",
                O::NAME
            ),
        ));
    }
    // SAFETY: the tag says that `give` made it of this type.
    Ok(unsafe { &(*handle.cast::<Tagged<O::Value>>()).value })
}

/// Drops what `give` made; a handle of another type is left alone.
///
/// # Safety
/// `handle` is NULL or a live handle of any type, and is not used again.
pub(crate) unsafe fn take_back<O: Object>(handle: *mut O) {
    accessor!((), {
        borrow(handle, "handle")?;
        drop(Box::from_raw(handle.cast::<Tagged<O::Value>>()));
        LIVE.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    });
}

/// Clears the result slot `name`, and returns it to be filled.
///
/// # Safety
/// `slot` is NULL or may be written.
pub(crate) unsafe fn out<'a, T>(slot: *mut T, name: &str, cleared: T) -> Result<&'a mut T, Fault> {
    not_null(slot, name)?;
    // SAFETY: by the contract of this function; `write` reads nothing that the caller left
    // uninitialised.
    unsafe {
        slot.write(cleared);
        Ok(&mut *slot)
    }
}

/// Borrows `length` bytes.
///
/// # Safety
/// `bytes` is NULL or holds `length` bytes.
pub(crate) unsafe fn bytes<'a>(
    bytes: *const u8,
    length: usize,
    name: &str,
) -> Result<&'a [u8], Fault> {
    not_null(bytes, name)?;
    if isize::try_from(length).is_err() {
        return Err(Fault::new(
            VULTUS_ERROR_USAGE,
            format!("{name}: a length of {length} bytes is more than can be addressed"),
        ));
    }
    // SAFETY: by the contract of this function.
    Ok(unsafe { std::slice::from_raw_parts(bytes, length) })
}

/// Borrows text.
///
/// # Safety
/// `text` is NULL or ends in NUL.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, Fault> {
    not_null(text, name)?;
    // SAFETY: by the contract of this function.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str()
        .map_err(|_| Fault::new(VULTUS_ERROR_USAGE, format!("{name}: is not UTF-8")))
}

/// Copies a struct that the caller filled. One from a later header is taken as long as what is
/// unknown here is zero.
///
/// # Safety
/// `object` is NULL or begins with its size in bytes as a `size_t`, and all of `T` is plain data.
pub(crate) unsafe fn sized<T: Copy>(object: *const T, name: &str) -> Result<T, Fault> {
    // SAFETY: by the contract of this function.
    let size = unsafe { checked_size(object, name)? };
    // SAFETY: the caller says that so many bytes are there.
    let rest = unsafe { std::slice::from_raw_parts(object.cast::<u8>(), size) };
    if rest[size_of::<T>()..].iter().any(|&b| b != 0) {
        let message = format!(
            "{name}: sets a field that this library, of ABI {}, does not know",
            crate::VULTUS_ABI_VERSION
        );
        return Err(Fault::new(VULTUS_ERROR_UNSUPPORTED, message));
    }
    // SAFETY: `size` covers `T`.
    Ok(unsafe { *object })
}

/// Returns a struct's size as its caller knows it, which is at least that of `T`.
///
/// # Safety
/// As for [`sized`].
pub(crate) unsafe fn checked_size<T>(object: *const T, name: &str) -> Result<usize, Fault> {
    const MOST: usize = 4096;
    not_null(object, name)?;
    // SAFETY: by the contract of this function.
    let (size, least) = (unsafe { object.cast::<usize>().read() }, size_of::<T>());
    if !(least..=MOST).contains(&size) {
        let message = format!(
            "{name}: struct_size is {size}, it must be the sizeof of the struct, which is {least} \
            here"
        );
        return Err(Fault::new(VULTUS_ERROR_USAGE, message));
    }
    Ok(size)
}

fn not_null<T>(pointer: *const T, name: &str) -> Result<(), Fault> {
    if pointer.is_null() {
        return Err(Fault::new(
            VULTUS_ERROR_NULL,
            format!("{name}: is NULL, which is not allowed"),
        ));
    }
    Ok(())
}

/// Refuses a reserved field that is not 0, so that it can get a meaning later.
pub(crate) fn reserved(value: u32, name: &str) -> Result<(), Fault> {
    if value != 0 {
        return Err(Fault::new(
            VULTUS_ERROR_UNSUPPORTED,
            format!("{name}.reserved: is {value}, it must be 0"),
        ));
    }
    Ok(())
}

/// Makes text for C; what comes after a NUL, which no text of ours holds, is cut.
pub(crate) fn c_text(text: &str) -> CString {
    CString::new(text.split('\0').next().unwrap_or_default())
        .expect("the text was cut at its first NUL")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        vultus_candidates, vultus_challenge, vultus_comparison, vultus_decision, vultus_document,
        vultus_engine, vultus_error, vultus_evidence, vultus_faces, vultus_gallery, vultus_image,
        vultus_sample, vultus_session, vultus_template,
    };

    #[test]
    fn no_two_types_share_a_tag() {
        let tags = [
            tag::<vultus_candidates>(),
            tag::<vultus_challenge>(),
            tag::<vultus_decision>(),
            tag::<vultus_document>(),
            tag::<vultus_engine>(),
            tag::<vultus_error>(),
            tag::<vultus_evidence>(),
            tag::<vultus_faces>(),
            tag::<vultus_gallery>(),
            tag::<vultus_image>(),
            tag::<vultus_sample>(),
            tag::<vultus_session>(),
            tag::<vultus_template>(),
        ];
        assert_eq!(std::collections::HashSet::from(tags).len(), tags.len());
    }

    #[test]
    fn a_struct_of_a_later_header_is_taken_while_its_news_are_zero() {
        #[repr(C)]
        struct Later {
            known: vultus_comparison,
            unknown: u64,
        }
        let mut later = Later {
            known: vultus_comparison::default(),
            unknown: 0,
        };
        later.known.struct_size = size_of::<Later>();
        let read = |later: &Later| {
            // SAFETY: `later` begins with its size.
            unsafe {
                sized(
                    std::ptr::from_ref(later).cast::<vultus_comparison>(),
                    "later",
                )
            }
            .map_err(|f| f.status)
        };
        assert!(read(&later).is_ok());
        later.unknown = 1;
        assert_eq!(read(&later).unwrap_err(), VULTUS_ERROR_UNSUPPORTED);
        for size in [0, size_of::<vultus_comparison>() - 1, usize::MAX] {
            later.known.struct_size = size;
            assert_eq!(read(&later).unwrap_err(), VULTUS_ERROR_USAGE, "{size}");
        }
    }
}
