//! The rim of a paper or a display: a long straight edge beside the face.

use super::{Around, EPS, log10};
use std::ops::Range;

/// How far a line may lean over the height of the picture, in pixels.
const SHEARS: [i32; 9] = [-12, -9, -6, -3, 0, 3, 6, 9, 12];

/// The straightest edge left or right of the face.
pub(super) fn sides(around: &Around) -> f32 {
    let side = around.side;
    let steps = around.luma.chunks_exact(side).flat_map(|row| row.windows(2).map(|pair| (pair[1] - pair[0]).abs()));
    beside(&steps.collect::<Vec<_>>(), side, &around.columns)
}

/// The straightest edge above or below the face.
pub(super) fn ends(around: &Around) -> f32 {
    let (side, y) = (around.side, &around.luma);
    let steps = (0..side).flat_map(|x| (1..side).map(move |row| (y[row * side + x] - y[(row - 1) * side + x]).abs()));
    beside(&steps.collect::<Vec<_>>(), side, &around.rows)
}

/// The straightest line before or after `face` in `side` rows of `side - 1` steps.
fn beside(steps: &[f32], side: usize, face: &Range<i32>) -> f32 {
    log10(line(steps, side, 1, face.start).max(line(steps, side, face.end, side as i32 - 2)))
}

/// The largest mean along a leaning column that begins in `low..high`, over the mean of all. Columns that leave the picture do not count.
fn line(gradient: &[f32], rows: usize, low: i32, high: i32) -> f32 {
    let columns = rows as i32 - 1;
    let mut most = 0.0f32;
    for shear in SHEARS {
        let half = rows as f32 / 2.0;
        let lean: Vec<i32> = (0..rows).map(|y| (shear as f32 * (y as f32 - half) / rows as f32).round_ties_even() as i32).collect();
        let (least, furthest) = (lean.iter().min().copied().unwrap_or(0), lean.iter().max().copied().unwrap_or(0));
        let (first, end) = (low.max(0).max(-least), high.min(columns).min(columns - furthest));
        if first >= end {
            continue;
        }
        // Neighbouring columns are summed side by side, row after row.
        let mut sums = vec![0.0f32; (end - first) as usize];
        for (y, lean) in lean.iter().enumerate() {
            let from = y * columns as usize + (first + lean) as usize;
            sums.iter_mut().zip(&gradient[from..]).for_each(|(sum, value)| *sum += value);
        }
        most = sums.into_iter().fold(most, f32::max);
    }
    let mean = gradient.iter().sum::<f32>() / gradient.len() as f32;
    most / rows as f32 / (mean + EPS)
}
