//! In which order the detectors look, from near to far.

use super::{Blaze, Center, Detection, Detector, Turn, letterbox};
use crate::error::Result;
use crate::image::Pyramid;
use crate::model::Pack;
use crate::nn::Precision;
use serde::{Deserialize, Serialize};

/// What a picture is in the transaction. A selfie is live and upright; a document is a print, any way up, with a small portrait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The live face: the probe.
    Selfie,
    /// The portrait on an identity document: the reference.
    Document,
}

/// One look at the whole picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Attempt {
    detector: Detector,
    /// How large the picture is shown, relative to just fitting; below 1 for a face that fills the frame.
    zoom: f32,
    turn: Turn,
}

pub(crate) struct Cascade {
    near: Blaze,
    far: Blaze,
    small: Center,
}

/// Side of CenterFace's input: a portrait of 40 pixels on a page of 1,600 is 16 pixels here, four cells of its heatmap.
const SMALL_SIDE: usize = 640;

impl Cascade {
    pub(crate) fn load(pack: &Pack, precision: Precision) -> Result<Self> {
        Ok(Cascade {
            near: Blaze::near(pack, precision)?,
            far: Blaze::far(pack, precision)?,
            small: Center::load(pack, SMALL_SIDE, precision)?,
        })
    }

    /// The looks to take, in order, until one shows a face. Documents are looked at in all four orientations by one
    /// detector before the next is asked.
    pub(crate) fn attempts(role: Role) -> impl Iterator<Item = Attempt> {
        let looks: &[(Detector, f32)] = match role {
            Role::Selfie => {
                &[(Detector::Near, 1.0), (Detector::Far, 1.0), (Detector::Near, 0.5), (Detector::Small, 1.0), (Detector::Near, 0.3)]
            }
            Role::Document => &[(Detector::Far, 1.0), (Detector::Near, 1.0), (Detector::Small, 1.0), (Detector::Near, 0.5)],
        };
        let turns: &[Turn] = match role {
            Role::Selfie => &[Turn::NONE],
            Role::Document => &Turn::ALL,
        };
        looks.iter().flat_map(move |&(detector, zoom)| turns.iter().map(move |&turn| Attempt { detector, zoom, turn }))
    }

    /// Returns the faces that one look shows, best first; only those that stand upright in it, because a network that
    /// is shown a face sideways places the eyes at random.
    pub(crate) fn look(&self, pyramid: &Pyramid<'_>, attempt: Attempt) -> Result<Vec<Detection>> {
        let view = |side| letterbox(side, pyramid.width(), pyramid.height(), attempt.zoom, attempt.turn);
        let mut found = match attempt.detector {
            Detector::Near => self.near.detect(pyramid, &view(self.near.side()))?,
            Detector::Far => self.far.detect(pyramid, &view(self.far.side()))?,
            Detector::Small => self.small.detect(pyramid, &view(self.small.side()))?,
        };
        let up = attempt.turn.direction();
        found.retain(|face| {
            let eyes = face.direction();
            let along = eyes.x * up.x + eyes.y * up.y;
            let length = (eyes.x * eyes.x + eyes.y * eyes.y).sqrt();
            along > 0.7 * length
        });
        Ok(found)
    }
}
