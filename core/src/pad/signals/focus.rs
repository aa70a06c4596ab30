//! The plane of focus: a flat artefact is as sharp as what stands around it on the same plane.

use super::{Around, FACE_SIDE, edges, log10, sum};

/// Mean energy of the edges of the face over that of the edges around it.
#[inline(always)]
pub(super) fn plane(around: &Around) -> f32 {
    let (mut inside, mut all, mut covered) = (0.0f32, 0.0f32, 0);
    let inner = around.side - 2;
    let place = |x: i32| (x - 1).clamp(0, inner as i32) as usize;
    let columns =
        place(around.columns.start)..place(around.columns.end).max(place(around.columns.start));
    let mut row = [0.0; FACE_SIDE];
    for y in 1..=inner {
        let row = edges(&around.luma, around.side, y, &mut row);
        all += sum([row], |[edge]| edge * edge);
        if around.rows.contains(&(y as i32)) {
            inside += sum([&row[columns.clone()]], |[edge]| edge * edge);
            covered += columns.len();
        }
    }
    let mean = |sum: f32, count: usize| if count == 0 { 0.0 } else { sum / count as f32 };
    log10(mean(inside, covered)) - log10(mean((all - inside).max(0.0), inner * inner - covered))
}
