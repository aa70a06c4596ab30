use crate::error::vultus_error;
use crate::handle::{self, Object, Struct, borrow, bytes, out, reserved, sized};
use crate::panic::{accessor, boundary};
use crate::status::*;
use std::ptr::null_mut;
use vultus::{Image, ImageView, Limits, PixelFormat};

/// Three bytes a pixel: red, green, blue.
pub const VULTUS_PIXELS_RGB8: i32 = 1;
/// Three bytes a pixel: blue, green, red.
pub const VULTUS_PIXELS_BGR8: i32 = 2;
/// Four bytes a pixel: red, green, blue, alpha; alpha is ignored.
pub const VULTUS_PIXELS_RGBA8: i32 = 3;
/// Four bytes a pixel: blue, green, red, alpha; alpha is ignored.
pub const VULTUS_PIXELS_BGRA8: i32 = 4;
/// One byte a pixel.
pub const VULTUS_PIXELS_GREY8: i32 = 5;
/// A plane of luma, then one of half width and height with interleaved Cb, Cr (BT.601, video
/// range), both of the same stride. Width and height must be even.
pub const VULTUS_PIXELS_NV12: i32 = 6;

/// An upright picture.
pub struct vultus_image {
    _opaque: (),
}

impl Object for vultus_image {
    type Value = Image;
    const NAME: &'static str = "vultus_image";
}

/// What an encoded picture may cost at the most; a field of 0 keeps its default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct vultus_limits {
    /// sizeof(vultus_limits).
    pub struct_size: usize,
    /// Length of the file in bytes; 32 MiB by default.
    pub max_bytes: u64,
    /// Width times height; 50 million by default.
    pub max_pixels: u64,
    /// Longer side over shorter side; 8 by default.
    pub max_aspect: f32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: plain data, whose size comes first.
unsafe impl Struct for vultus_limits {}

/// Raw pixels, rows from the top.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct vultus_pixels {
    /// sizeof(vultus_pixels).
    pub struct_size: usize,
    /// The first row.
    pub data: *const u8,
    /// Length of `data` in bytes.
    pub data_length: usize,
    /// Distance between the starts of two rows in bytes.
    pub stride: usize,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// One of VULTUS_PIXELS_*.
    pub format: i32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: plain data, whose size comes first.
unsafe impl Struct for vultus_pixels {}

/// Decodes a JPEG, PNG or WebP file of `length` bytes and turns it upright by its EXIF orientation.
/// `limits` may be NULL.
///
/// VULTUS_ERROR_INPUT for anything that is no such file or is cut short, VULTUS_ERROR_LIMIT when it
/// exceeds `limits` (checked before pixels are allocated), VULTUS_ERROR_UNSUPPORTED for animations.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_image_decode(
    file: *const u8,
    length: usize,
    limits: *const vultus_limits,
    image: *mut *mut vultus_image,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_image_decode", error, {
        let image = out(image, "image", null_mut())?;
        let file = bytes(file, length, "file")?;
        let limits = if limits.is_null() {
            Limits::default()
        } else {
            limits_in(&sized(limits, "limits")?)?
        };
        *image = handle::give(Image::decode(file, &limits).map_err(|e| e.in_argument("file"))?);
        Ok(())
    })
}

/// Copies raw pixels. VULTUS_ERROR_INPUT when a side is 0, the stride is shorter than a row or the
/// buffer is too short.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_image_from_pixels(
    pixels: *const vultus_pixels,
    image: *mut *mut vultus_image,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_image_from_pixels", error, {
        let image = out(image, "image", null_mut())?;
        let pixels = sized(pixels, "pixels")?;
        reserved(pixels.reserved, "pixels")?;
        let data = bytes(pixels.data, pixels.data_length, "pixels.data")?;
        let format = format_in(pixels.format)?;
        let view = ImageView::new(data, pixels.width, pixels.height, pixels.stride, format)
            .map_err(|e| e.in_argument("pixels"))?;
        *image = handle::give(Image::from_view(&view));
        Ok(())
    })
}

/// Returns the width in pixels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_image_width(image: *const vultus_image) -> u32 {
    accessor!(0, { Ok(borrow(image, "image")?.width()) })
}

/// Returns the height in pixels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_image_height(image: *const vultus_image) -> u32 {
    accessor!(0, { Ok(borrow(image, "image")?.height()) })
}

/// Wipes and frees an image.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_image_free(image: *mut vultus_image) {
    // SAFETY: the caller keeps the rules on pointers in the header's introduction.
    unsafe { handle::take_back(image) }
}

fn format_in(format: i32) -> Result<PixelFormat, Fault> {
    Ok(match format {
        VULTUS_PIXELS_RGB8 => PixelFormat::Rgb8,
        VULTUS_PIXELS_BGR8 => PixelFormat::Bgr8,
        VULTUS_PIXELS_RGBA8 => PixelFormat::Rgba8,
        VULTUS_PIXELS_BGRA8 => PixelFormat::Bgra8,
        VULTUS_PIXELS_GREY8 => PixelFormat::Grey8,
        VULTUS_PIXELS_NV12 => PixelFormat::Nv12,
        _ => {
            return Err(Fault::new(
                VULTUS_ERROR_USAGE,
                format!("pixels.format: is {format}, allowed are VULTUS_PIXELS_*, 1 to 6"),
            ));
        }
    })
}

fn limits_in(given: &vultus_limits) -> Result<Limits, Fault> {
    reserved(given.reserved, "limits")?;
    let mut limits = Limits::default();
    if given.max_bytes != 0 {
        limits.max_bytes = usize::try_from(given.max_bytes).unwrap_or(usize::MAX);
    }
    if given.max_pixels != 0 {
        limits.max_pixels = given.max_pixels;
    }
    if given.max_aspect != 0.0 {
        limits.max_aspect = given.max_aspect;
    }
    if limits.max_aspect.is_nan() || limits.max_aspect < 1.0 {
        return Err(Fault::new(
            VULTUS_ERROR_USAGE,
            format!(
                "limits.max_aspect: is {}, it must be 1 at least",
                limits.max_aspect
            ),
        ));
    }
    Ok(limits)
}
