//! Whether the frames answer a challenge: the right thing, at the right time.

use super::challenge::{Challenge, Step, Task};
use super::frame::Frame;
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{
    Assessed, CaptureLevel, ChallengeEvidence, ChallengeStatus, Direction, Obstacle,
};

/// Frames that are kept for an answer: ten seconds at 200 frames a second.
const FRAMES: usize = 2_000;

/// From the screen's change to the frame that shows it: display, exposure and delivery. A stream
/// that is made or relayed elsewhere takes longer.
const LEAST_LAG_MS: i64 = -40;
const MOST_LAG_MS: i64 = 300;
/// A person needs time to act.
const MOST_REACTION_MS: i64 = 600;
/// What the way of a step to the screen may add where the clock is the host's.
const NETWORK_MS: i64 = 300;
/// By how much longer than the fastest frame of the session one may take from its capture to the
/// host. What is slower may have been made meanwhile, and is left out.
const LATE_ARRIVAL_US: i128 = 500_000;
/// One frame in so many may be late.
const LATE_IN: usize = 10;

/// Correlation of the colour of the skin with the colours shown, from which on it follows them. The
/// answer to a random other sequence reaches it 4 times in 1,000.
const LEAST_CORRELATION: f32 = 0.7;
/// Share of other sequences that may fit as well by chance.
const MOST_CHANCE: f32 = 0.02;
/// Relative change of colour below which the screen is too weak for the light of the room.
const LEAST_RESPONSE: f32 = 0.003;
/// The light of a screen falls off with distance: what lies behind the head answers less than the
/// skin. From this share of the skin's answer on the whole picture was tinted. Drawn scenes alone
/// stand behind it: a wall at twice the distance answers a quarter, a tint of the picture all.
const MOST_BACKGROUND: f32 = 0.7;
/// A turn of the head, and a nod, that count.
const LEAST_YAW_DEG: f32 = 15.0;
const LEAST_PITCH_DEG: f32 = 10.0;
/// The share of these below which the head has come back.
const BACK: f32 = 0.6;
/// The opening of the eyes over the usual one at which they count as shut, and as open again:
/// chosen on half of the blinks that `models/sequence/README.md` counts.
const SHUT: f32 = 0.65;
const OPEN_AGAIN: f32 = 0.75;
/// Frames a second that show the eyes. Fewer miss blinks.
const LEAST_EYE_RATE: i64 = 8;

/// Frames before the beginning show the person at rest.
const BEFORE_MS: i64 = 1_000;
const BEFORE_US: u64 = BEFORE_MS as u64 * 1_000;
/// Answers are looked for this long after the end, so that late ones are seen to be late.
const LATE_MS: i64 = 1_500;
/// The last frame with a face may lie this long before the end.
const LAST_FRAME_MS: i64 = 300;

/// Collects what the challenge asks to look at.
pub(super) struct ChallengeTrack {
    challenge: Challenge,
    timeline: Timeline,
    seen: Vec<Glimpse>,
}

/// When the steps were shown.
enum Timeline {
    NotBegun,
    /// All from this time of the capture's clock on.
    Capture(u64),
    /// Those that were given out so far, each at its time of the host's clock.
    Host(Vec<u64>),
}

/// The step that is due, by [`Session::next_step`](crate::Session::next_step).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NextStep {
    /// What to show or to ask now; `None` where nothing new is due.
    pub step: Option<Step>,
    /// In how many milliseconds to ask again.
    pub wait_ms: u32,
    /// Whether the challenge has been shown to its end, and the time to answer has passed.
    pub is_over: bool,
}

impl NextStep {
    /// Returns it as JSON: `step` (as [`Step::to_json`], or null), `wait_ms`, `is_over`.
    pub fn to_json(&self) -> String {
        let step = self.step.map_or("null".to_owned(), |step| step.to_json());
        let NextStep {
            wait_ms, is_over, ..
        } = self;
        format!(r#"{{"step":{step},"wait_ms":{wait_ms},"is_over":{is_over}}}"#)
    }
}

/// What a frame shows of the answer.
struct Glimpse {
    captured_us: u64,
    /// On the clock of the host.
    arrived_us: Option<u64>,
    face: Option<Reading>,
}

#[derive(Clone, Copy)]
struct Reading {
    skin: [f32; 3],
    /// What lies beside the head, where the frame shows it.
    background: Option<[f32; 3]>,
    yaw_deg: f32,
    pitch_deg: f32,
    lid_opening: Option<f32>,
}

fn usage(message: &str) -> Error {
    Error::new(Stage::Sequence, Kind::Usage, message)
}

impl ChallengeTrack {
    pub(super) fn of(challenge: Challenge) -> ChallengeTrack {
        ChallengeTrack {
            challenge,
            timeline: Timeline::NotBegun,
            seen: Vec::new(),
        }
    }

