//! The signals on drawn frames: a scene that moves, and what is done to it.

use super::challenge::{Challenge, Task};
use super::frame::{Colours, THUMB};
use super::fusion::Calibration;
use super::recorder::{Observation, Recorder};
use super::signals::SIGNALS;
use super::*;
use crate::embed::{Embedder, Features};
use crate::evidence::{
    Assessed, CaptureLevel, ChallengeKind, ChallengeStatus, Direction, Obstacle, Pose, RiskLevel,
    SignalName,
};
use crate::geometry::Point;
use crate::image::Pyramid;
use crate::{Image, ImageView, PixelFormat};

/// Numbers in -1..1, the same for the same seed (xorshift).
struct Noise(u64);

impl Noise {
    fn seeded(seed: u64) -> Noise {
        Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (((self.next() + 1.0) / 2.0) * limit as f32) as usize % limit
    }
}

const INTERVAL_US: u64 = 33_333;

/// A person who sways before a camera: a bright disc whose place wanders, with the camera's noise.
fn scene(seed: u64, count: usize) -> Vec<Frame> {
    let mut noise = Noise::seeded(seed);
    let (mut x, mut y, mut vx, mut vy) = (8.0f32, 8.0f32, 0.0f32, 0.0f32);
    (0..count)
        .map(|i| {
            vx = 0.9 * vx + 0.06 * noise.next() - 0.01 * (x - 8.0);
            vy = 0.9 * vy + 0.06 * noise.next() - 0.01 * (y - 8.0);
            (x, y) = (x + vx, y + vy);
            let value = |j: usize, noise: &mut Noise| {
                let (dx, dy) = ((j % THUMB) as f32 - x, (j / THUMB) as f32 - y);
                60.0 + 120.0 / (1.0 + 0.1 * (dx * dx + dy * dy)) + 0.1 * noise.next()
            };
            frame(
                i,
                (0..THUMB * THUMB).map(|j| value(j, &mut noise)).collect(),
                1 + seed * 100_000 + i as u64,
            )
        })
        .collect()
}

fn frame(i: usize, thumb: Vec<f32>, digest: u64) -> Frame {
    Frame {
        timestamp_us: i as u64 * INTERVAL_US,
        size: (640, 480),
        digest,
        thumb,
        face: None,
        features: None,
        texture: None,
        detail: None,
        blockiness: None,
    }
}

/// Shows the frames of `order` in turn, on an even clock.
fn shown(frames: &[Frame], order: &[usize]) -> Vec<Frame> {
    order
        .iter()
        .enumerate()
        .map(|(i, &from)| frame(i, frames[from].thumb.clone(), frames[from].digest))
        .collect()
}

fn value(frames: &[Frame], name: SignalName) -> f32 {
    let all: Vec<&Frame> = frames.iter().collect();
    let spec = SIGNALS.iter().find(|spec| spec.name == name).unwrap();
    (spec.measure)(&all).unwrap()
}

const ORDER: [(SignalName, f32); 5] = [
    (SignalName::FrozenFrames, 0.3),
    (SignalName::RepeatedFrames, 0.1),
    (SignalName::DoubledFrames, 0.05),
    (SignalName::LoopedFrames, 0.8),
    (SignalName::ReversedFrames, 0.8),
];

#[test]
fn a_camera_repeats_nothing() {
    for seed in 0..30 {
        for (name, limit) in ORDER {
            let found = value(&scene(seed, 120), name);
            assert!(found < 0.6 * limit, "{name:?} of seed {seed}: {found}");
        }
    }
}

#[test]
fn frozen_doubled_looped_and_reversed_runs_are_found_in_every_case() {
    for seed in 0..25 {
        let (frames, mut draw) = (scene(seed, 120), Noise::seeded(seed + 1_000));
        let (start, length) = (draw.below(60), 12 + draw.below(30));
        let every = 3 + draw.below(5);
        let doubled: Vec<usize> = (0..120)
            .map(|i| if i > 0 && i % every == 0 { i - 1 } else { i })
            .collect();
        let orders: [Vec<usize>; 5] = [
            (0..120)
                .map(|i| {
                    if (start..start + length).contains(&i) {
                        start
                    } else {
                        i
                    }
                })
                .collect(),
            doubled.clone(),
            doubled,
            (0..start + length).chain(start..start + length).collect(),
            (0..start + length)
                .chain((start..start + length - 1).rev())
                .collect(),
        ];
        for ((name, limit), order) in ORDER.iter().zip(&orders) {
            let found = value(&shown(&frames, order), *name);
            assert!(found >= *limit, "{name:?} of seed {seed}: {found}");
        }
    }
}

