//! Presentation attack detection: was a bona fide person before the camera, or a print or a screen?
//!
//! Two networks look at the face with its surroundings, through three views; the mean of their log
//! odds, over the frames there are, stands against a threshold that was taken from captures.

mod crop;
mod minifasnet;
mod presentation;
mod rendering;

use crate::align::AlignedFace;
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{Assessed, Obstacle, PadReport};
use crate::network::Loader;
use crop::Square;
use minifasnet::{LogOdds, MiniFasNet};
use presentation::INSTRUMENT;
pub(crate) use presentation::Presentation;
use serde::Deserialize;

/// Wanted side of the surroundings over the side of the face.
const CONTEXT: f32 = 3.4;

/// Below this the surroundings are missing: the edge of a paper or a screen could not be seen.
const LEAST_CONTEXT: f32 = 1.25;

/// Side of the smallest face whose texture can be judged, in pixels.
const LEAST_FACE_PX: f32 = 40.0;

/// Scores are told relative to the threshold, which lies here.
const THRESHOLD: f32 = 0.5;

/// What the pack ships about PAD, in mean log odds.
#[derive(Clone, Copy, Deserialize)]
struct Calibration {
    /// From here on a presentation counts as bona fide.
    threshold: f32,
}

/// The loaded networks and their calibration.
pub(crate) struct Pad {
    networks: MiniFasNet,
    calibration: Calibration,
}

/// What was seen in one frame.
pub(crate) enum Glance {
    /// It cannot be judged, and why.
    Unfit(Obstacle),
    /// It can.
    Fit { context: f32, log_odds: LogOdds },
}

impl Pad {
    /// `None` when the pack holds no PAD weights.
    pub(crate) fn load(loader: &Loader<'_>) -> Result<Option<Self>> {
        let Some(networks) = MiniFasNet::load(loader)? else {
            return Ok(None);
        };
        let fault = |what: &str| Error::new(Stage::Pad, Kind::Model, what.to_owned());
        let calibration =
            Calibration::deserialize(&loader.pack.calibration()["pad"]).map_err(|e| {
                fault("the pack holds PAD weights and no calibration of them").because(e)
            })?;
        if !calibration.threshold.is_finite() || calibration.threshold <= INSTRUMENT {
            return Err(fault(&format!(
                "the threshold of PAD must be a number above {INSTRUMENT}"
            )));
        }
        Ok(Some(Pad {
            networks,
            calibration,
        }))
    }

    /// Judges one picture.
    pub(crate) fn assess(&self, face: &AlignedFace<'_>) -> Result<Assessed<PadReport>> {
        let mut presentation = self.begin();
        presentation.push(self.look(face)?);
        Ok(presentation.report())
    }

    /// Begins a presentation of any number of pictures.
    pub(crate) fn begin(&self) -> Presentation {
        Presentation::new(self.calibration)
    }

    /// Looks at the face with its surroundings.
    pub(crate) fn look(&self, face: &AlignedFace<'_>) -> Result<Glance> {
        let bounds = face.bounds();
        let (width, height) = (face.image().width(), face.image().height());
        let face_px = bounds.side().max(1.0);
        let square = Square::about(&bounds, CONTEXT, width, height);
        let context = square.side as f32 / face_px;
        if context < LEAST_CONTEXT {
            return Ok(Glance::Unfit(Obstacle::TooLittleAround));
        }
        if face_px < LEAST_FACE_PX {
            return Ok(Glance::Unfit(Obstacle::FaceTooSmall));
        }
        if let Some(rendering) = rendering::rendered(face.pyramid(), &bounds) {
            return Ok(Glance::Unfit(rendering));
        }
        Ok(Glance::Fit {
            context,
            log_odds: self.networks.log_odds(face.pyramid(), &bounds)?,
        })
    }
}

#[cfg(test)]
mod tests;
