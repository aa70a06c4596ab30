//! Pixels: raw buffers with a typed format, encoded files under limits, and the one sampler that
//! feeds every stage.

mod decode;
mod pyramid;
mod view;

pub use decode::Limits;
pub(crate) use pyramid::{Colour, Planar, Pyramid};
pub use view::{ImageView, PixelFormat};

use crate::error::Result;
use zeroize::Zeroize;

/// An upright 8-bit RGB picture, owned. Pixels are wiped when it is dropped.
#[derive(Clone)]
pub struct Image {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
    jpeg_quality: Option<u8>,
}

impl Image {
    /// Decodes a JPEG, PNG or WebP file and applies its EXIF orientation. Alpha is laid over mid
    /// grey, 16-bit samples are reduced to 8, grey and CMYK become RGB.
    ///
    /// `Kind::Input` for anything that is no such file or is cut short, `Kind::Limit` when `limits`
    /// are exceeded (checked on the header, before pixels are allocated), `Kind::Unsupported` for
    /// animations.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Image> {
        decode::decode(bytes, limits)
    }

    /// Copies a raw buffer.
    pub fn from_view(view: &ImageView<'_>) -> Image {
        Image {
            width: view.width(),
            height: view.height(),
            rgb: view.to_rgb(),
            jpeg_quality: None,
        }
    }

    /// Returns the width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns the height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns the pixels: rows from the top, three bytes R, G, B a pixel, no padding.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Returns the quality setting (1..=100) that the JPEG's luminance table corresponds to; `None`
    /// if the picture did not come from a JPEG.
    pub fn jpeg_quality(&self) -> Option<u8> {
        self.jpeg_quality
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // The slice at once: `Vec` would wipe byte after byte.
        self.rgb.as_mut_slice().zeroize();
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({} x {})", self.width, self.height)
    }
}