#[test]
fn an_encoder_that_doubles_frames_to_reach_a_rate_loses_none() {
    let order: Vec<usize> = (0..120).map(|i| i * 4 / 5).collect();
    let frames = shown(&scene(3, 120), &order);
    assert!(value(&frames, SignalName::DoubledFrames) < 0.03);
    assert_eq!(value(&frames, SignalName::RepeatedFrames), 24.0 / 119.0);
}

#[test]
fn frames_that_differ_in_one_pixel_are_no_repeats() {
    let mut frames = shown(&scene(3, 120), &(0..120).map(|i| i / 2).collect::<Vec<_>>());
    assert_eq!(value(&frames, SignalName::RepeatedFrames), 60.0 / 119.0);
    frames
        .iter_mut()
        .enumerate()
        .for_each(|(i, frame)| frame.digest = i as u64);
    assert_eq!(value(&frames, SignalName::RepeatedFrames), 0.0);
}

#[test]
fn a_scene_that_lies_still_is_no_loop() {
    let mut noise = Noise::seeded(5);
    let still: Vec<Frame> = (0..120)
        .map(|i| {
            frame(
                i,
                (0..THUMB * THUMB)
                    .map(|_| 90.0 + 0.1 * noise.next())
                    .collect(),
                i as u64 + 1,
            )
        })
        .collect();
    for (name, limit) in ORDER {
        assert!(value(&still, name) < 0.5 * limit, "{name:?}");
    }
}

#[test]
fn clocks_that_no_camera_has_are_told_apart() {
    let clock = |at: &dyn Fn(u64) -> u64, name: SignalName| {
        let mut frames = scene(1, 60);
        frames
            .iter_mut()
            .enumerate()
            .for_each(|(i, frame)| frame.timestamp_us = at(i as u64));
        value(&frames, name)
    };
    let camera = |i: u64| i * INTERVAL_US + (i * 7919) % 1_500;
    for name in [
        SignalName::TimestampOrder,
        SignalName::TimestampHaste,
        SignalName::TimestampDrift,
    ] {
        assert!(clock(&camera, name) < 0.1, "{name:?}");
    }
    assert!(clock(&|i| i / 3 * INTERVAL_US, SignalName::TimestampOrder) > 0.6);
    assert!(
        clock(
            &|i| if i % 10 == 9 {
                (i - 4) * INTERVAL_US
            } else {
                i * INTERVAL_US
            },
            SignalName::TimestampOrder
        ) > 0.05
    );
    assert!(clock(&|_| u64::MAX, SignalName::TimestampOrder) > 0.9);
    assert!(
        clock(
            &|i| if i % 2 == 0 { 0 } else { u64::MAX },
            SignalName::TimestampOrder
        ) > 0.4
    );
    assert!(
        clock(
            &|i| i / 8 * 8 * INTERVAL_US + i % 8 * 200,
            SignalName::TimestampHaste
        ) > 0.8
    );
    assert!(clock(&|i| i * 1_600, SignalName::TimestampHaste) > 0.9);
    assert!(clock(&|i| (i * 60_000) - i * i * 400, SignalName::TimestampDrift) > 1.0);
}

fn person(seed: u64, noise: &mut Noise, spread: f32) -> Features {
    let mut base = Noise::seeded(seed);
    let mut values: Vec<f32> = (0..192)
        .map(|_| base.next() + spread * noise.next())
        .collect();
    let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
    values.iter_mut().for_each(|v| *v /= norm);
    Features {
        embedder: Embedder {
            id: super::IDENTITY.into(),
            dimension: values.len(),
            fingerprint: [0; 16],
            kernels: vultus_nn::kernel::Kernels::best(),
        },
        values: values.into(),
    }
}

fn face(colours: Colours, [yaw_deg, pitch_deg]: [f32; 2], eye_opening: f32) -> FaceTrace {
    let pose = Pose {
        yaw_deg,
        pitch_deg,
        roll_deg: 0.0,
    };
    FaceTrace {
        points: vec![Point::default(); 71],
        inter_eye_px: 60.0,
        pose,
        pose_gap_deg: [0.0; 2],
        eye_opening,
        lid_opening: Some(eye_opening),
        colours,
    }
}

