//! Limits of quality and of PAD from bona fide pictures: each lies where a given share of them
//! would be refused.

use serde::Serialize;
use vultus::{Component, QualityLimits, Sample};

/// What the limits of a policy look at in one bona fide picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting {
    /// The values that a policy limits.
    pub values: QualityLimits,
    /// PAD score, larger is more bona fide; none where PAD gave no answer.
    pub pad: Option<f32>,
}

impl Sighting {
    /// Reads the values out of an examined picture; `None` when it shows no face.
    pub fn of(sample: &Sample) -> Option<Self> {
        let (face, quality) = (sample.face.as_ref()?, sample.quality.yes()?);
        let score = |component| quality.component(component).score;
        let components = [
            Component::Sharpness,
            Component::UnderExposurePrevention,
            Component::OverExposurePrevention,
            Component::DynamicRange,
        ];
        Some(Self {
            values: QualityLimits {
                min_inter_eye_px: face.inter_eye_px,
                max_yaw_deg: face.pose.yaw_deg.abs(),
                max_pitch_deg: face.pose.pitch_deg.abs(),
                min_inside: score(Component::FaceInsidePicture),
                min_component: components.into_iter().map(score).min().unwrap_or(0),
            },
            pad: sample.pad.yes().map(|pad| pad.score),
        })
    }

    fn is_refused_by(&self, limits: &QualityLimits) -> bool {
        let v = &self.values;
        v.min_inter_eye_px < limits.min_inter_eye_px
            || v.max_yaw_deg > limits.max_yaw_deg
            || v.max_pitch_deg > limits.max_pitch_deg
            || v.min_inside < limits.min_inside
            || v.min_component < limits.min_component
    }
}

/// Limits, and what they refuse of the pictures that they came from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Limits {
    /// The share that each limit alone may refuse.
    pub share: f64,
    /// Pictures with a face.
    pub pictures: usize,
    /// Goes into a policy as `selfie` or `document`.
    pub limits: QualityLimits,
    /// The PAD score below which that share lies; none where PAD never answered.
    pub pad: Option<f32>,
    /// Pictures that the limits of quality together refuse.
    pub refused: usize,
}

/// Returns the strictest limits of which each refuses at most `share` of the pictures.
///
/// # Errors
/// There are fewer than 1 / `share` pictures, so that the limit would be the worst of them.
pub fn limits(seen: &[Sighting], share: f64) -> Result<Limits, String> {
    let needed = (1.0 / share).ceil() as usize;
    if !(share > 0.0 && share < 1.0) || seen.len() < needed {
        return Err(format!(
            "{} pictures with a face; refusing {share} of them takes {needed} at least",
            seen.len()
        ));
    }
    let least = |value: fn(&QualityLimits) -> f32| {
        lower(seen.iter().map(|s| value(&s.values)), share).unwrap_or(0.0)
    };
    let limits = QualityLimits {
        min_inter_eye_px: least(|v| v.min_inter_eye_px),
        max_yaw_deg: -least(|v| -v.max_yaw_deg),
        max_pitch_deg: -least(|v| -v.max_pitch_deg),
        min_inside: least(|v| f32::from(v.min_inside)) as u8,
        min_component: least(|v| f32::from(v.min_component)) as u8,
    };
    Ok(Limits {
        share,
        pictures: seen.len(),
        limits,
        pad: lower(seen.iter().filter_map(|s| s.pad), share),
        refused: seen.iter().filter(|s| s.is_refused_by(&limits)).count(),
    })
}

/// Returns the largest value below which at most `share` of the values lie.
fn lower(values: impl Iterator<Item = f32>, share: f64) -> Option<f32> {
    let mut sorted: Vec<f32> = values.collect();
    sorted.sort_by(f32::total_cmp);
    sorted.get((share * sorted.len() as f64) as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(i: u8) -> Sighting {
        let values = QualityLimits {
            min_inter_eye_px: 20.0 + f32::from(i),
            max_yaw_deg: f32::from(i),
            max_pitch_deg: 3.0,
            min_inside: 100,
            min_component: 50 + i / 2,
        };
        Sighting {
            values,
            pad: i.is_multiple_of(2).then_some(f32::from(i) / 100.0),
        }
    }

    #[test]
    fn each_limit_refuses_its_share_by_hand() {
        let all: Vec<Sighting> = (0..100).map(seen).collect();
        let found = limits(&all, 0.02).unwrap();
        // The two nearest faces and the two most turned ones go; ties at the other limits stay.
        assert_eq!(
            found.limits,
            QualityLimits {
                min_inter_eye_px: 22.0,
                max_yaw_deg: 97.0,
                max_pitch_deg: 3.0,
                min_inside: 100,
                min_component: 51
            }
        );
        assert_eq!((found.refused, found.pad), (4, Some(0.02)));
    }

    #[test]
    fn too_few_pictures_are_refused() {
        let few: Vec<Sighting> = (0..49).map(seen).collect();
        assert!(
            limits(&few, 0.02)
                .unwrap_err()
                .contains("takes 50 at least")
        );
        assert!(limits(&few, 0.0).is_err());
    }
}
