//! How fit a face sample is for comparison.

use super::names;
use serde::Serialize;

names! {
    /// A component of quality, after ISO/IEC 29794-5. Rows are added at the end: templates hold
    /// scores by their place.
    #[non_exhaustive]
    pub enum Component {
        /// Whether both halves of the face are lit alike.
        IlluminationUniformity => "illumination-uniformity" in "histogram overlap of the halves",
        /// Whether the face is bright enough to show detail.
        UnderExposurePrevention => "under-exposure-prevention" in "share of dark pixels",
        /// Whether the face is dark enough to show detail.
        OverExposurePrevention => "over-exposure-prevention" in "share of bright pixels",
        /// How many levels of luminance the face has.
        DynamicRange => "dynamic-range" in "bits",
        /// Fine detail of the face against its contrast.
        Sharpness => "sharpness" in "luminance steps",
        /// How little a JPEG was compressed; 100 for other formats, of which nothing is known.
        CompressionArtefacts => "compression-artefacts" in "JPEG quality",
        /// Whether there is no other face that could be meant.
        SingleFacePresent => "single-face-present" in "further faces of similar size",
        /// The distance between the centres of the eyes.
        InterEyeDistance => "inter-eye-distance" in "px",
        /// How much of the face lies inside the picture.
        FaceInsidePicture => "face-inside-picture" in "share of the face's box",
        /// Room to the left of the face.
        LeftwardCrop => "leftward-crop" in "inter-eye distances",
        /// Room to the right of the face.
        RightwardCrop => "rightward-crop" in "inter-eye distances",
        /// Room above the face.
        MarginAbove => "margin-above" in "inter-eye distances",
        /// Room below the face.
        MarginBelow => "margin-below" in "inter-eye distances",
        /// How far the head is turned to a side.
        HeadPoseYaw => "head-pose-yaw" in "degrees",
        /// How far the head nods up or down.
        HeadPosePitch => "head-pose-pitch" in "degrees",
        /// How far the head is tilted to a shoulder.
        HeadPoseRoll => "head-pose-roll" in "degrees",
        /// How far the eyes are open.
        EyesOpen => "eyes-open" in "opening over width of the eye",
        /// How far the mouth is closed.
        MouthClosed => "mouth-closed" in "opening over inter-eye distance",
    }
}

/// One component of quality.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Measure {
    /// Which component.
    pub name: Component,
    /// What was measured, in the unit that `unit` names.
    pub raw: f32,
    /// Unit of `raw`.
    pub unit: &'static str,
    /// 0..=100, higher is better.
    pub score: u8,
}

/// The components and the unified score of one face sample.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QualityReport {
    /// Unified quality score, 0..=100: how much of it the weakest components leave.
    pub unified: u8,
    /// Every component, in a fixed order.
    pub components: [Measure; Component::ALL.len()],
}

impl QualityReport {
    /// Returns a component.
    pub fn component(&self, component: Component) -> &Measure {
        &self.components[component as usize]
    }

    /// A report in which every component has this score.
    #[cfg(test)]
    pub(crate) fn even(score: u8) -> QualityReport {
        let measure = |name: &Component| Measure {
            name: *name,
            raw: 0.0,
            unit: name.unit(),
            score,
        };
        let components: Vec<Measure> = Component::ALL.iter().map(measure).collect();
        QualityReport {
            unified: score,
            components: components.try_into().unwrap(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_lies_at_its_number() {
        for (place, component) in Component::ALL.iter().enumerate() {
            assert_eq!(*component as usize, place);
        }
    }
}