    pub(super) fn begin(&mut self, timestamp_us: u64) -> Result<()> {
        if !matches!(self.timeline, Timeline::NotBegun) {
            return Err(usage(
                "the challenge has begun already; it is good for one answer",
            ));
        }
        self.timeline = Timeline::Capture(timestamp_us);
        self.seen
            .retain(|seen| seen.captured_us.saturating_add(BEFORE_US) >= timestamp_us);
        Ok(())
    }

    /// Gives out the step that is due at this time of the host's clock; the first call begins.
    pub(super) fn next_step(&mut self, host_us: u64) -> Result<NextStep> {
        if matches!(self.timeline, Timeline::NotBegun) {
            self.timeline = Timeline::Host(Vec::new());
        }
        let steps = self.challenge.steps();
        let given = match &mut self.timeline {
            Timeline::Host(given) => given,
            Timeline::NotBegun | Timeline::Capture(_) => {
                return Err(usage(
                    "the challenge was begun on the clock of the capture, so no step of it is due \
                     by the host's",
                ));
            }
        };
        let last = given.last().copied().unwrap_or(host_us);
        let since_us = host_us.checked_sub(last).ok_or_else(|| {
            usage("the host's time lies before that of the step before; its clock must not go back")
        })?;
        let wait_ms = |from_us: u64| (from_us - since_us).div_ceil(1_000) as u32;
        // A step that was given out late moves those after it.
        let shown_us = match given.len().checked_sub(1) {
            None => 0,
            Some(i) => u64::from(steps[i].duration_ms) * 1_000,
        };
        if since_us < shown_us {
            return Ok(NextStep {
                step: None,
                wait_ms: wait_ms(shown_us),
                is_over: false,
            });
        }
        if let Some(step) = steps.get(given.len()) {
            given.push(host_us);
            return Ok(NextStep {
                step: Some(*step),
                wait_ms: step.duration_ms,
                is_over: false,
            });
        }
        let end_us = shown_us + (MOST_REACTION_MS + NETWORK_MS) as u64 * 1_000;
        Ok(NextStep {
            step: None,
            wait_ms: if since_us < end_us {
                wait_ms(end_us)
            } else {
                0
            },
            is_over: since_us >= end_us,
        })
    }

    /// Keeps the frame where it lies in the window of the challenge. Until the challenge begins the
    /// window moves along.
    pub(super) fn see(&mut self, frame: &Frame, arrived_us: Option<u64>) {
        let captured_us = frame.timestamp_us;
        let is_outside = |at_us: u64, (began_us, end_us): (u64, u64)| {
            at_us.saturating_add(BEFORE_US) < began_us
                || at_us > end_us.saturating_add(LATE_MS as u64 * 1_000)
        };
        match (&self.timeline, arrived_us) {
            (Timeline::NotBegun, _) => self
                .seen
                .retain(|seen| seen.captured_us.saturating_add(BEFORE_US) >= captured_us),
            (&Timeline::Capture(began_us), _) => {
                let duration_us = u64::from(self.challenge.duration_ms()) * 1_000;
                if is_outside(
                    captured_us,
                    (began_us, began_us.saturating_add(duration_us)),
                ) {
                    return;
                }
            }
            (Timeline::Host(given), Some(arrived_us)) => {
                let steps = self.challenge.steps();
                let first = given.first().copied().unwrap_or(0);
                let end = match (given.last(), steps.last()) {
                    (Some(&at), Some(step)) if given.len() == steps.len() => {
                        at.saturating_add(u64::from(step.duration_ms) * 1_000)
                    }
                    _ => u64::MAX,
                };
                if is_outside(arrived_us, (first, end)) {
                    return;
                }
            }
            (Timeline::Host(_), None) => return,
        }
        if self.seen.len() < FRAMES {
            let face = frame.face.as_ref().map(|face| Reading {
                skin: std::array::from_fn(|c| {
                    (face.colours.forehead[c] + face.colours.cheeks[c]) / 2.0
                }),
                background: face.colours.beside,
                yaw_deg: face.pose.yaw_deg,
                pitch_deg: face.pose.pitch_deg,
                lid_opening: face.lid_opening,
            });
            self.seen.push(Glimpse {
                captured_us,
                arrived_us,
                face,
            });
        }
    }

