use crate::panic::accessor;
use crate::status::*;
use std::any::TypeId;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char};
use std::sync::{LazyLock, PoisonError, RwLock};

/// What every handle stands for. A handle is a number that was never given before and is no
/// address, so that one that was freed is known as such, whatever was made since.
static LIVE: LazyLock<RwLock<Objects>> = LazyLock::new(|| {
    RwLock::new(Objects {
        next: FIRST,
        live: HashMap::new(),
    })
});

/// No program has memory there.
const FIRST: usize = usize::MAX / 2 + 1;

struct Objects {
    next: usize,
    live: HashMap<usize, Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    kind: TypeId,
    value: *mut (),
}

// SAFETY: the values are `Send` and `Sync`, as `give` demands.
unsafe impl Send for Entry {}
// SAFETY: as above.
unsafe impl Sync for Entry {}

/// Returns how many handles of all types exist now: 0 when all were freed, for tests that look for
/// leaks.
#[unsafe(no_mangle)]
pub extern "C" fn vultus_live_objects() -> usize {
    LIVE.read()
        .unwrap_or_else(PoisonError::into_inner)
        .live
        .len()
}

/// A type of the header: what a handle of it stands for, and its name.
pub(crate) trait Object: 'static {
    type Value: Send + Sync;
    const NAME: &'static str;
}

/// Moves a value to the heap; the caller of the library owns it.
pub(crate) fn give<O: Object>(value: O::Value) -> *mut O {
    let value = Box::into_raw(Box::new(value)).cast();
    let kind = TypeId::of::<O>();
    let mut objects = LIVE.write().unwrap_or_else(PoisonError::into_inner);
    let number = objects.next;
    objects.next += 1;
    objects.live.insert(number, Entry { kind, value });
    std::ptr::without_provenance_mut(number)
}

/// The entry of a handle, if it is of the type.
fn entry<O: Object>(found: Option<&Entry>, name: &str) -> Result<*mut O::Value, Fault> {
    let fault = |message| Err(Fault::new(VULTUS_ERROR_HANDLE, message));
    match found {
        None => fault(format!(
            "{name}: is no handle: it was freed, or this library never gave it"
        )),
        Some(entry) if entry.kind != TypeId::of::<O>() => fault(format!(
            "{name}: is a handle of another type, a {} is needed",
            O::NAME
        )),
        Some(entry) => Ok(entry.value.cast()),
    }
}

/// Borrows the value behind the argument `name`.
///
/// # Safety
/// No other thread frees the handle meanwhile.
pub(crate) unsafe fn borrow<'a, O: Object>(
    handle: *const O,
    name: &str,
) -> Result<&'a O::Value, Fault> {
    not_null(handle, name)?;
    let objects = LIVE.read().unwrap_or_else(PoisonError::into_inner);
    let value = entry::<O>(objects.live.get(&handle.addr()), name)?;
    // SAFETY: `give` made it of this type, and it lives until it is freed.
    Ok(unsafe { &*value })
}

/// Drops what `give` made; what is no handle of the type is left alone.
///
/// # Safety
/// No other thread uses the handle meanwhile.
pub(crate) unsafe fn take_back<O: Object>(handle: *mut O) {
    accessor!((), {
        not_null(handle, "handle")?;
        let mut objects = LIVE.write().unwrap_or_else(PoisonError::into_inner);
        let value = entry::<O>(objects.live.get(&handle.addr()), "handle")?;
        objects.live.remove(&handle.addr());
        drop(objects);
        drop(Box::from_raw(value));
        Ok(())
    });
}

