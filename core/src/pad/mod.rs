//! Presentation attack detection: was a bona fide person before the camera, or a print or a screen?
//!
//! A network looks at the face with its surroundings, signals measure what prints and displays do
//! to a picture, and a monotone rule fuses both.

mod crop;
mod fusion;
mod minifasnet;
mod signals;

use crate::align::AlignedFace;
use crate::error::{Error, Kind, Result, Stage};
use crate::model::Pack;
use crate::network::Viewer;
use crop::Square;
use fusion::{Calibration, Rule};
use minifasnet::MiniFasNet;
use serde::{Deserialize, Serialize};
use signals::Signals;
use vultus_nn::Precision;

/// What is known about a presentation attack (ISO/IEC 30107-3).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PadReport {
    /// What the evidence amounts to.
    pub status: PadStatus,
    /// 0..=1, larger is more bona fide, the fused evidence; `None` unless it was assessed.
    pub score: Option<f32>,
    /// From this score on a presentation counts as bona fide.
    pub threshold: Option<f32>,
    /// The likelier species when the score is below the threshold.
    pub species: Option<Species>,
    /// Side of the square that was looked at over the side of the face; larger shows more of the
    /// surroundings.
    pub context: Option<f32>,
    /// What each network says; empty unless it was assessed.
    pub networks: Vec<PadNetwork>,
    /// The classical evidence, in a fixed order; empty unless it was assessed.
    pub signals: Vec<PadSignal>,
    /// One sentence for a person.
    pub text: String,
}

/// What a network says of a presentation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PadNetwork {
    /// `vultus-pad`, or `minifasnet` for the mean of its two networks.
    pub name: &'static str,
    /// 0..=1, larger is more bona fide.
    pub score: f32,
    /// What its log odds count for in the fused score; never below 0.
    pub weight: f32,
}

/// A classical signal of a print or a display.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PadSignal {
    /// Stable name.
    pub name: &'static str,
    /// What was measured, in the unit that `unit` names.
    pub value: f32,
    /// Unit of `value`.
    pub unit: &'static str,
    /// Where the value stands among bona fide presentations, 0..=100.
    pub percentile: f32,
    /// 0..=1: 0 up to the values that bona fide presentations usually have, 1 at what one in a
    /// thousand has.
    pub doubt: f32,
    /// By how much full doubt lowers the fused score's log odds; never below 0, and 0 where the
    /// signal is told and decides nothing.
    pub weight: f32,
}

/// What PAD has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PadStatus {
    /// Nobody looked: no PAD weights, or not asked for. Says nothing about the sample.
    NotAssessed,
    /// It was looked at, but the picture lacks what is needed, such as the surroundings of the
    /// face.
    NotAssessable,
    /// Nothing speaks against a bona fide presentation.
    BonaFide,
    /// A print, a screen or another instrument was presented.
    Attack,
}

/// A species of presentation attack instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Species {
    /// A picture on paper.
    Print,
    /// A picture or clip on a display.
    Replay,
}

impl PadReport {
    pub(crate) fn not_assessed(why: &str) -> Self {
        PadReport {
            status: PadStatus::NotAssessed,
            score: None,
            threshold: None,
            species: None,
            context: None,
            networks: Vec::new(),
            signals: Vec::new(),
            text: why.to_owned(),
        }
    }

    fn not_assessable(context: f32, why: &str) -> Self {
        PadReport {
            status: PadStatus::NotAssessable,
            context: Some(context),
            ..Self::not_assessed(why)
        }
    }
}

/// Wanted side of the crop over the side of the face.
const CONTEXT: f32 = 3.4;

/// Below this the surroundings are missing: the edge of a paper or a screen could not be seen.
const LEAST_CONTEXT: f32 = 1.25;

/// Side of the smallest face whose texture can be judged, in pixels.
const LEAST_FACE_PX: f32 = 40.0;

const INPUT_SIDE: usize = 96;

/// The loaded networks and the rule over them.
pub(crate) struct Pad {
    viewer: Viewer,
    minifasnet: Option<MiniFasNet>,
    signals: Signals,
    rule: Rule,
}

impl Pad {
    /// The id of the weights of this project.
    const ID: &'static str = "vultus-pad";