    /// Whether a blink may be seen at this time of the capture's clock, or the open eyes before it.
    pub(super) fn wants_eyes(&self, timestamp_us: u64) -> bool {
        let is_near = |step: &Step| match self.timeline {
            Timeline::NotBegun | Timeline::Host(_) => true,
            Timeline::Capture(began) => {
                let at = ((i128::from(timestamp_us) - i128::from(began)) / 1_000) as i64;
                let (start, end) = step.span_ms();
                (start - BEFORE_MS..end + MOST_REACTION_MS).contains(&at)
            }
        };
        self.challenge
            .steps()
            .iter()
            .any(|step| matches!(step.task, Task::Blink(_)) && is_near(step))
    }

    /// The steps with their real times, and the frames on the same clock.
    fn on_one_clock(&self) -> Result<(Vec<Asked>, Track, Allowance), Obstacle> {
        let steps = self.challenge.steps();
        match &self.timeline {
            Timeline::NotBegun => Err(Obstacle::NotBegun),
            &Timeline::Capture(began_us) => {
                let of = |step: &Step| Asked {
                    span_ms: step.span_ms(),
                    task: step.task,
                };
                let since = |seen: &Glimpse| {
                    Some(since_ms(i128::from(seen.captured_us), i128::from(began_us)))
                };
                let allowance = Allowance {
                    lag_ms: MOST_LAG_MS,
                    reaction_ms: MOST_REACTION_MS,
                };
                Ok((
                    steps.iter().map(of).collect(),
                    Track::of(&self.seen, since),
                    allowance,
                ))
            }
            Timeline::Host(given) if given.len() < steps.len() => Err(Obstacle::CutShort),
            Timeline::Host(given) => {
                let first = given.first().map_or(0, |&us| i128::from(us));
                let of = |(step, &at): (&Step, &u64)| {
                    let start = since_ms(i128::from(at), first);
                    Asked {
                        span_ms: (start, start + i64::from(step.duration_ms)),
                        task: step.task,
                    }
                };
                // The least time from capture to arrival ties the two clocks together. A capture
                // that claims to be later than it was gains no more than a frame may be late.
                let transit = |seen: &Glimpse| {
                    Some(i128::from(seen.arrived_us?) - i128::from(seen.captured_us))
                };
                let least = self.seen.iter().filter_map(transit).min();
                let least = least.ok_or(Obstacle::CutShort)?;
                let is_late = |seen: &&Glimpse| {
                    transit(seen).is_none_or(|transit| transit > least + LATE_ARRIVAL_US)
                };
                if self.seen.iter().filter(is_late).count() * LATE_IN > self.seen.len() {
                    return Err(Obstacle::LateFrames);
                }
                let since = |seen: &Glimpse| {
                    let at = i128::from(seen.captured_us) + least;
                    (!is_late(&seen)).then(|| since_ms(at, first))
                };
                let allowance = Allowance {
                    lag_ms: MOST_LAG_MS + NETWORK_MS,
                    reaction_ms: MOST_REACTION_MS + NETWORK_MS,
                };
                Ok((
                    steps.iter().zip(given).map(of).collect(),
                    Track::of(&self.seen, since),
                    allowance,
                ))
            }
        }
    }

