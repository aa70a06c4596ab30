//! The whole of PAD against the reference implementation in `models/pad`, and on drawn pictures.

use super::*;
use crate::geometry::Rect;
use crate::image::{Colour, Image, ImageView, PixelFormat, Planar, Pyramid};
use approx::assert_abs_diff_eq;
use vultus_nn::Network;

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

fn measured(image: &Image, bounds: &Rect) -> [f32; signals::NAMES.len()] {
    let (pyramid, form) = (Pyramid::new(image), Planar::pixels(INPUT_SIDE, INPUT_SIDE));
    let square = Square::about(bounds, CONTEXT, image.width(), image.height());
    let mut around = vec![0.0; form.len()];
    pyramid.shrink(square.left, square.top, square.side, &form, &mut around);
    Signals::new().measure(&pyramid, bounds, &square, &around, &form)
}

fn value(name: &str, image: &Image) -> f32 {
    let bounds = Rect {
        x: 95.0,
        y: 85.0,
        width: 110.0,
        height: 130.0,
    };
    measured(image, &bounds)[signals::NAMES.iter().position(|n| *n == name).unwrap()]
}

/// Skin of a kind: a soft hill of light with a little noise, in 300 x 300 pixels.
fn skin(x: i64, y: i64) -> [i64; 3] {
    let hill = 40 - ((x - 150) * (x - 150) + (y - 150) * (y - 150)) / 1200;
    let noise = (x * 7919 + y * 104_729 + x * y * 31) % 5;
    [
        (120 + hill.max(0) + noise) * 11 / 10,
        120 + hill.max(0) + noise,
        (120 + hill.max(0) + noise) * 9 / 10,
    ]
}

#[test]
fn softmax_is_stable_and_sums_to_one() {
    assert_abs_diff_eq!(softmax(&[0.0; 3])[0], 1.0 / 3.0, epsilon = 1e-6);
    assert_eq!(softmax(&[1000.0, 0.0, 0.0]), [1.0, 0.0, 0.0]);
    assert_abs_diff_eq!(
        softmax(&[-3.0, 0.5, 2.0]).iter().sum::<f32>(),
        1.0,
        epsilon = 1e-6
    );
}

#[test]
fn every_step_gives_what_the_reference_gives() {
    let reference: serde_json::Value =
        serde_json::from_str(include_str!("../../../models/pad/reference.json")).unwrap();
    let network = Network::load(
        include_bytes!("../../../models/trained/vultus-pad.onnx"),
        [1, 3, INPUT_SIDE, INPUT_SIDE],
        None,
    )
    .unwrap();
    let form = Planar {
        colour: Colour::Rgb,
        scale: 1.0 / 127.5,
        offset: -1.0,
        ..Planar::pixels(INPUT_SIDE, INPUT_SIDE)
    };
    let cases = reference["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let numbers = |key: &str| -> Vec<f32> {
            case[key]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| v.as_f64().unwrap() as f32)
                .collect()
        };
        let (width, height, place) = (
            case["width"].as_u64().unwrap(),
            case["height"].as_u64().unwrap(),
            numbers("box"),
        );
        let (w, h) = (width as i64, height as i64);
        let image = drawn(width as u32, height as u32, |x, y| {
            let wave = ((3 * x + 2 * y) % 256 - 128).abs() + ((x * y / 32) % 128 - 64).abs();
            let plate = if x > w / 5 && x < w / 2 && y > h / 4 {
                48
            } else {
                0
            };
            [wave + plate, wave * 3 / 4 + 20, 200 - wave / 2 - plate / 2]
        });
        let bounds = Rect {
            x: place[0],
            y: place[1],
            width: place[2],
            height: place[3],
        };
        let square = Square::about(&bounds, CONTEXT, image.width(), image.height());
        assert_eq!(
            vec![square.left as f32, square.top as f32, square.side as f32],
            numbers("crop")
        );

        let pyramid = Pyramid::new(&image);
        let mut input = vec![0.0; form.len()];
        pyramid.shrink(square.left, square.top, square.side, &form, &mut input);
        let mut scratch = network.scratch();
        network.run(&input, &mut scratch).unwrap();
        for (found, wanted) in scratch.output(0).iter().zip(numbers("logits")) {
            assert_abs_diff_eq!(*found, wanted, epsilon = 0.02);
        }
        let values = Signals::new().measure(&pyramid, &bounds, &square, &input, &form);
        for ((found, wanted), name) in values.iter().zip(numbers("signals")).zip(signals::NAMES) {
            assert!(
                (found - wanted).abs() < 0.005,
                "{name} of {width} x {height}: {found}, the reference says {wanted}"
            );
        }
    }
}