    /// `None` when the pack holds no PAD weights.
    pub(crate) fn load(pack: &Pack, precision: Precision) -> Result<Option<Self>> {
        let minifasnet = MiniFasNet::load(pack, precision)?;
        if !pack.has(Self::ID) {
            return match minifasnet {
                None => Ok(None),
                Some(_) => Err(Error::new(
                    Stage::Pad,
                    Kind::Model,
                    format!(
                        "MiniFASNet is fused with {}, which the pack lacks",
                        Self::ID
                    ),
                )),
            };
        }
        let calibration = Calibration::deserialize(&pack.calibration()["pad"]).map_err(|e| {
            Error::new(
                Stage::Pad,
                Kind::Model,
                "the pack holds PAD weights and no calibration of them",
            )
            .because(e)
        })?;
        let rule = Rule::new(calibration, minifasnet.is_some())?;
        let viewer = Viewer::load(pack, Self::ID, INPUT_SIDE, INPUT_SIDE, &[3], precision)?;
        Ok(Some(Pad {
            viewer,
            minifasnet,
            signals: Signals::new(),
            rule,
        }))
    }

    /// Looks at the face with its surroundings.
    pub(crate) fn assess(&self, face: &AlignedFace<'_>) -> Result<PadReport> {
        let bounds = face.bounds();
        let (width, height, face_px) = (
            face.image().width(),
            face.image().height(),
            bounds.side().max(1.0),
        );
        let square = Square::about(&bounds, CONTEXT, width, height);
        let context = square.side as f32 / face_px;
        if context < LEAST_CONTEXT {
            let why =
                "too little of the surroundings is in the picture; hold the camera farther away";
            return Ok(PadReport::not_assessable(context, why));
        }
        if face_px < LEAST_FACE_PX {
            let why = format!(
                "the face is {face_px:.0} px large, at least {LEAST_FACE_PX:.0} are needed to \
                judge it; come closer"
            );
            return Ok(PadReport::not_assessable(context, &why));
        }
        let mut values = None;
        let logits = self.viewer.run(
            |form, input| {
                face.pyramid()
                    .shrink(square.left, square.top, square.side, form, input);
                values = Some(
                    self.signals
                        .measure(face.pyramid(), &bounds, &square, input, form),
                );
            },
            |outputs| [outputs[0][0], outputs[0][1], outputs[0][2]],
        )?;
        let own = softmax(&logits)[0];
        let minifasnet = self
            .minifasnet
            .as_ref()
            .map(|networks| networks.bona_fide(face))
            .transpose()?;
        let (score, networks, signals) =
            self.rule.judge(own, minifasnet, values.unwrap_or_default());
        let is_bona_fide = score >= self.rule.threshold();
        let species = (!is_bona_fide).then_some(if logits[1] >= logits[2] {
            Species::Print
        } else {
            Species::Replay
        });
        Ok(PadReport {
            status: if is_bona_fide {
                PadStatus::BonaFide
            } else {
                PadStatus::Attack
            },
            score: Some(score),
            threshold: Some(self.rule.threshold()),
            species,
            context: Some(context),
            text: sentence(species, &signals),
            networks,
            signals,
        })
    }
}

/// Says what it looks like, and which signals weigh against it.
fn sentence(species: Option<Species>, signals: &[PadSignal]) -> String {
    let seen = match species {
        None => return "nothing speaks for a print or a screen".to_owned(),
        Some(Species::Print) => "it looks like a print held before the camera",
        Some(Species::Replay) => "it looks like a screen held before the camera",
    };
    let against: Vec<&str> = signals
        .iter()
        .filter(|s| s.weight * s.doubt > 0.5)
        .map(|s| s.name)
        .collect();
    if against.is_empty() {
        seen.to_owned()
    } else {
        format!("{seen}; unusual for a person: {}", against.join(", "))
    }
}

/// The shares of three logits.
fn softmax(logits: &[f32]) -> [f32; 3] {
    let most = logits[0].max(logits[1]).max(logits[2]);
    let [a, b, c] = [0, 1, 2].map(|i| libm::expf(logits[i] - most));
    [a, b, c].map(|odds| odds / (a + b + c))
}

#[cfg(test)]
mod tests;
