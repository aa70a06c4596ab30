//! Sharpness and compression artefacts (ISO/IEC 29794-5, 7.3.7 and 7.3.8).

use super::{Canvas, SIDE};
use crate::align::AlignedFace;

/// The quantisation table tells more of a JPEG than any look at its pixels; other formats are
/// lossless or unknown, and count as 100.
pub(super) fn jpeg_quality(face: &AlignedFace<'_>) -> f32 {
    face.image().jpeg_quality().map_or(100.0, f32::from)
}

/// Mean absolute response of the Laplacian inside the face, relative to the spread of luminance
/// there, times 50 so that typical contrast makes it read as luminance steps.
pub(super) fn sharpness(canvas: &Canvas) -> f32 {
    let (mut response, mut count) = (0.0f32, 0.0f32);
    let at = |x: usize, y: usize| canvas.luminance[y * SIDE + x];
    for y in 1..SIDE - 1 {
        for x in 1..SIDE - 1 {
            if canvas.inside[y * SIDE + x] {
                response +=
                    (4.0 * at(x, y) - at(x - 1, y) - at(x + 1, y) - at(x, y - 1) - at(x, y + 1))
                        .abs();
                count += 1.0;
            }
        }
    }
    let mean = canvas.skin().sum::<f32>() / count.max(1.0);
    let spread =
        (canvas.skin().map(|v| (v - mean) * (v - mean)).sum::<f32>() / count.max(1.0)).sqrt();
    50.0 * response / count.max(1.0) / spread.max(8.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas(period: f32) -> Canvas {
        let wave = |i: usize| {
            128.0 + 60.0 * libm::sinf((i % SIDE) as f32 * 2.0 * std::f32::consts::PI / period)
        };
        Canvas::drawn(wave)
    }

    #[test]
    fn finer_detail_is_sharper() {
        let values = [64.0, 32.0, 16.0, 8.0].map(|period| sharpness(&canvas(period)));
        assert!(values.windows(2).all(|w| w[0] < w[1]), "{values:?}");
    }
}
