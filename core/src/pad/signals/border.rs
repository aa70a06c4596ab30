//! The rim of a paper or a display: a long straight edge beside the face.

use super::{Around, EPS, log10, sum};
use crate::spare::FLOATS;
use std::ops::Range;

/// How far a line may lean over the height of the picture, in pixels.
const SHEARS: [i32; 9] = [-12, -9, -6, -3, 0, 3, 6, 9, 12];

/// The straightest edge left or right of the face.
#[inline(always)]
pub(super) fn sides(around: &Around) -> f32 {
    beside(&around.luma, around.side, &around.columns)
}

/// The straightest edge above or below the face.
#[inline(always)]
pub(super) fn ends(around: &Around) -> f32 {
    let side = around.side;
    let turned = FLOATS.collect((0..side * side).map(|i| around.luma[i % side * side + i / side]));
    beside(&turned, side, &around.rows)
}

/// The straightest line down a square plane before or after `face`, a range of its columns.
#[inline(always)]
fn beside(luma: &[f32], side: usize, face: &Range<i32>) -> f32 {
    let mut steps = FLOATS.take(side * (side - 1));
    for (row, luma) in steps
        .chunks_exact_mut(side - 1)
        .zip(luma.chunks_exact(side))
    {
        row.iter_mut()
            .zip(luma)
            .zip(&luma[1..])
            .for_each(|((step, before), after)| *step = (after - before).abs());
    }
    let most = line(&steps, side, 1, face.start).max(line(&steps, side, face.end, side as i32 - 2));
    log10(most / (sum([&steps], |[step]| step) / steps.len() as f32 + EPS))
}

/// The largest mean along a leaning column that begins in `low..high`. Columns that leave the
/// picture do not count.
#[inline(always)]
fn line(steps: &[f32], rows: usize, low: i32, high: i32) -> f32 {
    let columns = rows as i32 - 1;
    let mut most = 0.0f32;
    let mut sums = FLOATS.take(rows);
    for shear in SHEARS {
        let lean = |y: usize| {
            (shear as f32 * (y as f32 - rows as f32 / 2.0) / rows as f32).round_ties_even() as i32
        };
        let (one, other) = (lean(0), lean(rows - 1));
        let (first, end) = (
            low.max(0).max(-one.min(other)),
            high.min(columns).min(columns - one.max(other)),
        );
        if first >= end {
            continue;
        }
        // Neighbouring columns are summed side by side, row after row.
        let sums = &mut sums[..(end - first) as usize];
        sums.fill(0.0);
        for y in 0..rows {
            let from = y * columns as usize + (first + lean(y)) as usize;
            sums.iter_mut()
                .zip(&steps[from..])
                .for_each(|(sum, step)| *sum += step);
        }
        most = sums.iter().copied().fold(most, f32::max);
    }
    most / rows as f32
}
