//! The order of the frames: frozen, repeated, doubled, looped and reversed runs. A camera never
//! shows a moving scene twice; what lies still is told apart by comparing with the movement around
//! it.

use super::frame::Frame;
use std::collections::HashSet;

/// The latest frames that are compared with each other.
const MOST: usize = 384;
/// Thumbnails closer than this on average, in levels of 255, show the same frame coded again.
const SAME: f32 = 0.02;
/// Frames that a repeated run must have.
const LEAST_RUN: usize = 8;
/// Movement between neighbours, in levels, below which a scene lies still and repeats itself by
/// nature.
const LEAST_MOVEMENT: f32 = 0.08;

fn distance(a: &Frame, b: &Frame) -> f32 {
    if a.digest == b.digest || a.size != b.size {
        return if a.size == b.size { 0.0 } else { f32::INFINITY };
    }
    a.thumb
        .iter()
        .zip(&b.thumb)
        .map(|(p, q)| (p - q).abs())
        .sum::<f32>()
        / a.thumb.len() as f32
}

/// Distinct frames that a further one is compared with, the latest.
const RECENT: usize = 64;

/// The frames that show something new: none equals another in every pixel, and none shows the same
/// as one of the distinct ones shortly before, coded again.
pub(super) fn distinct<'a>(frames: &[&'a Frame]) -> Vec<&'a Frame> {
    let mut digests = HashSet::with_capacity(frames.len());
    let mut kept: Vec<&Frame> = Vec::with_capacity(frames.len());
    for &frame in frames {
        let recent = &kept[kept.len().saturating_sub(RECENT)..];
        if digests.insert(frame.digest) && !recent.iter().any(|other| shows_the_same(other, frame))
        {
            kept.push(frame);
        }
    }
    kept
}

fn shows_the_same(a: &Frame, b: &Frame) -> bool {
    let mut left = SAME * a.thumb.len() as f32;
    a.size == b.size
        && a.thumb.iter().zip(&b.thumb).all(|(p, q)| {
            left -= (p - q).abs();
            left > 0.0
        })
}

/// For each frame after the first, how far it is from the one before.
fn steps(frames: &[&Frame]) -> Vec<f32> {
    frames
        .windows(2)
        .map(|pair| distance(pair[0], pair[1]))
        .collect()
}

fn latest<'a, 'b>(frames: &'b [&'a Frame]) -> &'b [&'a Frame] {
    &frames[frames.len().saturating_sub(MOST)..]
}

/// The longest run of frames that show the same, in seconds.
pub(super) fn frozen(frames: &[&Frame]) -> Option<f32> {
    let steps = steps(frames);
    let (mut longest, mut start) = (0, None);
    for (i, &step) in steps.iter().enumerate() {
        if step < SAME {
            let first = *start.get_or_insert(i);
            longest = longest.max(
                frames[i + 1]
                    .timestamp_us
                    .saturating_sub(frames[first].timestamp_us),
            );
        } else {
            start = None;
        }
    }
    (steps.len() >= LEAST_RUN).then_some(longest as f32 * 1e-6)
}

/// The share of frames that equal the one before in every pixel. No sensor gives the same noise
/// twice, and a caller pushes each of a camera's pictures once.
pub(super) fn repeated(frames: &[&Frame]) -> Option<f32> {
    let equal = frames
        .windows(2)
        .filter(|pair| pair[0].digest == pair[1].digest)
        .count();
    (frames.len() > LEAST_RUN).then(|| equal as f32 / (frames.len() - 1) as f32)
}

/// The share of frames that only repeat the one before while the scene moves on meanwhile: a frame
/// was lost and another shown in its place. Encoders that double frames to reach a rate lose none.
pub(super) fn doubled(frames: &[&Frame]) -> Option<f32> {
    let steps = steps(frames);
    if steps.len() < LEAST_RUN {
        return None;
    }
    let single = |i: usize| steps[i] < SAME && steps[i - 1] >= SAME && steps[i + 1] >= SAME;
    let doubles: Vec<usize> = (1..steps.len() - 1).filter(|&i| single(i)).collect();
    let after = super::median(doubles.iter().map(|&i| steps[i + 1]));
    let usual = super::median(
        (1..steps.len())
            .filter(|&i| steps[i] >= SAME && steps[i - 1] >= SAME)
            .map(|i| steps[i]),
    );
    let lost = match (after, usual) {
        (Some(after), Some(usual)) if usual > 0.0 => (after / usual - 1.0).clamp(0.0, 1.0),
        _ => 0.0,
    };
    Some(lost * doubles.len() as f32 / frames.len() as f32)
}

/// How exactly a moving run of frames comes again: 1 is to the pixel, 0 no closer than neighbouring
/// frames are.
pub(super) fn looped(frames: &[&Frame]) -> Option<f32> {
    let frames = latest(frames);
    let steps = steps(frames);
    if frames.len() < 2 * LEAST_RUN {
        return None;
    }
    let mut best = 0.0f32;
    for lag in LEAST_RUN / 2..frames.len() - LEAST_RUN {
        let apart: Vec<f32> = (0..frames.len() - lag)
            .map(|i| distance(frames[i], frames[i + lag]))
            .collect();
        for start in 0..=apart.len().saturating_sub(LEAST_RUN) {
            let Some(run) = apart.get(start..start + LEAST_RUN) else {
                continue;
            };
            let movement = &steps[start..start + LEAST_RUN];
            best = best.max(likeness(run, movement));
        }
    }
    Some(best)
}

/// How exactly frames run backwards after a moment as they ran before it: 1 is to the pixel, 0 no
/// closer than neighbouring frames are.
pub(super) fn reversed(frames: &[&Frame]) -> Option<f32> {
    let frames = latest(frames);
    let steps = steps(frames);
    if frames.len() < 2 * LEAST_RUN + 1 {
        return None;
    }
    let about = |centre: usize| {
        let run: Vec<f32> = (2..LEAST_RUN + 1)
            .map(|k| distance(frames[centre - k], frames[centre + k]))
            .collect();
        likeness(&run, &steps[centre + 1..centre + LEAST_RUN])
    };
    (LEAST_RUN..frames.len() - LEAST_RUN)
        .map(about)
        .max_by(f32::total_cmp)
}

/// One minus the distance of a run from its repetition over the movement within it; 0 where nothing
/// moves.
fn likeness(run: &[f32], movement: &[f32]) -> f32 {
    let (apart, moved): (f32, f32) = (run.iter().sum(), movement.iter().sum());
    let moved_enough = moved >= LEAST_MOVEMENT * movement.len() as f32;
    if moved_enough && apart.is_finite() {
        (1.0 - apart / moved).max(0.0)
    } else {
        0.0
    }
}
