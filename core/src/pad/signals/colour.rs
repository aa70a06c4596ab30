//! What inks and displays do to colour: less gamut, a bluer white, colour noise that does not
//! follow the edges.

use super::{EPS, FACE_SIDE, Face, edges, log10, sum};

/// Energy of the edges in chroma over that in luma.
#[inline(always)]
pub(super) fn chroma_noise(face: &Face<'_>) -> f32 {
    let mut row = [0.0; FACE_SIDE];
    let mut power = |plane: &[f32]| -> f32 {
        (1..FACE_SIDE - 1)
            .map(|y| sum([edges(plane, FACE_SIDE, y, &mut row)], |[edge]| edge * edge))
            .sum()
    };
    let inner = ((FACE_SIDE - 2) * (FACE_SIDE - 2)) as f32;
    let chroma = ((power(&face.blueness) + power(&face.redness)) / inner).sqrt();
    log10(chroma / ((power(&face.luma) / inner).sqrt() + EPS))
}

/// Mean distance from grey over mean luma.
#[inline(always)]
pub(super) fn saturation(face: &Face<'_>) -> f32 {
    let distance = sum([&face.blueness, &face.redness], |[blue, red]| {
        (blue * blue + red * red).sqrt()
    });
    distance / (sum([&face.luma], |[y]| y) + EPS * face.luma.len() as f32)
}

/// Blue over red.
#[inline(always)]
pub(super) fn blue_shift(face: &Face<'_>) -> f32 {
    let [red, _, blue] = face
        .rgb
        .map(|plane| sum([plane], |[value]| value) / plane.len() as f32);
    log10(blue / (red + EPS))
}
