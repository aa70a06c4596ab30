//! Whether the frames answer a challenge: the right thing, at the right time.

use super::challenge::{Challenge, Step, Task};
use super::frame::Frame;
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{Assessed, ChallengeEvidence, ChallengeStatus, Obstacle};

/// Frames that are kept for an answer: ten seconds at 200 frames a second.
const FRAMES: usize = 2_000;

/// From the screen's change to the frame that shows it: display, exposure and delivery. A stream
/// that is made or relayed elsewhere takes longer.
const LEAST_LAG_MS: i64 = -40;
const MOST_LAG_MS: i64 = 300;
/// A person needs time to act.
const MOST_REACTION_MS: i64 = 600;

/// Correlation of the colour of the skin with the colours shown, from which on it follows them. The
/// answer to a random other sequence reaches it 4 times in 1,000.
const LEAST_CORRELATION: f32 = 0.7;
/// Share of other sequences that may fit as well by chance.
const MOST_CHANCE: f32 = 0.02;
/// Relative change of colour below which the screen is too weak for the light of the room.
const LEAST_RESPONSE: f32 = 0.003;
/// Turn of the head that is asked for, and that in the other direction which spoils it.
const LEAST_TURN_DEG: f32 = 15.0;
/// The opening of the eyes over the usual one at which they count as shut, and as open again:
/// chosen on half of the blinks that `models/sequence/README.md` counts.
const SHUT: f32 = 0.65;
const OPEN_AGAIN: f32 = 0.75;
/// Frames a second that show the eyes. Fewer miss blinks.
const LEAST_EYE_RATE: usize = 8;

/// Collects what the challenge asks to look at.
pub(super) struct ChallengeTrack {
    challenge: Challenge,
    began_us: Option<u64>,
    seen: Vec<Glimpse>,
}

/// What a frame shows of the answer.
struct Glimpse {
    timestamp_us: u64,
    face: Option<Reading>,
}

#[derive(Clone, Copy)]
struct Reading {
    skin: [f32; 3],
    yaw_deg: f32,
    lid_opening: Option<f32>,
}

/// Frames before the beginning show the person at rest.
const BEFORE_MS: i64 = 1_000;
const BEFORE_US: u64 = BEFORE_MS as u64 * 1_000;

impl ChallengeTrack {
    pub(super) fn of(challenge: Challenge) -> ChallengeTrack {
        ChallengeTrack {
            challenge,
            began_us: None,
            seen: Vec::new(),
        }
    }

    pub(super) fn begin(&mut self, timestamp_us: u64) -> Result<()> {
        if self.began_us.is_some() {
            let message = "the challenge has begun already; it is good for one answer";
            return Err(Error::new(Stage::Sequence, Kind::Usage, message));
        }
        self.began_us = Some(timestamp_us);
        self.seen
            .retain(|seen| seen.timestamp_us.saturating_add(BEFORE_US) >= timestamp_us);
        Ok(())
    }

    /// Keeps the frame where it lies in the window of the challenge. Until the challenge begins the
    /// window moves along.
    pub(super) fn see(&mut self, frame: &Frame) {
        let at_us = frame.timestamp_us;
        match self.began_us {
            None => self
                .seen
                .retain(|seen| seen.timestamp_us.saturating_add(BEFORE_US) >= at_us),
            Some(began)
                if at_us.saturating_add(BEFORE_US) < began
                    || at_us > began.saturating_add(self.window_us()) =>
            {
                return;
            }
            Some(_) => {}
        }
        if self.seen.len() < FRAMES {
            let face = frame.face.as_ref().map(|face| Reading {
                skin: std::array::from_fn(|c| {
                    (face.colours.forehead[c] + face.colours.cheeks[c]) / 2.0
                }),
                yaw_deg: face.pose.yaw_deg,
                lid_opening: face.lid_opening,
            });
            self.seen.push(Glimpse {
                timestamp_us: at_us,
                face,
            });
        }
    }

