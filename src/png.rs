//! PNG files. Chunks are looked at before anything is inflated, and only what is needed ever is.

use super::decode::{animated, broken, fault, over_grey};
use super::{Image, Limits, metadata};
use crate::error::Result;
use png::{BitDepth, ColorType, Decoder, Transformations};
use std::io::Cursor;

/// What Exif or XMP may inflate to; both are some kilobytes.
const MOST_METADATA: usize = 1 << 20;

/// What the decoder may keep of chunks that are not pixels.
const MOST_CHUNKS: usize = 4 << 20;

const XMP: &[u8] = b"XML:com.adobe.xmp";
const RAW_PROFILES: [&[u8]; 2] = [b"Raw profile type exif", b"Raw profile type APP1"];

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Image> {
    let (mut exif, mut xmp) = (None, None);
    for (kind, data) in Chunks::new(bytes) {
        match kind {
            b"IHDR" => check_header(data, limits)?,
            b"acTL" => return Err(animated("PNG")),
            b"eXIf" => exif = exif.or_else(|| metadata::exif_orientation(data)),
            b"tEXt" | b"zTXt" | b"iTXt" if exif.is_none() || xmp.is_none() => {
                match text(kind, data) {
                    Some((keyword, text)) if RAW_PROFILES.contains(&keyword) => {
                        let profile = metadata::raw_profile(&text).unwrap_or_default();
                        exif = exif.or_else(|| metadata::exif_orientation(&profile));
                    }
                    Some((XMP, text)) => xmp = xmp.or_else(|| metadata::xmp_orientation(&text)),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    let mut decoder =
        Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: MOST_CHUNKS });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(|e| broken("PNG", e))?;
    let (width, height) = (reader.info().width, reader.info().height);
    limits.check_size(width, height)?;
    let samples = reader.output_color_type();
    let interlaced = reader.info().interlaced;
    let mut image = Image::blank(width, height);
    for place in places(width as usize, height as usize, interlaced) {
        let row = reader.next_row().map_err(|e| broken("PNG", e))?;
        let row = row.ok_or_else(|| broken("PNG", "a row is missing"))?;
        place_row(row.data(), samples, &mut image, &place)?;
    }
    // The checksums of the last chunks.
    reader.finish().map_err(|e| broken("PNG", e))?;
    Ok(image.turned(exif.or(xmp)))
}

/// The chunks of a PNG, as far as their lengths are right.
struct Chunks<'a>(&'a [u8]);

impl<'a> Chunks<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Chunks(bytes.get(8..).unwrap_or_default())
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = (&'a [u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let (data, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        self.0 = rest.get(4..)?;
        Some((kind, data))
    }
}

fn check_header(data: &[u8], limits: &Limits) -> Result<()> {
    let side = |at: usize| {
        let bytes = data
            .get(at..at + 4)
            .and_then(|part| part.first_chunk::<4>());
        bytes.map(|bytes| u32::from_be_bytes(*bytes))
    };
    match (side(0), side(4)) {
        (Some(width), Some(height)) => limits.check_size(width, height),
        _ => Err(broken("PNG", "its header is cut short")),
    }
}

/// Returns the keyword and the text of a text chunk, inflated if it is short enough.
fn text<'a>(kind: &[u8; 4], data: &'a [u8]) -> Option<(&'a [u8], Vec<u8>)> {
    let end = data.iter().take(80).position(|&byte| byte == 0)?;
    let (keyword, rest) = (&data[..end], &data[end + 1..]);
    if keyword != XMP && !RAW_PROFILES.contains(&keyword) {
        return None;
    }
    let (packed, text) = match (kind, rest) {
        (b"tEXt", text) => (false, text),
        (b"zTXt", [0, text @ ..]) => (true, text),
        (b"iTXt", [packed @ 0..=1, 0, rest @ ..]) => {
            let mut parts = rest.splitn(3, |&byte| byte == 0);
            let (_language, _translated) = (parts.next()?, parts.next()?);
            (*packed == 1, parts.next()?)
        }
        _ => return None,
    };
    if !packed {
        return Some((keyword, text.get(..MOST_METADATA).unwrap_or(text).to_vec()));
    }
    let inflated = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(text, MOST_METADATA);
    inflated.ok().map(|text| (keyword, text))
}

