//! Raw pixel buffers. Which byte is red is part of the type: there is no default to get silently
//! wrong.

use crate::error::{Error, Kind, Result, Stage};

/// How the bytes of a raw buffer are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Three bytes a pixel: red, green, blue.
    Rgb8,
    /// Three bytes a pixel: blue, green, red (the order of OpenCV).
    Bgr8,
    /// Four bytes a pixel: red, green, blue, alpha; alpha is ignored, as cameras leave it
    /// undefined.
    Rgba8,
    /// Four bytes a pixel: blue, green, red, alpha; alpha is ignored.
    Bgra8,
    /// One byte a pixel.
    Grey8,
    /// A plane of luma, then a plane of half width and height with interleaved Cb, Cr (BT.601,
    /// video range), both of the same stride. Width and height must be even.
    Nv12,
}

impl PixelFormat {
    fn bytes_per_pixel(self) -> usize {
        match self {
            PixelFormat::Rgb8 | PixelFormat::Bgr8 => 3,
            PixelFormat::Rgba8 | PixelFormat::Bgra8 => 4,
            PixelFormat::Grey8 | PixelFormat::Nv12 => 1,
        }
    }
}

/// A borrowed raw picture, checked to be wholly inside its buffer.
#[derive(Clone, Copy)]
pub struct ImageView<'a> {
    data: &'a [u8],
    width: u32,
    height: u32,
    stride: usize,
    format: PixelFormat,
}

