use std::ffi::c_char;

/// Version of this interface. It grows when something is removed or changes its meaning; what is
/// added leaves it. Compare it with vultus_abi_version() before the first call.
pub const VULTUS_ABI_VERSION: u32 = 1;

/// Returns the VULTUS_ABI_VERSION that the library was built with.
#[unsafe(no_mangle)]
pub extern "C" fn vultus_abi_version() -> u32 {
    VULTUS_ABI_VERSION
}

/// Returns the version of the library, such as "0.1.0". It lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn vultus_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}
