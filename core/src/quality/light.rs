//! Illumination uniformity, under- and over-exposure, dynamic range (ISO/IEC 29794-5, 7.3.2 to
//! 7.3.6).

use super::{Canvas, SIDE};

/// Luminance from which a pixel holds detail, and up to which.
const BLACK: f32 = 25.0;
const WHITE: f32 = 247.0;

/// The shares of the face's pixels that are too dark and too bright to hold detail.
pub(super) struct Light {
    pub(super) dark: f32,
    pub(super) bright: f32,
}

impl Light {
    pub(super) fn of(canvas: &Canvas) -> Light {
        let count = canvas.skin().count().max(1) as f32;
        Light {
            dark: canvas.skin().filter(|v| *v <= BLACK).count() as f32 / count,
            bright: canvas.skin().filter(|v| *v >= WHITE).count() as f32 / count,
        }
    }
}

/// How far the luminance histograms of the left and the right half of the face overlap, 0..=1.
pub(super) fn uniformity(canvas: &Canvas) -> f32 {
    let mut halves = [[0.0f32; 32]; 2];
    for (at, (&v, _)) in canvas
        .luminance
        .iter()
        .zip(&canvas.inside[..])
        .enumerate()
        .filter(|(_, (_, inside))| **inside)
    {
        halves[usize::from(at % SIDE >= SIDE / 2)][(v as usize / 8).min(31)] += 1.0;
    }
    let totals = halves.map(|half| half.iter().sum::<f32>().max(1.0));
    (0..32)
        .map(|bin| (halves[0][bin] / totals[0]).min(halves[1][bin] / totals[1]))
        .sum()
}

/// Entropy of the luminance histogram, in bits (8 at the most).
pub(super) fn entropy(canvas: &Canvas) -> f32 {
    let mut bins = [0u32; 256];
    canvas.skin().for_each(|v| bins[(v as usize).min(255)] += 1);
    let total: u32 = bins.iter().sum();
    bins.iter()
        .filter(|n| **n > 0)
        .map(|&n| {
            let share = n as f32 / total as f32;
            -share * libm::log2f(share)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    fn canvas(luminance: impl Fn(usize) -> f32) -> Canvas {
        Canvas::drawn(luminance)
    }

    #[test]
    fn a_face_lit_from_one_side_is_not_uniform() {
        assert_abs_diff_eq!(
            uniformity(&canvas(|i| if i % SIDE < SIDE / 2 { 40.0 } else { 200.0 })),
            0.0
        );
        assert_abs_diff_eq!(uniformity(&canvas(|_| 120.0)), 1.0);
    }

    #[test]
    fn black_and_white_faces_are_badly_exposed() {
        let light = |level: f32| Light::of(&canvas(move |_| level));
        assert_eq!((light(3.0).dark, light(3.0).bright), (1.0, 0.0));
        assert_eq!((light(255.0).dark, light(255.0).bright), (0.0, 1.0));
    }

    #[test]
    fn entropy_counts_bits() {
        assert_abs_diff_eq!(entropy(&canvas(|_| 9.0)), 0.0);
        assert_abs_diff_eq!(entropy(&canvas(|i| (i % 16) as f32)), 4.0, epsilon = 1e-4);
    }
}
