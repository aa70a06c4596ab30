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
use crate::network::Loader;
use crop::Square;
use minifasnet::{LogOdds, MiniFasNet};
use presentation::INSTRUMENT;
pub(crate) use presentation::Presentation;
use serde::{Deserialize, Serialize};

/// What is known about a presentation attack (ISO/IEC 30107-3).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PadReport {
    /// What the evidence amounts to.
    pub status: PadStatus,
    /// 0..=1, larger is more bona fide: the logistic of the views' mean log odds less those of the
    /// pack's threshold. `None` unless it was assessed.
    pub score: Option<f32>,
    /// From this score on a presentation counts as bona fide.
    pub threshold: Option<f32>,
    /// Side of the square that was looked at over the side of the face; larger shows more of the
    /// surroundings.
    pub context: Option<f32>,
    /// What each view says; empty unless it was assessed.
    pub views: Vec<PadView>,
    /// Frames that were assessed; 0 unless it was.
    pub frames: u32,
    /// One sentence for a person.
    pub text: String,
}

/// What a network says of a presentation through one view. All views count alike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PadView {
    /// Id of the network.
    pub network: &'static str,
    /// How many times the face's box it looks at, where the picture has as much.
    pub context: f32,
    /// Log odds of "bona fide" against every kind of attack; larger is more bona fide.
    pub log_odds: f32,
}

/// What PAD has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PadStatus {
    /// Nobody looked: no PAD weights, or not asked for. Says nothing about the sample.
    NotAssessed,
    /// It was looked at, but the picture lacks what is needed, such as the surroundings of the
    /// face, or is not a camera's.
    NotAssessable,
    /// Nothing speaks against a bona fide presentation.
    BonaFide,
    /// A print, a screen or another instrument was presented.
    Attack,
}

impl PadReport {
    pub(crate) fn not_assessed(why: &str) -> Self {
        PadReport {
            status: PadStatus::NotAssessed,
            score: None,
            threshold: None,
            context: None,
            views: Vec::new(),
            frames: 0,
            text: why.to_owned(),
        }
    }
}

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
    Unfit { context: f32, why: String },
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
    pub(crate) fn assess(&self, face: &AlignedFace<'_>) -> Result<PadReport> {
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
        let unfit = |why: String| Ok(Glance::Unfit { context, why });
        if context < LEAST_CONTEXT {
            return unfit(
                "too little of the surroundings is in the picture; hold the camera farther away"
                    .to_owned(),
            );
        }
        if face_px < LEAST_FACE_PX {
            return unfit(format!(
                "the face is {face_px:.0} px large, at least {LEAST_FACE_PX:.0} are needed to \
                judge it; come closer"
            ));
        }
        if let Some(rendering) = rendering::rendered(face.pyramid(), &bounds) {
            return unfit(rendering.to_string());
        }
        Ok(Glance::Fit {
            context,
            log_odds: self.networks.log_odds(face.pyramid(), &bounds)?,
        })
    }
}

#[cfg(test)]
mod tests;