    pub(super) fn judge(&self) -> Assessed<ChallengeEvidence> {
        let (asked, track, allowance) = match self.on_one_clock() {
            Ok(all) => all,
            Err(obstacle) => return Assessed::NotPossible(obstacle),
        };
        let end_ms = asked.last().map_or(0, |step| step.span_ms.1);
        if track
            .at_ms
            .last()
            .is_none_or(|&last| last < end_ms - LAST_FRAME_MS)
        {
            return Assessed::NotPossible(Obstacle::CutShort);
        }
        if !track.is_in_order() {
            return Assessed::NotPossible(Obstacle::OutOfOrder);
        }
        let is_flash = |step: &&Asked| matches!(step.task, Task::Flash(_));
        let flashes: Vec<&Asked> = asked.iter().filter(is_flash).collect();
        let mut results = Vec::new();
        if !flashes.is_empty() {
            results.push(flash(&track, &flashes, allowance));
        }
        for step in &asked {
            match step.task {
                Task::Flash(_) => {}
                Task::HeadMove(direction) => {
                    results.push(head_move(&track, step, direction, allowance));
                }
                Task::Blink(times) => results.push(blink(&track, step, times, allowance)),
            }
        }
        let evidence = |(status, text)| ChallengeEvidence {
            status,
            entropy_bits: self.challenge.entropy_bits(),
            text,
        };
        let failed = |result: &&Judged| matches!(result, Ok((ChallengeStatus::Failed, _)));
        if let Some(Ok(failed)) = results.iter().find(failed) {
            return Assessed::Yes(evidence(failed.clone()));
        }
        let mut texts: Vec<String> = Vec::new();
        for result in results {
            match result {
                Ok((_, text)) if texts.contains(&text) => {}
                Ok((_, text)) => texts.push(text),
                Err(obstacle) => return Assessed::NotPossible(obstacle),
            }
        }
        Assessed::Yes(evidence((ChallengeStatus::Passed, texts.join("; "))))
    }

