//! The views against another implementation, and the rules on drawn material.

use super::*;
use crate::evidence::PadStatus;
use crate::geometry::Rect;
use crate::image::{Image, ImageView, PixelFormat, Pyramid};
use crate::model::Pack;
use approx::assert_abs_diff_eq;
use rendering::rendered;
use vultus_nn::Precision;
use vultus_nn::kernel::Kernels;

fn drawn(width: u32, height: u32, colour: impl Fn(i64, i64) -> [i64; 3]) -> Image {
    let at =
        |i: i64| colour(i % i64::from(width), i / i64::from(width)).map(|v| v.clamp(0, 255) as u8);
    let rgb: Vec<u8> = (0..i64::from(width) * i64::from(height))
        .flat_map(at)
        .collect();
    Image::from_view(
        &ImageView::new(&rgb, width, height, width as usize * 3, PixelFormat::Rgb8).unwrap(),
    )
}

const CALIBRATION: Calibration = Calibration { threshold: 3.0 };

fn report(frames: &[f32]) -> PadReport {
    let mut presentation = Presentation::new(CALIBRATION);
    for &mean in frames {
        presentation.push(Glance::Fit {
            context: 3.0,
            log_odds: [mean - 1.0, mean, mean + 1.0],
        });
    }
    let report = presentation.report();
    report.yes().expect("frames were assessed").clone()
}

#[test]
fn the_mean_of_views_and_frames_decides() {
    let bona_fide = report(&[2.0, 5.0]);
    assert_eq!(
        (bona_fide.status, bona_fide.frames),
        (PadStatus::BonaFide, 2)
    );
    assert_abs_diff_eq!(
        bona_fide.score,
        1.0 / (1.0 + libm::expf(-0.5)),
        epsilon = 1e-6
    );
    assert_eq!(
        bona_fide
            .views
            .iter()
            .map(|v| v.log_odds)
            .collect::<Vec<_>>(),
        [2.5, 3.5, 4.5]
    );
    assert_eq!(report(&[2.0, 3.0]).status, PadStatus::Attack);
    // The threshold itself is bona fide.
    let at = report(&[3.0]);
    assert_eq!((at.status, at.score), (PadStatus::BonaFide, at.threshold));
}

#[test]
fn an_instrument_that_was_seen_stays_one() {
    let many = |low: &[f32]| [low, &[12.0; 500]].concat();
    let seen = report(&many(&[-5.0, -6.0, -7.0]));
    assert_eq!((seen.status, seen.frames), (PadStatus::Attack, 503));
    assert!(seen.text.contains("in some frames"), "{}", seen.text);
    assert_eq!(report(&many(&[-5.0, -6.0])).status, PadStatus::BonaFide);
    assert_eq!(
        report(&many(&[-5.0, 9.0, -6.0, 9.0, -5.0])).status,
        PadStatus::BonaFide
    );
    // The clearest of them is told, in whatever order they come.
    let clearest = report(&[-5.0, -5.0, -5.0, -9.0, -9.0, -9.0, -5.0, -5.0, -5.0, 12.0]);
    assert_eq!(clearest.views[1].log_odds, -9.0);
}

#[test]
fn frames_that_cannot_be_judged_do_not_count() {
    let unfit = || Glance::Unfit(Obstacle::TooLittleAround);
    let mut presentation = Presentation::new(CALIBRATION);
    let absent = |obstacle| Assessed::NotPossible(obstacle);
    assert_eq!(presentation.report(), absent(Obstacle::NoFace));
    presentation.push(unfit());
    assert_eq!(presentation.report(), absent(Obstacle::TooLittleAround));
    presentation.push(Glance::Fit {
        context: 2.0,
        log_odds: [4.0; 3],
    });
    presentation.push(unfit());
    let report = presentation.report();
    let one = report.yes().unwrap();
    assert_eq!((one.status, one.frames), (PadStatus::BonaFide, 1));
}

#[test]
fn the_shipped_calibration_is_sound() {
    let shipped: serde_json::Value =
        serde_json::from_str(include_str!("../../../models/calibration/pad.json")).unwrap();
    assert!(Calibration::deserialize(&shipped).unwrap().threshold > 0.0);
}