/// Clears the result slot `name`, and returns it to be filled.
///
/// # Safety
/// `slot` is NULL or may be written.
pub(crate) unsafe fn out<'a, T>(slot: *mut T, name: &str, cleared: T) -> Result<&'a mut T, Fault> {
    aligned(slot, name)?;
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

/// A struct of the header. It may grow at its end: what an earlier header lacks is zero.
///
/// # Safety
/// All of it is plain data that may be zero, and it begins with its size as a `size_t`.
pub(crate) unsafe trait Struct: Copy {
    /// Its size in the first header of this ABI.
    const LEAST: usize = size_of::<Self>();
}

/// Copies a struct that the caller filled. One from a later header is taken as long as what is
/// unknown here is zero; what one from an earlier header lacks is zero.
///
/// # Safety
/// `object` is NULL or begins with its size in bytes as a `size_t`.
pub(crate) unsafe fn sized<T: Struct>(object: *const T, name: &str) -> Result<T, Fault> {
    // SAFETY: by the contract of this function.
    let size = unsafe { checked_size(object, name)? };
    // SAFETY: the caller says that so many bytes are there.
    let given = unsafe { std::slice::from_raw_parts(object.cast::<u8>(), size) };
    let (known, rest) = given.split_at(size.min(size_of::<T>()));
    if rest.iter().any(|&b| b != 0) {
        let message = format!(
            "{name}: sets a field that this library, of ABI {}, does not know",
            crate::VULTUS_ABI_VERSION
        );
        return Err(Fault::new(VULTUS_ERROR_UNSUPPORTED, message));
    }
    let mut whole = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: `known` is no longer than `T`, which may be zero.
    unsafe {
        let bytes = whole.as_mut_ptr().cast::<u8>();
        bytes.copy_from_nonoverlapping(known.as_ptr(), known.len());
        Ok(whole.assume_init())
    }
}

/// A struct of the caller that is to be filled, cleared at first. No more of it is written than the
/// caller's header knows.
pub(crate) struct Filled<T: Struct> {
    object: *mut T,
    size: usize,
}

impl<T: Struct> Filled<T> {
    /// # Safety
    /// `object` is NULL or begins with its size in bytes as a `size_t`, and may be written.
    pub(crate) unsafe fn clear(object: *mut T, name: &str) -> Result<Filled<T>, Fault> {
        // SAFETY: by the contract of this function.
        let size = unsafe { checked_size(object, name)? };
        let filled = Filled { object, size };
        // SAFETY: all of `T` may be zero.
        filled.set(unsafe { std::mem::zeroed() });
        Ok(filled)
    }

    /// Writes all fields but the size.
    pub(crate) fn set(&self, value: T) {
        let first = size_of::<usize>();
        let count = self.size.min(size_of::<T>()) - first;
        // SAFETY: the caller of `clear` says that so many bytes may be written.
        unsafe {
            let to = self.object.cast::<u8>().add(first);
            to.copy_from((&raw const value).cast::<u8>().add(first), count);
        }
    }
}

/// Returns a struct's size as its caller knows it, which is at least that of the first header.
///
/// # Safety
/// As for [`sized`].
unsafe fn checked_size<T: Struct>(object: *const T, name: &str) -> Result<usize, Fault> {
    const MOST: usize = 4096;
    aligned(object, name)?;
    // SAFETY: by the contract of this function.
    let size = unsafe { object.cast::<usize>().read() };
    if !(T::LEAST..=MOST).contains(&size) {
        let message = format!(
            "{name}: struct_size is {size}, it must be the sizeof of the struct, which is {} here",
            size_of::<T>()
        );
        return Err(Fault::new(VULTUS_ERROR_USAGE, message));
    }
    Ok(size)
}

fn aligned<T>(pointer: *const T, name: &str) -> Result<(), Fault> {
    not_null(pointer, name)?;
    if !pointer.is_aligned() {
        let message = format!(
            "{name}: its address is no multiple of {}, as that of such a struct or slot must be",
            align_of::<T>()
        );
        return Err(Fault::new(VULTUS_ERROR_USAGE, message));
    }
    Ok(())
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
    use crate::vultus_comparison;

    struct Thing;

    impl Object for Thing {
        type Value = String;
        const NAME: &'static str = "thing";
    }

    struct Other;

    impl Object for Other {
        type Value = String;
        const NAME: &'static str = "other";
    }

    #[test]
    fn a_handle_that_was_freed_is_known_as_such_whatever_was_made_since() {
        // SAFETY: this thread alone has the handles.
        unsafe {
            let first: *mut Thing = give("first".to_owned());
            assert_eq!(borrow(first, "it").unwrap(), "first");
            let status = |handle: *mut Other| borrow(handle, "it").unwrap_err().status;
            assert_eq!(status(first.cast()), VULTUS_ERROR_HANDLE);
            take_back(first.cast::<Other>());
            assert_eq!(
                borrow(first, "it").unwrap(),
                "first",
                "another type frees nothing"
            );
            take_back(first);
            let second: *mut Thing = give("second".to_owned());
            assert_ne!(first, second);
            let stale = borrow(first, "it").unwrap_err();
            assert_eq!(stale.status, VULTUS_ERROR_HANDLE);
            assert!(
                stale.message.contains("it: is no handle"),
                "{}",
                stale.message
            );
            take_back(first);
            assert_eq!(borrow(second, "it").unwrap(), "second");
            let wild = std::ptr::without_provenance::<Thing>(16);
            assert_eq!(borrow(wild, "it").unwrap_err().status, VULTUS_ERROR_HANDLE);
            take_back(second);
        }
    }

    /// A struct that grew by `news`.
    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Grown {
        struct_size: usize,
        known: u32,
        news: u32,
    }

    // SAFETY: plain data, whose size comes first.
    unsafe impl Struct for Grown {
        const LEAST: usize = std::mem::offset_of!(Grown, news);
    }

    #[test]
    fn a_struct_of_an_earlier_header_is_filled_with_zero_and_written_to_its_own_size() {
        let mut mine = Grown {
            struct_size: Grown::LEAST,
            known: 7,
            news: 9,
        };
        // SAFETY: `mine` begins with its size, and may be written.
        unsafe {
            let read = sized(&raw const mine, "mine").unwrap();
            assert_eq!((read.known, read.news), (7, 0));
            let filled = Filled::clear(&raw mut mine, "mine").unwrap();
            assert_eq!((mine.known, mine.news), (0, 9));
            filled.set(Grown {
                struct_size: 0,
                known: 3,
                news: 4,
            });
        }
        let expected = Grown {
            struct_size: Grown::LEAST,
            known: 3,
            news: 9,
        };
        assert_eq!(mine, expected);
        mine.struct_size -= 1;
        // SAFETY: as above.
        let refused = unsafe { sized(&raw const mine, "mine") }.unwrap_err();
        assert_eq!(refused.status, VULTUS_ERROR_USAGE);
    }

    #[test]
    fn an_address_that_no_struct_has_is_refused() {
        let bytes = [0u64; 8];
        let crooked = bytes.as_ptr().cast::<u8>().wrapping_add(1).cast::<Grown>();
        // SAFETY: it is refused before it is read.
        let refused = unsafe { sized(crooked, "it") }.unwrap_err();
        assert_eq!(refused.status, VULTUS_ERROR_USAGE);
        assert!(
            refused.message.contains("no multiple of 8"),
            "{}",
            refused.message
        );
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
