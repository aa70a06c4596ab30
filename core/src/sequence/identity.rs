//! Whose face it is, over time: the features of one face stay close to each other; a swap flickers,
//! a replaced person jumps.

use super::frame::Frame;
use crate::embed::Features;

/// Features that are compared with each other at most, the latest.
const MOST: usize = 128;
/// Pairs whose heads point more than this apart in yaw or pitch differ by the pose alone.
const SAME_POSE_DEG: f32 = 4.0;
/// A head turned farther shows too little of the face for its features to be trusted.
const MOST_TURN_DEG: f32 = 25.0;
const LEAST_PAIRS: usize = 6;
/// Frames with features on either side of a change of person.
const LEAST_SIDE: usize = 2;

struct PosedFeatures<'a> {
    features: &'a Features,
    yaw_deg: f32,
    pitch_deg: f32,
}

fn seen<'a>(frames: &[&'a Frame]) -> Vec<PosedFeatures<'a>> {
    let with = |frame: &&'a Frame| {
        let pose = frame.face.as_ref()?.pose;
        let faces_camera =
            pose.yaw_deg.abs() <= MOST_TURN_DEG && pose.pitch_deg.abs() <= MOST_TURN_DEG;
        let features = frame.features.as_ref().filter(|_| faces_camera)?;
        Some(PosedFeatures {
            features,
            yaw_deg: pose.yaw_deg,
            pitch_deg: pose.pitch_deg,
        })
    };
    let all: Vec<PosedFeatures<'a>> = frames.iter().filter_map(with).collect();
    let skip = all.len().saturating_sub(MOST);
    all.into_iter().skip(skip).collect()
}

/// One minus the mean cosine of pairs in like pose.
pub(super) fn spread(frames: &[&Frame]) -> Option<f32> {
    let seen = seen(frames);
    let (mut sum, mut count) = (0.0f32, 0);
    for (i, a) in seen.iter().enumerate() {
        for b in &seen[i + 1..] {
            if (a.yaw_deg - b.yaw_deg).abs() < SAME_POSE_DEG
                && (a.pitch_deg - b.pitch_deg).abs() < SAME_POSE_DEG
            {
                sum += 1.0 - a.features.cosine(b.features);
                count += 1;
            }
        }
    }
    (count >= LEAST_PAIRS).then(|| sum / count as f32)
}

/// The standard deviation of the cosines of all pairs.
pub(super) fn scatter(frames: &[&Frame]) -> Option<f32> {
    let seen = seen(frames);
    let pairs = seen
        .iter()
        .enumerate()
        .flat_map(|(i, a)| seen[i + 1..].iter().map(|b| a.features.cosine(b.features)));
    let cosines: Vec<f32> = pairs.collect();
    if cosines.len() < LEAST_PAIRS {
        return None;
    }
    let mean = cosines.iter().sum::<f32>() / cosines.len() as f32;
    Some(
        (cosines.iter().map(|c| (c - mean) * (c - mean)).sum::<f32>() / cosines.len() as f32)
            .sqrt(),
    )
}

/// One minus the cosine between the mean features before and after the moment at which they differ
/// most.
pub(super) fn switch(frames: &[&Frame]) -> Option<f32> {
    let seen = seen(frames);
    let splits = LEAST_SIDE..=seen.len().checked_sub(LEAST_SIDE)?;
    let mean = |part: &[PosedFeatures<'_>]| Features::mean(part.iter().map(|s| s.features));
    splits
        .filter_map(|at| Some(1.0 - mean(&seen[..at])?.cosine(&mean(&seen[at..])?)))
        .max_by(f32::total_cmp)
}
