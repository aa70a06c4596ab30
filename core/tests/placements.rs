//! Selfies from every distance, anywhere in the frame, before drawn backgrounds: the right person
//! is never rejected. The portraits are those of `make photos`, and two more where the evaluation
//! data lie beside the checkout. `VULTUS_PLACEMENTS=2000` tries more than the default.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod scene;

use scene::{Random, background, paste, raw, scaled};
use std::path::{Path, PathBuf};
use vultus::{
    Effect, Engine, EngineOptions, Face, Image, Limits, Outcome, PadRule, Policy, RiskRule, Role,
    Template,
};

const SIZES: [(usize, usize); 3] = [(480, 640), (720, 1080), (1920, 1080)];

/// A person's picture, where the face is in it, and another picture of the same person enrolled,
/// or the same one where there is no other.
struct Portrait {
    image: Image,
    face: Face,
    reference: Template,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn load(path: &Path) -> Image {
    let bytes = std::fs::read(path)
        .unwrap_or_else(|e| panic!("{}: {e}; `make photos` fetches it", path.display()));
    Image::decode(&bytes, &Limits::default()).unwrap()
}

fn portraits(engine: &Engine) -> Vec<Portrait> {
    let (photos, more) = (
        root().join("build/photos"),
        root().join("../shared/datasets/pad_real/td_real"),
    );
    let pairs = [
        (photos.join("obama2.jpg"), photos.join("obama.jpg")),
        (photos.join("obama.jpg"), photos.join("obama2.jpg")),
        (photos.join("biden.jpg"), photos.join("biden.jpg")),
        (
            more.join("4be3130c_live_selfie.jpg"),
            more.join("4be3130c_live_selfie.jpg"),
        ),
        (
            more.join("675b9eb3_live_selfie.jpg"),
            more.join("675b9eb3_live_selfie.jpg"),
        ),
    ];
    let there = pairs
        .iter()
        .filter(|(path, _)| !path.starts_with(&more) || path.exists());
    there
        .map(|(path, reference)| {
            let image = load(path);
            let face = engine.examine(&image, Role::Selfie).unwrap().face.unwrap();
            let enrolment = engine.enrol(&load(reference), Role::Document).unwrap();
            Portrait {
                image,
                face,
                reference: enrolment.template.unwrap(),
            }
        })
        .collect()
}

/// Draws where the face is: of 40 pixels to 60 % of the frame wide, wholly inside.
fn place(
    portrait: &Portrait,
    (width, height): (usize, usize),
    random: &mut Random,
) -> (Image, f32) {
    let bounds = portrait.face.bounds;
    let most = bounds.width.min(0.6 * width.min(height) as f32);
    let scale = 40.0 * (most / 40.0).powf(random.share()) / bounds.width;
    let (wide, tall) = (bounds.width * scale, bounds.height * scale);
    let x = random.between(0.1 * wide, width as f32 - 1.1 * wide);
    let y = random.between(0.35 * tall, height as f32 - 1.05 * tall);
    let mut rgb = background(width, height, random);
    let corner = [x - bounds.x * scale, y - bounds.y * scale].map(|v| v.round() as isize);
    let small = scaled(&portrait.image, scale);
    paste(&mut rgb, width, height, &small, corner[0], corner[1]);
    (raw(&rgb, width, height), portrait.face.inter_eye_px * scale)
}

#[test]
fn the_right_person_is_never_rejected_from_any_distance() {
    let count = std::env::var("VULTUS_PLACEMENTS").map_or(240, |n| n.parse().unwrap());
    let pack =
        std::env::var_os("VULTUS_PACK").map_or_else(|| root().join("build/pack"), PathBuf::from);
    let engine = Engine::open(pack, &EngineOptions::default()).unwrap();
    let portraits = portraits(&engine);
    // Asked elsewhere: a pasted picture is no capture, and some portraits are their own reference.
    let policy = Policy {
        pad: PadRule::Ignore,
        same_picture: RiskRule::Ignore,
        ..Policy::default()
    };
    let mut random = Random::new(7);
    let (mut large, mut doubts, mut rejects) = (0, Vec::new(), Vec::new());
    for n in 0..count {
        let size = SIZES[n / portraits.len() % SIZES.len()];
        let portrait = &portraits[n % portraits.len()];
        let (selfie, inter_eye_px) = place(portrait, size, &mut random);
        let decision = engine
            .verify_template(&selfie, &portrait.reference, &policy)
            .unwrap();
        let why = decision
            .reasons
            .iter()
            .filter(|r| r.effect <= Effect::Inconclusive);
        let why: Vec<&str> = why.map(|r| r.code.name()).collect();
        let told = format!("{n}: {inter_eye_px:.0} px in {size:?}, {why:?}");
        large += usize::from(inter_eye_px >= 30.0);
        match decision.outcome {
            Outcome::Reject => rejects.push(told),
            Outcome::Inconclusive if inter_eye_px >= 30.0 => doubts.push(told),
            _ => {}
        }
    }
    println!(
        "{count} placements of {} portraits: {} rejected; {} of {large} inconclusive from 30 px on",
        portraits.len(),
        rejects.len(),
        doubts.len()
    );
    assert!(rejects.is_empty(), "{rejects:#?}");
    assert!(doubts.len() * 50 <= large, "{doubts:#?}");
    assert!(large * 2 > count, "{large} of {count}");
}
