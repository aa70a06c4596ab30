//! Selfies made from portraits: a person of any size, anywhere, before any background.

use vultus::{Image, ImageView, PixelFormat};

/// A generator of numbers that is the same everywhere (xorshift64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// In 0..1.
    pub(crate) fn share(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }

    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.share()
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        ((self.share() * count as f32) as usize).min(count - 1)
    }
}

pub(crate) fn raw(rgb: &[u8], width: usize, height: usize) -> Image {
    let view = ImageView::new(
        rgb,
        width as u32,
        height as u32,
        width * 3,
        PixelFormat::Rgb8,
    );
    Image::from_view(&view.expect("the bytes are a picture"))
}

/// The picture `scale` times as large: means over what each pixel covers, no pixel invented where
/// it shrinks.
pub(crate) fn scaled(image: &Image, scale: f32) -> Image {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let to = |length: usize| ((length as f32 * scale).round() as usize).max(1);
    let (columns, rows) = (to(width), to(height));
    let across = weights(width, columns);
    let mut narrow = vec![0.0f32; columns * height * 3];
    for y in 0..height {
        for (x, (first, taps)) in across.iter().enumerate() {
            for (i, w) in taps.iter().enumerate() {
                let from = (y * width + first + i) * 3;
                for c in 0..3 {
                    narrow[(y * columns + x) * 3 + c] += w * f32::from(image.rgb()[from + c]);
                }
            }
        }
    }
    let mut rgb = vec![0u8; columns * rows * 3];
    for (y, (first, taps)) in weights(height, rows).iter().enumerate() {
        let mut row = vec![0.5f32; columns * 3];
        for (i, w) in taps.iter().enumerate() {
            let from = &narrow[(first + i) * columns * 3..][..columns * 3];
            row.iter_mut().zip(from).for_each(|(sum, v)| *sum += w * v);
        }
        rgb[y * columns * 3..][..columns * 3]
            .iter_mut()
            .zip(row)
            .for_each(|(to, v)| *to = v as u8);
    }
    raw(&rgb, columns, rows)
}

/// For each of `to` pixels the first of `from` pixels that count, and their weights: a tent as wide
/// as a pixel of the coarser of the two.
fn weights(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    let step = from as f32 / to as f32;
    let reach = step.max(1.0);
    (0..to)
        .map(|i| {
            let centre = (i as f32 + 0.5) * step - 0.5;
            let first = (centre - reach).ceil().max(0.0) as usize;
            let last = ((centre + reach).floor() as usize).min(from - 1);
            let taps: Vec<f32> = (first..=last)
                .map(|j| (1.0 - (j as f32 - centre).abs() / reach).max(0.0))
                .collect();
            let sum: f32 = taps.iter().sum();
            (first, taps.iter().map(|w| w / sum).collect())
        })
        .collect()
}

/// A background of one of five kinds: plain, a gradient, stripes, grain, furniture.
pub(crate) fn background(width: usize, height: usize, random: &mut Random) -> Vec<u8> {
    let mut colour = |low, high| [0; 3].map(|_: i32| random.between(low, high));
    let (one, other) = (colour(30.0, 230.0), colour(0.0, 255.0));
    let kind = random.below(5);
    let period = random.between(8.0, 60.0);
    let boxes: Vec<([f32; 4], [f32; 3])> = (0..12)
        .map(|_| {
            let place = [0; 4].map(|_: i32| random.share());
            (place, [0; 3].map(|_: i32| random.between(20.0, 240.0)))
        })
        .collect();
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
            let mix = match kind {
                0 => 0.0,
                1 => v,
                2 => 0.5 + 0.5 * ((x + y / 3) as f32 * std::f32::consts::TAU / period).sin(),
                3 => random.share(),
                _ => 0.0,
            };
            let mut pixel = [0, 1, 2].map(|c| one[c] + (other[c] - one[c]) * mix);
            if kind == 4 {
                for ([left, top, wide, tall], paint) in &boxes {
                    if (u - left).abs() < wide * 0.25 && (v - top).abs() < tall * 0.25 {
                        pixel = *paint;
                    }
                }
            }
            rgb.extend(pixel.map(|v| v as u8));
        }
    }
    rgb
}

/// Lays a picture over another, its corner at (x, y).
pub(crate) fn paste(
    rgb: &mut [u8],
    width: usize,
    height: usize,
    picture: &Image,
    x: isize,
    y: isize,
) {
    for row in 0..picture.height() as usize {
        let to_row = y + row as isize;
        if !(0..height as isize).contains(&to_row) {
            continue;
        }
        for column in 0..picture.width() as usize {
            let to_column = x + column as isize;
            if (0..width as isize).contains(&to_column) {
                let from = (row * picture.width() as usize + column) * 3;
                let to = (to_row as usize * width + to_column as usize) * 3;
                rgb[to..to + 3].copy_from_slice(&picture.rgb()[from..from + 3]);
            }
        }
    }
}
