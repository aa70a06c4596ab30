//! The picture at halved scales, and the one sampler through which every network sees it.

use super::Image;
use crate::geometry::{Point, Rect, Similarity};
use crate::spare::{BYTES, Buffer};
use vultus_nn::kernel::{Filter, Halve, Kernels, Sample, Shrink};

/// Which channel a network wants first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Colour {
    Rgb,
    Bgr,
}

/// How a network wants its pixels: planar, `value · scale + offset` for values in 0..=255.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planar {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) colour: Colour,
    pub(crate) scale: f32,
    pub(crate) offset: f32,
}

impl Planar {
    /// Plain 0..=255 RGB, for measures on pixels.
    pub(crate) fn pixels(width: usize, height: usize) -> Self {
        Planar {
            width,
            height,
            colour: Colour::Rgb,
            scale: 1.0,
            offset: 0.0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        3 * self.width * self.height
    }

    /// Red, green and blue of an input of this form.
    fn planes<'a>(&self, out: &'a mut [f32]) -> [&'a mut [f32]; 3] {
        let plane = self.width * self.height;
        let (first, rest) = out.split_at_mut(plane);
        let (second, third) = rest.split_at_mut(plane);
        match self.colour {
            Colour::Rgb => [first, second, third],
            Colour::Bgr => [third, second, first],
        }
    }
}

/// A picture and its halvings, each pixel the rounded mean of four of the level below.
pub(crate) struct Pyramid<'a> {
    kernels: Kernels,
    image: &'a Image,
    halved: Vec<Level>,
}

struct Level {
    width: usize,
    height: usize,
    rgb: Buffer<u8>,
}

/// The smallest side worth halving: no network looks at less than 64 pixels.
const SMALLEST_SIDE: usize = 128;

impl<'a> Pyramid<'a> {
    pub(crate) fn new(kernels: Kernels, image: &'a Image) -> Self {
        let mut halved: Vec<Level> = Vec::new();
        loop {
            let (width, height, rgb) = match halved.last() {
                Some(level) => (level.width, level.height, &level.rgb[..]),
                None => (image.width as usize, image.height as usize, image.rgb()),
            };
            if width.min(height) < SMALLEST_SIDE {
                return Pyramid {
                    kernels,
                    image,
                    halved,
                };
            }
            let level = halve(kernels, width, height, rgb);
            halved.push(level);
        }
    }

    pub(crate) fn image(&self) -> &'a Image {
        self.image
    }

    pub(crate) fn width(&self) -> f32 {
        self.image.width as f32
    }

    pub(crate) fn height(&self) -> f32 {
        self.image.height as f32
    }

    /// Fills `out` (planes of `form.height` rows) with the picture seen through `map`, which takes
    /// a point of the output to a point of the picture. Bilinear on the level at which a step is
    /// one to two pixels; black outside.
    pub(crate) fn sample(&self, map: &Similarity, form: &Planar, out: &mut [f32]) {
        assert_eq!(out.len(), form.len(), "the output must hold three planes");
        let (shrink, width, height, rgb) = self.level(map.scale());
        let planes = form.planes(out);
        self.kernels.run(Sample {
            rgb,
            size: [height, width],
            start: |y| {
                let start = map.apply(Point::new(0.5, y as f32 + 0.5));
                [start.x * shrink - 0.5, start.y * shrink - 0.5]
            },
            step: [map.a * shrink, map.b * shrink],
            affine: [form.scale, form.offset],
            planes,
            columns: form.width,
        });
    }
}

