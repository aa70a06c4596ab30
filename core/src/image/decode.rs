//! Encoded files to upright RGB. Everything a header promises is checked against [`Limits`] before
//! pixels are allocated, and what decoding will take before it begins.

use super::jpeg::Jpeg;
use super::{Image, png, webp};
use crate::error::{Error, Kind, Result, Stage};
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

/// Memory of decoding: bytes a pixel, and bytes beside them.
const BYTES_PER_PIXEL: usize = 8;
const BYTES_BESIDE: usize = 16 << 20;

/// What an input may cost at the most.
///
/// Decoding takes at most 8 bytes a pixel and 16 MiB beside the file itself. The few files within
/// these limits that need more are refused with `Kind::Limit` before it is taken: progressive JPEGs
/// without chroma subsampling from some 16 megapixels on, lossy WebP with alpha from 6.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Length of an encoded file in bytes.
    pub max_bytes: usize,
    /// Width times height.
    pub max_pixels: u64,
    /// Longer side over shorter side.
    pub max_aspect: f32,
}

impl Default for Limits {
    /// 32 MiB, 50 megapixels, an aspect of 8.
    fn default() -> Self {
        Limits {
            max_bytes: 32 << 20,
            max_pixels: 50_000_000,
            max_aspect: 8.0,
        }
    }
}

impl Limits {
    pub(crate) fn check_size(&self, width: u32, height: u32) -> Result<()> {
        if width == 0 || height == 0 {
            let message =
                format!("the picture is {width} x {height} pixels, each side must be at least 1");
            return Err(Error::new(Stage::Image, Kind::Input, message));
        }
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.max_pixels {
            let message = format!(
                "the picture is {width} x {height} = {pixels} pixels, the limit is {}",
                self.max_pixels
            );
            return Err(Error::new(Stage::Image, Kind::Limit, message));
        }
        let aspect = width.max(height) as f32 / width.min(height) as f32;
        if aspect > self.max_aspect {
            let message = format!(
                "the picture is {width} x {height}, an aspect of {aspect:.1}; the limit is {}",
                self.max_aspect
            );
            return Err(Error::new(Stage::Image, Kind::Limit, message));
        }
        Ok(())
    }

    /// Refuses a picture whose decoding takes `bytes` in all, if that is too much.
    pub(super) fn check_cost(
        &self,
        format: &str,
        width: u32,
        height: u32,
        bytes: usize,
    ) -> Result<()> {
        let pixels = width as usize * height as usize;
        let most = pixels.saturating_mul(BYTES_PER_PIXEL) + BYTES_BESIDE;
        if bytes > most {
            let message = format!(
                "decoding this {format} of {width} x {height} pixels takes {bytes} bytes, the \
                limit is {BYTES_PER_PIXEL} bytes a pixel and {BYTES_BESIDE}; save it as another \
                format or smaller"
            );
            return Err(Error::new(Stage::Image, Kind::Limit, message));
        }
        Ok(())
    }
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Image> {
    if bytes.is_empty() {
        return Err(fault("the file is empty"));
    }
    if bytes.len() > limits.max_bytes {
        let message = format!(
            "the file has {} bytes, the limit is {}",
            bytes.len(),
            limits.max_bytes
        );
        return Err(Error::new(Stage::Image, Kind::Limit, message));
    }
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        decode_jpeg(bytes, limits)
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        png::decode(bytes, limits)
    } else if bytes.len() > 12 && bytes.starts_with(b"RIFF") && &bytes[8..12] == b"WEBP" {
        webp::decode(bytes, limits)
    } else if let Some(format) = foreign(bytes) {
        Err(Error::new(
            Stage::Image,
            Kind::Unsupported,
            format!("{format} is not read; save it as JPEG, PNG or WebP"),
        ))
    } else {
        Err(fault(format!(
            "not a JPEG, PNG or WebP file: it starts with {}",
            beginning(bytes)
        )))
    }
}

fn decode_jpeg(bytes: &[u8], limits: &Limits) -> Result<Image> {
    let jpeg = Jpeg::read(bytes)?;
    let (width, height) = jpeg.size();
    limits.check_size(width, height)?;
    let mut image = Image::of(width, height, Vec::new());
    let length = 3 * width as usize * height as usize;
    limits.check_cost("JPEG", width, height, length + jpeg.check_scans()?)?;
    image.rgb = vec![0; length];
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let decoded = decoder
        .decode_headers()
        .and_then(|()| decoder.decode_into(&mut image.rgb));
    decoded.map_err(|e| broken("JPEG", format!("{e:?}")))?;
    image.jpeg_quality = jpeg.quality();
    Ok(image.turned(jpeg.orientation()))
}

/// Lays a sample over mid grey, so that neither a dark nor a light face gets a hard border.
pub(super) fn over_grey(sample: u8, alpha: u8) -> u8 {
    let (sample, alpha) = (u32::from(sample), u32::from(alpha));
    ((sample * alpha + 128 * (255 - alpha) + 127) / 255) as u8
}

pub(super) fn fault(message: impl Into<String>) -> Error {
    Error::new(Stage::Image, Kind::Input, message)
}

pub(super) fn broken(format: &str, cause: impl std::fmt::Display) -> Error {
    fault(format!(
        "the {format} file is damaged or cut short: {cause}"
    ))
}

