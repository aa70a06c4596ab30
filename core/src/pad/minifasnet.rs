//! The two MiniFASNet networks of Silent-Face-Anti-Spoofing (minivision-ai), and the three views
//! through which they see a face.

use crate::error::{Error, Kind, Result, Stage};
use crate::geometry::Rect;
use crate::image::Pyramid;
use crate::network::{Loader, Viewer};

const V2: &str = "minifasnet-v2";
const V1SE: &str = "minifasnet-v1se";

const INPUT_SIDE: usize = 80;

/// Side of the face that a reduced picture shows, in pixels.
const REDUCED_FACE_PX: f32 = 112.0;

/// What one network looks at.
struct View {
    network: &'static str,
    /// How many times the face's box.
    context: f32,
    /// Whether the picture is first reduced, by area, to a face of `REDUCED_FACE_PX`.
    is_reduced: bool,
}

/// In almost every capture the picture ends before 2.7 times the box, so that both networks see
/// the same part of it: the first view is the one that looks closer.
const VIEWS: [View; 3] = [
    View {
        network: V2,
        context: 2.0,
        is_reduced: false,
    },
    View {
        network: V2,
        context: 2.7,
        is_reduced: true,
    },
    View {
        network: V1SE,
        context: 4.0,
        is_reduced: true,
    },
];

/// The network and the context of each view.
pub(super) const NAMES: [(&str, f32); VIEWS.len()] = [
    (VIEWS[0].network, VIEWS[0].context),
    (VIEWS[1].network, VIEWS[1].context),
    (VIEWS[2].network, VIEWS[2].context),
];

/// Log odds of "bona fide" against both kinds of attack, one for each view.
pub(super) type LogOdds = [f32; VIEWS.len()];

pub(super) struct MiniFasNet {
    v2: Viewer,
    v1se: Viewer,
}

impl MiniFasNet {
    /// `None` when the pack holds neither; the calibration is that of both, so one alone is
    /// refused.
    pub(super) fn load(loader: &Loader<'_>) -> Result<Option<Self>> {
        let load = |id| Viewer::load(loader, id, INPUT_SIDE, INPUT_SIDE, &[3]);
        match [V2, V1SE].map(|id| loader.pack.has(id)) {
            [false, false] => Ok(None),
            [true, true] => Ok(Some(MiniFasNet {
                v2: load(V2)?,
                v1se: load(V1SE)?,
            })),
            _ => Err(Error::new(
                Stage::Pad,
                Kind::Model,
                format!("{V2} and {V1SE} are judged together: put both into the pack, or none"),
            )),
        }
    }

    /// Looks at the face through every view.
    pub(super) fn log_odds(&self, pyramid: &Pyramid<'_>, face: &Rect) -> Result<LogOdds> {
        let [close, whole, wide] = VIEWS.map(|view| {
            part(
                &view,
                face,
                pyramid.image().width(),
                pyramid.image().height(),
            )
        });
        let [close, whole] = self.v2.run_pair(
            |form, [first, second]| {
                pyramid.stretch(&close.0, close.1, form, first);
                pyramid.stretch(&whole.0, whole.1, form, second);
            },
            None,
            |outputs| outputs.map(log_odds),
        )?;
        let wide = self.v1se.run(
            |form, input| pyramid.stretch(&wide.0, wide.1, form, input),
            |outputs| log_odds(outputs[0]),
        )?;
        Ok([close, whole, wide])
    }
}

/// Of the logits print or mask, bona fide, replay.
fn log_odds(logits: &[f32]) -> f32 {
    let (print, bona_fide, replay) = (logits[0], logits[1], logits[2]);
    let most = print.max(replay);
    bona_fide - most - libm::logf(libm::expf(print - most) + libm::expf(replay - most))
}

/// The box enlarged about its centre, less where the picture ends, and moved to lie inside; whole
/// pixels of the reduced picture, as the networks' authors cut it. Beside it the reduction, 1 or
/// more.
fn part(view: &View, face: &Rect, width: u32, height: u32) -> (Rect, f32) {
    let reduction = if view.is_reduced {
        (face.side() / REDUCED_FACE_PX).max(1.0)
    } else {
        1.0
    };
    let reduced = |length: u32| (length as f32 / reduction).round().max(1.0);
    let (width, height) = (reduced(width), reduced(height));
    let [fx, fy, fw, fh] = [face.x, face.y, face.width, face.height].map(|v| v / reduction);
    let scale = view
        .context
        .min((width - 1.0) / fw.max(1.0))
        .min((height - 1.0) / fh.max(1.0))
        .max(0.0);
    let (w, h) = (fw * scale, fh * scale);
    let x = (fx + fw / 2.0 - w / 2.0).min(width - 1.0 - w).max(0.0);
    let y = (fy + fh / 2.0 - h / 2.0).min(height - 1.0 - h).max(0.0);
    let cut = Rect {
        x: x.floor(),
        y: y.floor(),
        width: (x + w).floor() + 1.0 - x.floor(),
        height: (y + h).floor() + 1.0 - y.floor(),
    };
    (cut, reduction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    const FACE: Rect = Rect {
        x: 100.0,
        y: 80.0,
        width: 50.0,
        height: 60.0,
    };

    fn cut(context: f32, face: &Rect, width: u32, height: u32) -> [f32; 4] {
        let view = View {
            network: V2,
            context,
            is_reduced: false,
        };
        let (part, reduction) = part(&view, face, width, height);
        assert_eq!(reduction, 1.0);
        [part.x, part.y, part.width, part.height]
    }

    #[test]
    fn the_part_is_what_its_authors_cut() {
        assert_eq!(cut(2.7, &FACE, 640, 480), [57.0, 29.0, 136.0, 163.0]);
        // Where the picture is too small the box is enlarged less, and moved.
        assert_eq!(cut(4.0, &FACE, 640, 121), [75.0, 0.0, 101.0, 121.0]);
        let corner = Rect {
            x: 0.0,
            y: 0.0,
            ..FACE
        };
        assert_eq!(cut(2.7, &corner, 640, 480), [0.0, 0.0, 136.0, 163.0]);
    }

    #[test]
    fn a_reduced_picture_shows_a_face_of_112_pixels_and_a_small_one_stays_as_it_is() {
        let view = |scale: f32| {
            let face = Rect {
                x: 200.0 * scale,
                y: 160.0 * scale,
                width: 112.0 * scale,
                height: 112.0 * scale,
            };
            let size = 640.0 * scale;
            part(&VIEWS[1], &face, size as u32, size as u32)
        };
        assert_eq!(view(4.0), (view(1.0).0, 4.0));
        assert_eq!(view(0.5).1, 1.0);
    }

    #[test]
    fn log_odds_are_against_both_attacks_together() {
        assert_abs_diff_eq!(
            log_odds(&[0.0, 0.0, 0.0]),
            -core::f32::consts::LN_2,
            epsilon = 1e-6
        );
        assert_eq!(log_odds(&[-1000.0, 3.0, 1.0]), 2.0);
        assert_eq!(log_odds(&[1.0, -999.0, -1000.0]), -1000.0);
    }
}