#[test]
fn two_people_in_turn_are_an_identity_switch() {
    let mut noise = Noise::seeded(9);
    let capture = |who: &dyn Fn(usize) -> u64, noise: &mut Noise| {
        let mut frames = scene(2, 60);
        for (i, frame) in frames.iter_mut().enumerate() {
            frame.face = Some(face(Colours::default(), [0.0; 2], 0.3));
            frame.features = (i % 6 == 0).then(|| person(who(i), noise, 0.5));
        }
        value(&frames, SignalName::IdentitySwitch)
    };
    assert!(capture(&|_| 1, &mut noise) < 0.25);
    assert!(capture(&|i| if i < 30 { 1 } else { 2 }, &mut noise) > 0.5);
    assert!(capture(&|i| if i < 44 { 1 } else { 2 }, &mut noise) > 0.5);
}

#[test]
fn seams_of_the_stream_are_seen() {
    let mut frames = scene(4, 60);
    assert_eq!(value(&frames, SignalName::FrameSizeChanges), 0.0);
    let whole = value(&frames, SignalName::SceneCut);
    frames[30..]
        .iter_mut()
        .for_each(|frame| frame.size = (480, 640));
    assert_eq!(value(&frames, SignalName::FrameSizeChanges), 1.0);
    frames[30..]
        .iter_mut()
        .for_each(|frame| frame.thumb.iter_mut().for_each(|v| *v = 255.0 - *v));
    assert!(value(&frames, SignalName::SceneCut) > 4.0 * whole);
}

/// The frames of a person before a screen that shows `played`, `lag_ms` late; skin reflects
/// `strength` of it. The challenge begins at one second.
fn before_screen(
    played: &Challenge,
    lag_ms: u64,
    strength: f32,
    rate: u64,
    seed: u64,
) -> Vec<Frame> {
    let mut noise = Noise::seeded(seed);
    let skin = [150.0, 110.0, 90.0];
    let count = (u64::from(played.duration_ms()) + 2_500) * rate / 1_000;
    let at = |i: u64, noise: &mut Noise| {
        let timestamp_us = i * 1_000_000 / rate;
        let ms = (timestamp_us / 1_000)
            .checked_sub(1_000 + lag_ms)
            .map(|ms| ms as u32);
        let step = played.steps().iter().find(|step| {
            ms.is_some_and(|ms| (step.start_ms..step.start_ms + step.duration_ms).contains(&ms))
        });
        let (mut colour, mut yaw_deg, mut pitch_deg, mut opening) = ([0.0; 3], 0.0, 0.0, 0.3);
        if let (Some(step), Some(ms)) = (step, ms) {
            let into = ms - step.start_ms;
            match step.task {
                Task::Flash(on) => colour = on.map(|on| if on { 1.0 } else { 0.0 }),
                Task::HeadMove(direction) if (400..step.duration_ms - 400).contains(&into) => {
                    match direction {
                        Direction::Left => yaw_deg = 25.0,
                        Direction::Right => yaw_deg = -25.0,
                        Direction::Up => pitch_deg = -18.0,
                        Direction::Down => pitch_deg = 18.0,
                    }
                }
                Task::Blink(times)
                    if into > 300
                        && into < 300 + 800 * u32::from(times)
                        && (into - 300) % 800 < 250 =>
                {
                    opening = 0.12
                }
                _ => {}
            }
        }
        let exposure = 1.0 + 0.01 * noise.next();
        let seen: [f32; 3] = std::array::from_fn(|c| {
            skin[c] * exposure * (1.0 + strength * colour[c] + 0.002 * noise.next())
        });
        // A wall at twice the distance gets a quarter of the screen's light.
        let wall = std::array::from_fn(|c| {
            120.0 * exposure * (1.0 + 0.25 * strength * colour[c] + 0.002 * noise.next())
        });
        let colours = Colours {
            forehead: seen,
            cheeks: seen,
            beside: Some(wall),
            ..Colours::default()
        };
        let mut frame = frame(0, vec![0.0; THUMB * THUMB], i);
        frame.timestamp_us = timestamp_us;
        frame.face = Some(face(
            colours,
            [yaw_deg + 0.5 * noise.next(), pitch_deg + 0.5 * noise.next()],
            opening + 0.01 * noise.next(),
        ));
        frame
    };
    (0..count).map(|i| at(i, &mut noise)).collect()
}

