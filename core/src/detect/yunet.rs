//! YuNet (Wu et al. 2023): an anchor-free detector on three grids, from an optional pack, to
//! compare with.

use super::suppress;
use crate::error::Result;
use crate::evidence::{Detection, Detector};
use crate::geometry::{Point, Rect, Similarity};
use crate::image::Pyramid;
use crate::network::{Loader, Viewer};

pub(super) const ID: &str = "yunet";

/// Side of the square input, which is fixed in the file.
const SIDE: usize = 640;

/// Input pixels a cell of each grid.
const STRIDES: [usize; 3] = [8, 16, 32];

const LEAST_SCORE: f32 = 0.3;

pub(crate) struct Yunet {
    viewer: Viewer,
}

impl Yunet {
    /// `None` when the pack does not hold it.
    pub(crate) fn load(loader: &Loader<'_>) -> Result<Option<Self>> {
        if !loader.pack.models().iter().any(|model| model.id == ID) {
            return Ok(None);
        }
        let cells = STRIDES.map(|stride| (SIDE / stride) * (SIDE / stride));
        let lengths: Vec<usize> = [1, 1, 4, 10]
            .iter()
            .flat_map(|values| cells.map(|count| count * values))
            .collect();
        Ok(Some(Yunet {
            viewer: Viewer::load(loader, ID, SIDE, SIDE, &lengths)?,
        }))
    }

    pub(crate) fn side(&self) -> usize {
        SIDE
    }

    /// Returns the faces in the picture seen through `map`, best first.
    pub(crate) fn detect(&self, pyramid: &Pyramid<'_>, map: &Similarity) -> Result<Vec<Detection>> {
        let found = self.viewer.see(pyramid, map, |outputs| {
            let mut found = Vec::new();
            for (grid, &stride) in STRIDES.iter().enumerate() {
                let [class, object, boxes, points] =
                    [0, 3, 6, 9].map(|first| outputs[first + grid]);
                let (columns, stride) = (SIDE / stride, stride as f32);
                for (at, (c, o)) in class.iter().zip(object).enumerate() {
                    let score = (c * o).max(0.0).sqrt();
                    if score < LEAST_SCORE {
                        continue;
                    }
                    let cell = Point::new((at % columns) as f32, (at / columns) as f32);
                    let place =
                        |v: &[f32]| Point::new((cell.x + v[0]) * stride, (cell.y + v[1]) * stride);
                    let (b, p) = (&boxes[4 * at..][..4], &points[10 * at..][..10]);
                    let (centre, width, height) = (
                        place(b),
                        libm::expf(b[2]) * stride,
                        libm::expf(b[3]) * stride,
                    );
                    found.push(Detection {
                        bounds: Rect {
                            x: centre.x - width / 2.0,
                            y: centre.y - height / 2.0,
                            width,
                            height,
                        },
                        score,
                        left_eye: place(p),
                        right_eye: place(&p[2..]),
                        detector: Detector::Yunet,
                    });
                }
            }
            found
        })?;
        Ok(suppress(found, 0.3)
            .into_iter()
            .map(|d| d.through(map))
            .collect())
    }
}