    /// How the frames were captured, as far as the answer proves it.
    pub(super) fn capture(&self, found: &Assessed<ChallengeEvidence>) -> CaptureLevel {
        let holds = found.yes().is_some_and(ChallengeEvidence::holds);
        match &self.timeline {
            Timeline::Host(_) if holds => CaptureLevel::HostTime,
            Timeline::Capture(_) if holds => CaptureLevel::Challenge,
            _ => CaptureLevel::None,
        }
    }
}

/// Passed or failed with a sentence, or why it cannot be told.
type Judged = Result<(ChallengeStatus, String), Obstacle>;

fn passed(text: impl Into<String>) -> Judged {
    Ok((ChallengeStatus::Passed, text.into()))
}

fn failed(text: impl Into<String>) -> Judged {
    Ok((ChallengeStatus::Failed, text.into()))
}

fn since_ms(at_us: i128, origin_us: i128) -> i64 {
    ((at_us - origin_us) / 1_000) as i64
}

/// One step with the time at which it was shown, in milliseconds since the first.
struct Asked {
    span_ms: (i64, i64),
    task: Task,
}

/// How late an answer may be.
#[derive(Clone, Copy)]
struct Allowance {
    lag_ms: i64,
    reaction_ms: i64,
}

/// The frames with a face, in milliseconds since the beginning.
struct Track {
    at_ms: Vec<i64>,
    readings: Vec<Reading>,
}

impl Track {
    /// Of the frames that have a time.
    fn of(seen: &[Glimpse], time: impl Fn(&Glimpse) -> Option<i64>) -> Track {
        let with_face = seen
            .iter()
            .filter_map(|seen| Some((time(seen)?, seen.face?)));
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
struct Screen<'a> {
    steps: &'a [&'a Asked],
    colours: Vec<[bool; 3]>,
}

impl Screen<'_> {
    /// The colour at a time, without its brightness; `None` before and after.
    fn at(&self, ms: i64) -> Option<[f32; 3]> {
        let shows = |(start, end): (i64, i64)| (start..end).contains(&ms);
        let i = self.steps.iter().position(|step| shows(step.span_ms))?;
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
fn flash(track: &Track, steps: &[&Asked], allowance: Allowance) -> Judged {
    let most_lag_ms = allowance.lag_ms;
    let colour = |step: &&Asked| match step.task {
        Task::Flash(colour) => Some(colour),
        Task::HeadMove(_) | Task::Blink(_) => None,
    };
    let colours = steps.iter().filter_map(colour).collect();
    let shown = Screen { steps, colours };
    let (first, last) = (
        steps[0].span_ms.0,
        steps.last().map_or(0, |step| step.span_ms.1),
    );
    let seen: Vec<(i64, Reading)> = track.between(first, last + most_lag_ms).collect();
    if seen.len() < 2 * steps.len() {
        return Err(Obstacle::TooFewFrames);
    }
    let around: Vec<(i64, Reading)> = track.between(first - LATE_MS, last + LATE_MS).collect();
    let skin = changes(&around, &seen, |reading| Some(reading.skin));
    let inside: Vec<[f32; 3]> = changes(&seen, &seen, |reading| Some(reading.skin))
        .into_iter()
        .map(|(_, change)| change)
        .collect();
    let response =
        (inside.iter().flatten().map(|v| v * v).sum::<f32>() / inside.len() as f32).sqrt();
    if response < LEAST_RESPONSE {
        return Err(Obstacle::TooLittleLight);
    }
    let lags = (LEAST_LAG_MS..=LATE_MS).step_by(20);
    let fit = |shown: &Screen<'_>, lag: i64| correlation(&pairs(&skin, shown, lag));
    let Some((lag, best)) = lags
        .map(|lag| (lag, fit(&shown, lag)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
    else {
        return Err(Obstacle::TooFewFrames);
    };
    if best < LEAST_CORRELATION {
        return failed(format!(
            "the colour of the face does not follow the flashes (correlation {best:.2})"
        ));
    }
    if lag > most_lag_ms {
        return failed(format!(
            "the face follows the flashes {lag} ms late; light takes {most_lag_ms} ms at most"
        ));
    }
    // Other sequences, made by shifting and exchanging the colours of this one.
    let others = alternatives(&shown.colours);
    let as_good = others.iter().filter(|colours| {
        let other = Screen {
            steps,
            colours: (*colours).clone(),
        };
        (LEAST_LAG_MS..=most_lag_ms)
            .step_by(40)
            .any(|lag| fit(&other, lag) >= best)
    });
    let chance = as_good.count() as f32 / others.len() as f32;
    if chance > MOST_CHANCE {
        return failed("the colour of the face follows other sequences as well as the one shown");
    }
    let background = changes(&around, &seen, |reading| reading.background);
    let follows = format!("the face reflects the flashes in time (correlation {best:.2}, {lag} ms");
    if 2 * background.len() < around.len() {
        return passed(format!("{follows} late; the background was not seen)"));
    }
    let share = slope(&pairs(&background, &shown, lag)) / slope(&pairs(&skin, &shown, lag));
    if share > MOST_BACKGROUND {
        return failed(format!(
            "what lies behind the head answers the flashes {share:.2} times as much as the face: \
             the picture was tinted as a whole"
        ));
    }
    passed(format!(
        "{follows} late, the background {share:.2} times as much)"
    ))
}

/// The relative change of a patch against its mean over `usual`, without brightness, in those
/// frames that show it.
fn changes(
    readings: &[(i64, Reading)],
    usual: &[(i64, Reading)],
    patch: impl Fn(&Reading) -> Option<[f32; 3]>,
) -> Vec<(i64, [f32; 3])> {
    let colours: Vec<[f32; 3]> = usual.iter().filter_map(|(_, r)| patch(r)).collect();
    let mean: [f32; 3] = std::array::from_fn(|c| {
        colours.iter().map(|colour| colour[c]).sum::<f32>() / colours.len().max(1) as f32
    });
    let change = |(at, reading): &(i64, Reading)| {
        let colour = patch(reading)?;
        let relative = std::array::from_fn(|c| colour[c] / mean[c].max(1.0) - 1.0);
        Some((*at, without_brightness(relative)))
    };
    readings.iter().filter_map(change).collect()
}

/// Every turn of the sequence with every exchange of the three channels, but for itself: at most
/// 6 x 9 - 1.
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

/// The change of a patch beside the colour shown `lag` ms before.
fn pairs(patch: &[(i64, [f32; 3])], shown: &Screen<'_>, lag: i64) -> Vec<([f32; 3], [f32; 3])> {
    patch
        .iter()
        .filter_map(|(at, change)| Some((*change, shown.at(at - lag)?)))
        .collect()
}

/// Sums over all channels and frames, each channel less its mean: of the products, of the squared
/// changes, and of the squared colours.
fn moments(pairs: &[([f32; 3], [f32; 3])]) -> [f32; 3] {
    let n = pairs.len().max(1) as f32;
    let (mut both, mut left, mut right) = (0.0f32, 0.0f32, 0.0f32);
    for c in 0..3 {
        let (mean_x, mean_y) = (
            pairs.iter().map(|p| p.0[c]).sum::<f32>() / n,
            pairs.iter().map(|p| p.1[c]).sum::<f32>() / n,
        );
        for (x, y) in pairs {
            let (dx, dy) = (x[c] - mean_x, y[c] - mean_y);
            both += dx * dy;
            left += dx * dx;
            right += dy * dy;
        }
    }
    [both, left, right]
}

/// Pearson's correlation; 0 where nothing changes.
fn correlation(pairs: &[([f32; 3], [f32; 3])]) -> f32 {
    let [both, left, right] = moments(pairs);
    if left > 0.0 && right > 0.0 {
        both / (left * right).sqrt()
    } else {
        0.0
    }
}

/// By how much a patch changes with the colour.
fn slope(pairs: &[([f32; 3], [f32; 3])]) -> f32 {
    let [both, _, right] = moments(pairs);
    both / right.max(f32::MIN_POSITIVE)
}

/// The head must go the way that is asked for within the step, and no other way before.
fn head_move(track: &Track, step: &Asked, asked: Direction, allowance: Allowance) -> Judged {
    let (start, end) = step.span_ms;
    // At rest before the first step; between steps the head comes back there.
    let rest: Vec<Reading> = track.between(-BEFORE_MS, 200).map(|(_, r)| r).collect();
    let rest = match rest.is_empty() {
        false => rest,
        true => track
            .between(start - BEFORE_MS, start + 200)
            .map(|(_, r)| r)
            .collect(),
    };
    let (Some(yaw), Some(pitch)) = (
        super::median(rest.iter().map(|reading| reading.yaw_deg)),
        super::median(rest.iter().map(|reading| reading.pitch_deg)),
    ) else {
        return Err(Obstacle::TooFewFrames);
    };
    // The person's own left is the right of a picture that is not mirrored.
    let towards = |reading: &Reading| {
        let (yaw, pitch) = (
            (reading.yaw_deg - yaw) / LEAST_YAW_DEG,
            (reading.pitch_deg - pitch) / LEAST_PITCH_DEG,
        );
        let direction = match (yaw.abs() >= pitch.abs(), yaw > 0.0, pitch > 0.0) {
            (true, true, _) => Direction::Left,
            (true, false, _) => Direction::Right,
            (false, _, true) => Direction::Down,
            (false, _, false) => Direction::Up,
        };
        (direction, yaw.abs().max(pitch.abs()))
    };
    let goes: Vec<(Direction, f32)> = track
        .between(start, end + allowance.reaction_ms)
        .map(|(_, reading)| towards(&reading))
        .collect();
    if goes.len() < 4 {
        return Err(Obstacle::TooFewFrames);
    }
    // What is held from the step before is no answer until the head has come back.
    let held = (goes[0].1 >= 1.0).then_some(goes[0].0);
    let is_held = |(direction, by): &&(Direction, f32)| {
        *by >= BACK && (*by < 1.0 || Some(*direction) == held)
    };
    let back = match held {
        Some(_) => goes.iter().take_while(is_held).count(),
        None => 0,
    };
    let first = goes[back..].iter().find(|(_, by)| *by >= 1.0);
    let what = |direction: Direction| match direction {
        Direction::Left => "turned to the left",
        Direction::Right => "turned to the right",
        Direction::Up => "raised",
        Direction::Down => "lowered",
    };
    match first {
        Some(&(first, _)) if first == asked => passed("the head moved as asked"),
        Some(&(first, _)) => failed(format!(
            "the head was to be {} and was {}",
            what(asked),
            what(first)
        )),
        None if held == Some(asked) => failed(format!(
            "the head was {} before it was asked to be, and did not come back",
            what(asked)
        )),
        None => failed(format!("the head was to be {} and was not", what(asked))),
    }
}

/// The eyes must shut as often as asked.
fn blink(track: &Track, step: &Asked, times: u8, allowance: Allowance) -> Judged {
    let (start, end) = step.span_ms;
    let openings = |from_ms, to_ms| {
        track
            .between(from_ms, to_ms)
            .filter_map(|(_, reading)| reading.lid_opening)
    };
    if track.between(start, end).next().is_some() && openings(start, end).next().is_none() {
        return Err(Obstacle::NoWeights);
    }
    let last = end + allowance.reaction_ms;
    let open = super::median(openings(start - BEFORE_MS, last)).unwrap_or(0.0);
    let seen = openings(start, end).count() as i64;
    if seen * 1_000 < LEAST_EYE_RATE * (end - start) || open <= 0.0 {
        return Err(Obstacle::TooFewFrames);
    }
    let (mut blinks, mut is_shut) = (0, false);
    for opening in openings(start, last) {
        blinks += usize::from(!is_shut && opening < SHUT * open);
        is_shut = opening < if is_shut { OPEN_AGAIN } else { SHUT } * open;
    }
    if blinks == usize::from(times) {
        passed(format!("the eyes shut {times} times as asked"))
    } else {
        failed(format!(
            "the eyes were to shut {times} times and shut {blinks} times"
        ))
    }
}