/// How it went; why it cannot be told where it cannot.
fn answered(asked: &Challenge, frames: &[Frame]) -> Result<ChallengeStatus, Obstacle> {
    let mut answer = answer::ChallengeTrack::of(asked.clone());
    for (i, frame) in frames.iter().enumerate() {
        if i > 0 && frames[i - 1].timestamp_us < 1_000_000 && frame.timestamp_us >= 1_000_000 {
            answer.begin(1_000_000).unwrap();
        }
        answer.see(frame, None);
    }
    match answer.judge() {
        Assessed::Yes(found) => Ok(found.status),
        Assessed::NotPossible(obstacle) => Err(obstacle),
        Assessed::NotAsked => panic!("a challenge was asked"),
    }
}

fn nonce(n: u8) -> [u8; 16] {
    std::array::from_fn(|i| n.wrapping_mul(31).wrapping_add(i as u8))
}

fn flashes(n: u8) -> Challenge {
    Challenge::new(&nonce(n), &[ChallengeKind::Flash]).unwrap()
}

#[test]
fn the_right_flashes_in_time_pass_at_any_frame_rate() {
    for n in 0..20 {
        for rate in [8, 15, 30, 60] {
            let status = answered(
                &flashes(n),
                &before_screen(&flashes(n), 80, 0.05, rate, n.into()),
            );
            assert_eq!(
                status,
                Ok(ChallengeStatus::Passed),
                "nonce {n} at {rate} frames a second"
            );
        }
    }
}

#[test]
fn wrong_delayed_and_replayed_flashes_fail() {
    let replayed = |n: u8| {
        answered(
            &flashes(n),
            &before_screen(&flashes(n + 100), 80, 0.05, 30, n.into()),
        )
    };
    let passed = (0..100)
        .filter(|&n| replayed(n) != Ok(ChallengeStatus::Failed))
        .count();
    assert!(
        passed <= 1,
        "{passed} of 100 answers to another nonce did not fail"
    );
    for n in 0..20 {
        let asked = flashes(n);
        for lag in [500, 800, 1_200] {
            let delayed = answered(&asked, &before_screen(&asked, lag, 0.05, 30, n.into()));
            assert_eq!(
                delayed,
                Ok(ChallengeStatus::Failed),
                "nonce {n}: {lag} ms late"
            );
        }
        let dark = answered(&asked, &before_screen(&asked, 80, 0.0, 30, n.into()));
        assert_eq!(
            dark,
            Err(Obstacle::TooLittleLight),
            "nonce {n}: no light of the screen on the face"
        );
    }
}

#[test]
fn turns_and_blinks_are_followed_and_others_fail() {
    for kind in [ChallengeKind::HeadTurn, ChallengeKind::Blink] {
        let (mut passed, mut failed) = (0, 0);
        for n in 0..20 {
            let of = |n: u8| Challenge::new(&nonce(n), &[kind]).unwrap();
            assert_eq!(
                answered(&of(n), &before_screen(&of(n), 100, 0.0, 30, n.into())),
                Ok(ChallengeStatus::Passed),
                "{kind:?} {n}"
            );
            passed += 1;
            if of(n).steps() != of(n + 50).steps() {
                assert_eq!(
                    answered(&of(n), &before_screen(&of(n + 50), 100, 0.0, 30, n.into())),
                    Ok(ChallengeStatus::Failed),
                    "{kind:?} {n}"
                );
                failed += 1;
            }
        }
        assert!(passed == 20 && failed > 3, "{kind:?}: {passed} {failed}");
    }
}

fn blinks(n: u8) -> Challenge {
    Challenge::new(&nonce(n), &[ChallengeKind::Blink]).unwrap()
}

#[test]
fn eyes_that_stay_open_blink_late_or_hover_fail() {
    for n in 0..20 {
        let asked = blinks(n);
        let with = |change: &dyn Fn(usize, &mut FaceTrace)| {
            let mut frames = before_screen(&asked, 100, 0.0, 30, n.into());
            frames
                .iter_mut()
                .enumerate()
                .for_each(|(i, frame)| change(i, frame.face.as_mut().unwrap()));
            answered(&asked, &frames)
        };
        assert_eq!(with(&|_, _| {}), Ok(ChallengeStatus::Passed), "nonce {n}");
        assert_eq!(
            with(&|_, face| face.lid_opening = Some(0.3)),
            Ok(ChallengeStatus::Failed),
            "nonce {n}: a still"
        );
        assert_eq!(
            with(&|_, face| face.lid_opening = Some(0.12)),
            Ok(ChallengeStatus::Failed),
            "nonce {n}: shut all the time"
        );
        // A lid that trembles at the threshold shuts once.
        let trembling = |i: usize, face: &mut FaceTrace| {
            let opening = face.lid_opening.unwrap();
            face.lid_opening = Some(if opening < 0.2 {
                0.19 + 0.02 * (i % 2) as f32
            } else {
                opening
            });
        };
        assert_eq!(
            with(&trembling),
            Ok(ChallengeStatus::Passed),
            "nonce {n}: trembling lids"
        );
        let late = answered(&asked, &before_screen(&asked, 3_700, 0.0, 30, n.into()));
        assert_eq!(
            late,
            Ok(ChallengeStatus::Failed),
            "nonce {n}: after the time of the step"
        );
    }
}

