//! Average precision of face detection, as the official WIDER FACE evaluation counts it.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// One detected face.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectedFace {
    /// x, y, width, height in pixels.
    pub xywh: [f32; 4],
    /// Confidence, larger is surer.
    pub score: f32,
}

/// The annotated and the detected faces of one image, for one setting.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// Annotated boxes.
    pub truth: &'a [[f32; 4]],
    /// True where the annotated box counts; detections on the others are ignored.
    pub counts: &'a [bool],
    /// Detected faces in any order.
    pub detected: &'a [DetectedFace],
}

/// Intersection over union that makes a detection a hit.
const MIN_OVERLAP: f64 = 0.5;
/// Score steps of the official evaluation.
const STEPS: usize = 1000;

/// Returns the average precision over all images: scores are scaled to [0, 1] over the set, cut at
/// 1,000 steps, and precision is made monotone before it is integrated over recall.
pub fn average_precision(images: &[Judged<'_>]) -> f64 {
    let scores = || {
        images
            .iter()
            .flat_map(|image| image.detected.iter().map(|d| d.score))
    };
    let low = scores().fold(f32::INFINITY, f32::min);
    let high = scores().fold(f32::NEG_INFINITY, f32::max);
    let scale = |score: f32| {
        if high > low {
            f64::from(score - low) / f64::from(high - low)
        } else {
            1.0
        }
    };
    let faces: usize = images
        .iter()
        .map(|i| i.counts.iter().filter(|&&c| c).count())
        .sum();
    let totals = images
        .par_iter()
        .map(|image| image_steps(image, &scale))
        .reduce(
            || vec![[0_u32; 2]; STEPS],
            |mut sum, more| {
                for (sum, more) in sum.iter_mut().zip(more) {
                    sum[0] += more[0];
                    sum[1] += more[1];
                }
                sum
            },
        );
    let curve: Vec<(f64, f64)> = totals
        .iter()
        .map(|&[proposals, hits]| {
            let recall = f64::from(hits) / faces.max(1) as f64;
            let precision = f64::from(hits) / f64::from(proposals.max(1));
            (recall, precision)
        })
        .collect();
    area_under(&curve)
}

/// Returns for each score step how many detections stand and how many annotated faces they find.
fn image_steps(image: &Judged<'_>, scale: &impl Fn(f32) -> f64) -> Vec<[u32; 2]> {
    let mut detected: Vec<&DetectedFace> = image.detected.iter().collect();
    detected.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut found = vec![false; image.truth.len()];
    let (mut proposals, mut hits) = (0, 0);
    // After each detection in order: its scaled score and the counts so far.
    let mut running = Vec::with_capacity(detected.len());
    for face in detected {
        let mut best: (f64, Option<usize>) = (0.0, None);
        for (index, truth) in image.truth.iter().enumerate() {
            let overlap = overlap(truth, &face.xywh);
            if overlap > best.0 {
                best = (overlap, Some(index));
            }
        }
        match best {
            (overlap, Some(index)) if overlap >= MIN_OVERLAP => {
                if image.counts[index] {
                    proposals += 1;
                    if !std::mem::replace(&mut found[index], true) {
                        hits += 1;
                    }
                }
            }
            _ => proposals += 1,
        }
        running.push((scale(face.score), [proposals, hits]));
    }
    (0..STEPS)
        .map(|step| {
            let threshold = 1.0 - (step + 1) as f64 / STEPS as f64;
            let standing = running.partition_point(|(score, _)| *score >= threshold);
            standing
                .checked_sub(1)
                .map_or([0, 0], |last| running[last].1)
        })
        .collect()
}

/// Intersection over union with the inclusive pixel bounds of the official evaluation.
fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f64 {
    let [a, b] = [a, b].map(|r| r.map(f64::from));
    let width = (a[0] + a[2]).min(b[0] + b[2]) - a[0].max(b[0]) + 1.0;
    let height = (a[1] + a[3]).min(b[1] + b[3]) - a[1].max(b[1]) + 1.0;
    if width <= 0.0 || height <= 0.0 {
        return 0.0;
    }
    let both = width * height;
    both / ((a[2] + 1.0) * (a[3] + 1.0) + (b[2] + 1.0) * (b[3] + 1.0) - both)
}

fn area_under(curve: &[(f64, f64)]) -> f64 {
    let mut recall = vec![0.0];
    let mut precision = vec![0.0];
    for &(r, p) in curve {
        recall.push(r);
        precision.push(p);
    }
    recall.push(1.0);
    precision.push(0.0);
    for i in (1..precision.len()).rev() {
        precision[i - 1] = precision[i - 1].max(precision[i]);
    }
    recall
        .windows(2)
        .zip(&precision[1..])
        .map(|(recall, precision)| (recall[1] - recall[0]) * precision)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, score: f32) -> DetectedFace {
        DetectedFace {
            xywh: [x, 0.0, 10.0, 10.0],
            score,
        }
    }

    const TRUTH: [[f32; 4]; 2] = [[0.0, 0.0, 10.0, 10.0], [100.0, 0.0, 10.0, 10.0]];

    fn ap(counts: &[bool], detected: &[DetectedFace]) -> f64 {
        average_precision(&[Judged {
            truth: &TRUTH,
            counts,
            detected,
        }])
    }

    #[test]
    fn average_precision_by_hand() {
        let all = [true, true];
        assert!((ap(&all, &[face(0.0, 0.9), face(100.0, 0.8)]) - 1.0).abs() < 1e-12);
        // Right, wrong, right: precision 1 up to recall 1/2, then 2/3.
        let detected = [face(0.0, 0.9), face(50.0, 0.5), face(100.0, 0.1)];
        assert!((ap(&all, &detected) - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-12);
        // A second box on one face is a false detection.
        let detected = [face(0.0, 0.9), face(0.5, 0.5), face(100.0, 0.1)];
        assert!((ap(&all, &detected) - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-12);
        assert_eq!(ap(&all, &[]), 0.0);
    }

    #[test]
    fn a_detection_on_an_ignored_face_neither_helps_nor_hurts() {
        let detected = [face(0.0, 0.9), face(100.0, 0.5)];
        assert!((ap(&[false, true], &detected) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn overlap_counts_whole_pixels() {
        let a = [0.0, 0.0, 9.0, 9.0];
        assert!((overlap(&a, &[5.0, 0.0, 9.0, 9.0]) - 50.0 / 150.0).abs() < 1e-12);
        assert_eq!(overlap(&a, &[20.0, 0.0, 9.0, 9.0]), 0.0);
    }
}