    /// Whether a blink may be seen at this time, or the open eyes before it.
    pub(super) fn wants_eyes(&self, timestamp_us: u64) -> bool {
        let since_ms = self
            .began_us
            .map(|began| ((i128::from(timestamp_us) - i128::from(began)) / 1_000) as i64);
        let is_near = |step: &Step| {
            let (start, end) = step.span_ms();
            since_ms.is_none_or(|at| (start - BEFORE_MS..end + MOST_REACTION_MS).contains(&at))
        };
        self.challenge
            .steps()
            .iter()
            .any(|step| matches!(step.task, Task::Blink { .. }) && is_near(step))
    }

    fn window_us(&self) -> u64 {
        (u64::from(self.challenge.duration_ms()) + LATE_MS as u64) * 1_000
    }

    pub(super) fn judge(&self) -> Assessed<ChallengeEvidence> {
        let Some(began_us) = self.began_us else {
            return Assessed::NotPossible(Obstacle::NotBegun);
        };
        let track = Track::of(&self.seen, began_us);
        let duration_ms = i64::from(self.challenge.duration_ms());
        if track
            .at_ms
            .last()
            .is_none_or(|&last| last < duration_ms - LAST_FRAME_MS)
        {
            return Assessed::NotPossible(Obstacle::CutShort);
        }
        if !track.is_in_order() {
            return Assessed::NotPossible(Obstacle::OutOfOrder);
        }
        let flashes: Vec<&Step> = self
            .challenge
            .steps()
            .iter()
            .filter(|step| matches!(step.task, Task::Flash(_)))
            .collect();
        let mut results = Vec::new();
        if !flashes.is_empty() {
            results.push(flash(&track, &flashes));
        }
        for step in self.challenge.steps() {
            match step.task {
                Task::Flash(_) => {}
                Task::HeadTurn { left } => results.push(head_turn(&track, step, left)),
                Task::Blink { times } => results.push(blink(&track, step, times)),
            }
        }
        let failed = results.iter().find(|result| {
            let found = result.yes();
            found.is_some_and(|found| found.status == ChallengeStatus::Failed)
        });
        let gravest = failed.or_else(|| results.iter().find(|result| result.yes().is_none()));
        gravest.cloned().unwrap_or_else(|| {
            let texts = results.iter().filter_map(Assessed::yes);
            let texts: Vec<&str> = texts.map(|found| found.text.as_str()).collect();
            result(ChallengeStatus::Passed, texts.join("; "))
        })
    }
}

/// Answers are looked for this long after the end, so that late ones are seen to be late.
const LATE_MS: i64 = 1_500;
/// The last frame with a face may lie this long before the end.
const LAST_FRAME_MS: i64 = 300;

fn result(status: ChallengeStatus, text: impl Into<String>) -> Assessed<ChallengeEvidence> {
    Assessed::Yes(ChallengeEvidence {
        status,
        text: text.into(),
    })
}

/// The frames with a face, in milliseconds since the beginning.
struct Track {
    at_ms: Vec<i64>,
    readings: Vec<Reading>,
}

impl Track {
    fn of(seen: &[Glimpse], began_us: u64) -> Track {
        let with_face = seen.iter().filter_map(|seen| {
            let since = i128::from(seen.timestamp_us) - i128::from(began_us);
            Some(((since / 1_000) as i64, seen.face?))
        });
        let (at_ms, readings) = with_face.unzip();
        Track { at_ms, readings }
    }

    fn is_in_order(&self) -> bool {
        self.at_ms.windows(2).all(|pair| pair[0] <= pair[1])
    }

    fn between(&self, from_ms: i64, to_ms: i64) -> impl Iterator<Item = (i64, Reading)> {
        self.at_ms
            .iter()
            .copied()
            .zip(self.readings.iter().copied())
            .filter(move |(at, _)| (from_ms..to_ms).contains(at))
    }
}

/// The colours of the screen over time.
struct Shown<'a> {
    steps: &'a [&'a Step],
    colours: Vec<[bool; 3]>,
}

impl Shown<'_> {
    /// The colour at a time, without its brightness; `None` before and after.
    fn at(&self, ms: i64) -> Option<[f32; 3]> {
        let shows = |(start, end): (i64, i64)| (start..end).contains(&ms);
        let i = self.steps.iter().position(|step| shows(step.span_ms()))?;
        Some(without_brightness(
            self.colours[i].map(|on| if on { 1.0 } else { 0.0 }),
        ))
    }
}