#[test]
fn blinks_that_cannot_be_seen_are_not_assessable() {
    let asked = blinks(3);
    let mut without = before_screen(&asked, 100, 0.0, 30, 3);
    without
        .iter_mut()
        .for_each(|frame| frame.face.as_mut().unwrap().lid_opening = None);
    assert_eq!(
        answered(&asked, &without),
        Err(Obstacle::NoWeights),
        "no network of the eyes"
    );
    assert_eq!(
        answered(&asked, &before_screen(&asked, 100, 0.0, 6, 3)),
        Err(Obstacle::TooFewFrames),
        "too few frames a second"
    );
    assert_eq!(
        answered(&asked, &before_screen(&asked, 100, 0.0, 10, 3)),
        Ok(ChallengeStatus::Passed),
        "enough of them"
    );
}

#[test]
fn the_eyes_are_looked_at_where_a_blink_is_asked_for() {
    let at = |kinds: &[ChallengeKind], began_us: Option<u64>, at_us: u64| {
        let mut answer = answer::ChallengeTrack::of(Challenge::new(&nonce(1), kinds).unwrap());
        began_us.iter().for_each(|&us| answer.begin(us).unwrap());
        answer.wants_eyes(at_us)
    };
    let both = [ChallengeKind::HeadTurn, ChallengeKind::Blink];
    assert!(!at(&both[..1], None, 0) && !at(&both[..1], Some(0), 2_500_000));
    assert!(at(&both, None, 0) && at(&both, Some(0), 2_500_000));
    assert!(!at(&both, Some(0), 900_000) && !at(&both, Some(0), 5_700_000));
}

#[test]
fn moves_of_the_head_pass_in_their_order_alone() {
    let of = |n: u8| Challenge::new(&nonce(n), &[ChallengeKind::HeadMoves]).unwrap();
    for n in 0..30 {
        for rate in [8, 30] {
            for lag in [0, 100, 500] {
                assert_eq!(
                    answered(&of(n), &before_screen(&of(n), lag, 0.0, rate, n.into())),
                    Ok(ChallengeStatus::Passed),
                    "nonce {n}, {rate} frames a second, {lag} ms"
                );
            }
        }
        let others = (0..30).filter(|&m| of(m).steps() != of(n).steps());
        for m in others {
            assert_eq!(
                answered(&of(n), &before_screen(&of(m), 100, 0.0, 30, n.into())),
                Ok(ChallengeStatus::Failed),
                "nonce {n} answered by that of {m}"
            );
        }
        let late = answered(&of(n), &before_screen(&of(n), 1_800, 0.0, 30, n.into()));
        assert_eq!(late, Ok(ChallengeStatus::Failed), "nonce {n}");
    }
}

/// How the host's frames arrive: from capture to host in ms, of the frame at that index.
type Transit<'a> = &'a dyn Fn(usize) -> u64;

