//! Highlights: skin shows few, glass and gloss show large ones.

use super::{Face, sum};

/// Share of the face that is near clipping and colourless.
#[inline(always)]
pub(super) fn highlights(face: &Face<'_>) -> f32 {
    let ([red, green, blue], chroma) = (face.rgb, [&face.blueness[..], &face.redness[..]]);
    let bright = sum(
        [red, green, blue, chroma[0], chroma[1]],
        |[red, green, blue, b, r]| {
            if (blue.max(red).max(green) > 0.94) & (b * b + r * r < 0.12 * 0.12) {
                1.0
            } else {
                0.0
            }
        },
    );
    bright / face.luma.len() as f32
}