pub(super) fn animated(format: &str) -> Error {
    Error::new(
        Stage::Image,
        Kind::Unsupported,
        format!("the {format} file is an animation; pass one frame of it"),
    )
}

/// Names a format that is not read.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 10] = [
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"BM", "BMP"),
        (b"%PDF", "PDF"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"II+\0", "TIFF"),
        (b"MM\0+", "TIFF"),
        (b"\xff\x0a", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    ];
    if bytes.starts_with(b"\0\0\0\x0cjP  \r\n\x87\n") || bytes.starts_with(b"\xff\x4f\xff\x51") {
        return Some("JPEG 2000");
    }
    let found = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic));
    found.map(|(_, name)| *name).or_else(|| iso_media(bytes))
}

/// Names a file of the ISO base media format by its major or first known compatible brand.
fn iso_media(bytes: &[u8]) -> Option<&'static str> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let brands = rest.strip_prefix(b"ftyp")?;
    let length = (u32::from_be_bytes(*length) as usize).saturating_sub(8);
    let brands = &brands[..length.clamp(brands.len().min(4), brands.len().min(128))];
    let name = |brand: &[u8]| match brand {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Some("HEIC"),
        b"avif" | b"avis" => Some("AVIF"),
        b"jxl " => Some("JPEG XL"),
        _ => None,
    };
    let mut known = brands.chunks_exact(4).filter_map(name);
    if let Some(name) = known.next() {
        return Some(name);
    }
    match brands.get(..4)? {
        b"mif1" | b"msf1" | b"mif2" => Some("HEIF"),
        _ => Some("a video"),
    }
}

/// Describes the beginning of an unknown file without quoting what may be private.
fn beginning(bytes: &[u8]) -> String {
    let printable = |b: &u8| b.is_ascii_graphic() || b.is_ascii_whitespace();
    if bytes.iter().take(64).all(printable) {
        return "plain text".to_owned();
    }
    let hex: Vec<String> = bytes.iter().take(4).map(|b| format!("{b:02x}")).collect();
    format!("the bytes {}", hex.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

    fn png(pixels: &[u8], width: u32, height: u32, colour: ExtendedColorType) -> Vec<u8> {
        let mut out = Vec::new();
        PngEncoder::new(&mut out)
            .write_image(pixels, width, height, colour)
            .unwrap();
        out
    }

    fn decoded(bytes: &[u8]) -> Result<Image> {
        Image::decode(bytes, &Limits::default())
    }

    #[test]
    fn every_png_colour_type_becomes_rgb8() {
        let cases: [(ExtendedColorType, &[u8], [u8; 3]); 5] = [
            (ExtendedColorType::Rgb8, &[1, 2, 3], [1, 2, 3]),
            (ExtendedColorType::L8, &[9], [9, 9, 9]),
            (ExtendedColorType::Rgba8, &[200, 100, 0, 255], [200, 100, 0]),
            (ExtendedColorType::Rgba8, &[200, 100, 0, 0], [128, 128, 128]),
            (
                ExtendedColorType::Rgb16,
                &[0xff, 0xff, 0x80, 0x80, 0, 0],
                [255, 128, 0],
            ),
        ];
        for (colour, pixels, expected) in cases {
            assert_eq!(
                decoded(&png(pixels, 1, 1, colour)).unwrap().rgb(),
                expected,
                "{colour:?}"
            );
        }
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        let mut bomb = png(&[0; 3], 1, 1, ExtendedColorType::Rgb8);
        bomb[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
        let crc = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        let error = decoded(&bomb).err().unwrap();
        assert_eq!(error.kind(), Kind::Limit);
        assert_eq!(
            error.to_string(),
            "the picture is 50000 x 50000 = 2500000000 pixels, the limit is 50000000"
        );
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, &b| {
            (0..8).fold(crc ^ u32::from(b), |c, _| {
                if c & 1 == 1 {
                    (c >> 1) ^ 0xedb8_8320
                } else {
                    c >> 1
                }
            })
        })
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let message = |bytes: &[u8]| decoded(bytes).err().unwrap().to_string();
        assert_eq!(message(b""), "the file is empty");
        assert_eq!(
            message(b"dear sir,\nplease find"),
            "not a JPEG, PNG or WebP file: it starts with plain text"
        );
        assert_eq!(
            message(b"GIF89a\x01\x00"),
            "GIF is not read; save it as JPEG, PNG or WebP"
        );
        assert_eq!(
            message(&[0xff, 0xd8, 0xff]).split(':').next(),
            Some("the JPEG is cut short")
        );
        let whole = png(&[7; 300], 10, 10, ExtendedColorType::Rgb8);
        assert!(
            message(&whole[..whole.len() - 20]).starts_with("the PNG file is damaged or cut short")
        );
    }

    #[test]
    fn limits_hold() {
        let strip = png(&[0; 90], 30, 1, ExtendedColorType::Rgb8);
        assert_eq!(
            decoded(&strip).err().unwrap().to_string(),
            "the picture is 30 x 1, an aspect of 30.0; the limit is 8"
        );
        let tight = Limits {
            max_bytes: 10,
            ..Limits::default()
        };
        assert_eq!(
            Image::decode(&strip, &tight).err().unwrap().kind(),
            Kind::Limit
        );
    }
}
