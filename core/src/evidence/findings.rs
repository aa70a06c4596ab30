//! What a policy weighs of a picture: small, so that it is kept beside the features of a reference.

use super::{Assessed, Component, PadStatus, Sample};

/// What was found in a picture with a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Findings {
    /// Unified quality score, 0..=100.
    pub(crate) unified: u8,
    /// The score of each component, by its place; `None` for one that was not measured.
    pub(crate) scores: [Option<u8>; Component::ALL.len()],
    pub(crate) inter_eye_px: f32,
    pub(crate) yaw_deg: f32,
    pub(crate) pitch_deg: f32,
    /// Whether the landmarks lie on the face.
    pub(crate) is_placed: bool,
    /// The side of another face over that of the chosen one; `None` where no other could be meant.
    pub(crate) rival_share: Option<f32>,
    pub(crate) pad: Assessed<PadStatus>,
}

impl Findings {
    /// Whether a component was measured and reaches `least`; a limit of 0 asks for nothing.
    pub(crate) fn reaches(&self, component: Component, least: u8) -> bool {
        least == 0 || self.scores[component as usize].is_some_and(|score| score >= least)
    }

    /// Those of a document of which nothing is to be said.
    #[cfg(test)]
    pub(crate) fn even(score: u8) -> Findings {
        Findings {
            unified: score,
            scores: [Some(score); Component::ALL.len()],
            inter_eye_px: 80.0,
            yaw_deg: 0.0,
            pitch_deg: 0.0,
            is_placed: true,
            rival_share: None,
            pad: Assessed::NotAsked,
        }
    }
}

impl Sample {
    /// What a policy weighs of it; `None` without a face.
    pub(crate) fn findings(&self) -> Option<Findings> {
        let (face, quality) = (self.face.as_ref()?, self.quality.yes()?);
        let side = face.detection.bounds.side();
        let share = |rival: &super::Detection| rival.bounds.side() / side.max(1.0);
        Some(Findings {
            unified: quality.unified,
            scores: quality.components.map(|measure| Some(measure.score)),
            inter_eye_px: face.inter_eye_px,
            yaw_deg: face.pose.yaw_deg,
            pitch_deg: face.pose.pitch_deg,
            is_placed: face.is_placed(),
            rival_share: self.rival.as_ref().map(share),
            pad: self.pad.as_ref().map(|report| report.status),
        })
    }
}
