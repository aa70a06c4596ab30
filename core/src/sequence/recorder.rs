//! The memory of a session: descriptors of the latest frames, and the worst that was seen of older
//! ones.

use super::answer::{ChallengeTrack, NextStep};
use super::challenge::Challenge;
use super::detail::Register;
use super::frame::Frame;
use super::fusion::{Calibration, Reading, fuse};
use super::order::distinct;
use super::signals::SIGNALS;
use crate::align::AlignedFace;
use crate::embed::Features;
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{
    Assessed, CaptureLevel, ChannelEvidence, ChannelRisk, Obstacle, RiskLevel, SequenceEvidence,
    Signal, clause,
};
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
    /// On the clock of the host, where it told.
    pub(crate) arrived_us: Option<u64>,
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
    /// Different frames among those that are forgotten.
    distinct: usize,
    /// The greatest value of each signal over the frames that are forgotten.
    worst: Vec<Reading>,
    answer: Option<ChallengeTrack>,
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
            distinct: 0,
            worst: vec![Reading::default(); SIGNALS.len()],
            answer: challenge.map(ChallengeTrack::of),
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

    fn answer(&mut self) -> Result<&mut ChallengeTrack> {
        self.answer.as_mut().ok_or_else(|| {
            let message = "the session has no challenge to begin; give one when it is opened";
            Error::new(Stage::Sequence, Kind::Usage, message)
        })
    }

    pub(crate) fn begin_challenge(&mut self, timestamp_us: u64) -> Result<()> {
        self.answer()?.begin(timestamp_us)
    }

    pub(crate) fn next_step(&mut self, host_us: u64) -> Result<NextStep> {
        self.answer()?.next_step(host_us)
    }

    pub(crate) fn push(&mut self, observation: Observation<'_>) {
        let Observation {
            pyramid,
            timestamp_us,
            arrived_us,
            face,
            features,
            eye_openings,
        } = observation;
        let detail = match face {
            Some(face) => self.register.see(pyramid, face.points(), timestamp_us),
            None => {
                self.register.lose();
                None
            }
        };
        let frame = Frame::describe(pyramid, timestamp_us, face, features, eye_openings, detail);
        self.take(frame, arrived_us);
    }

    /// Keeps a described frame.
    pub(super) fn take(&mut self, frame: Frame, arrived_us: Option<u64>) {
        let timestamp_us = frame.timestamp_us;
        if frame.features.is_some() {
            self.featured = Some((timestamp_us, self.count));
        }
        self.faceless = self
            .faceless
            .saturating_add(u32::from(frame.face.is_none()));
        if self.frames.len() == FRAMES {
            // Half is forgotten at once, so that every run of half the length is measured whole.
            let (readings, distinct) = self.readings();
            self.worst = readings;
            self.frames.drain(..FRAMES / 2);
            self.distinct = distinct - self.distinct_kept().len();
        }
        if let Some(answer) = &mut self.answer {
            answer.see(&frame, arrived_us);
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

    fn distinct_kept(&self) -> Vec<&Frame> {
        distinct(&self.frames.iter().collect::<Vec<_>>())
    }

    /// The greater of what each signal is now and was, and how many different frames there were.
    fn readings(&self) -> (Vec<Reading>, usize) {
        let frames: Vec<&Frame> = self.frames.iter().collect();
        let distinct = distinct(&frames);
        let now = |(spec, worst): (&super::signals::Spec, &Reading)| {
            let measure = |frames| (spec.measure)(frames).filter(|value| value.is_finite());
            let value = measure(&frames);
            let is_covered = if distinct.len() == frames.len() {
                value.is_some()
            } else {
                worst.is_covered || measure(&distinct).is_some()
            };
            Reading {
                value: value.into_iter().chain(worst.value).max_by(f32::total_cmp),
                is_covered: worst.is_covered || is_covered,
            }
        };
        let readings = SIGNALS.iter().zip(&self.worst).map(now).collect();
        (readings, self.distinct + distinct.len())
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
        let (challenge, capture) = match &self.answer {
            None => (Assessed::NotAsked, CaptureLevel::None),
            Some(answer) => {
                let found = answer.judge();
                let capture = answer.capture(&found);
                (found, capture)
            }
        };
        let (readings, distinct) = self.readings();
        let (signals, mut deepfake, mut injection) = fuse(&readings, calibration);
        // Of nobody nothing can be said, and nothing of one picture changes over time.
        let obstacle = match distinct {
            0 | 1 if self.count <= 1 => Some(Obstacle::TooFewFrames),
            _ if self.faceless == self.count => Some(Obstacle::NoFace),
            _ => None,
        };
        if let Some(obstacle) = obstacle {
            deepfake.finding = Assessed::NotPossible(obstacle);
            injection.finding = Assessed::NotPossible(obstacle);
        } else if distinct == 1 {
            deepfake.finding = Assessed::NotPossible(Obstacle::TooFewFrames);
        }
        let risks = [&deepfake, &injection].map(|channel| channel.finding.yes().map(|c| c.risk));
        let risk = match risks {
            [Some(one), Some(other)] => Some(one.max(other)),
            [one, other] => one.or(other).filter(|risk| *risk > RiskLevel::Low),
        };
        SequenceEvidence {
            risk,
            text: self.summary(&deepfake, &injection, &signals, distinct) + &self.gaps(),
            frames: self.count,
            distinct_frames: distinct as u32,
            duration_ms: self
                .span_us
                .map_or(0, |(first, last)| (last - first) / 1_000),
            deepfake,
            injection,
            challenge,
            capture,
            signals,
        }
    }

    /// The sentence for the whole: which channel, and the signals that made it so.
    fn summary(
        &self,
        deepfake: &ChannelEvidence,
        injection: &ChannelEvidence,
        signals: &[Signal],
        distinct: usize,
    ) -> String {
        let count = self.count;
        let frames = match distinct {
            _ if distinct == count as usize => format!("{count} frames"),
            _ => format!("{count} frames, {distinct} of them different,"),
        };
        let channels = [(deepfake, "a deepfake"), (injection, "an injected stream")];
        let found = |level: RiskLevel| -> Vec<&str> {
            let at = |(channel, name): &(&ChannelEvidence, &'static str)| {
                let found = channel.finding.yes().filter(|c| c.risk == level);
                found.map(|_| *name)
            };
            channels.iter().filter_map(at).collect()
        };
        let told = |degree: &str, names: Vec<&str>| {
            let told = signals.iter().filter_map(|signal| {
                let standing = signal.standing.yes()?;
                let tells = signal.weight > 0.0
                    && standing.percentile >= 95.0
                    && standing.suspicion >= super::fusion::WORTH_TELLING;
                tells.then_some(standing.text.as_str())
            });
            let why: Vec<&str> = told.take(3).collect();
            format!(
                "{degree} in {frames} speaks for {}: {}",
                names.join(" and "),
                why.join("; ")
            )
        };
        let (high, medium) = (found(RiskLevel::High), found(RiskLevel::Medium));
        if !high.is_empty() {
            return told("much", high);
        }
        if !medium.is_empty() {
            return told("something", medium);
        }
        if count == 0 {
            return "no frames were given, so nothing is known about a deepfake or an injected \
                    stream"
                .to_owned();
        }
        if count == 1 {
            return "one frame is a still, and tells nothing of a deepfake or an injected stream"
                .to_owned();
        }
        let missing: Vec<String> = channels
            .iter()
            .filter_map(|(channel, name)| {
                let why = clause(channel.finding.absence()?);
                Some(format!("{frames} tell too little of {name}: {why}"))
            })
            .collect();
        if !missing.is_empty() {
            return missing.join("; ");
        }
        let weak: Vec<&str> = channels
            .iter()
            .filter(|(channel, _)| !channel.finding.yes().is_some_and(ChannelRisk::tells))
            .map(|(_, name)| *name)
            .collect();
        if weak.is_empty() {
            format!("nothing in {frames} speaks for a deepfake or an injected stream")
        } else {
            format!(
                "nothing unusual was seen in {frames}, which says little: much of {} looks usual \
                too",
                weak.join(" and of ")
            )
        }
    }
}