impl Pyramid<'_> {
    /// The smallest level at which a step of `step` pixels of the picture is still one pixel or
    /// more: its scale, size and pixels.
    pub(crate) fn level(&self, step: f32) -> (f32, usize, usize, &[u8]) {
        let mut index = 0;
        while index < self.halved.len() && step >= (2u32 << index) as f32 {
            index += 1;
        }
        let scale = 1.0 / (1u32 << index) as f32;
        match index.checked_sub(1) {
            Some(i) => (
                scale,
                self.halved[i].width,
                self.halved[i].height,
                &self.halved[i].rgb,
            ),
            None => (
                scale,
                self.image.width as usize,
                self.image.height as usize,
                self.image.rgb(),
            ),
        }
    }

    /// Fills `out` with the square of `side` pixels at (`left`, `top`), reduced by a triangle
    /// filter whose support grows with the reduction, so that texture finer than the output is
    /// averaged and not aliased. Works on the level at which the reduction is two to four: the cost
    /// does not grow with the picture.
    pub(crate) fn shrink(&self, left: u32, top: u32, side: u32, form: &Planar, out: &mut [f32]) {
        assert_eq!(out.len(), form.len(), "the output must hold three planes");
        let reduction = side as f32 / form.width.max(form.height) as f32;
        let (scale, width, height, rgb) = self.level(reduction / 2.0);
        let part = |start: u32, whole: usize, count: usize| {
            triangle(start as f32 * scale, side as f32 * scale, whole, count)
        };
        let planes = form.planes(out);
        let (columns, rows) = (
            part(left, width, form.width),
            part(top, height, form.height),
        );
        self.kernels.run(Shrink {
            rgb,
            width,
            columns: &columns,
            rows: &rows,
            affine: [form.scale, form.offset],
            planes,
        });
    }

    /// Fills `out` with a part of the picture stretched to the output's shape, bilinear between the
    /// nearest pixels however large the reduction, as networks expect that were trained so.
    ///
    /// The picture is reduced by `reduction`, 1 or more, by area before that; `part`, in pixels of
    /// the reduced picture, must lie inside it. Works on the level at which one to two pixels make
    /// one of the reduced picture: the cost does not grow with the picture.
    pub(crate) fn stretch(&self, part: &Rect, reduction: f32, form: &Planar, out: &mut [f32]) {
        assert_eq!(out.len(), form.len(), "the output must hold three planes");
        let (scale, width, height, rgb) = self.level(reduction);
        let area = reduction * scale;
        let planes = form.planes(out);
        self.kernels.run(Shrink {
            rgb,
            width,
            columns: &between(part.x, part.width, area, width, form.width),
            rows: &between(part.y, part.height, area, height, form.height),
            affine: [form.scale, form.offset],
            planes,
        });
    }
}

/// For `count` outputs over `[start, start + length)`, in means of `area` of `whole` inputs each:
/// the two means that an output's centre lies between, by their distance. Beyond the centre of the
/// first and the last mean of the part that mean is repeated.
fn between(start: f32, length: f32, area: f32, whole: usize, count: usize) -> Filter {
    let mut filter = Filter::new(count, (2.0 * area).ceil() as usize + 2);
    for i in 0..count {
        let at = ((i as f32 + 0.5) * (length / count as f32) - 0.5).clamp(0.0, length - 1.0);
        let low = (start + at).floor();
        let second = start + at - low;
        let middle = (low + 1.0) * area;
        let (from, to) = (low * area, middle + if second > 0.0 { area } else { 0.0 });
        let first = (from.floor() as usize).min(whole - 1);
        let end = (to.ceil() as usize).clamp(first + 1, whole);
        let weights = filter.set(i, first..end);
        weights.iter_mut().zip(first..).for_each(|(weight, p)| {
            let covered =
                |from: f32, to: f32| (to.min(p as f32 + 1.0) - from.max(p as f32)).max(0.0);
            *weight = covered(from, middle) * (1.0 - second) + covered(middle, to) * second
        });
        normalise(weights);
    }
    filter
}

/// Brings weights to a sum of 1.
fn normalise(weights: &mut [f32]) {
    let (total, even) = (weights.iter().sum::<f32>(), 1.0 / weights.len() as f32);
    weights
        .iter_mut()
        .for_each(|weight| *weight = if total > 0.0 { *weight / total } else { even });
}

/// For `count` outputs over `[start, start + length)` of `whole` inputs: weights that fall to both
/// sides and sum to 1.
fn triangle(start: f32, length: f32, whole: usize, count: usize) -> Filter {
    let step = length / count as f32;
    let support = step.max(1.0);
    let (least, most) = (start.floor(), (start + length).ceil().min(whole as f32));
    let mut filter = Filter::new(count, (2.0 * support).ceil() as usize + 2);
    for i in 0..count {
        let centre = start + (i as f32 + 0.5) * step;
        let first = (centre - support + 0.5).floor().max(least).min(most - 1.0) as usize;
        let end = ((centre + support + 0.5).floor().min(most) as usize).max(first + 1);
        let weights = filter.set(i, first..end);
        weights.iter_mut().zip(first..).for_each(|(weight, p)| {
            *weight = (1.0 - ((p as f32 + 0.5 - centre) / support).abs()).max(0.0)
        });
        normalise(weights);
    }
    filter
}

