//! CenterFace (Xu et al. 2020): a heatmap of face centres at a quarter of the input's scale, for
//! small faces.

use super::suppress;
use crate::error::Result;
use crate::evidence::{Detection, Detector};
use crate::geometry::{Point, Rect, Similarity};
use crate::image::Pyramid;
use crate::network::{Loader, Viewer};

/// Input pixels a cell of the heatmap.
const STRIDE: usize = 4;

const LEAST_SCORE: f32 = 0.35;

pub(crate) struct Center {
    viewer: Viewer,
    cells: usize,
}

impl Center {
    /// `side` of the square input: a multiple of 32.
    pub(crate) fn load(loader: &Loader<'_>, side: usize) -> Result<Self> {
        let cells = side / STRIDE;
        let plane = cells * cells;
        let viewer = Viewer::load(
            loader,
            "centerface",
            side,
            side,
            &[plane, 2 * plane, 2 * plane, 10 * plane],
        )?;
        Ok(Center { viewer, cells })
    }

    pub(crate) fn side(&self) -> usize {
        self.viewer.width()
    }

    /// Returns the faces in the picture seen through `map`, best first.
    pub(crate) fn detect(&self, pyramid: &Pyramid<'_>, map: &Similarity) -> Result<Vec<Detection>> {
        let (cells, plane) = (self.cells, self.cells * self.cells);
        let found = self.viewer.see(pyramid, map, |outputs| {
            let [heat, scale, offset, points] = [outputs[0], outputs[1], outputs[2], outputs[3]];
            let mut found = Vec::new();
            for (at, &score) in heat
                .iter()
                .enumerate()
                .filter(|(_, score)| **score > LEAST_SCORE)
            {
                let (row, column) = ((at / cells) as f32, (at % cells) as f32);
                let stride = STRIDE as f32;
                // Order of the planes: height before width, y before x.
                let height = libm::expf(scale[at]) * stride;
                let width = libm::expf(scale[plane + at]) * stride;
                let y = (row + offset[at] + 0.5) * stride - height / 2.0;
                let x = (column + offset[plane + at] + 0.5) * stride - width / 2.0;
                let point = |i: usize| {
                    Point::new(
                        x + points[(2 * i + 1) * plane + at] * width,
                        y + points[2 * i * plane + at] * height,
                    )
                };
                found.push(Detection {
                    bounds: Rect {
                        x,
                        y,
                        width,
                        height,
                    },
                    score,
                    left_eye: point(0),
                    right_eye: point(1),
                    detector: Detector::Small,
                });
            }
            found
        })?;
        Ok(suppress(found, 0.3)
            .into_iter()
            .map(|d| d.through(map))
            .collect())
    }
}
