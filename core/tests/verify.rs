//! The whole pipeline on real photos: the pack in `build/pack` (or `VULTUS_PACK`) and the portraits
//! in `build/photos`, both made by `make pack photos`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::OnceLock;
use vultus::{
    Assessed, Comparator, Effect, Engine, EngineOptions, Image, ImageView, Kind, Limits, Outcome,
    PadStatus, PixelFormat, Point, Policy, ReasonCode, Role,
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let pack = std::env::var_os("VULTUS_PACK")
            .map_or_else(|| root().join("build/pack"), PathBuf::from);
        Engine::open(pack, &EngineOptions::default()).expect("`make pack` builds the pack")
    })
}

fn photo(name: &str) -> Image {
    let path = root().join("build/photos").join(name);
    let bytes = std::fs::read(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; `make photos` fetches it", path.display()));
    Image::decode(&bytes, &Limits::default()).unwrap()
}

/// The picture on a grey canvas of `width` x `height`, its corner at (x, y), `scale` times as
/// large.
fn on_canvas(image: &Image, width: u32, height: u32, x: f32, y: f32, scale: f32) -> Image {
    let mut rgb = vec![128; (width * height * 3) as usize];
    for row in 0..height {
        for column in 0..width {
            let (sx, sy) = ((column as f32 - x) / scale, (row as f32 - y) / scale);
            if sx >= 0.0 && sy >= 0.0 && sx < image.width() as f32 && sy < image.height() as f32 {
                let from = (sy as usize * image.width() as usize + sx as usize) * 3;
                let to = ((row * width + column) * 3) as usize;
                rgb[to..to + 3].copy_from_slice(&image.rgb()[from..from + 3]);
            }
        }
    }
    raw(&rgb, width, height)
}

fn raw(rgb: &[u8], width: u32, height: u32) -> Image {
    Image::from_view(
        &ImageView::new(rgb, width, height, width as usize * 3, PixelFormat::Rgb8).unwrap(),
    )
}

fn quarter_turn(image: &Image) -> Image {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let mut rgb = Vec::with_capacity(image.rgb().len());
    for x in 0..width {
        for y in (0..height).rev() {
            rgb.extend_from_slice(&image.rgb()[(y * width + x) * 3..][..3]);
        }
    }
    raw(&rgb, height as u32, width as u32)
}

fn codes(decision: &vultus::Decision) -> Vec<ReasonCode> {
    decision.reasons.iter().map(|r| r.code).collect()
}

#[test]
fn the_holder_is_accepted_and_another_rejected() {
    let card = photo("specimen-obama.png");
    let accepted = engine()
        .verify(&photo("obama2.jpg"), &card, &Policy::default())
        .unwrap();
    assert_eq!(accepted.outcome, Outcome::Accept, "{:#?}", accepted.reasons);
    assert!(codes(&accepted).contains(&ReasonCode::Match));
    let pad = accepted.selfie.pad.yes().unwrap();
    assert_eq!(pad.status, PadStatus::BonaFide, "{pad:?}");
    let rejected = engine()
        .verify(&photo("biden.jpg"), &card, &Policy::default())
        .unwrap();
    assert_eq!(rejected.outcome, Outcome::Reject, "{:#?}", rejected.reasons);
    assert_eq!(
        (rejected.reasons[0].code, rejected.reasons[0].effect),
        (ReasonCode::NonMatch, Effect::Reject)
    );
}

#[test]
fn what_was_not_looked_at_never_reads_as_passed() {
    let decision = engine()
        .verify(
            &photo("obama2.jpg"),
            &photo("specimen-obama.png"),
            &Policy::default(),
        )
        .unwrap();
    assert_eq!(decision.document.as_ref().unwrap().pad, Assessed::NotAsked);
    assert_eq!(decision.sequence.risk, None);
    assert!(codes(&decision).contains(&ReasonCode::SequenceNotAssessed));
    let strict = Policy {
        require_sequence: true,
        ..Policy::default()
    };
    let doubt = engine()
        .verify(&photo("obama2.jpg"), &photo("specimen-obama.png"), &strict)
        .unwrap();
    assert_eq!(doubt.outcome, Outcome::Inconclusive);
}

#[test]
fn no_face_and_two_faces_are_inconclusive_with_the_reason() {
    let card = photo("specimen-obama.png");
    let grey = raw(&vec![128; 640 * 480 * 3], 640, 480);
    let nobody = engine().verify(&grey, &card, &Policy::default()).unwrap();
    assert_eq!(
        (nobody.outcome, nobody.reasons[0].code),
        (Outcome::Inconclusive, ReasonCode::NoFace)
    );
    let one = photo("obama2.jpg");
    let mut pair = Vec::new();
    for row in one.rgb().chunks_exact(one.width() as usize * 3) {
        pair.extend_from_slice(row);
        pair.extend_from_slice(row);
    }
    let two = raw(&pair, one.width() * 2, one.height());
    let crowd = engine().verify(&two, &card, &Policy::default()).unwrap();
    assert_eq!(crowd.outcome, Outcome::Inconclusive, "{:#?}", crowd.reasons);
    assert!(codes(&crowd).contains(&ReasonCode::SeveralFaces));
    assert!(crowd.selfie.rival.is_some());
}

#[test]
fn one_pixel_is_a_picture_without_a_face() {
    let sample = engine()
        .examine(&raw(&[1, 2, 3], 1, 1), Role::Selfie)
        .unwrap();
    assert!(sample.face.is_none());
}

#[test]
fn a_face_cut_by_the_edge_is_not_accepted() {
    let whole = photo("obama2.jpg");
    let face = engine()
        .examine(&whole, Role::Selfie)
        .unwrap()
        .face
        .unwrap()
        .bounds;
    let cut = on_canvas(&whole, 400, 400, -(face.x + face.width * 0.5), 0.0, 1.0);
    let decision = engine()
        .verify(&cut, &photo("specimen-obama.png"), &Policy::default())
        .unwrap();
    assert_eq!(
        decision.outcome,
        Outcome::Inconclusive,
        "{:#?}",
        decision.reasons
    );
    assert!(
        codes(&decision)
            .iter()
            .any(|c| matches!(c, ReasonCode::NoFace | ReasonCode::FaceCutOff)),
        "{:#?}",
        decision.reasons
    );
}

#[test]
fn a_face_that_fills_the_frame_is_found() {
    let whole = photo("obama2.jpg");
    let face = engine()
        .examine(&whole, Role::Selfie)
        .unwrap()
        .face
        .unwrap()
        .bounds;
    let side = face.width.max(face.height) * 1.02;
    let tight = on_canvas(&whole, side as u32, side as u32, -face.x, -face.y, 1.0);
    assert!(
        engine()
            .examine(&tight, Role::Selfie)
            .unwrap()
            .face
            .is_some()
    );
}

#[test]
fn a_portrait_of_40_pixels_on_a_page_is_found_any_way_up() {
    let portrait = photo("obama.jpg");
    let face = engine()
        .examine(&portrait, Role::Selfie)
        .unwrap()
        .face
        .unwrap()
        .bounds;
    let scale = 40.0 / face.width;
    let mut page = on_canvas(&portrait, 1000, 1400, 120.0, 150.0, scale);
    for turn in 0..4 {
        let found = engine()
            .examine(&page, Role::Document)
            .unwrap()
            .face
            .unwrap_or_else(|| panic!("turned by {} degrees", 90 * turn));
        assert!(
            (30.0..60.0).contains(&found.bounds.width),
            "{:?}",
            found.bounds
        );
        page = quarter_turn(&page);
    }
}

#[test]
fn a_turned_card_gives_the_same_answer() {
    let mut card = photo("specimen-obama.png");
    for _ in 0..4 {
        let decision = engine()
            .verify(&photo("obama2.jpg"), &card, &Policy::default())
            .unwrap();
        assert_eq!(decision.outcome, Outcome::Accept, "{:#?}", decision.reasons);
        card = quarter_turn(&card);
    }
}

#[test]
fn a_selfie_on_its_side_is_found_where_it_is() {
    let (mut selfie, card) = (photo("obama2.jpg"), photo("specimen-obama.png"));
    let upright = engine().examine(&selfie, Role::Selfie).unwrap();
    let mut expected = upright.face.as_ref().unwrap().bounds.centre();
    for turn in 1..4 {
        let height = selfie.height() as f32;
        selfie = quarter_turn(&selfie);
        expected = Point::new(height - expected.y, expected.x);
        let decision = engine().verify(&selfie, &card, &Policy::default()).unwrap();
        assert_eq!(decision.outcome, Outcome::Accept, "{:#?}", decision.reasons);
        let sample = &decision.selfie;
        assert_eq!(
            (sample.width, sample.height),
            (selfie.width(), selfie.height())
        );
        let face = sample.face.as_ref().unwrap();
        for at in [
            face.bounds.centre(),
            face.detection.bounds.centre(),
            Point::mean(face.landmarks.iter().copied()),
        ] {
            let off = at.distance(expected) / face.inter_eye_px;
            assert!(off < 0.5, "{turn} quarters: {off} away");
        }
        let roll = (face.pose.roll_deg - 90.0 * turn as f32).rem_euclid(360.0);
        assert!(
            !(15.0..345.0).contains(&roll),
            "{turn} quarters: {:?}",
            face.pose
        );
        let pad = sample.pad.yes().unwrap();
        assert_eq!(pad.status, PadStatus::BonaFide, "{turn} quarters");
    }
}

#[test]
fn eight_threads_give_the_bits_of_one() {
    let (selfie, card) = (photo("obama2.jpg"), photo("specimen-obama.png"));
    let alone = engine()
        .verify(&selfie, &card, &Policy::default())
        .unwrap()
        .to_json();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    engine()
                        .verify(&selfie, &card, &Policy::default())
                        .unwrap()
                        .to_json()
                })
            })
            .collect();
        threads
            .into_iter()
            .for_each(|t| assert_eq!(t.join().unwrap(), alone));
    });
}

