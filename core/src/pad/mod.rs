//! Presentation attack detection: was a bona fide person before the camera, or a print or a screen?

use crate::align::AlignedFace;
use crate::error::{Error, Kind, Result, Stage};
use crate::geometry::Rect;
use crate::model::Pack;
use crate::nn::{Precision, Viewer};
use serde::{Deserialize, Serialize};

/// What is known about a presentation attack (ISO/IEC 30107-3).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PadReport {
    /// What the evidence amounts to.
    pub status: PadStatus,
    /// 0..=1, larger is more bona fide; `None` unless it was assessed.
    pub score: Option<f32>,
    /// From this score on a presentation counts as bona fide.
    pub threshold: Option<f32>,
    /// The likelier species when the score is below the threshold.
    pub species: Option<Species>,
    /// Side of the square that was looked at over the side of the face; larger shows more of the surroundings.
    pub context: Option<f32>,
    /// One sentence for a person.
    pub text: String,
}

/// What PAD has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PadStatus {
    /// Nobody looked: no PAD weights, or not asked for. Says nothing about the sample.
    NotAssessed,
    /// It was looked at, but the picture lacks what is needed, such as the surroundings of the face.
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
        PadReport { status: PadStatus::NotAssessed, score: None, threshold: None, species: None, context: None, text: why.to_owned() }
    }

    fn not_assessable(context: f32, why: String) -> Self {
        PadReport { status: PadStatus::NotAssessable, context: Some(context), ..Self::not_assessed(&why) }
    }
}

/// Wanted side of the crop over the side of the face.
const CONTEXT: f32 = 3.4;

/// Below this the surroundings are missing: the edge of a paper or a screen could not be seen.
const LEAST_CONTEXT: f32 = 1.25;

/// Side of the smallest face whose texture can be judged, in pixels.
const LEAST_FACE_PX: f32 = 40.0;

const INPUT_SIDE: usize = 96;

/// The threshold that the pack ships.
#[derive(Deserialize)]
struct Calibration {
    threshold: f32,
}

/// The loaded network and its threshold.
pub(crate) struct Pad {
    viewer: Viewer,
    threshold: f32,
}

impl Pad {
    /// The id of the weights of this project.
    const ID: &'static str = "vultus-pad";

    /// `None` when the pack holds no PAD weights.
    pub(crate) fn load(pack: &Pack, precision: Precision) -> Result<Option<Self>> {
        if !pack.has(Self::ID) {
            return Ok(None);
        }
        let calibration = Calibration::deserialize(&pack.calibration()["pad"])
            .map_err(|e| Error::new(Stage::Pad, Kind::Model, "the pack holds PAD weights and no calibration of them").because(e))?;
        let viewer = Viewer::load(pack, Self::ID, INPUT_SIDE, INPUT_SIDE, &[3], precision)?;
        Ok(Some(Pad { viewer, threshold: calibration.threshold }))
    }

    /// Looks at the face with its surroundings.
    pub(crate) fn assess(&self, face: &AlignedFace<'_>) -> Result<PadReport> {
        let bounds = face.bounds();
        let (image, face_px) = (face.image(), bounds.side().max(1.0));
        let crop = place(image.width(), image.height(), &bounds);
        let context = crop.side as f32 / face_px;
        if context < LEAST_CONTEXT {
            return Ok(PadReport::not_assessable(
                context,
                "too little of the surroundings is in the picture; hold the camera farther away".to_owned(),
            ));
        }
        if face_px < LEAST_FACE_PX {
            let text = format!("the face is {face_px:.0} px large, at least {LEAST_FACE_PX:.0} are needed to judge it; come closer");
            return Ok(PadReport::not_assessable(context, text));
        }
        let logits = self.viewer.run(
            |form, input| face.pyramid().shrink(crop.left, crop.top, crop.side, form, input),
            |outputs| [outputs[0][0], outputs[0][1], outputs[0][2]],
        )?;
        let score = bona_fide_share(logits);
        let is_bona_fide = score >= self.threshold;
        let species = (!is_bona_fide).then_some(if logits[1] >= logits[2] { Species::Print } else { Species::Replay });
        let text = match species {
            None => "nothing speaks for a print or a screen".to_owned(),
            Some(Species::Print) => "it looks like a print held before the camera".to_owned(),
            Some(Species::Replay) => "it looks like a screen held before the camera".to_owned(),
        };
        let status = if is_bona_fide { PadStatus::BonaFide } else { PadStatus::Attack };
        Ok(PadReport { status, score: Some(score), threshold: Some(self.threshold), species, context: Some(context), text })
    }
}

/// A square of whole pixels inside the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Square {
    left: u32,
    top: u32,
    side: u32,
}

/// The square of `CONTEXT` times the face about its centre, moved to lie inside the picture, never padded, never stretched.
fn place(width: u32, height: u32, face: &Rect) -> Square {
    let side = (CONTEXT * face.side()).min(width.min(height) as f32).max(1.0).floor();
    let centre = face.centre();
    let inside = |middle: f32, whole: u32| ((middle - side / 2.0).clamp(0.0, whole as f32 - side) + 0.5).floor() as u32;
    let side_px = side as u32;
    Square { left: inside(centre.x, width).min(width - side_px), top: inside(centre.y, height).min(height - side_px), side: side_px }
}

/// The softmax's share of the first of three logits.
fn bona_fide_share(logits: [f32; 3]) -> f32 {
    let most = logits[0].max(logits[1]).max(logits[2]);
    let [a, b, c] = logits.map(|v| libm::expf(v - most));
    a / (a + b + c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn the_square_stays_inside() {
        let face = Rect { x: 10.0, y: 20.0, width: 100.0, height: 100.0 };
        assert_eq!(place(1000, 1000, &face), Square { left: 0, top: 0, side: 340 });
        assert_eq!(place(1000, 1000, &Rect { x: 450.0, y: 450.0, ..face }), Square { left: 330, top: 330, side: 340 });
        assert_eq!(place(120, 500, &Rect { y: 480.0, ..face }), Square { left: 0, top: 380, side: 120 });
        assert_eq!(place(1, 1, &face), Square { left: 0, top: 0, side: 1 });
    }

    #[test]
    fn softmax_is_stable_and_sums_to_one() {
        assert_abs_diff_eq!(bona_fide_share([0.0; 3]), 1.0 / 3.0, epsilon = 1e-6);
        assert_abs_diff_eq!(bona_fide_share([1000.0, 0.0, 0.0]), 1.0);
        assert_abs_diff_eq!(bona_fide_share([-1000.0, 0.0, 0.0]), 0.0);
    }
}