#[test]
fn the_shipped_rules_are_sound() {
    let calibration: serde_json::Value =
        serde_json::from_str(include_str!("../../../models/calibration/pad.json")).unwrap();
    for with_minifasnet in [false, true] {
        let rule = Rule::new(
            Calibration::deserialize(&calibration).unwrap(),
            with_minifasnet,
        )
        .unwrap();
        let typical = [1.5, -0.4, 0.3, -0.2, 0.0, 0.0, 0.4, 0.4];
        assert!(rule.judge(0.99, Some(0.99), typical).0 > rule.threshold());
        assert!(rule.judge(0.01, Some(0.01), typical).0 < rule.threshold());
    }
}

#[test]
fn each_signal_answers_to_what_it_is_named_after() {
    let plain = drawn(300, 300, skin);
    let with = |change: fn(i64, i64, [i64; 3]) -> [i64; 3]| {
        drawn(300, 300, |x, y| change(x, y, skin(x, y)))
    };
    let striped = with(|x, y, rgb| rgb.map(|v| v + if (4 * x + 3 * y) % 13 < 6 { 9 } else { -9 }));
    assert!(value("moire-peak", &striped) > value("moire-peak", &plain) + 0.5);
    let blue = with(|_, _, [r, g, b]| [r, g, b * 14 / 10]);
    assert!(value("blue-shift", &blue) > value("blue-shift", &plain) + 0.1);
    let edged = with(|x, _, rgb| if x < 48 { rgb } else { rgb.map(|v| v + 60) });
    assert!(value("border-sides", &edged) > value("border-sides", &plain) + 0.3);
    assert!((value("border-ends", &edged) - value("border-ends", &plain)).abs() < 0.3);
    let lidded = with(|_, y, rgb| if y < 48 { rgb } else { rgb.map(|v| v + 60) });
    assert!(value("border-ends", &lidded) > value("border-ends", &plain) + 0.3);
    let grey = with(|_, _, [_, g, _]| [g, g, g]);
    assert!(value("saturation", &grey) < 0.01 && value("saturation", &plain) > 0.05);
    let shiny = with(|x, y, rgb| {
        if (130..170).contains(&x) && (120..150).contains(&y) {
            [255; 3]
        } else {
            rgb
        }
    });
    assert!(value("specular", &shiny) > value("specular", &plain) + 0.03);
    let speckled =
        with(|x, y, [r, g, b]| [r + (x * 31 + y * 17) % 23, g, b + (x * 13 + y * 29) % 19]);
    assert!(value("chroma-noise", &speckled) > value("chroma-noise", &plain));
    let noise = |x: i64, y: i64| (x * 7919 + y * 104_729 + x * y * 31) % 40;
    let flat_face = drawn(300, 300, |x, y| {
        if (90..210).contains(&x) && (80..220).contains(&y) {
            [120; 3]
        } else {
            [100 + noise(x, y); 3]
        }
    });
    let flat_room = drawn(300, 300, |x, y| {
        if (90..210).contains(&x) && (80..220).contains(&y) {
            [100 + noise(x, y); 3]
        } else {
            [120; 3]
        }
    });
    assert!(value("focus-plane", &flat_room) > value("focus-plane", &flat_face) + 1.0);
}

#[test]
fn signals_are_finite_on_flat_and_extreme_pictures() {
    for level in [0, 128, 255] {
        let flat = drawn(64, 64, |_, _| [level; 3]);
        assert!(
            measured(
                &flat,
                &Rect {
                    x: 10.0,
                    y: 10.0,
                    width: 40.0,
                    height: 44.0
                }
            )
            .iter()
            .all(|v| v.is_finite())
        );
        assert!(
            measured(
                &flat,
                &Rect {
                    x: -30.0,
                    y: 50.0,
                    width: 90.0,
                    height: 80.0
                }
            )
            .iter()
            .all(|v| v.is_finite())
        );
    }
    assert!(
        measured(
            &drawn(1, 1, |_, _| [9; 3]),
            &Rect {
                x: 0.0,
                y: 0.0,
                width: 1.0,
                height: 1.0
            }
        )
        .iter()
        .all(|v| v.is_finite())
    );
}
