//! Pictures for people: boxes, landmarks and lines of text over the photos.

use font8x8::UnicodeFonts;
use image::{ImageFormat, Rgb, RgbImage, imageops};
use imageproc::{drawing, rect::Rect};

pub(crate) struct Panel<'a> {
    pub(crate) image: &'a vultus::Image,
    pub(crate) points: &'a [(f32, f32)],
    /// x, y, width, height.
    pub(crate) boxes: &'a [[f32; 4]],
}

/// Height of the photos in the drawing.
const HEIGHT: u32 = 480;
const GAP: u32 = 12;
const LETTER: u32 = 8;
const ZOOM: u32 = 2;
const LINE: u32 = LETTER * ZOOM + 6;

const PAPER: Rgb<u8> = Rgb([24, 26, 30]);
const INK: Rgb<u8> = Rgb([236, 236, 230]);
const BOX: Rgb<u8> = Rgb([255, 176, 0]);
const POINT: Rgb<u8> = Rgb([80, 220, 200]);

/// Draws the panels side by side and the lines below; returns a PNG.
pub(crate) fn draw(panels: &[Panel<'_>], lines: &[String]) -> image::ImageResult<Vec<u8>> {
    let photos: Vec<RgbImage> = panels.iter().map(photo).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let photos_width = photos.iter().map(|p| p.width() + GAP).sum::<u32>() + GAP;
    let text_width = lines
        .iter()
        .map(|l| l.chars().count() as u32)
        .max()
        .unwrap_or(0)
        * LETTER
        * ZOOM
        + 2 * GAP;
    let mut sheet = RgbImage::from_pixel(
        photos_width.max(text_width),
        HEIGHT + 3 * GAP + lines.len() as u32 * LINE,
        PAPER,
    );
    let mut x = GAP;
    for photo in &photos {
        imageops::replace(&mut sheet, photo, i64::from(x), i64::from(GAP));
        x += photo.width() + GAP;
    }
    for (row, line) in lines.iter().enumerate() {
        write(&mut sheet, GAP, HEIGHT + 2 * GAP + row as u32 * LINE, line);
    }
    let mut png = std::io::Cursor::new(Vec::new());
    sheet.write_to(&mut png, ImageFormat::Png)?;
    Ok(png.into_inner())
}

fn photo(panel: &Panel<'_>) -> RgbImage {
    let (width, height) = (panel.image.width(), panel.image.height());
    let scale = HEIGHT as f32 / height as f32;
    let view = image::ImageBuffer::<Rgb<u8>, &[u8]>::from_raw(width, height, panel.image.rgb());
    let view = view.expect("a picture holds three bytes a pixel");
    let mut canvas = imageops::resize(
        &view,
        ((width as f32 * scale) as u32).max(1),
        HEIGHT,
        imageops::FilterType::Triangle,
    );
    for &(x, y) in panel.points {
        drawing::draw_filled_circle_mut(
            &mut canvas,
            ((x * scale) as i32, (y * scale) as i32),
            1,
            POINT,
        );
    }
    for [x, y, w, h] in panel.boxes.iter().map(|b| b.map(|v| v * scale)) {
        for inset in 0..2 {
            let side = |length: f32| (length as i32 - 2 * inset).max(1) as u32;
            drawing::draw_hollow_rect_mut(
                &mut canvas,
                Rect::at(x as i32 + inset, y as i32 + inset).of_size(side(w), side(h)),
                BOX,
            );
        }
    }
    canvas
}

fn write(sheet: &mut RgbImage, left: u32, top: u32, line: &str) {
    for (column, letter) in line.chars().enumerate() {
        let glyph = font8x8::BASIC_FONTS
            .get(letter)
            .or_else(|| font8x8::BASIC_FONTS.get('?'))
            .unwrap_or_default();
        for (y, bits) in glyph.iter().enumerate() {
            for x in (0..LETTER).filter(|x| bits >> x & 1 == 1) {
                let at = Rect::at(
                    (left + (column as u32 * LETTER + x) * ZOOM) as i32,
                    (top + y as u32 * ZOOM) as i32,
                );
                drawing::draw_filled_rect_mut(sheet, at.of_size(ZOOM, ZOOM), INK);
            }
        }
    }
}
