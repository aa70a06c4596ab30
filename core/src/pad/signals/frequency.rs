//! Moiré: a display's grid or a halftone screen beats with the sensor's grid and leaves narrow
//! peaks in the spectrum.

use super::{FACE_SIDE, log10};
use crate::spare::{Buffer, FLOATS};
use std::f32::consts::PI;

/// Rings of the spectrum that are searched, in cycles a face: coarser ones hold the face itself.
const RINGS: std::ops::RangeInclusive<usize> = 10..=56;

/// Peaks nearer to an axis are edges of the picture, or blocks of a JPEG.
const OFF_AXIS: i32 = 3;

const HALF: usize = FACE_SIDE / 2;

/// A frequency of the half plane that holds all that a real picture says: its place in
/// [`Spectrum::power`], and whether it is off the axes.
struct Bin {
    at: usize,
    off_axis: bool,
}

/// Tables of the transform and of the rings.
pub(super) struct Spectrum {
    hann: Vec<f32>,
    /// exp(-2πi k / FACE_SIDE) for the first half turn.
    turns: Vec<(f32, f32)>,
    rings: Vec<Vec<Bin>>,
}

impl Spectrum {
    pub(super) fn new() -> Self {
        let angle = |k: usize| 2.0 * PI * k as f32 / FACE_SIDE as f32;
        let mut rings: Vec<Vec<Bin>> = (0..=*RINGS.end()).map(|_| Vec::new()).collect();
        for fx in 0..HALF as i32 {
            for fy in -(HALF as i32)..HALF as i32 {
                let radius = (((fx * fx + fy * fy) as f32).sqrt() + 0.5) as usize;
                if RINGS.contains(&radius) && (fx > 0 || fy > 0) {
                    let row = fy.rem_euclid(FACE_SIDE as i32) as usize;
                    let off_axis = fx >= OFF_AXIS && fy.abs() >= OFF_AXIS;
                    rings[radius].push(Bin {
                        at: row * HALF + fx as usize,
                        off_axis,
                    });
                }
            }
        }
        Spectrum {
            hann: (0..FACE_SIDE)
                .map(|i| 0.5 - 0.5 * libm::cosf(angle(i)))
                .collect(),
            turns: (0..HALF)
                .map(|k| (libm::cosf(angle(k)), -libm::sinf(angle(k))))
                .collect(),
            rings: rings.split_off(*RINGS.start()),
        }
    }

    /// How far the strongest narrow peak stands above its ring: the logarithm of the largest ratio
    /// of a frequency's power to the median of its ring.
    #[inline(always)]
    pub(super) fn moire_peak(&self, luma: &[f32]) -> f32 {
        let power = self.power(luma);
        let longest = self.rings.iter().map(Vec::len).max().unwrap_or(0);
        let mut on_ring = FLOATS.take(longest);
        let mut most = 0.0f32;
        for ring in &self.rings {
            let peak = ring
                .iter()
                .filter(|bin| bin.off_axis)
                .fold(0.0f32, |peak, bin| peak.max(power[bin.at]));
            let on_ring = &mut on_ring[..ring.len()];
            on_ring
                .iter_mut()
                .zip(ring)
                .for_each(|(value, bin)| *value = power[bin.at]);
            most = most.max(peak / (median(on_ring) + super::EPS));
        }
        log10(most)
    }

    /// Power of the windowed, zero-mean picture: `FACE_SIDE` rows of frequencies down, `HALF`
    /// frequencies across in each.
    #[inline(always)]
    fn power(&self, luma: &[f32]) -> Buffer<f32> {
        let mean = super::sum([luma], |[y]| y) / luma.len() as f32;
        // Two rows of reals go through one transform as real and imaginary part, and are parted by
        // symmetry after it.
        let mut pairs = Grid::new();
        for y in 0..FACE_SIDE {
            let plane = if y % 2 == 0 {
                &mut pairs.re
            } else {
                &mut pairs.im
            };
            for x in 0..FACE_SIDE {
                plane[x * HALF + y / 2] =
                    (luma[y * FACE_SIDE + x] - mean) * self.hann[x] * self.hann[y];
            }
        }
        self.transform(&mut pairs);
        let mut rows = Grid::new();
        for k in 0..HALF {
            let mirrored = (FACE_SIDE - k) % FACE_SIDE;
            for pair in 0..HALF {
                let (p, q) = (k * HALF + pair, mirrored * HALF + pair);
                let (upper, lower) = (2 * pair * HALF + k, (2 * pair + 1) * HALF + k);
                rows.re[upper] = (pairs.re[p] + pairs.re[q]) / 2.0;
                rows.im[upper] = (pairs.im[p] - pairs.im[q]) / 2.0;
                rows.re[lower] = (pairs.im[p] + pairs.im[q]) / 2.0;
                rows.im[lower] = (pairs.re[q] - pairs.re[p]) / 2.0;
            }
        }
        self.transform(&mut rows);
        FLOATS.collect(
            rows.re
                .iter()
                .zip(&rows.im[..])
                .map(|(re, im)| re * re + im * im),
        )
    }