/// The host gives out each step when it asks, 40 ms apart; the person sees it `down_ms` later. The
/// clock of the capture is `ahead_ms` ahead of the host's.
fn on_host_time(
    asked: &Challenge,
    down_ms: u64,
    transit: Transit<'_>,
    change: impl Fn(&mut Frame),
) -> (
    answer::ChallengeTrack,
    Assessed<crate::evidence::ChallengeEvidence>,
) {
    const AHEAD_US: u64 = 77_000_000;
    let mut answer = answer::ChallengeTrack::of(asked.clone());
    let mut arrivals: Vec<(u64, Frame)> = before_screen(asked, 80 + down_ms, 0.05, 30, 5)
        .into_iter()
        .enumerate()
        .map(|(i, mut frame)| {
            let arrived_us = frame.timestamp_us + transit(i) * 1_000;
            frame.timestamp_us += AHEAD_US;
            change(&mut frame);
            (arrived_us, frame)
        })
        .collect();
    // In the order in which they were sent.
    for i in 1..arrivals.len() {
        arrivals[i].0 = arrivals[i].0.max(arrivals[i - 1].0);
    }
    let mut ask_us = Some(1_000_000);
    for (arrived_us, frame) in &arrivals {
        while let Some(at_us) = ask_us.filter(|at_us| at_us <= arrived_us) {
            let next = answer.next_step(at_us).unwrap();
            ask_us = (!next.is_over).then(|| at_us + u64::from(next.wait_ms) * 1_000);
        }
        answer.see(frame, Some(*arrived_us));
    }
    let found = answer.judge();
    (answer, found)
}

#[test]
fn on_host_time_an_answer_in_time_passes_and_no_other() {
    let kinds = [
        vec![ChallengeKind::Flash],
        vec![ChallengeKind::HeadMoves],
        vec![ChallengeKind::HeadTurn, ChallengeKind::Blink],
    ];
    for (kinds, level) in kinds.iter().zip([
        CaptureLevel::HostTime,
        CaptureLevel::HostTime,
        CaptureLevel::None,
    ]) {
        for n in 0..10 {
            let asked = Challenge::new(&nonce(n), kinds).unwrap();
            let jitter = |i: usize| 60 + (i as u64 * 37) % 90;
            let (track, found) = on_host_time(&asked, 50, &jitter, |_| {});
            let status = found.yes().map(|found| found.status);
            assert_eq!(
                status,
                Some(ChallengeStatus::Passed),
                "{kinds:?} {n} {found:?}"
            );
            assert_eq!(track.capture(&found), level, "{kinds:?}");
        }
    }
    let asked = flashes(3);
    // All frames come late by the same time, as of a stream that is made elsewhere.
    for late in [700, 1_200] {
        let (track, found) = on_host_time(&asked, late, &|_| 60, |_| {});
        let status = found.yes().map(|found| found.status);
        assert_eq!(status, Some(ChallengeStatus::Failed), "{late} ms");
        assert_eq!(track.capture(&found), CaptureLevel::None);
    }
    // The same, with times of capture that claim to be in time.
    let (_, found) = on_host_time(&asked, 1_200, &|_| 60, |frame| {
        frame.timestamp_us -= 1_200_000
    });
    let status = found.yes().map(|found| found.status);
    assert_eq!(
        status,
        Some(ChallengeStatus::Failed),
        "times that are made up"
    );
    // The first frames come at once, the rest when there was time to make them.
    let held_back = |i: usize| if i < 40 { 60 } else { 1_300 };
    let (_, found) = on_host_time(&asked, 50, &held_back, |_| {});
    assert_eq!(found, Assessed::NotPossible(Obstacle::LateFrames));
}

#[test]
fn steps_are_given_out_when_they_are_due_and_not_before() {
    let asked = flashes(1);
    let mut answer = answer::ChallengeTrack::of(asked.clone());
    let first = answer.next_step(5_000_000).unwrap();
    assert_eq!(first.step, Some(asked.steps()[0]));
    let early = answer.next_step(5_300_000).unwrap();
    assert_eq!(
        (early.step, early.wait_ms, early.is_over),
        (None, 100, false)
    );
    // Asked late, the second step moves the third.
    let second = answer.next_step(5_900_000).unwrap();
    assert_eq!(second.step, Some(asked.steps()[1]));
    assert_eq!(answer.next_step(6_200_000).unwrap().wait_ms, 100);
    let back = answer.next_step(5_000_000).unwrap_err();
    assert_eq!(back.kind(), crate::Kind::Usage);
    let mut at_us = 6_300_000;
    for step in &asked.steps()[2..] {
        assert_eq!(answer.judge(), Assessed::NotPossible(Obstacle::CutShort));
        assert_eq!(answer.next_step(at_us).unwrap().step, Some(*step));
        at_us += 400_000;
    }
    let rest = answer.next_step(at_us).unwrap();
    assert_eq!((rest.step, rest.wait_ms, rest.is_over), (None, 900, false));
    let end = answer.next_step(at_us + 900_000).unwrap();
    assert_eq!((end.step, end.wait_ms, end.is_over), (None, 0, true));
    assert!(answer.begin(1).is_err());
    let mut other = answer::ChallengeTrack::of(asked);
    other.begin(1).unwrap();
    assert_eq!(other.next_step(2).unwrap_err().kind(), crate::Kind::Usage);
}

