//! Highlights: skin shows few, glass and gloss show large ones.

use super::Face;

/// Share of the face that is near clipping and colourless.
pub(super) fn highlights(face: &Face) -> f32 {
    let bright = face.luma.iter().zip(&face.blueness).zip(&face.redness).filter(|((y, b), r)| {
        let (blue, red) = (*b + *y, *r + *y);
        let green = (*y - 0.299 * red - 0.114 * blue) / 0.587;
        blue.max(red).max(green) > 0.94 && (*b * *b + *r * *r).sqrt() < 0.12
    });
    bright.count() as f32 / face.luma.len() as f32
}
