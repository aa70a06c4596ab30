//! Encoded files to upright RGB. Everything a header promises is checked against [`Limits`] before
//! pixels are allocated.

use super::Image;
use crate::error::{Error, Kind, Result, Stage};
use image::codecs::{png::PngDecoder, webp::WebPDecoder};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, RgbImage};
use std::io::Cursor;
use zune_core::{colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

/// What an input may cost at the most.
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
        let decoder = PngDecoder::new(Cursor::new(bytes)).map_err(|e| broken("PNG", e))?;
        if decoder.is_apng().map_err(|e| broken("PNG", e))? {
            return Err(animated("PNG"));
        }
        decode_with("PNG", decoder, limits)
    } else if bytes.len() > 12 && bytes.starts_with(b"RIFF") && &bytes[8..12] == b"WEBP" {
        let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|e| broken("WebP", e))?;
        if decoder.has_animation() {
            return Err(animated("WebP"));
        }
        decode_with("WebP", decoder, limits)
    } else {
        Err(fault(format!(
            "not a JPEG, PNG or WebP file: it starts with {}",
            sniff(bytes)
        )))
    }
}

fn decode_jpeg(bytes: &[u8], limits: &Limits) -> Result<Image> {
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    let mut decoder =
        JpegDecoder::new_with_options(zune_core::bytestream::ZCursor::new(bytes), options);
    decoder
        .decode_headers()
        .map_err(|e| broken("JPEG", format!("{e:?}")))?;
    let (width, height) = decoder
        .dimensions()
        .ok_or_else(|| fault("the JPEG header gives no dimensions"))?;
    limits.check_size(width as u32, height as u32)?;
    // The decoder fills what a cut file lacks with grey; half a face must not be compared.
    if !ends_with_end_of_image(bytes) {
        return Err(fault(
            "the JPEG is cut short: it has no end-of-image marker",
        ));
    }
    let rgb = decoder
        .decode()
        .map_err(|e| broken("JPEG", format!("{e:?}")))?;
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif));
    let rgb = RgbImage::from_raw(width as u32, height as u32, rgb)
        .ok_or_else(|| fault("the JPEG decoded to an unexpected length"))?;
    let mut image = upright(
        DynamicImage::ImageRgb8(rgb),
        orientation.unwrap_or(Orientation::NoTransforms),
    );
    image.jpeg_quality = luminance_table(bytes).map(quality_of_table);
    Ok(image)
}

fn decode_with(name: &str, mut decoder: impl ImageDecoder, limits: &Limits) -> Result<Image> {
    let (width, height) = decoder.dimensions();
    limits.check_size(width, height)?;
    let orientation = decoder.orientation().map_err(|e| broken(name, e))?;
    let image = DynamicImage::from_decoder(decoder).map_err(|e| broken(name, e))?;
    Ok(upright(over_grey(image), orientation))
}

/// Lays a picture with alpha over mid grey, so that neither a dark nor a light face gets a hard
/// border.
fn over_grey(image: DynamicImage) -> DynamicImage {
    if !image.color().has_alpha() {
        return image;
    }
    let rgba = image.into_rgba8();
    DynamicImage::ImageRgb8(RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0.map(u32::from);
        image::Rgb([r, g, b].map(|v| ((v * a + 128 * (255 - a) + 127) / 255) as u8))
    }))
}

fn upright(mut image: DynamicImage, orientation: Orientation) -> Image {
    image.apply_orientation(orientation);
    let rgb = image.into_rgb8();
    Image {
        width: rgb.width(),
        height: rgb.height(),
        rgb: rgb.into_raw(),
        jpeg_quality: None,
    }
}

fn fault(message: impl Into<String>) -> Error {
    Error::new(Stage::Image, Kind::Input, message)
}

fn broken(format: &str, cause: impl std::fmt::Display) -> Error {
    fault(format!(
        "the {format} file is damaged or cut short: {cause}"
    ))
}

fn animated(format: &str) -> Error {
    Error::new(
        Stage::Image,
        Kind::Unsupported,
        format!("the {format} file is an animation; pass one frame of it"),
    )
}

