//! Seams in the stream: another size of frame, another scene, and the marks of a block coder.

use super::frame::Frame;

/// Frames around a cut that its movement is compared with.
const AROUND: usize = 8;
/// Levels of 255 that any movement may have.
const STILL: f32 = 1.0;

/// How often the frames change their size.
pub(super) fn resizings(frames: &[&Frame]) -> Option<f32> {
    (frames.len() >= 2).then(|| {
        frames
            .windows(2)
            .filter(|pair| pair[0].size != pair[1].size)
            .count() as f32
    })
}

/// The greatest change between neighbouring frames over the movement around it.
pub(super) fn cut(frames: &[&Frame]) -> Option<f32> {
    let step = |pair: &[&Frame]| {
        pair[0]
            .thumb
            .iter()
            .zip(&pair[1].thumb)
            .map(|(p, q)| (p - q).abs())
            .sum::<f32>()
            / pair[0].thumb.len() as f32
    };
    let steps: Vec<f32> = frames.windows(2).map(step).collect();
    if steps.len() < AROUND {
        return None;
    }
    let against = |i: usize| {
        let around = steps[i.saturating_sub(AROUND)..steps.len().min(i + AROUND + 1)]
            .iter()
            .copied();
        steps[i] / (super::median(around).unwrap_or(0.0) + STILL)
    };
    (0..steps.len()).map(against).max_by(f32::total_cmp)
}

/// How much larger steps of luminance are across the 8 x 8 grid of a block coder than beside it, in
/// the mean of the frames looked at.
pub(super) fn blocks(frames: &[&Frame]) -> Option<f32> {
    super::median(frames.iter().filter_map(|frame| frame.blockiness))
}
