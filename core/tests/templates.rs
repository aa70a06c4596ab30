//! Templates over their life: weighed as the picture that they came from, protected by a key, and
//! renewed when the pack changes. Of the pack in `build/pack` (or `VULTUS_PACK`) and the portraits
//! in `build/photos`, both made by `make pack photos`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "nothing here needs a background")]
mod scene;

use scene::{paste, raw, scaled};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use vultus::{
    Comparator, Decision, Engine, EngineOptions, Image, Kind, Limits, Outcome, PadRule, Policy,
    ReasonCode, RiskRule, Role, SessionOptions, Template, TemplateKey,
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn pack() -> PathBuf {
    std::env::var_os("VULTUS_PACK").map_or_else(|| root().join("build/pack"), PathBuf::from)
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        Engine::open(pack(), &EngineOptions::default()).expect("`make pack` builds the pack")
    })
}

fn photo(name: &str) -> Image {
    let path = root().join("build/photos").join(name);
    let bytes = std::fs::read(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; `make photos` fetches it", path.display()));
    Image::decode(&bytes, &Limits::default()).unwrap()
}

fn codes(decision: &Decision) -> Vec<ReasonCode> {
    decision.reasons.iter().map(|r| r.code).collect()
}

fn enrol(engine: &Engine, image: &Image) -> Template {
    let enrolment = engine.enrol(image, Role::Document).unwrap();
    enrolment.template.unwrap()
}

/// A portrait whose eyes are so many pixels apart, on a canvas of its own size.
fn sized(image: &Image, inter_eye_px: f32) -> Image {
    let face = engine().examine(image, Role::Document).unwrap().face;
    scaled(image, inter_eye_px / face.unwrap().inter_eye_px)
}

/// A page with two equal portraits.
fn two_faces() -> Image {
    let one = sized(&photo("obama.jpg"), 70.0);
    let (width, height) = (one.width() as usize, one.height() as usize);
    let mut page = vec![128; 2 * width * height * 3];
    for x in [0, width as isize] {
        paste(&mut page, 2 * width, height, &one, x, 0);
    }
    raw(&page, 2 * width, height)
}

/// Decides by the document, and by a template of it that was stored and read again.
fn by_both_routes(selfie: &Image, document: &Image, policy: &Policy) -> [Decision; 2] {
    let bytes = enrol(engine(), document).to_bytes().to_vec();
    let stored = engine().read_template(&bytes).unwrap();
    [
        engine().verify(selfie, document, policy).unwrap(),
        engine().verify_template(selfie, &stored, policy).unwrap(),
    ]
}

#[test]
fn both_routes_give_one_answer() {
    let selfie = photo("obama2.jpg");
    let tiny = sized(&photo("obama.jpg"), 12.0);
    for (document, code) in [
        (two_faces(), ReasonCode::SeveralFaces),
        (tiny, ReasonCode::FaceTooSmall),
    ] {
        let [shown, stored] = by_both_routes(&selfie, &document, &Policy::default());
        for decision in [&shown, &stored] {
            let reasons = &decision.reasons;
            assert_eq!(decision.outcome, Outcome::Inconclusive, "{reasons:#?}");
            assert!(codes(decision).contains(&code), "{reasons:#?}");
        }
        assert_eq!(codes(&shown), codes(&stored));
        assert_eq!(shown.comparison, stored.comparison);
    }
}

#[test]
fn a_copy_of_the_document_is_no_selfie() {
    let portrait = photo("obama.jpg");
    let card = photo("specimen-obama.png");
    let bounds = engine().examine(&card, Role::Document).unwrap();
    let bounds = bounds.face.unwrap().bounds;
    let (side, margin) = (bounds.width as usize * 2, bounds.width / 2.0);
    let mut cut = vec![128; side * side * 3];
    let corner = [bounds.x - margin, bounds.y - margin].map(|v| -v as isize);
    paste(&mut cut, side, side, &card, corner[0], corner[1]);
    let cut = raw(&cut, side, side);
    for (selfie, document) in [
        (portrait.clone(), &portrait),
        (sized(&portrait, 110.0), &portrait),
        (cut.clone(), &card),
        (scaled(&cut, 2.0), &card),
    ] {
        let by = |rule| {
            let policy = Policy {
                same_picture: rule,
                pad: PadRule::Ignore,
                ..Policy::default()
            };
            let [shown, stored] = by_both_routes(&selfie, document, &policy);
            assert_eq!(
                (shown.outcome, codes(&shown)),
                (stored.outcome, codes(&stored))
            );
            assert!(
                codes(&shown).contains(&ReasonCode::SamePicture),
                "{:#?}",
                shown.reasons
            );
            shown.outcome
        };
        assert_ne!(by(RiskRule::Inconclusive), Outcome::Accept);
        assert_eq!(by(RiskRule::Reject), Outcome::Reject);
    }
    let [other, _] = by_both_routes(&photo("obama2.jpg"), &portrait, &Policy::default());
    assert_eq!(
        other.outcome,
        Outcome::Accept,
        "another capture of the person"
    );
}

fn key(seed: u8) -> TemplateKey {
    let bytes: Vec<u8> = (0..32).map(|i| seed.wrapping_mul(17) ^ i).collect();
    TemplateKey::new(&bytes).unwrap()
}

fn score(decision: &Decision) -> f32 {
    decision.comparison.yes().unwrap().score
}

#[test]
fn a_template_key_protects_what_is_stored_and_changes_no_score() {
    let (one, other) = (key(1), key(2));
    let (mine, theirs) = (
        engine().with_template_key(&one),
        engine().with_template_key(&other),
    );
    let (selfie, policy) = (photo("obama2.jpg"), Policy::default());
    for name in ["obama.jpg", "biden.jpg"] {
        let picture = photo(name);
        let (plain, protected) = (enrol(engine(), &picture), enrol(&mine, &picture));
        assert!(protected.is_protected() && !plain.is_protected());
        let in_the_clear = engine().verify_template(&selfie, &plain, &policy).unwrap();
        let stored = mine.read_template(protected.to_bytes()).unwrap();
        let hidden = mine.verify_template(&selfie, &stored, &policy).unwrap();
        assert_eq!(
            (in_the_clear.outcome, codes(&in_the_clear)),
            (hidden.outcome, codes(&hidden))
        );
        assert!((score(&in_the_clear) - score(&hidden)).abs() < 1e-5);
        // A picture that is shown is compared as without a key.
        let shown = mine.verify(&selfie, &picture, &policy).unwrap();
        let plainly = engine().verify(&selfie, &picture, &policy).unwrap();
        assert_eq!(shown.comparison, plainly.comparison);
        // Without the key, or with another, it says nothing.
        for engine in [engine(), &theirs] {
            let read = engine.read_template(protected.to_bytes()).map(drop);
            let verified = engine
                .verify_template(&selfie, &protected, &policy)
                .map(drop);
            let compared = engine.compare(&protected, &protected, &policy).map(drop);
            let rekeyed = engine.rekey(&protected, None).map(drop);
            for refused in [read, verified, compared, rekeyed] {
                let error = refused.unwrap_err();
                assert_eq!(error.kind(), Kind::Usage);
                assert!(error.to_string().contains("template key"), "{error}");
            }
        }
        let changed = mine.rekey(&protected, Some(&other)).unwrap();
        let decision = theirs.verify_template(&selfie, &changed, &policy).unwrap();
        assert!((score(&decision) - score(&in_the_clear)).abs() < 1e-5);
        assert!(mine.score(&protected, &changed, Comparator::Fused).is_err());
        // The same features under two keys are strangers.
        let cosine = |a: &Template, b: &Template| {
            let (a, b) = (a.values("sface").unwrap(), b.values("sface").unwrap());
            a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>()
        };
        for (a, b) in [(&protected, &changed), (&plain, &protected)] {
            assert!(cosine(a, b).abs() < 0.45, "{}", cosine(a, b));
        }
    }
    let mut gallery = mine.gallery();
    gallery
        .insert(1, &enrol(&mine, &photo("obama.jpg")))
        .unwrap();
    gallery
        .insert(2, &enrol(&mine, &photo("biden.jpg")))
        .unwrap();
    for engine in [engine(), &theirs] {
        assert!(
            gallery
                .insert(3, &enrol(engine, &photo("obama.jpg")))
                .is_err()
        );
    }
    let found = gallery.search(&enrol(&mine, &selfie), 1).unwrap();
    assert_eq!(found[0].id, 1);
}

/// A copy of the pack with one weight and the list of embedders changed, as an earlier one.
fn earlier_pack(folder: &Path, embedders: Value) {
    for entry in std::fs::read_dir(pack()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let mut weights = std::fs::read(folder.join("sface.onnx")).unwrap();
    // One bit of one of ten million floats: another weight, of nearly the same features.
    let middle = weights.len() / 2;
    weights[middle] ^= 1;
    let digits: String = Sha256::digest(&weights)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    std::fs::write(folder.join("sface.onnx"), weights).unwrap();
    let manifest = std::fs::read(folder.join("pack.json")).unwrap();
    let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let models = manifest["models"].as_array_mut().unwrap();
    let sface = models.iter_mut().find(|model| model["id"] == "sface");
    sface.unwrap()["sha256"] = digits.into();
    manifest["version"] = "earlier".into();
    manifest["embedders"] = embedders;
    std::fs::write(folder.join("pack.json"), manifest.to_string()).unwrap();
}

#[test]
fn templates_of_an_earlier_pack_are_compared_and_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let both = serde_json::json!([
        {"id": "mobilefacenet", "share": 0.5},
        {"id": "sface", "share": 0.5}
    ]);
    earlier_pack(folder.path(), both);
    let before = Engine::open(folder.path(), &EngineOptions::default()).unwrap();
    let old = enrol(&before, &photo("obama.jpg"));
    let refused = engine().read_template(old.to_bytes()).unwrap_err();
    assert_eq!(refused.kind(), Kind::Usage);
    assert!(refused.to_string().contains("earlier pack"), "{refused}");

    let mut options = EngineOptions::default();
    options.earlier_packs = vec![folder.path().to_owned()];
    let now = Engine::open(pack(), &options).unwrap();
    let (selfie, policy) = (photo("obama2.jpg"), Policy::default());
    for now in [now.clone(), now.with_template_key(&key(3))] {
        let old = match now.read_template(old.to_bytes()) {
            Ok(old) => old,
            Err(_) => {
                let protected = before.rekey(&old, Some(&key(3))).unwrap();
                now.read_template(protected.to_bytes()).unwrap()
            }
        };
        let then = before.verify_template(&selfie, &enrol(&before, &photo("obama.jpg")), &policy);
        let then = then.unwrap();
        let today = now.verify_template(&selfie, &old, &policy).unwrap();
        assert_eq!((then.outcome, codes(&then)), (today.outcome, codes(&today)));
        assert!(
            (score(&then) - score(&today)).abs() < 1e-5,
            "as its own pack compares it"
        );

        let renewal = now.renew(&selfie, &old, &policy).unwrap();
        assert_eq!(renewal.decision.outcome, Outcome::Accept);
        assert_eq!(renewal.decision.reasons, today.reasons);
        let renewed = renewal.template.unwrap();
        let enrolled = now.enrol(&selfie, Role::Selfie).unwrap().template.unwrap();
        assert!(renewed == enrolled, "what enrolling the selfie gives");
        let again = now.renew(&photo("obama.jpg"), &renewed, &policy).unwrap();
        assert_eq!(again.decision.outcome, Outcome::Accept);
        assert!(again.template.is_none(), "it is of the current pack");

        let stranger = now.renew(&photo("biden.jpg"), &old, &policy).unwrap();
        assert_eq!(stranger.decision.outcome, Outcome::Reject);
        assert!(stranger.template.is_none());
        assert_eq!(
            now.compare(&renewed, &old, &policy).unwrap_err().kind(),
            Kind::Usage
        );
        assert_eq!(
            now.gallery().insert(1, &old).unwrap_err().kind(),
            Kind::Usage
        );

        let mut session = now.session(&SessionOptions::default()).unwrap();
        for i in 0..3 {
            session.push(&selfie, i * 250_000).unwrap();
        }
        let mut lenient = policy.clone();
        lenient.sequence.high = RiskRule::Ignore;
        lenient.sequence.medium = RiskRule::Ignore;
        let renewal = session.renew(&old, &lenient).unwrap();
        let reasons = &renewal.decision.reasons;
        assert_eq!(renewal.decision.outcome, Outcome::Accept, "{reasons:#?}");
        assert!(renewal.template == session.template().unwrap());
    }
}
