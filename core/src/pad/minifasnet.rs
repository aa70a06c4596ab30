//! The two MiniFASNet networks of Silent-Face-Anti-Spoofing (minivision-ai), where the pack holds
//! them.

use super::softmax;
use crate::align::AlignedFace;
use crate::error::{Error, Kind, Result, Stage};
use crate::geometry::Rect;
use crate::model::Pack;
use crate::network::Viewer;
use vultus_nn::Precision;

/// The networks, and how many times the face's box each looks at.
const NETWORKS: [(&str, f32); 2] = [("minifasnet-v2", 2.7), ("minifasnet-v1se", 4.0)];

const INPUT_SIDE: usize = 80;

/// Which of the three logits is "bona fide".
const BONA_FIDE: usize = 1;

pub(super) struct MiniFasNet {
    viewers: [Viewer; 2],
}

impl MiniFasNet {
    /// `None` when the pack holds neither; the calibration is that of the pair, so one alone is
    /// refused.
    pub(super) fn load(pack: &Pack, precision: Precision) -> Result<Option<Self>> {
        let ids = NETWORKS.map(|(id, _)| id);
        match ids.map(|id| pack.has(id)) {
            [false, false] => Ok(None),
            [true, true] => {
                let load = |id| Viewer::load(pack, id, INPUT_SIDE, INPUT_SIDE, &[3], precision);
                Ok(Some(MiniFasNet {
                    viewers: [load(ids[0])?, load(ids[1])?],
                }))
            }
            _ => Err(Error::new(
                Stage::Pad,
                Kind::Model,
                format!(
                    "{} and {} are judged together: put both into the pack, or none",
                    ids[0], ids[1]
                ),
            )),
        }
    }

    /// The mean share of "bona fide", 0..=1.
    pub(super) fn bona_fide(&self, face: &AlignedFace<'_>) -> Result<f32> {
        let mut sum = 0.0;
        for (viewer, (_, context)) in self.viewers.iter().zip(NETWORKS) {
            let part = part(
                &face.bounds(),
                context,
                face.image().width(),
                face.image().height(),
            );
            sum += viewer.run(
                |form, input| face.pyramid().stretch(&part, form, input),
                |out| softmax(out[0])[BONA_FIDE],
            )?;
        }
        Ok(sum / NETWORKS.len() as f32)
    }
}

/// The box enlarged about its centre, less where the picture ends, and moved to lie inside; whole
/// pixels, as its authors cut it.
fn part(face: &Rect, context: f32, width: u32, height: u32) -> Rect {
    let (width, height) = (width as f32, height as f32);
    let scale = context
        .min((width - 1.0) / face.width.max(1.0))
        .min((height - 1.0) / face.height.max(1.0))
        .max(0.0);
    let (w, h) = (face.width * scale, face.height * scale);
    let centre = face.centre();
    let x = (centre.x - w / 2.0).min(width - 1.0 - w).max(0.0);
    let y = (centre.y - h / 2.0).min(height - 1.0 - h).max(0.0);
    Rect {
        x: x.floor(),
        y: y.floor(),
        width: (x + w).floor() + 1.0 - x.floor(),
        height: (y + h).floor() + 1.0 - y.floor(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_is_what_its_authors_cut() {
        let face = Rect {
            x: 100.0,
            y: 80.0,
            width: 50.0,
            height: 60.0,
        };
        assert_eq!(
            part(&face, 2.7, 640, 480),
            Rect {
                x: 57.0,
                y: 29.0,
                width: 136.0,
                height: 163.0
            }
        );
        // Where the picture is too small the box is enlarged less, and moved.
        assert_eq!(
            part(&face, 4.0, 640, 121),
            Rect {
                x: 75.0,
                y: 0.0,
                width: 101.0,
                height: 121.0
            }
        );
        assert_eq!(
            part(
                &Rect {
                    x: 0.0,
                    y: 0.0,
                    ..face
                },
                2.7,
                640,
                480
            ),
            Rect {
                x: 0.0,
                y: 0.0,
                width: 136.0,
                height: 163.0
            }
        );
    }
}