fn without_brightness(colour: [f32; 3]) -> [f32; 3] {
    let mean = (colour[0] + colour[1] + colour[2]) / 3.0;
    colour.map(|v| v - mean)
}

/// The skin must follow the colours of the screen in time: the correlation of its colour with the
/// one shown is highest at a lag that light and camera explain, and hardly any other sequence of
/// colours fits as well.
fn flash(track: &Track, steps: &[&Step]) -> Assessed<ChallengeEvidence> {
    let colours = steps
        .iter()
        .filter_map(|step| {
            if let Task::Flash(colour) = step.task {
                Some(colour)
            } else {
                None
            }
        })
        .collect();
    let shown = Shown { steps, colours };
    let (first, last) = (
        steps[0].span_ms().0,
        steps.last().map_or(0, |step| step.span_ms().1),
    );
    let seen: Vec<(i64, Reading)> = track.between(first, last + MOST_LAG_MS).collect();
    if seen.len() < 2 * steps.len() {
        return Assessed::NotPossible(Obstacle::TooFewFrames);
    }
    let usual: [f32; 3] = std::array::from_fn(|c| {
        seen.iter().map(|(_, r)| r.skin[c]).sum::<f32>() / seen.len() as f32
    });
    let change = |reading: &Reading| {
        without_brightness(std::array::from_fn(|c| {
            reading.skin[c] / usual[c].max(1.0) - 1.0
        }))
    };
    let skin: Vec<(i64, [f32; 3])> = track
        .between(first - LATE_MS, last + LATE_MS)
        .map(|(at, reading)| (at, change(&reading)))
        .collect();
    let inside: Vec<[f32; 3]> = seen.iter().map(|(_, reading)| change(reading)).collect();
    let response =
        (inside.iter().flatten().map(|v| v * v).sum::<f32>() / inside.len() as f32).sqrt();
    if response < LEAST_RESPONSE {
        return Assessed::NotPossible(Obstacle::TooLittleLight);
    }
    let lags = (LEAST_LAG_MS..=LATE_MS).step_by(20);
    let fit = |shown: &Shown<'_>, lag: i64| correlation(&skin, shown, lag);
    let Some((lag, best)) = lags
        .clone()
        .map(|lag| (lag, fit(&shown, lag)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
    else {
        return Assessed::NotPossible(Obstacle::TooFewFrames);
    };
    if best < LEAST_CORRELATION {
        return result(
            ChallengeStatus::Failed,
            format!("the colour of the face does not follow the flashes (correlation {best:.2})"),
        );
    }
    if lag > MOST_LAG_MS {
        return result(
            ChallengeStatus::Failed,
            format!(
                "the face follows the flashes {lag} ms late; light takes {MOST_LAG_MS} ms at most"
            ),
        );
    }
    // Other sequences, made by shifting and exchanging the colours of this one.
    let others = alternatives(&shown.colours);
    let as_good = others.iter().filter(|colours| {
        let other = Shown {
            steps,
            colours: (*colours).clone(),
        };
        (LEAST_LAG_MS..=MOST_LAG_MS)
            .step_by(40)
            .any(|lag| fit(&other, lag) >= best)
    });
    let chance = as_good.count() as f32 / others.len() as f32;
    if chance > MOST_CHANCE {
        return result(
            ChallengeStatus::Failed,
            "the colour of the face follows other sequences as well as the one shown",
        );
    }
    result(
        ChallengeStatus::Passed,
        format!("the face reflects the flashes in time (correlation {best:.2}, {lag} ms late)"),
    )
}

/// Every turn of the sequence with every exchange of the three channels, but for itself: 6 x 8 - 1.
fn alternatives(colours: &[[bool; 3]]) -> Vec<Vec<[bool; 3]>> {
    const EXCHANGES: [[usize; 3]; 6] = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let mut all = Vec::new();
    for turn in 0..colours.len() {
        for exchange in EXCHANGES {
            let other: Vec<[bool; 3]> = (0..colours.len())
                .map(|i| exchange.map(|c| colours[(i + turn) % colours.len()][c]))
                .collect();
            if other != colours {
                all.push(other);
            }
        }
    }
    all
}

/// Pearson's correlation, over all channels and frames, of the change of the skin with the colour
/// shown `lag` ms before.
fn correlation(skin: &[(i64, [f32; 3])], shown: &Shown<'_>, lag: i64) -> f32 {
    let pairs: Vec<([f32; 3], [f32; 3])> = skin
        .iter()
        .filter_map(|(at, change)| Some((*change, shown.at(at - lag)?)))
        .collect();
    if pairs.is_empty() {
        return 0.0;
    }
    let n = pairs.len() as f32;
    let (mut both, mut left, mut right) = (0.0f32, 0.0f32, 0.0f32);
    for c in 0..3 {
        let (mean_x, mean_y) = (
            pairs.iter().map(|p| p.0[c]).sum::<f32>() / n,
            pairs.iter().map(|p| p.1[c]).sum::<f32>() / n,
        );
        for (x, y) in &pairs {
            let (dx, dy) = (x[c] - mean_x, y[c] - mean_y);
            both += dx * dy;
            left += dx * dx;
            right += dy * dy;
        }
    }
    if left > 0.0 && right > 0.0 {
        both / (left * right).sqrt()
    } else {
        0.0
    }
}

/// The head must turn to the side asked for within the step, and not to the other.
fn head_turn(track: &Track, step: &Step, left: bool) -> Assessed<ChallengeEvidence> {
    let (start, end) = step.span_ms();
    let Some(rest) = super::median(
        track
            .between(start - BEFORE_MS, start + 200)
            .map(|(_, reading)| reading.yaw_deg),
    ) else {
        return Assessed::NotPossible(Obstacle::TooFewFrames);
    };
    // The person's own left is the right of a picture that is not mirrored.
    let towards = if left { 1.0 } else { -1.0 };
    let turns: Vec<f32> = track
        .between(start, end + MOST_REACTION_MS)
        .map(|(_, reading)| towards * (reading.yaw_deg - rest))
        .collect();
    if turns.len() < 4 {
        return Assessed::NotPossible(Obstacle::TooFewFrames);
    }
    let side = if left { "left" } else { "right" };
    let first = turns.iter().find(|turn| turn.abs() >= LEAST_TURN_DEG);
    match first {
        Some(turn) if *turn > 0.0 => result(
            ChallengeStatus::Passed,
            format!("the head turned to the {side} when asked"),
        ),
        Some(_) => result(
            ChallengeStatus::Failed,
            format!("the head was to turn to the {side} and turned to the other side"),
        ),
        None => result(
            ChallengeStatus::Failed,
            format!("the head was to turn to the {side} and did not"),
        ),
    }
}

/// The eyes must shut as often as asked.
fn blink(track: &Track, step: &Step, times: u8) -> Assessed<ChallengeEvidence> {
    let (start, end) = step.span_ms();
    let openings = |from_ms, to_ms| {
        track
            .between(from_ms, to_ms)
            .filter_map(|(_, reading)| reading.lid_opening)
    };
    if track.between(start, end).next().is_some() && openings(start, end).next().is_none() {
        return Assessed::NotPossible(Obstacle::NoWeights);
    }
    let open = super::median(openings(start - BEFORE_MS, end + MOST_REACTION_MS)).unwrap_or(0.0);
    if openings(start, end).count() * 1_000 < LEAST_EYE_RATE * step.duration_ms as usize
        || open <= 0.0
    {
        return Assessed::NotPossible(Obstacle::TooFewFrames);
    }
    let (mut blinks, mut is_shut) = (0, false);
    for opening in openings(start, end + MOST_REACTION_MS) {
        blinks += usize::from(!is_shut && opening < SHUT * open);
        is_shut = opening < if is_shut { OPEN_AGAIN } else { SHUT } * open;
    }
    if blinks == usize::from(times) {
        result(
            ChallengeStatus::Passed,
            format!("the eyes shut {times} times as asked"),
        )
    } else {
        result(
            ChallengeStatus::Failed,
            format!("the eyes were to shut {times} times and shut {blinks} times"),
        )
    }
}
