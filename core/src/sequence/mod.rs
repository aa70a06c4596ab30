//! What frames over time tell that a still cannot: is this one person, moving like one, before a
//! real camera?
//!
//! The engine hands each frame to a [`Recorder`], which keeps small descriptors of the latest
//! frames. Each signal is a function of them ([`signals`] lists all); the fusion compares its value
//! with what bona fide material showed. Deepfake and injection are two channels, apart from each
//! other and from presentation attack detection, and can only lower trust.

mod answer;
mod challenge;
mod clock;
mod detail;
mod frame;
mod fusion;
mod guidance;
mod identity;
mod light;
mod motion;
mod order;
mod pulse;
mod recorder;
mod region;
mod signals;
mod stream;
mod texture;

pub use answer::NextStep;
pub use challenge::{Challenge, Step, Task};
pub(crate) use fusion::Calibration;
pub(crate) use guidance::{Framing, advise};
pub(crate) use recorder::{Observation, Recorder};

use frame::{FaceTrace, Frame};

/// The embedder that the signals of identity are calibrated with.
pub(crate) const IDENTITY: &str = "mobilefacenet";

/// The middle value, the upper of two; `None` when there is none.
fn median(values: impl IntoIterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.into_iter().collect();
    values.sort_unstable_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Frames farther apart than this differ by more than a tremble.
const LONGEST_INTERVAL_US: u64 = 50_000;
/// Fewer neighbours than this say nothing of how a face trembles.
const LEAST_TRIPLES: usize = 10;

/// The faces of each frame and its two neighbours, frames that only repeat the one before left out.
/// Empty when there are too few.
fn triples<'a>(frames: &[&'a Frame]) -> impl Iterator<Item = [&'a FaceTrace; 3]> + use<'a> {
    let mut distinct: Vec<&'a Frame> = Vec::with_capacity(frames.len());
    for &frame in frames {
        if distinct
            .last()
            .is_none_or(|last| last.digest != frame.digest)
        {
            distinct.push(frame);
        }
    }
    let close = |a: &Frame, b: &Frame| {
        a.size == b.size
            && b.timestamp_us
                .checked_sub(a.timestamp_us)
                .is_some_and(|us| us > 0 && us <= LONGEST_INTERVAL_US)
    };
    let of = |three: &[&'a Frame]| match [
        three[0].face.as_ref(),
        three[1].face.as_ref(),
        three[2].face.as_ref(),
    ] {
        [Some(a), Some(b), Some(c)] if close(three[0], three[1]) && close(three[1], three[2]) => {
            Some([a, b, c])
        }
        _ => None,
    };
    let found: Vec<[&'a FaceTrace; 3]> = distinct.windows(3).filter_map(of).collect();
    let enough = found.len() >= LEAST_TRIPLES;
    found.into_iter().take(if enough { usize::MAX } else { 0 })
}

#[cfg(test)]
mod tests;
