//! WebP files: the chunks are looked at first, for what they cost and for the orientation.

use super::decode::{animated, broken, over_grey};
use super::{Image, Limits, metadata};
use crate::error::Result;
use image_webp::{DecodingError, WebPDecoder};
use std::io::Cursor;
use zeroize::Zeroize;

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Image> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(error)?;
    if decoder.is_animated() {
        return Err(animated("WebP"));
    }
    let (width, height) = decoder.dimensions();
    limits.check_size(width, height)?;
    let pixels = width as usize * height as usize;
    let (mut exif, mut xmp, mut lossy, mut data) = (None, None, false, 0);
    for (kind, chunk) in Chunks::new(bytes) {
        match kind {
            b"EXIF" => exif = exif.or_else(|| metadata::exif_orientation(chunk)),
            b"XMP " => xmp = xmp.or_else(|| metadata::xmp_orientation(chunk)),
            b"VP8 " | b"VP8L" | b"ALPH" => {
                lossy |= kind == b"VP8 ";
                data += chunk.len();
            }
            _ => {}
        }
    }
    let alpha = decoder.has_alpha();
    // Halves of a byte a pixel, as the decoder takes them: planes of luma and chroma, the alpha
    // plane as it is decoded and as it is kept; or the picture in four bytes a pixel and blocks of
    // transforms.
    let halves = match (lossy, alpha) {
        (true, false) => 3,
        (true, true) => 3 + 10,
        (false, true) => 2,
        (false, false) => 8 + 2,
    };
    let samples = if alpha { 4 } else { 3 };
    limits.check_cost(
        "WebP",
        width,
        height,
        samples * pixels + halves * pixels / 2 + data,
    )?;
    // Holds the four samples of a pixel until they are laid over grey.
    let mut image = Image::of(width, height, vec![0; samples * pixels]);
    decoder.read_image(&mut image.rgb).map_err(error)?;
    if alpha {
        for i in 0..pixels {
            let [r, g, b, a] = std::array::from_fn(|j| image.rgb[4 * i + j]);
            image.rgb[3 * i..3 * i + 3].copy_from_slice(&[r, g, b].map(|v| over_grey(v, a)));
        }
        image.rgb[3 * pixels..].zeroize();
        image.rgb.truncate(3 * pixels);
    }
    Ok(image.turned(exif.or(xmp)))
}

fn error(cause: DecodingError) -> crate::Error {
    broken("WebP", cause)
}

/// The chunks of a WebP file, as far as their lengths are right.
struct Chunks<'a>(&'a [u8]);

impl<'a> Chunks<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Chunks(bytes.get(12..).unwrap_or_default())
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = (&'a [u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, rest) = self.0.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let (chunk, rest) = rest.split_at_checked(length)?;
        self.0 = rest.get(length % 2..).unwrap_or_default();
        Some((kind, chunk))
    }
}
