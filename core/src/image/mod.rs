//! Pixels: raw buffers with a typed format, encoded files under limits, and the one sampler that
//! feeds every stage.

mod decode;
mod jpeg;
mod metadata;
mod png;
mod pyramid;
mod view;
mod webp;

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
    /// Decodes a JPEG, PNG or WebP file and applies the orientation of its Exif or XMP. Alpha is
    /// laid over mid grey, 16-bit samples are reduced to 8, grey and CMYK become RGB.
    ///
    /// `Kind::Input` for anything that is no such file or lacks a part of its picture: every block
    /// of a JPEG is counted. `Kind::Limit` when `limits` are exceeded (checked on the header,
    /// before pixels are allocated), `Kind::Unsupported` for animations, other formats, and JPEGs
    /// that are lossless, hierarchical, of 12 bits or with arithmetic coding.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Image> {
        decode::decode(bytes, limits)
    }

    /// Copies a raw buffer.
    pub fn from_view(view: &ImageView<'_>) -> Image {
        Image::of(view.width(), view.height(), view.to_rgb())
    }

    fn of(width: u32, height: u32, rgb: Vec<u8>) -> Image {
        Image {
            width,
            height,
            rgb,
            jpeg_quality: None,
        }
    }

    fn blank(width: u32, height: u32) -> Image {
        Image::of(width, height, vec![0; 3 * width as usize * height as usize])
    }

    /// Turns and mirrors the picture upright, as its metadata says (Exif, 1..=8).
    fn turned(mut self, orientation: Option<u8>) -> Image {
        let orientation = orientation.unwrap_or(1);
        let (width, height) = (self.width as usize, self.height as usize);
        let swap = |rgb: &mut [u8], a: usize, b: usize| {
            (0..3).for_each(|i| rgb.swap(3 * a + i, 3 * b + i));
        };
        if matches!(orientation, 2 | 4) {
            let across = orientation == 2;
            let (columns, rows) = if across {
                (width / 2, height)
            } else {
                (width, height / 2)
            };
            for (x, y) in (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y))) {
                let mirror = if across {
                    y * width + width - 1 - x
                } else {
                    (height - 1 - y) * width + x
                };
                swap(&mut self.rgb, y * width + x, mirror);
            }
        } else if orientation == 3 {
            let pixels = width * height;
            (0..pixels / 2).for_each(|i| swap(&mut self.rgb, i, pixels - 1 - i));
        } else if (5..=8).contains(&orientation) {
            let mut image = Image::blank(self.height, self.width);
            image.jpeg_quality = self.jpeg_quality;
            for (i, to) in image.rgb.chunks_exact_mut(3).enumerate() {
                let (x, y) = (i % height, i / height);
                let from_x = if matches!(orientation, 7 | 8) {
                    width - 1 - y
                } else {
                    y
                };
                let from_y = if matches!(orientation, 6 | 7) {
                    height - 1 - x
                } else {
                    x
                };
                to.copy_from_slice(&self.rgb[3 * (from_y * width + from_x)..][..3]);
            }
            return image;
        }
        self
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

impl Image {
    /// Returns the picture turned counter-clockwise by so many quarters.
    pub(crate) fn turned_back(&self, quarters: u8) -> Image {
        let (width, height) = (self.width as usize, self.height as usize);
        let (columns, rows) = if quarters % 2 == 1 {
            (height, width)
        } else {
            (width, height)
        };
        let mut rgb = Vec::with_capacity(self.rgb.len());
        for row in 0..rows {
            for column in 0..columns {
                let (x, y) = match quarters % 4 {
                    1 => (width - 1 - row, column),
                    2 => (width - 1 - column, height - 1 - row),
                    3 => (row, height - 1 - column),
                    _ => (column, row),
                };
                rgb.extend_from_slice(&self.rgb[(y * width + x) * 3..][..3]);
            }
        }
        Image {
            width: columns as u32,
            height: rows as u32,
            rgb,
            jpeg_quality: self.jpeg_quality,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_turned_back() {
        let rgb: Vec<u8> = (0..6).flat_map(|i| [i, 10 + i, 20 + i]).collect();
        let view = ImageView::new(&rgb, 3, 2, 9, PixelFormat::Rgb8).unwrap();
        let image = Image::from_view(&view);
        let reds = |quarters| {
            let turned = image.turned_back(quarters);
            let reds: Vec<u8> = turned.rgb().chunks_exact(3).map(|pixel| pixel[0]).collect();
            (turned.width(), reds)
        };
        assert_eq!(reds(0), (3, vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(reds(1), (2, vec![2, 5, 1, 4, 0, 3]));
        assert_eq!(reds(2), (3, vec![5, 4, 3, 2, 1, 0]));
        assert_eq!(reds(3), (2, vec![3, 0, 4, 1, 5, 2]));
    }
}
