//! The memory of a session: descriptors of the latest frames, and the worst that was seen of older
//! ones.

use super::answer::{self, Answer};
use super::challenge::Challenge;
use super::detail::Register;
use super::evidence::{
    ChallengeEvidence, ChallengeStatus, ChannelEvidence, RiskLevel, SequenceEvidence, Signal,
};
use super::frame::Frame;
use super::fusion::{Calibration, fuse};
use super::signals::SIGNALS;
use crate::align::AlignedFace;
use crate::embed::Features;
use crate::error::{Error, Kind, Result, Stage};
use crate::image::Pyramid;
use std::collections::VecDeque;

/// Frames whose descriptors are kept: 34 s at 30 frames a second, in two megabytes.
const FRAMES: usize = 1_024;

/// Features are wanted again after this time, or this many frames when the clock stands still.
const FEATURES_EVERY_US: u64 = 200_000;
const FEATURES_EVERY_FRAMES: u32 = 16;

/// A face that is missing in one frame of so many is spoken of.
const OFTEN: u32 = 4;

/// One frame with what the engine found in it.
pub(crate) struct Observation<'a> {
    pub(crate) pyramid: &'a Pyramid<'a>,
    pub(crate) timestamp_us: u64,
    pub(crate) face: Option<&'a AlignedFace<'a>>,
    /// Features of the face by one embedder, the same for every frame, where
    /// [`Recorder::wants_features`] asked for them.
    pub(crate) features: Option<Features>,
    /// Opening of each eye over the length of the nose, where [`Recorder::wants_eyes`] asked for it
    /// and the pack can tell.
    pub(crate) eye_openings: Option<[f32; 2]>,
}

/// Collects frames; memory does not grow with their number.
pub(crate) struct Recorder {
    frames: VecDeque<Frame>,
    register: Register,
    count: u32,
    /// Frames without a face.
    faceless: u32,
    /// Earliest and latest timestamp.
    span_us: Option<(u64, u64)>,
    featured: Option<(u64, u32)>,
    /// The greatest value of each signal over the frames that are forgotten.
    worst: Vec<Option<f32>>,
    answer: Option<Answer>,
}

impl Recorder {
    pub(crate) fn new(challenge: Option<Challenge>) -> Self {
        Recorder {
            frames: VecDeque::with_capacity(FRAMES),
            register: Register::default(),
            count: 0,
            faceless: 0,
            span_us: None,
            featured: None,
            worst: vec![None; SIGNALS.len()],
            answer: challenge.map(Answer::to),
        }
    }

    /// Width and height of the latest frame in pixels; zero before the first.
    pub(crate) fn size(&self) -> (u32, u32) {
        self.frames.back().map_or((0, 0), |frame| frame.size)
    }

    /// Whether the features of a face at this time are worth their cost.
    pub(crate) fn wants_features(&self, timestamp_us: u64) -> bool {
        self.featured.is_none_or(|(at, count)| {
            timestamp_us.abs_diff(at) >= FEATURES_EVERY_US
                || self.count - count >= FEATURES_EVERY_FRAMES
        })
    }

    /// Whether the challenge asks to look at the eyes at this time.
    pub(crate) fn wants_eyes(&self, timestamp_us: u64) -> bool {
        self.answer
            .as_ref()
            .is_some_and(|answer| answer.wants_eyes(timestamp_us))
    }

    pub(crate) fn begin_challenge(&mut self, timestamp_us: u64) -> Result<()> {
        match &mut self.answer {
            Some(answer) => answer.begin(timestamp_us),
            None => {
                let message = "the session has no challenge to begin; give one when it is opened";
                Err(Error::new(Stage::Sequence, Kind::Usage, message))
            }
        }
    }

