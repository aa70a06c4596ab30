//! How the light on the face changes from frame to frame: each frame of a swap is made anew and is
//! not quite of the colour of the last.

use super::frame::{Colours, FaceTrace, Frame, luminance};
use super::{median, triples};

/// What differs from the mean of the neighbouring frames, relative to the value itself.
fn flicker([a, b, c]: [[f32; 3]; 3]) -> [f32; 3] {
    std::array::from_fn(|i| (b[i] - (a[i] + c[i]) / 2.0) / b[i].max(1.0))
}

fn chroma(change: [f32; 3]) -> [f32; 3] {
    let mean = (change[0] + change[1] + change[2]) / 3.0;
    change.map(|v| v - mean)
}

fn of(three: [&FaceTrace; 3], patch: fn(&Colours) -> [f32; 3]) -> [f32; 3] {
    flicker(three.map(|face| patch(&face.colours)))
}

fn mean_size(change: [f32; 3]) -> f32 {
    change.iter().map(|v| v.abs()).sum::<f32>() / 3.0
}

/// Flicker of the colour of the lower face against that of the forehead.
pub(super) fn colour_flicker(frames: &[&Frame]) -> Option<f32> {
    median(triples(frames).map(|three| {
        let (lower, forehead) = (
            chroma(of(three, |c| c.lower)),
            chroma(of(three, |c| c.forehead)),
        );
        mean_size(std::array::from_fn(|i| lower[i] - forehead[i]))
    }))
}

/// Flicker of the colour of the whole face.
pub(super) fn hue_flicker(frames: &[&Frame]) -> Option<f32> {
    median(triples(frames).map(|three| mean_size(chroma(of(three, |c| c.face)))))
}

/// Flicker of the brightness of the face beyond that of its surroundings.
pub(super) fn brightness_flicker(frames: &[&Frame]) -> Option<f32> {
    let bright = |three: [&FaceTrace; 3], patch: fn(&Colours) -> [f32; 3]| {
        let [a, b, c] = three.map(|face| luminance(patch(&face.colours)));
        ((b - (a + c) / 2.0) / b.max(1.0)).abs()
    };
    median(triples(frames).map(|three| bright(three, |c| c.face) - bright(three, |c| c.around)))
}