#[test]
fn every_view_says_what_the_reference_says() {
    let pack = std::env::var_os("VULTUS_PACK").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/../build/pack").into(),
        std::path::PathBuf::from,
    );
    let networks = MiniFasNet::load(&Loader {
        pack: &Pack::open(&pack, &[]).unwrap(),
        kernels: Kernels::best(),
        precision: Precision::Exact,
        watch: None,
    })
    .unwrap()
    .unwrap();
    let reference: serde_json::Value =
        serde_json::from_str(include_str!("../../../models/pad/reference.json")).unwrap();
    let cases = reference["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let numbers = |key: &str| -> Vec<f32> {
            let all = case[key].as_array().unwrap().iter();
            all.map(|v| v.as_f64().unwrap() as f32).collect()
        };
        let [width, height] = numbers("size")[..] else {
            panic!("a size is two numbers");
        };
        let image = drawn(
            width as u32,
            height as u32,
            pattern(width as i64, height as i64),
        );
        let [x, y, w, h] = numbers("box")[..] else {
            panic!("a box is four numbers");
        };
        let bounds = Rect {
            x,
            y,
            width: w,
            height: h,
        };
        let found = networks
            .log_odds(&Pyramid::new(Kernels::best(), &image), &bounds)
            .unwrap();
        // From four times the wanted size on, the pyramid's halvings come before the mean of area.
        let epsilon = if bounds.side() < 448.0 { 0.1 } else { 0.6 };
        for (found, wanted) in found.iter().zip(numbers("log_odds")) {
            assert_abs_diff_eq!(*found, wanted, epsilon = epsilon);
        }
    }
}

/// The picture that `models/pad/reference.py` draws.
fn pattern(width: i64, height: i64) -> impl Fn(i64, i64) -> [i64; 3] {
    move |x, y| {
        let wave = ((3 * x + 2 * y) % 256 - 128).abs() + ((x * y / 32) % 128 - 64).abs();
        let in_plate = x > width / 5 && x < width / 2 && y > height / 4;
        let plate = if in_plate { 48 } else { 0 };
        [wave + plate, wave * 3 / 4 + 20, 200 - wave / 2 - plate / 2]
    }
}

const FACE: Rect = Rect {
    x: 95.0,
    y: 85.0,
    width: 110.0,
    height: 130.0,
};

/// Skin of a kind: a soft hill of light that reddens to one side, with the noise of a sensor, in
/// 300 x 300 pixels.
fn skin(x: i64, y: i64) -> [i64; 3] {
    let hill = 110 - ((x - 150) * (x - 150) + (y - 150) * (y - 150)) / 200;
    let noise = |seed: i64| (x * 7919 + y * 104_729 + x * y * 31 + seed * 7) % 9 - 4;
    let light = 80 + hill.max(-60);
    [
        light * 11 / 10 + (x - 150) / 8 + noise(1),
        light + noise(2),
        light * 9 / 10 + (y - 150) / 8 + noise(3),
    ]
}

#[test]
fn only_the_pictures_of_cameras_are_judged() {
    let look = |change: fn(i64, i64, [i64; 3]) -> [i64; 3]| {
        let image = drawn(300, 300, |x, y| change(x, y, skin(x, y)));
        rendered(&Pyramid::new(Kernels::best(), &image), &FACE)
    };
    assert_eq!(look(|_, _, rgb| rgb), None);
    assert_eq!(
        look(|_, _, [_, g, _]| [g, g, g]),
        Some(Obstacle::Colourless)
    );
    let sepia = |_, _, [_, g, _]: [i64; 3]| [g * 105 / 100, g * 87 / 100, g * 67 / 100];
    assert_eq!(look(sepia), Some(Obstacle::Colourless));
    let sixteen = |_, _, rgb: [i64; 3]| rgb.map(|v| (v.clamp(0, 255) / 16) * 17);
    assert_eq!(look(sixteen), Some(Obstacle::Posterised));
    let dithered = |x: i64, y: i64, rgb: [i64; 3]| {
        let by = (x * 5 + y * 3) % 8 * 8;
        rgb.map(|v| (v + by) / 64 * 64)
    };
    assert_eq!(look(dithered), Some(Obstacle::Posterised));
    // Steps of 36 that a later blur softened: not few tones any more, but tones in steps.
    let softened = |x: i64, y: i64, rgb: [i64; 3]| {
        rgb.map(|v| (v.clamp(0, 255) / 32) * 36 + (x * 31 + y * 17) % 9 - 4)
    };
    assert_eq!(look(softened), Some(Obstacle::Posterised));
    let areas = |x: i64, y: i64, _: [i64; 3]| match ((x / 40) % 2, (y / 50) % 2) {
        (0, 0) => [230, 180, 150],
        (0, _) => [90, 40, 20],
        _ => [250, 240, 60],
    };
    assert_eq!(look(areas), Some(Obstacle::FlatAreas));
}

#[test]
fn any_part_of_any_picture_can_be_looked_at() {
    for (level, side) in [(0, 64), (128, 64), (255, 64), (9, 1)] {
        let image = drawn(side, side, |_, _| [level; 3]);
        for (x, y) in [(10.0, 10.0), (-30.0, 50.0), (70.0, -90.0), (0.0, 0.0)] {
            let face = Rect { x, y, ..FACE };
            assert!(rendered(&Pyramid::new(Kernels::best(), &image), &face).is_some());
        }
    }
}