fn halve(kernels: Kernels, width: usize, height: usize, rgb: &[u8]) -> Level {
    let (w, h) = (width / 2, height / 2);
    let mut half = BYTES.take(w * h * 3);
    kernels.run(Halve {
        rgb,
        size: [height, width],
        half: &mut half,
    });
    Level {
        width: w,
        height: h,
        rgb: half,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ImageView, PixelFormat};
    use approx::assert_abs_diff_eq;

    fn gradient(width: u32, height: u32) -> Image {
        let data: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, (x + y) as u8]))
            .collect();
        Image::from_view(
            &ImageView::new(&data, width, height, width as usize * 3, PixelFormat::Rgb8).unwrap(),
        )
    }

    const IDENTITY: Similarity = Similarity {
        a: 1.0,
        b: 0.0,
        tx: 0.0,
        ty: 0.0,
    };

    #[test]
    fn identity_copies_and_colour_order_holds() {
        let image = gradient(5, 4);
        let mut form = Planar::pixels(5, 4);
        let mut out = vec![0.0; form.len()];
        Pyramid::new(Kernels::best(), &image).sample(&IDENTITY, &form, &mut out);
        assert_eq!(out[7], 2.0, "red at (2, 1)");
        assert_eq!(out[20 + 7], 1.0, "green at (2, 1)");
        form.colour = Colour::Bgr;
        Pyramid::new(Kernels::best(), &image).sample(&IDENTITY, &form, &mut out);
        assert_eq!((out[7], out[40 + 7]), (3.0, 2.0), "blue first, red last");
    }

    #[test]
    fn every_level_shows_the_same_scene() {
        // On a linear ramp the mean of any footprint is the value at its centre.
        let image = gradient(250, 250);
        let pyramid = Pyramid::new(Kernels::best(), &image);
        for step in [1.0, 1.7, 2.0, 3.9, 4.0] {
            let map = Similarity {
                a: step,
                b: 0.0,
                tx: 20.0,
                ty: 30.0,
            };
            let form = Planar::pixels(16, 16);
            let mut out = vec![0.0; form.len()];
            pyramid.sample(&map, &form, &mut out);
            for (i, &red) in out[..256].iter().enumerate() {
                let x = map.apply(Point::new((i % 16) as f32 + 0.5, 0.0)).x - 0.5;
                assert_abs_diff_eq!(red, x, epsilon = 1.01);
            }
        }
    }

    #[test]
    fn shrinking_averages_and_enlarging_interpolates() {
        let image = gradient(200, 200);
        let form = Planar::pixels(10, 10);
        let mut out = vec![0.0; form.len()];
        Pyramid::new(Kernels::best(), &image).shrink(20, 30, 100, &form, &mut out);
        // On a ramp every interior output is the value at its centre: 20 + 10 * 4.5 - 0.5 and so
        // on; a halving rounds.
        assert_abs_diff_eq!(out[4 * 10 + 4], 20.0 + 45.0 - 0.5, epsilon = 0.51);
        assert_abs_diff_eq!(out[100 + 5 * 10 + 4], 30.0 + 55.0 - 0.5, epsilon = 0.51);
        Pyramid::new(Kernels::best(), &image).shrink(20, 30, 30, &form, &mut out);
        assert_abs_diff_eq!(out[4 * 10 + 4], 20.0 + 3.0 * 4.5 - 0.5, epsilon = 1e-3);
        Pyramid::new(Kernels::best(), &image).shrink(20, 30, 10, &form, &mut out);
        assert_abs_diff_eq!(out[3], 23.0, epsilon = 1e-4);
        Pyramid::new(Kernels::best(), &image).shrink(199, 199, 1, &form, &mut out);
        assert!(out[..100].iter().all(|v| (*v - 199.0).abs() < 1e-3));
    }

    #[test]
    fn shrinking_from_a_halved_level_shows_the_same() {
        let image = gradient(250, 250);
        let form = Planar::pixels(8, 8);
        let mut out = vec![0.0; form.len()];
        // A reduction of 25: red at the middle of output (3, 4) is 11 + 25 * 3.5 - 0.5.
        Pyramid::new(Kernels::best(), &image).shrink(11, 7, 200, &form, &mut out);
        assert_abs_diff_eq!(out[4 * 8 + 3], 11.0 + 87.5 - 0.5, epsilon = 1.0);
        assert_abs_diff_eq!(out[64 + 4 * 8 + 3], 7.0 + 112.5 - 0.5, epsilon = 1.0);
    }

    #[test]
    fn stretching_reads_between_the_nearest_pixels() {
        let image = gradient(100, 80);
        let form = Planar {
            colour: Colour::Bgr,
            ..Planar::pixels(10, 5)
        };
        let mut out = vec![0.0; form.len()];
        Pyramid::new(Kernels::best(), &image).stretch(
            &Rect {
                x: 20.0,
                y: 10.0,
                width: 40.0,
                height: 60.0,
            },
            1.0,
            &form,
            &mut out,
        );
        // Blue first; red at output (2, 3) is 20 + 4 * 2.5 - 0.5, green 10 + 12 * 3.5 - 0.5.
        assert_eq!((out[100 + 32], out[50 + 32]), (29.5, 51.5));
        Pyramid::new(Kernels::best(), &image).stretch(
            &Rect {
                x: 99.0,
                y: 79.0,
                width: 1.0,
                height: 1.0,
            },
            1.0,
            &form,
            &mut out,
        );
        assert!(out[100..].iter().all(|v| *v == 99.0));
    }

    #[test]
    fn stretching_a_reduced_picture_reads_between_means_of_area() {
        let image = gradient(160, 120);
        let form = Planar::pixels(6, 4);
        let part = Rect {
            x: 3.0,
            y: 2.0,
            width: 40.0,
            height: 30.0,
        };
        // Reduced 2.5 times, 64 x 48, pixel by pixel, and read between the nearest.
        let mean = |n: usize, m: usize, channel: usize| {
            let cover = |n: usize, p: usize| {
                let (from, to) = (2.5 * n as f32, 2.5 * (n + 1) as f32);
                (to.min(p as f32 + 1.0) - from.max(p as f32)).max(0.0)
            };
            let pixel = |x: usize, y: usize| f32::from(image.rgb()[3 * (y * 160 + x) + channel]);
            let row = |y: usize| -> f32 { (0..160).map(|x| cover(n, x) * pixel(x, y)).sum() };
            (0..120).map(|y| cover(m, y) * row(y)).sum::<f32>() / 6.25
        };
        let mut out = vec![0.0; form.len()];
        Pyramid::new(Kernels::best(), &image).stretch(&part, 2.5, &form, &mut out);
        for (channel, plane) in out.chunks_exact(24).enumerate() {
            for (i, &found) in plane.iter().enumerate() {
                let x = 3.0 + ((i % 6) as f32 + 0.5) * 40.0 / 6.0 - 0.5;
                let y = 2.0 + ((i / 6) as f32 + 0.5) * 30.0 / 4.0 - 0.5;
                let (n, m) = (x.floor() as usize, y.floor() as usize);
                let (right, down) = (x.fract(), y.fract());
                let upper = mean(n, m, channel) * (1.0 - right) + mean(n + 1, m, channel) * right;
                let lower =
                    mean(n, m + 1, channel) * (1.0 - right) + mean(n + 1, m + 1, channel) * right;
                // The level of half the size is rounded.
                assert_abs_diff_eq!(found, upper * (1.0 - down) + lower * down, epsilon = 0.6);
            }
        }
    }

    #[test]
    fn outside_is_black_and_nothing_is_read_there() {
        let image = gradient(3, 2);
        let form = Planar {
            offset: -1.0,
            ..Planar::pixels(4, 4)
        };
        let mut out = vec![0.0; form.len()];
        for far in [-1e9, 1e9, 100.0] {
            Pyramid::new(Kernels::best(), &image).sample(
                &Similarity {
                    tx: far,
                    ..IDENTITY
                },
                &form,
                &mut out,
            );
            assert!(out.iter().all(|&v| v == -1.0));
        }
    }
}