/// Names the beginning of an unknown file without quoting what may be private.
fn sniff(bytes: &[u8]) -> String {
    let known: [(&[u8], &str); 7] = [
        (b"GIF8", "a GIF header"),
        (b"BM", "a BMP header"),
        (b"%PDF", "a PDF header"),
        (b"II*\0", "a TIFF header"),
        (b"MM\0*", "a TIFF header"),
        (b"\0\0\0\x1cftyp", "an MP4 or HEIF header"),
        (b"\0\0\0\x18ftyp", "an MP4 or HEIF header"),
    ];
    if let Some((_, name)) = known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return (*name).to_owned();
    }
    if bytes
        .iter()
        .take(64)
        .all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace())
    {
        return "plain text".to_owned();
    }
    let hex: Vec<String> = bytes.iter().take(4).map(|b| format!("{b:02x}")).collect();
    format!("the bytes {}", hex.join(" "))
}

/// Some cameras pad after the marker; phones append whole blocks (motion photos), so any later
/// position counts.
fn ends_with_end_of_image(bytes: &[u8]) -> bool {
    bytes.windows(2).rev().any(|pair| pair == [0xff, 0xd9]) && scan_is_closed(bytes)
}

/// Walks the entropy-coded data of the last scan: it must run into a marker, not into the end of
/// the file.
fn scan_is_closed(bytes: &[u8]) -> bool {
    let mut at = 2;
    while at + 4 <= bytes.len() {
        if bytes[at] != 0xff {
            return false;
        }
        let marker = bytes[at + 1];
        match marker {
            0xff => at += 1,
            0xd9 => return true,
            0x01 | 0xd0..=0xd7 => at += 2,
            _ => {
                at += 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
                if marker == 0xda {
                    loop {
                        match bytes.get(at..at + 2) {
                            None => return false,
                            Some([0xff, 0x00 | 0xd0..=0xd7]) => at += 2,
                            Some([0xff, 0xff]) => at += 1,
                            Some([0xff, _]) => break,
                            Some(_) => at += 1,
                        }
                    }
                }
            }
        }
    }
    bytes.get(at..at + 2) == Some(&[0xff, 0xd9])
}

/// The 64 entries of quantisation table 0, which every encoder uses for luminance.
fn luminance_table(bytes: &[u8]) -> Option<[u16; 64]> {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4) {
        let length = usize::from(u16::from_be_bytes([high, low]));
        if marker == 0xdb {
            let mut tables = bytes.get(at + 4..at + 2 + length)?;
            while let [head, rest @ ..] = tables {
                let wide = head >> 4 == 1;
                let (table, after) = rest.split_at_checked(if wide { 128 } else { 64 })?;
                if head & 15 == 0 {
                    return Some(std::array::from_fn(|i| {
                        if wide {
                            u16::from_be_bytes([table[2 * i], table[2 * i + 1]])
                        } else {
                            u16::from(table[i])
                        }
                    }));
                }
                tables = after;
            }
        }
        if marker == 0xda {
            return None;
        }
        at += 2 + length;
    }
    None
}

/// Inverts the scaling of the Independent JPEG Group, on the mean over the table (the mean of Annex
/// K's is 57.625).
fn quality_of_table(table: [u16; 64]) -> u8 {
    let mean = table.iter().map(|&q| f32::from(q)).sum::<f32>() / 64.0;
    let scale = mean * 100.0 / 57.625;
    let quality = if scale <= 100.0 {
        (200.0 - scale) / 2.0
    } else {
        5000.0 / scale
    };
    quality.round().clamp(1.0, 100.0) as u8
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
            "not a JPEG, PNG or WebP file: it starts with a GIF header"
        );
        assert_eq!(
            message(&[0xff, 0xd8, 0xff]).split(':').next(),
            Some("the JPEG file is damaged or cut short")
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

    #[test]
    fn jpeg_quality_inverts_the_standard_scaling() {
        assert_eq!(quality_of_table([1; 64]), 99);
        let annex_k_mean = std::array::from_fn(|i| if i % 8 == 0 { 59 } else { 57 });
        assert_eq!(quality_of_table(annex_k_mean), 50);
    }
}