impl<'a> ImageView<'a> {
    /// Describes `height` rows of `width` pixels in `data`; `stride` is the distance between the
    /// starts of two rows in bytes.
    ///
    /// `Kind::Input` when a side is zero, the stride is shorter than a row, the buffer is too
    /// short, or the format does not allow odd sides; `Kind::Limit` above
    /// [`Limits::default`](crate::Limits)' pixels.
    pub fn new(
        data: &'a [u8],
        width: u32,
        height: u32,
        stride: usize,
        format: PixelFormat,
    ) -> Result<Self> {
        let fault = |message: String| Error::new(Stage::Image, Kind::Input, message);
        crate::Limits::default().check_size(width, height)?;
        if format == PixelFormat::Nv12 && (width % 2 == 1 || height % 2 == 1) {
            return Err(fault(format!(
                "an NV12 picture has even sides, this one is {width} x {height}"
            )));
        }
        let row = width as usize * format.bytes_per_pixel();
        if stride < row {
            return Err(fault(format!(
                "stride is {stride} bytes, a row of {width} pixels takes {row}"
            )));
        }
        let rows = if format == PixelFormat::Nv12 {
            height as usize * 3 / 2
        } else {
            height as usize
        };
        let needed = stride
            .checked_mul(rows - 1)
            .and_then(|n| n.checked_add(row));
        match needed {
            Some(needed) if data.len() >= needed => Ok(ImageView {
                data,
                width,
                height,
                stride,
                format,
            }),
            _ => Err(fault(format!(
                "buffer holds {} bytes, {rows} rows at a stride of {stride} bytes take {}",
                data.len(),
                needed.map_or("more than can be addressed".to_owned(), |n| n.to_string())
            ))),
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

    pub(super) fn to_rgb(self) -> Vec<u8> {
        let (width, height) = (self.width as usize, self.height as usize);
        let mut rgb = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            let row = &self.data[y * self.stride..][..width * self.format.bytes_per_pixel()];
            match self.format {
                PixelFormat::Rgb8 => rgb.extend_from_slice(row),
                PixelFormat::Bgr8 => row
                    .chunks_exact(3)
                    .for_each(|p| rgb.extend_from_slice(&[p[2], p[1], p[0]])),
                PixelFormat::Rgba8 => row
                    .chunks_exact(4)
                    .for_each(|p| rgb.extend_from_slice(&p[..3])),
                PixelFormat::Bgra8 => row
                    .chunks_exact(4)
                    .for_each(|p| rgb.extend_from_slice(&[p[2], p[1], p[0]])),
                PixelFormat::Grey8 => row.iter().for_each(|&v| rgb.extend_from_slice(&[v, v, v])),
                PixelFormat::Nv12 => {
                    let chroma = &self.data[(height + y / 2) * self.stride..][..width];
                    for (luma, cbcr) in row.chunks_exact(2).zip(chroma.chunks_exact(2)) {
                        luma.iter()
                            .for_each(|&v| rgb.extend_from_slice(&yuv_to_rgb(v, cbcr[0], cbcr[1])));
                    }
                }
            }
        }
        rgb
    }
}

/// BT.601 video range in 8-bit fixed point.
fn yuv_to_rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (c, d, e) = (i32::from(y) - 16, i32::from(cb) - 128, i32::from(cr) - 128);
    let clip = |v: i32| ((v + 128) >> 8).clamp(0, 255) as u8;
    [
        clip(298 * c + 409 * e),
        clip(298 * c - 100 * d - 208 * e),
        clip(298 * c + 516 * d),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Image;

    fn pixels(format: PixelFormat, data: &[u8], width: u32, height: u32, stride: usize) -> Vec<u8> {
        Image::from_view(&ImageView::new(data, width, height, stride, format).unwrap())
            .rgb()
            .to_vec()
    }

    #[test]
    fn every_format_gives_the_same_colour() {
        let rgb = [10, 20, 30, 40, 50, 60];
        assert_eq!(pixels(PixelFormat::Rgb8, &rgb, 2, 1, 6), rgb);
        assert_eq!(
            pixels(PixelFormat::Bgr8, &[30, 20, 10, 60, 50, 40], 2, 1, 6),
            rgb
        );
        assert_eq!(
            pixels(PixelFormat::Rgba8, &[10, 20, 30, 0, 40, 50, 60, 9], 2, 1, 8),
            rgb
        );
        assert_eq!(
            pixels(PixelFormat::Bgra8, &[30, 20, 10, 0, 60, 50, 40, 9], 2, 1, 8),
            rgb
        );
        assert_eq!(
            pixels(PixelFormat::Grey8, &[7, 9], 1, 2, 1),
            [7, 7, 7, 9, 9, 9]
        );
    }

    #[test]
    fn padding_between_rows_is_skipped() {
        assert_eq!(
            pixels(PixelFormat::Grey8, &[1, 2, 99, 3, 4], 2, 2, 3),
            [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
        );
    }

    #[test]
    fn nv12_primaries() {
        // BT.601: white is Y 235, red is (82, 90, 240).
        let white = pixels(PixelFormat::Nv12, &[235, 235, 235, 235, 128, 128], 2, 2, 2);
        assert!(white.iter().all(|&v| v == 255), "{white:?}");
        let red = pixels(PixelFormat::Nv12, &[82, 82, 82, 82, 90, 240], 2, 2, 2);
        assert!(red[0] > 252 && red[1] < 3 && red[2] < 3, "{red:?}");
    }

    #[test]
    fn bad_buffers_are_refused_with_the_numbers() {
        let error = |w, h, stride, format| {
            ImageView::new(&[0; 12], w, h, stride, format)
                .err()
                .unwrap()
                .to_string()
        };
        assert_eq!(
            error(2, 2, 5, PixelFormat::Rgb8),
            "stride is 5 bytes, a row of 2 pixels takes 6"
        );
        assert_eq!(
            error(2, 3, 6, PixelFormat::Rgb8),
            "buffer holds 12 bytes, 3 rows at a stride of 6 bytes take 18"
        );
        assert_eq!(
            error(3, 2, 3, PixelFormat::Nv12),
            "an NV12 picture has even sides, this one is 3 x 2"
        );
        assert_eq!(
            error(0, 2, 3, PixelFormat::Rgb8),
            "the picture is 0 x 2 pixels, each side must be at least 1"
        );
        assert!(error(2, 2, usize::MAX, PixelFormat::Rgb8).contains("take"));
    }
}