#[test]
fn a_tint_of_the_whole_picture_fails_and_an_unseen_background_is_told() {
    for n in 0..20 {
        let asked = flashes(n);
        let mut frames = before_screen(&asked, 80, 0.05, 30, n.into());
        let text = |frames: &[Frame]| {
            let mut answer = answer::ChallengeTrack::of(asked.clone());
            answer.begin(1_000_000).unwrap();
            frames.iter().for_each(|frame| answer.see(frame, None));
            let found = answer.judge();
            let found = found.yes().unwrap();
            (found.status, found.text.clone())
        };
        assert_eq!(text(&frames).0, ChallengeStatus::Passed, "nonce {n}");
        for frame in &mut frames {
            let colours = &mut frame.face.as_mut().unwrap().colours;
            colours.beside = None;
        }
        let (status, why) = text(&frames);
        assert_eq!(status, ChallengeStatus::Passed, "nonce {n}");
        assert!(why.contains("the background was not seen"), "{why}");
        for frame in &mut frames {
            let colours = &mut frame.face.as_mut().unwrap().colours;
            colours.beside = Some(colours.cheeks.map(|v| 0.6 * v));
        }
        let (status, why) = text(&frames);
        assert_eq!(status, ChallengeStatus::Failed, "nonce {n}");
        assert!(why.contains("tinted as a whole"), "{why}");
    }
}

#[test]
fn a_challenge_that_was_not_seen_whole_is_not_assessable() {
    let asked =
        Challenge::new(&nonce(1), &[ChallengeKind::Flash, ChallengeKind::HeadTurn]).unwrap();
    let frames = before_screen(&asked, 80, 0.05, 30, 1);
    assert_eq!(answered(&asked, &frames), Ok(ChallengeStatus::Passed));
    assert_eq!(
        answered(&asked, &frames[..100]),
        Err(Obstacle::CutShort),
        "cut short"
    );
    assert_eq!(
        answered(&asked, &[]),
        Err(Obstacle::NotBegun),
        "never begun"
    );
    let mut backwards = before_screen(&asked, 80, 0.05, 30, 1);
    backwards[60..]
        .iter_mut()
        .for_each(|frame| frame.timestamp_us -= 500_000);
    assert_eq!(
        answered(&asked, &backwards),
        Err(Obstacle::OutOfOrder),
        "timestamps out of order"
    );
    let mut blind = before_screen(&asked, 80, 0.05, 30, 1);
    blind.iter_mut().for_each(|frame| frame.face = None);
    assert_eq!(answered(&asked, &blind), Err(Obstacle::CutShort), "no face");
}

fn picture(side: u32, value: u8) -> Image {
    let data = vec![value; (side * side) as usize];
    Image::from_view(&ImageView::new(&data, side, side, side as usize, PixelFormat::Grey8).unwrap())
}

/// Shows the recorder frame `i`, even grey and without a face.
fn push(recorder: &mut Recorder, i: u64, value: u8) {
    let (image, timestamp_us) = (picture(40, value), i * INTERVAL_US);
    recorder.push(Observation {
        arrived_us: None,
        pyramid: &Pyramid::new(vultus_nn::kernel::Kernels::best(), &image),
        timestamp_us,
        face: None,
        features: None,
        eye_openings: None,
    });
}

fn recorded(count: u64, challenge: Option<Challenge>) -> Recorder {
    let mut recorder = Recorder::new(challenge);
    for i in 0..count {
        push(&mut recorder, i, (i % 251) as u8);
    }
    recorder
}

#[test]
fn memory_is_bounded_and_what_is_forgotten_still_counts() {
    let mut recorder = recorded(10, None);
    for i in 10..5_000u64 {
        let still = i < 200;
        push(&mut recorder, i, if still { 7 } else { (i % 251) as u8 });
    }
    assert!(recorder.kept() <= 1_024);
    let evidence = recorder.evidence(&Calibration::default());
    assert_eq!(
        (evidence.frames, evidence.duration_ms),
        (5_000, 4_999 * INTERVAL_US / 1_000)
    );
    assert!(
        evidence
            .signal(SignalName::FrozenFrames)
            .unwrap()
            .value
            .unwrap()
            > 5.0
    );
}

