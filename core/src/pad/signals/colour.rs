//! What inks and displays do to colour: less gamut, a bluer white, colour noise that does not follow the edges.

use super::{EPS, Face, edges, log10};

/// Energy of the edges in chroma over that in luma.
pub(super) fn chroma_noise(face: &Face) -> f32 {
    let power = |plane: &[f32]| super::mean_square(&edges(plane, super::FACE_SIDE));
    let chroma = (power(&face.blueness) + power(&face.redness)).sqrt();
    log10(chroma / (power(&face.luma).sqrt() + EPS))
}

/// Mean distance from grey over mean luma.
pub(super) fn saturation(face: &Face) -> f32 {
    let distance: f32 = face.blueness.iter().zip(&face.redness).map(|(b, r)| (b * b + r * r).sqrt()).sum();
    distance / (face.luma.iter().sum::<f32>() + EPS * face.luma.len() as f32)
}

/// Blue over red.
pub(super) fn blue_shift(face: &Face) -> f32 {
    let mean = |chroma: &[f32]| chroma.iter().zip(&face.luma).map(|(c, y)| c + y).sum::<f32>() / face.luma.len() as f32;
    log10(mean(&face.blueness) / (mean(&face.redness) + EPS))
}
