//! Detection runs: WIDER FACE average precision per setting.

use indicatif::ParallelProgressIterator;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::extract::progress;
use crate::findings::Findings;
use crate::metrics::detection::{DetectedFace, Judged, average_precision};
use crate::readers::wider::Wider;
use crate::run::{Origin, PackRecord};

/// Average precision in one setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// easy, medium, hard or valid.
    pub name: String,
    /// Annotated faces that count.
    pub faces: usize,
    /// Average precision.
    pub average_precision: f64,
}

/// A detection run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DetectionRun {
    /// Where and how it was made.
    pub origin: Origin,
    /// The pack.
    pub pack: PackRecord,
    /// Which detectors looked.
    pub detectors: Vec<String>,
    /// Name of the set.
    pub set: String,
    /// Number of images.
    pub images: usize,
    /// What is wrong with the set.
    pub findings: Findings,
    /// Average precision per setting.
    pub settings: Vec<Setting>,
}

/// Detects in every image and computes the average precision of each setting. An unreadable image
/// is a finding and counts as one without detections.
pub fn detect_all(
    wider: &Wider,
    pack: PackRecord,
    detectors: Vec<String>,
    detect: impl Fn(&[u8]) -> Result<Vec<DetectedFace>, String> + Sync,
) -> DetectionRun {
    let detected: Vec<Result<Vec<DetectedFace>, String>> = wider
        .images
        .par_iter()
        .with_max_len(1)
        .progress_with(progress(wider.images.len(), "detections"))
        .map(|image| {
            std::fs::read(&image.path)
                .map_err(|error| error.to_string())
                .and_then(|bytes| detect(&bytes))
        })
        .collect();
    let mut findings = wider.findings.clone();
    let mut faces = Vec::new();
    for (image, detected) in wider.images.iter().zip(detected) {
        faces.push(detected.unwrap_or_else(|error| {
            findings.add(&image.name, format!("unreadable image: {error}"));
            Vec::new()
        }));
    }
    let boxes: Vec<Vec<[f32; 4]>> = wider
        .images
        .iter()
        .map(|image| image.faces.iter().map(|face| face.xywh).collect())
        .collect();
    let setting = |(index, name): (usize, &String)| {
        let counts: Vec<Vec<bool>> = wider
            .images
            .iter()
            .map(|image| image.faces.iter().map(|face| face.counts[index]).collect())
            .collect();
        let judged = boxes
            .iter()
            .zip(&counts)
            .zip(&faces)
            .map(|((truth, counts), detected)| Judged {
                truth,
                counts,
                detected,
            });
        Setting {
            name: name.clone(),
            faces: counts.iter().flatten().filter(|&&counts| counts).count(),
            average_precision: average_precision(&judged.collect::<Vec<_>>()),
        }
    };
    DetectionRun {
        origin: Origin::here(),
        pack,
        detectors,
        set: wider.set.clone(),
        images: wider.images.len(),
        settings: wider.settings.iter().enumerate().map(setting).collect(),
        findings,
    }
}