    pub(crate) fn push(&mut self, observation: Observation<'_>) {
        let Observation {
            pyramid,
            timestamp_us,
            face,
            features,
            eye_openings,
        } = observation;
        if features.is_some() {
            self.featured = Some((timestamp_us, self.count));
        }
        self.faceless = self.faceless.saturating_add(u32::from(face.is_none()));
        if self.frames.len() == FRAMES {
            // Half is forgotten at once, so that every run of half the length is measured whole.
            self.worst = self.values();
            self.frames.drain(..FRAMES / 2);
        }
        let detail = match face {
            Some(face) => self.register.see(pyramid, face.points(), timestamp_us),
            None => {
                self.register.lose();
                None
            }
        };
        let frame = Frame::describe(pyramid, timestamp_us, face, features, eye_openings, detail);
        if let Some(answer) = &mut self.answer {
            answer.see(&frame);
        }
        self.frames.push_back(frame);
        self.count = self.count.saturating_add(1);
        let (first, last) = self.span_us.unwrap_or((timestamp_us, timestamp_us));
        self.span_us = Some((first.min(timestamp_us), last.max(timestamp_us)));
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.frames.len()
    }

    /// The greater of what each signal is now and was.
    fn values(&self) -> Vec<Option<f32>> {
        let frames: Vec<&Frame> = self.frames.iter().collect();
        let now = |(spec, worst): (&super::signals::Spec, &Option<f32>)| {
            let value = (spec.measure)(&frames).filter(|value| value.is_finite());
            value.into_iter().chain(*worst).max_by(f32::total_cmp)
        };
        SIGNALS.iter().zip(&self.worst).map(now).collect()
    }

    /// What to add where the face is often missing.
    fn gaps(&self) -> String {
        let often = self.faceless > 0 && self.count > 1 && self.faceless >= self.count / OFTEN;
        if often {
            format!(
                "; {} of the {} frames show no face",
                self.faceless, self.count
            )
        } else {
            String::new()
        }
    }

    pub(crate) fn evidence(&self, calibration: &Calibration) -> SequenceEvidence {
        let not_asked = || ChallengeEvidence {
            status: ChallengeStatus::NotAsked,
            text: "nothing was asked".to_owned(),
        };
        let challenge = self
            .answer
            .as_ref()
            .map_or_else(not_asked, answer::Answer::judge);
        if self.count == 0 {
            return SequenceEvidence {
                challenge,
                ..SequenceEvidence::not_assessed()
            };
        }
        let (signals, deepfake, injection) = fuse(&self.values(), calibration);
        // One frame is a still: nothing of it changes over time.
        let (deepfake, injection) = if self.count > 1 {
            (deepfake, injection)
        } else {
            Default::default()
        };
        let risk = deepfake.risk.max(injection.risk);
        SequenceEvidence {
            risk,
            text: summary(risk, &deepfake, &injection, &signals, self.count) + &self.gaps(),
            frames: self.count,
            duration_ms: self
                .span_us
                .map_or(0, |(first, last)| (last - first) / 1_000),
            deepfake,
            injection,
            challenge,
            signals,
        }
    }
}

/// The sentence for the whole: which channel, and the signals that made it so.
fn summary(
    risk: Option<RiskLevel>,
    deepfake: &ChannelEvidence,
    injection: &ChannelEvidence,
    signals: &[Signal],
    count: u32,
) -> String {
    let name = match risk {
        None if count == 1 => {
            return "one frame is a still, and tells nothing of a deepfake or an injected stream"
                .to_owned();
        }
        None => {
            return format!(
                "{count} frames are too few to tell anything of a deepfake or an injected stream"
            );
        }
        Some(RiskLevel::Low) => {
            return format!(
                "nothing in {count} frames speaks for a deepfake or an injected stream"
            );
        }
        Some(_) if deepfake.risk >= injection.risk && deepfake.risk == injection.risk => {
            "a deepfake and an injected stream"
        }
        Some(_) if deepfake.risk > injection.risk => "a deepfake",
        Some(_) => "an injected stream",
    };
    let usual = "as in bona fide material";
    let told = signals
        .iter()
        .filter(|s| s.weight > 0.0 && s.percentile.is_some_and(|p| p >= 95.0) && s.text != usual);
    let why: Vec<&str> = told.map(|s| s.text.as_str()).take(3).collect();
    let degree = if risk == Some(RiskLevel::High) {
        "much"
    } else {
        "something"
    };
    format!(
        "{degree} in {count} frames speaks for {name}: {}",
        why.join("; ")
    )
}
