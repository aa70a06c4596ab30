//! The fast mode against the exact one, on the portraits that `make photos` fetches and the pack
//! that `make pack` builds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use vultus::{Comparator, Engine, EngineOptions, Image, Kind, Limits, Precision, Role, Template};

fn build() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../build")
}

fn engine(precision: Precision) -> Engine {
    let pack = std::env::var_os("VULTUS_PACK").map_or_else(|| build().join("pack"), PathBuf::from);
    let mut options = EngineOptions::default();
    options.precision = precision;
    Engine::open(pack, &options).expect("`make pack` builds the pack")
}

fn templates(engine: &Engine) -> Vec<Template> {
    let enrol = |name: &str| {
        let bytes = std::fs::read(build().join("photos").join(name))
            .unwrap_or_else(|e| panic!("{name}: {e}; `make photos` fetches it"));
        engine
            .enrol(
                &Image::decode(&bytes, &Limits::default()).unwrap(),
                Role::Selfie,
            )
            .unwrap()
            .template
            .unwrap()
    };
    ["obama.jpg", "obama2.jpg", "biden.jpg"].map(enrol).to_vec()
}

#[test]
fn scores_in_integers_are_those_in_floats() {
    let (exact, fast) = (engine(Precision::Exact), engine(Precision::Fast));
    let (floats, integers) = (templates(&exact), templates(&fast));
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
        for comparator in [Comparator::Single, Comparator::Fused] {
            let score = |engine: &Engine, of: &[Template]| {
                engine.score(&of[i], &of[j], comparator).unwrap()
            };
            let (a, b) = (score(&exact, &floats), score(&fast, &integers));
            assert!(
                (a - b).abs() <= 0.005 && a != b,
                "{comparator:?} of {i} and {j}: {a} in floats, {b} in integers"
            );
        }
    }
    assert_eq!(
        fast.read_template(floats[0].to_bytes()).unwrap_err().kind(),
        Kind::Usage,
        "a template belongs to its precision"
    );
}

#[test]
fn a_gallery_finds_the_person() {
    let engine = engine(Precision::Exact);
    let [first, second, other] = templates(&engine).try_into().unwrap();
    let mut gallery = engine.gallery();
    gallery.insert(7, &first).unwrap();
    gallery.insert(8, &other).unwrap();
    let found = gallery.search(&second, 5).unwrap();
    assert_eq!(
        found
            .iter()
            .map(|candidate| candidate.id)
            .collect::<Vec<_>>(),
        [7, 8]
    );
    assert_eq!(
        found[0].score,
        engine.score(&second, &first, Comparator::Fused).unwrap()
    );
    let point = engine.gallery_threshold(2, 0.002).unwrap();
    assert!(
        found[0].score >= point.threshold && found[1].score < point.threshold,
        "{found:?} at {}",
        point.threshold
    );
    assert!(gallery.remove(7) && !gallery.remove(7));
    let rest: Vec<u64> = gallery
        .search(&second, 5)
        .unwrap()
        .iter()
        .map(|candidate| candidate.id)
        .collect();
    assert_eq!((rest, gallery.len()), (vec![8], 1));
    assert!(
        engine
            .gallery_threshold(1_000_000, 1e-4)
            .unwrap_err()
            .to_string()
            .contains("not supported by the calibration")
    );
}