/// Where the pixels of a row of the file go: the row of the picture, the first column and the step.
struct Place {
    y: usize,
    x: usize,
    step: usize,
}

/// The rows of a file in their order: as they stand, or in the seven passes of Adam7.
fn places(width: usize, height: usize, interlaced: bool) -> impl Iterator<Item = Place> {
    const ADAM7: [[usize; 4]; 7] = [
        [0, 0, 8, 8],
        [4, 0, 8, 8],
        [0, 4, 4, 8],
        [2, 0, 4, 4],
        [0, 2, 2, 4],
        [1, 0, 2, 2],
        [0, 1, 1, 2],
    ];
    const PLAIN: [[usize; 4]; 1] = [[0, 0, 1, 1]];
    let passes: &[[usize; 4]] = if interlaced { &ADAM7 } else { &PLAIN };
    let filled = passes.iter().filter(move |[x, ..]| *x < width);
    filled.flat_map(move |&[x, y, step, down]| {
        (y..height).step_by(down).map(move |y| Place { y, x, step })
    })
}

/// Puts the samples of a row into the picture: 16 bits rounded to 8, grey as colour, alpha laid
/// over mid grey.
fn place_row(
    row: &[u8],
    samples: (ColorType, BitDepth),
    image: &mut Image,
    place: &Place,
) -> Result<()> {
    let wide = match samples.1 {
        BitDepth::Eight => false,
        BitDepth::Sixteen => true,
        _ => return Err(fault("the PNG has samples of an unknown size")),
    };
    let stride = 3 * image.width as usize;
    let target = &mut image.rgb[stride * place.y..][..stride];
    let target = target.chunks_exact_mut(3).skip(place.x).step_by(place.step);
    let bytes = if wide { 2 } else { 1 };
    let sample = |pixel: &[u8], at: usize| {
        if wide {
            let value = u16::from_be_bytes([pixel[2 * at], pixel[2 * at + 1]]);
            ((u32::from(value) + 128) / 257) as u8
        } else {
            pixel[at]
        }
    };
    let pixels = |count: usize| row.chunks_exact(count * bytes);
    match samples.0 {
        ColorType::Grayscale => target
            .zip(pixels(1))
            .for_each(|(to, p)| to.fill(sample(p, 0))),
        ColorType::GrayscaleAlpha => target
            .zip(pixels(2))
            .for_each(|(to, p)| to.fill(over_grey(sample(p, 0), sample(p, 1)))),
        ColorType::Rgb if !wide && place.step == 1 => {
            image.rgb[stride * place.y..][..stride].copy_from_slice(&row[..stride]);
        }
        ColorType::Rgb => target
            .zip(pixels(3))
            .for_each(|(to, p)| (0..3).for_each(|i| to[i] = sample(p, i))),
        ColorType::Rgba => target.zip(pixels(4)).for_each(|(to, p)| {
            (0..3).for_each(|i| to[i] = over_grey(sample(p, i), sample(p, 3)));
        }),
        ColorType::Indexed => return Err(fault("the PNG has no palette")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passes_cover_every_pixel_once() {
        for (width, height) in [(1, 1), (3, 9), (8, 8), (17, 5)] {
            for interlaced in [false, true] {
                let mut seen = vec![0; width * height];
                for place in places(width, height, interlaced) {
                    let columns = (place.x..width).step_by(place.step);
                    columns.for_each(|x| seen[place.y * width + x] += 1);
                }
                assert!(
                    seen.iter().all(|&count| count == 1),
                    "{width} x {height} {seen:?}"
                );
            }
        }
    }
}