#[test]
fn no_frames_and_one_frame_are_not_assessed() {
    for count in [0, 1] {
        let found = recorded(count, None).evidence(&usual());
        assert_eq!((found.risk, found.frames), (None, count as u32));
        for channel in [found.deepfake, found.injection] {
            let few = Assessed::NotPossible(Obstacle::TooFewFrames);
            assert_eq!(channel.finding, few);
        }
        assert_eq!(found.challenge, Assessed::NotAsked);
    }
    assert!(RiskLevel::Low < RiskLevel::High);
}

#[test]
fn frames_without_a_face_tell_of_nobody() {
    for value in [|i: u64| (i % 251) as u8, |_: u64| 0] {
        let mut recorder = Recorder::new(None);
        (0..60).for_each(|i| push(&mut recorder, i, value(i)));
        let found = recorder.evidence(&usual());
        assert_eq!((found.risk, found.frames), (None, 60));
        let nobody = Assessed::NotPossible(Obstacle::NoFace);
        assert_eq!(
            (found.deepfake.finding, found.injection.finding),
            (nobody, nobody)
        );
    }
}

/// A calibration in which every value of a camera is usual.
fn usual() -> Calibration {
    let points = serde_json::json!([[0, 0.0], [50, 0.5], [95, 10.0], [100, 100.0]]);
    let signals: serde_json::Map<String, serde_json::Value> = SIGNALS
        .iter()
        .map(|spec| (spec.name.name().to_owned(), points.clone()))
        .collect();
    Calibration::read(&serde_json::json!({ "sequence": { "signals": signals } })).unwrap()
}

/// What frames of a person tell; their clock, thumbnails and digests are those of `frames`.
fn told(frames: Vec<Frame>) -> crate::evidence::SequenceEvidence {
    let mut recorder = Recorder::new(None);
    let mut noise = Noise::seeded(9);
    for (i, mut frame) in frames.into_iter().enumerate() {
        frame.face = Some(face(Colours::default(), [0.0; 2], 0.3));
        frame.features = (i % 6 == 0).then(|| person(1, &mut noise, 0.1));
        recorder.take(frame, None);
    }
    recorder.evidence(&usual())
}

#[test]
fn a_camera_is_assessed_in_both_channels() {
    let found = told(scene(1, 60));
    assert_eq!(
        (found.risk, found.distinct_frames),
        (Some(RiskLevel::Low), 60)
    );
    for channel in [found.deepfake, found.injection] {
        assert!(channel.coverage.assessed > 0.5 * channel.coverage.of);
    }
    // Nothing was measured of these channels, so that nothing is unusual is no support.
    let text = "nothing unusual was seen in 60 frames, which says little";
    assert!(found.text.starts_with(text), "{}", found.text);
}

/// Copies to the pixel, copies with the noise of another coding, and two pictures in turn.
#[test]
fn copies_of_a_still_are_never_of_low_risk() {
    let frames = scene(1, 30);
    for count in 1..=20 {
        let exact = shown(&frames, &vec![3; count]);
        let mut coded = shown(&frames, &vec![3; count]);
        for (i, frame) in coded.iter_mut().enumerate() {
            frame.digest = i as u64;
            frame.thumb[i] += 0.5;
        }
        let turns: Vec<usize> = (0..count)
            .map(|i| if i % 2 == 0 { 3 } else { 20 })
            .collect();
        let turns = shown(&frames, &turns);
        let mut stopped = shown(&frames, &vec![3; count]);
        stopped.iter_mut().for_each(|frame| frame.timestamp_us = 7);
        for (frames, different) in [(exact, 1), (coded, 1), (turns, 2.min(count)), (stopped, 1)] {
            let found = told(frames);
            assert_eq!(found.distinct_frames as usize, different, "{count}");
            assert_ne!(
                found.risk,
                Some(RiskLevel::Low),
                "{count} copies: {}",
                found.text
            );
            assert_eq!(
                found.deepfake.finding.yes(),
                None,
                "{count} copies: {}",
                found.text
            );
        }
    }
}

#[test]
fn a_challenge_begins_once() {
    let mut recorder = recorded(3, Some(flashes(1)));
    recorder.begin_challenge(5).unwrap();
    assert!(
        recorder
            .begin_challenge(6)
            .unwrap_err()
            .to_string()
            .contains("begun already")
    );
    assert!(
        recorded(3, None)
            .begin_challenge(5)
            .unwrap_err()
            .to_string()
            .contains("no challenge")
    );
}
