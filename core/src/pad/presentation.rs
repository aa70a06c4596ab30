//! One presentation, a frame after the other.
//!
//! The mean over the frames decides, and one thing more: an instrument whose rim or surface was
//! clearly seen in a few frames in a row was there, however many frames it fills afterwards.

use super::minifasnet::{LogOdds, NAMES};
use super::{Calibration, Glance, THRESHOLD};
use crate::evidence::{Assessed, Obstacle, PadReport, PadStatus, PadView};

/// Frames in a row that make an instrument seen; a single one may be blurred or half covered.
const IN_A_ROW: usize = 3;

/// Mean log odds of such frames, and of lower ones: twenty to one for an attack.
pub(super) const INSTRUMENT: f32 = -3.0;

/// What the frames of a presentation have shown; its size does not grow with them.
pub(crate) struct Presentation {
    calibration: Calibration,
    frames: u32,
    /// Of every view, over the frames.
    sums: [f64; NAMES.len()],
    /// Of all frames, to their number.
    context: f64,
    /// The last frames, the oldest first.
    recent: Vec<LogOdds>,
    /// The frames in a row that showed an instrument most clearly.
    instrument: Option<LogOdds>,
    /// Why the last frame that could not be judged could not.
    unfit: Option<Obstacle>,
}

impl Presentation {
    pub(super) fn new(calibration: Calibration) -> Self {
        Presentation {
            calibration,
            frames: 0,
            sums: [0.0; NAMES.len()],
            context: 0.0,
            recent: Vec::with_capacity(IN_A_ROW),
            instrument: None,
            unfit: None,
        }
    }

    /// Takes the next frame.
    pub(crate) fn push(&mut self, glance: Glance) {
        let (context, log_odds) = match glance {
            Glance::Unfit(obstacle) => {
                self.unfit = Some(obstacle);
                return;
            }
            Glance::Fit { context, log_odds } => (context, log_odds),
        };
        self.frames = self.frames.saturating_add(1);
        self.context += f64::from(context);
        for (sum, value) in self.sums.iter_mut().zip(log_odds) {
            *sum += f64::from(value);
        }
        if self.recent.len() == IN_A_ROW {
            self.recent.remove(0);
        }
        self.recent.push(log_odds);
        if self.recent.len() == IN_A_ROW {
            let window: LogOdds = std::array::from_fn(|view| {
                self.recent.iter().map(|frame| frame[view]).sum::<f32>() / IN_A_ROW as f32
            });
            let lowest = self.instrument.as_ref().map_or(f32::MAX, mean);
            if mean(&window) < INSTRUMENT.min(lowest) {
                self.instrument = Some(window);
            }
        }
    }

    /// What the frames so far amount to.
    pub(crate) fn report(&self) -> Assessed<PadReport> {
        if self.frames == 0 {
            return Assessed::NotPossible(self.unfit.unwrap_or(Obstacle::NoFace));
        }
        let count = f64::from(self.frames);
        let log_odds = self
            .instrument
            .unwrap_or_else(|| self.sums.map(|sum| (sum / count) as f32));
        let margin = mean(&log_odds) - self.calibration.threshold;
        let is_bona_fide = margin >= 0.0;
        let text = match (is_bona_fide, self.instrument.is_some()) {
            (true, _) => "no print and no screen was noticed",
            (false, true) => "a print or a screen was seen before the camera in some frames",
            (false, false) => "it looks like a print or a screen held before the camera",
        };
        Assessed::Yes(PadReport {
            status: if is_bona_fide {
                PadStatus::BonaFide
            } else {
                PadStatus::Attack
            },
            score: 1.0 / (1.0 + libm::expf(-margin)),
            threshold: THRESHOLD,
            context: (self.context / count) as f32,
            views: NAMES
                .iter()
                .zip(log_odds)
                .map(|(&(network, context), log_odds)| PadView {
                    network,
                    context,
                    log_odds,
                })
                .collect(),
            frames: self.frames,
            text: match self.frames {
                1 => text.to_owned(),
                frames => format!("{text} ({frames} frames)"),
            },
        })
    }
}

fn mean(log_odds: &LogOdds) -> f32 {
    log_odds.iter().sum::<f32>() / log_odds.len() as f32
}