    /// The discrete Fourier transform of every column of the grid, in place and side by side (radix
    /// 2, decimation in time).
    #[inline(always)]
    fn transform(&self, grid: &mut Grid) {
        let bits = FACE_SIDE.trailing_zeros();
        for i in 0..FACE_SIDE {
            let j = i.reverse_bits() >> (usize::BITS - bits);
            if i < j {
                for plane in [&mut grid.re, &mut grid.im] {
                    let (before, after) = plane.split_at_mut(j * HALF);
                    before[i * HALF..(i + 1) * HALF].swap_with_slice(&mut after[..HALF]);
                }
            }
        }
        let mut half = 1;
        while half < FACE_SIDE {
            let blocks = grid
                .re
                .chunks_exact_mut(2 * half * HALF)
                .zip(grid.im.chunks_exact_mut(2 * half * HALF));
            for (re, im) in blocks {
                let ((low_re, high_re), (low_im, high_im)) =
                    (re.split_at_mut(half * HALF), im.split_at_mut(half * HALF));
                for k in 0..half {
                    let (cos, sin) = self.turns[k * (HALF / half)];
                    let row = k * HALF..(k + 1) * HALF;
                    let low = low_re[row.clone()].iter_mut().zip(&mut low_im[row.clone()]);
                    let high = high_re[row.clone()].iter_mut().zip(&mut high_im[row]);
                    for ((a_re, a_im), (b_re, b_im)) in low.zip(high) {
                        let (re, im) = (*b_re * cos - *b_im * sin, *b_re * sin + *b_im * cos);
                        (*b_re, *b_im) = (*a_re - re, *a_im - im);
                        (*a_re, *a_im) = (*a_re + re, *a_im + im);
                    }
                }
            }
            half *= 2;
        }
    }
}

/// `FACE_SIDE` rows of `HALF` complex numbers.
struct Grid {
    re: Buffer<f32>,
    im: Buffer<f32>,
}

impl Grid {
    fn new() -> Self {
        Grid {
            re: FLOATS.take(FACE_SIDE * HALF),
            im: FLOATS.take(FACE_SIDE * HALF),
        }
    }
}

/// The middle value, or the mean of the two in the middle.
fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    let odd = values.len() % 2 == 1;
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    if odd {
        upper
    } else {
        (upper + below.iter().copied().fold(f32::NEG_INFINITY, f32::max)) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    fn wave(across: f32, down: f32) -> Vec<f32> {
        let cycle = 2.0 * PI / FACE_SIDE as f32;
        (0..FACE_SIDE * FACE_SIDE)
            .map(|i| {
                0.5 + 0.1
                    * libm::cosf(
                        cycle * (across * (i % FACE_SIDE) as f32 + down * (i / FACE_SIDE) as f32),
                    )
            })
            .collect()
    }

    #[test]
    fn a_wave_has_its_power_at_its_frequency() {
        let spectrum = Spectrum::new();
        for (across, down) in [(20.0, 9.0), (5.0, -30.0)] {
            let power = spectrum.power(&wave(across, down));
            let (at, most) = power
                .iter()
                .enumerate()
                .max_by(|a, b| a.1.total_cmp(b.1))
                .unwrap();
            let row = (down as i32).rem_euclid(FACE_SIDE as i32) as usize;
            assert_eq!((at % HALF, at / HALF), (across as usize, row));
            // Half the amplitude at each of two conjugate frequencies, times the mean of the
            // window.
            let expected = 0.05 * (FACE_SIDE * FACE_SIDE) as f32 / 4.0;
            assert_abs_diff_eq!(most.sqrt(), expected, epsilon = 0.01 * expected);
        }
    }

    #[test]
    fn every_ring_is_whole() {
        let spectrum = Spectrum::new();
        assert_eq!(spectrum.rings.len(), 47);
        for (ring, radius) in spectrum.rings.iter().zip(RINGS) {
            let circle = PI * radius as f32;
            assert!(
                (ring.len() as f32 - circle).abs() < 0.15 * circle,
                "{} on ring {radius}",
                ring.len()
            );
        }
    }

    #[test]
    fn medians() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 8.0]), 3.0);
    }
}
