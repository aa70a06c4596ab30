//! Whether pixels are those of a camera at all. A grey picture, one of few tones and a drawing have
//! lost, or never had, what tells a person from a print or a screen: the networks answer to them
//! as well, and their answer says nothing.

use super::crop::Square;
use crate::evidence::Obstacle;
use crate::geometry::Rect;
use crate::image::{Image, Planar, Pyramid};

/// Least departure of red and blue from what the brightness tells, as a standard deviation over a
/// face of 16 x 16 pixels, in levels. 507 captures have 2.8 and more; sepia in JPEG has 1.4.
const LEAST_COLOUR: f32 = 2.0;

/// Least number of tones in the channel that has the fewest, as the exponential of their entropy.
/// Captures have 41 and more; 32 levels a channel have 24 at the most.
const LEAST_TONES: f32 = 26.0;

/// Most of a histogram that stands in steps. Captures have 0.19 at the most; eight levels a channel
/// after JPEG 0.33.
const MOST_STEPS: f32 = 0.24;

/// Most of the neighbouring pixels that are equal. Captures have 0.44 at the most, recaptured
/// screens 0.59.
const MOST_EQUAL: f32 = 0.7;

/// Rows of the face that are read.
const ROWS: usize = 128;

/// Looks at the pixels of the face; `None` where nothing speaks against a camera.
pub(super) fn rendered(pyramid: &Pyramid<'_>, face: &Rect) -> Option<Obstacle> {
    let tones = Tones::of(pyramid.image(), face);
    if tones.equal_share() > MOST_EQUAL {
        return Some(Obstacle::FlatAreas);
    }
    if colour(pyramid, face) < LEAST_COLOUR {
        return Some(Obstacle::Colourless);
    }
    let is_posterised = tones.fewest() < LEAST_TONES || tones.steps() > MOST_STEPS;
    is_posterised.then_some(Obstacle::Posterised)
}

/// The larger of what red and blue, less green, vary by beyond a linear course with brightness.
fn colour(pyramid: &Pyramid<'_>, face: &Rect) -> f32 {
    const SIDE: usize = 16;
    const COUNT: f64 = (SIDE * SIDE) as f64;
    let form = Planar::pixels(SIDE, SIDE);
    let square = Square::about(face, 1.0, pyramid.image().width(), pyramid.image().height());
    let mut pixels = [0.0; 3 * SIDE * SIDE];
    pyramid.shrink(square.left, square.top, square.side, &form, &mut pixels);
    let (red, rest) = pixels.split_at(SIDE * SIDE);
    let (green, blue) = rest.split_at(SIDE * SIDE);
    let at = |plane: &[f32], i: usize| f64::from(plane[i]);
    let light = |i: usize| at(red, i) + at(green, i) + at(blue, i);
    let covariance = |a: &dyn Fn(usize) -> f64, b: &dyn Fn(usize) -> f64| {
        let mean = |v: &dyn Fn(usize) -> f64| (0..SIDE * SIDE).map(v).sum::<f64>() / COUNT;
        mean(&|i| a(i) * b(i)) - mean(a) * mean(b)
    };
    let of_light = covariance(&light, &light).max(f64::MIN_POSITIVE);
    let beyond = |plane: &[f32]| {
        let tint = |i: usize| at(plane, i) - at(green, i);
        let shared = covariance(&tint, &light);
        libm::sqrt((covariance(&tint, &tint) - shared * shared / of_light).max(0.0)) as f32
    };
    beyond(red).max(beyond(blue))
}

/// How often each value of each channel occurs in a face, and how often a pixel equals the next.
struct Tones {
    counts: [[u32; 256]; 3],
    pixels: u32,
    neighbours: u32,
    equal: u32,
}

impl Tones {
    /// Of the part of the face inside the picture, in `ROWS` rows of it at the most.
    fn of(image: &Image, face: &Rect) -> Self {
        let inside = |from: f32, length: f32, whole: u32| {
            let start = from.max(0.0).min(whole as f32 - 1.0) as usize;
            start..((from + length).max(0.0) as usize).clamp(start + 1, whole as usize)
        };
        let (columns, rows) = (
            inside(face.x, face.width, image.width()),
            inside(face.y, face.height, image.height()),
        );
        let (pixels, _) = image.rgb().as_chunks::<3>();
        let mut tones = Tones {
            counts: [[0; 256]; 3],
            pixels: 0,
            neighbours: 0,
            equal: 0,
        };
        for y in rows.clone().step_by(rows.len().div_ceil(ROWS)) {
            let row = &pixels[y * image.width() as usize..][columns.clone()];
            for pixel in row {
                for (counts, &value) in tones.counts.iter_mut().zip(pixel) {
                    counts[usize::from(value)] += 1;
                }
            }
            tones.pixels += row.len() as u32;
            tones.neighbours += row.len() as u32 - 1;
            tones.equal += row.windows(2).filter(|pair| pair[0] == pair[1]).count() as u32;
        }
        tones
    }

    fn equal_share(&self) -> f32 {
        self.equal as f32 / self.neighbours.max(1) as f32
    }

    fn share(&self, count: u32) -> f32 {
        count as f32 / self.pixels.max(1) as f32
    }

    /// The exponential of the entropy of the channel that has the least.
    fn fewest(&self) -> f32 {
        let tones = |counts: &[u32; 256]| {
            let shares = counts.iter().map(|&count| self.share(count));
            let entropy: f32 = shares
                .filter(|p| *p > 0.0)
                .map(|p| -p * libm::logf(p))
                .sum();
            libm::expf(entropy)
        };
        self.counts.iter().map(tones).fold(f32::MAX, f32::min)
    }

    /// The share of the channel's histogram, the largest of the three, that would have to move to
    /// turn it, freed of noise, into its wide average.
    fn steps(&self) -> f32 {
        let moved = |counts: &[u32; 256]| {
            let shares = counts.map(|count| self.share(count));
            let (fine, wide) = (blurred(&shares, 2.0), blurred(&shares, 9.0));
            let apart = fine.iter().zip(wide).map(|(a, b)| (a - b).abs());
            apart.sum::<f32>() / 2.0
        };
        self.counts.iter().map(moved).fold(0.0, f32::max)
    }
}

/// The mean under a Gaussian of `sigma` levels, 9 at the most; nothing lies beyond the ends.
fn blurred(shares: &[f32; 256], sigma: f32) -> [f32; 256] {
    const FARTHEST: usize = 36;
    let reach = ((4.0 * sigma).ceil() as usize).min(FARTHEST);
    let bell: [f32; FARTHEST + 1] =
        std::array::from_fn(|i| libm::expf(-((i * i) as f32) / (2.0 * sigma * sigma)));
    let bell = &bell[..=reach];
    let total = bell[0] + 2.0 * bell[1..].iter().sum::<f32>();
    std::array::from_fn(|at| {
        let (from, to) = (at.saturating_sub(reach), (at + reach).min(255));
        let sum: f32 = (from..=to).map(|i| shares[i] * bell[i.abs_diff(at)]).sum();
        sum / total
    })
}
