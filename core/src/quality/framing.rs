//! One face, large enough, wholly in the picture (ISO/IEC 29794-5, 7.4.2 and 7.4.6 to 7.4.10).

use super::{Measure, ramp};
use crate::align::AlignedFace;

pub(super) fn measure(face: &AlignedFace<'_>, others: usize, into: &mut Vec<Measure>) {
    let bounds = face.bounds();
    let (width, height) = (face.image().width() as f32, face.image().height() as f32);
    let apart = face.inter_eye_px();
    into.push(ramp(
        "single-face-present",
        others as f32,
        "further faces of similar size",
        1.0,
        0.0,
    ));
    into.push(ramp("inter-eye-distance", apart, "px", 12.0, 45.0));
    // The share of the box that lies outside: a face cut by the edge has lost what the networks
    // need.
    let inside = bounds.overlap(&crate::geometry::Rect {
        x: 0.0,
        y: 0.0,
        width,
        height,
    }) / (bounds.width * bounds.height).max(1.0);
    into.push(ramp(
        "face-inside-picture",
        inside,
        "share of the face's box",
        0.85,
        1.0,
    ));
    let margins = [
        ("leftward-crop", bounds.x),
        ("rightward-crop", width - bounds.x - bounds.width),
        ("margin-above", bounds.y),
        ("margin-below", height - bounds.y - bounds.height),
    ];
    for (name, margin) in margins {
        into.push(ramp(
            name,
            margin / apart.max(1.0),
            "inter-eye distances",
            -0.3,
            0.1,
        ));
    }
}