#[test]
fn an_engine_that_spreads_its_calls_decides_alike() {
    let pack =
        std::env::var_os("VULTUS_PACK").map_or_else(|| root().join("build/pack"), PathBuf::from);
    let mut options = EngineOptions::default();
    options.parallel = true;
    let parallel = Engine::open(pack, &options).unwrap();
    let decide = |engine: &Engine| {
        engine
            .verify(
                &photo("obama2.jpg"),
                &photo("obama.jpg"),
                &Policy::default(),
            )
            .unwrap()
    };
    let (one, other) = (decide(engine()), decide(&parallel));
    assert_eq!(one.to_json(), other.to_json());
    let stages = |decision: &vultus::Decision| {
        decision
            .times_ms
            .iter()
            .map(|(stage, _)| *stage)
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(stages(&one), stages(&other), "every stage is timed");
}

#[test]
fn a_stored_template_stands_for_the_picture() {
    let reference = engine()
        .enrol(&photo("obama.jpg"), Role::Document)
        .unwrap()
        .template
        .unwrap();
    let stored = engine().read_template(reference.to_bytes()).unwrap();
    let decision = engine()
        .verify_template(&photo("obama2.jpg"), &stored, &Policy::default())
        .unwrap();
    assert_eq!(
        (decision.outcome, decision.document),
        (Outcome::Accept, None)
    );
    let probe = engine()
        .enrol(&photo("obama2.jpg"), Role::Selfie)
        .unwrap()
        .template
        .unwrap();
    let comparison = engine()
        .compare(&probe, &stored, &Policy::default())
        .unwrap();
    assert!(comparison.is_match);
    let other = engine()
        .enrol(&photo("biden.jpg"), Role::Selfie)
        .unwrap()
        .template
        .unwrap();
    for comparator in [Comparator::Single, Comparator::Fused] {
        assert!(
            engine().score(&other, &stored, comparator).unwrap()
                < engine().score(&probe, &stored, comparator).unwrap()
        );
    }
}

#[test]
fn an_operating_point_beyond_the_calibration_is_refused_before_any_work() {
    let policy = Policy {
        fmr: 1e-9,
        ..Policy::default()
    };
    let error = engine()
        .verify(&raw(&[0; 3], 1, 1), &raw(&[0; 3], 1, 1), &policy)
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(
        error
            .to_string()
            .contains("is not supported by the calibration"),
        "{error}"
    );
}
