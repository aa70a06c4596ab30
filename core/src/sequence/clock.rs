//! The timestamps: what no camera's clock does.

use super::frame::Frame;

const LEAST_FRAMES: usize = 8;
/// No camera for faces delivers frames closer together than this: 500 a second.
const LEAST_INTERVAL_US: i64 = 2_000;

fn intervals(frames: &[&Frame]) -> Option<Vec<i64>> {
    let interval = |pair: &[&Frame]| {
        (i128::from(pair[1].timestamp_us) - i128::from(pair[0].timestamp_us))
            .clamp(i64::MIN.into(), i64::MAX.into()) as i64
    };
    (frames.len() >= LEAST_FRAMES).then(|| frames.windows(2).map(interval).collect())
}

/// The share of timestamps that repeat the one before or lie before it.
pub(super) fn disorder(frames: &[&Frame]) -> Option<f32> {
    let intervals = intervals(frames)?;
    Some(intervals.iter().filter(|&&us| us <= 0).count() as f32 / intervals.len() as f32)
}

/// The share of intervals that are too short for any camera: a burst, or a rate that cannot be.
pub(super) fn haste(frames: &[&Frame]) -> Option<f32> {
    let intervals = intervals(frames)?;
    Some(
        intervals
            .iter()
            .filter(|&&us| us > 0 && us < LEAST_INTERVAL_US)
            .count() as f32
            / intervals.len() as f32,
    )
}

/// By how many octaves the rate changes from the first quarter of the frames to the last.
pub(super) fn drift(frames: &[&Frame]) -> Option<f32> {
    let intervals = intervals(frames)?;
    let quarter = intervals.len() / 4;
    let pace = |part: &[i64]| super::median(part.iter().map(|&us| us.max(1) as f32));
    Some(
        libm::log2f(pace(&intervals[..quarter])? / pace(&intervals[intervals.len() - quarter..])?)
            .abs(),
    )
}

/// How even the intervals are: one minus their mean deviation from the median over it. Files are
/// perfectly even, and cameras are not; but honest clips are files too.
pub(super) fn evenness(frames: &[&Frame]) -> Option<f32> {
    let intervals = intervals(frames)?;
    let middle = super::median(intervals.iter().map(|&us| us as f32))?;
    let deviation = intervals
        .iter()
        .map(|&us| (us as f32 - middle).abs())
        .sum::<f32>()
        / intervals.len() as f32;
    Some((1.0 - deviation / middle.abs().max(1.0)).clamp(0.0, 1.0))
}
