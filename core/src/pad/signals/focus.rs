//! The plane of focus: a flat artefact is as sharp as what stands around it on the same plane.

use super::{Around, edges, log10};

/// Mean energy of the edges of the face over that of the edges around it.
pub(super) fn plane(around: &Around) -> f32 {
    let (mut inside, mut outside) = ((0.0f32, 0u32), (0.0f32, 0u32));
    let width = around.side - 2;
    for (i, edge) in edges(&around.luma, around.side).iter().enumerate() {
        let (x, y) = ((i % width + 1) as i32, (i / width + 1) as i32);
        let sum = if around.columns.contains(&x) && around.rows.contains(&y) { &mut inside } else { &mut outside };
        sum.0 += edge * edge;
        sum.1 += 1;
    }
    let mean = |(sum, count): (f32, u32)| if count == 0 { 0.0 } else { sum / count as f32 };
    log10(mean(inside)) - log10(mean(outside))
}
