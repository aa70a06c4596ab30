//! BlazeFace (Bazarevsky et al. 2019): a single-shot detector on a grid of square anchors of one
//! size.

use crate::error::Result;
use crate::evidence::{Detection, Detector};
use crate::geometry::{Point, Rect, Similarity};
use crate::image::Pyramid;
use crate::network::{Loader, Viewer};

/// Values an anchor is given: centre and size of the box, then six points (eyes, nose, mouth,
/// ears).
const VALUES: usize = 16;

/// Anchors that see a face; more make the list grow.
const FEW: usize = 16;

/// Anchors that overlap this much speak of the same face.
const SAME_FACE: f32 = 0.3;

pub(crate) struct Blaze {
    viewer: Viewer,
    anchors: Vec<Point>,
    detector: Detector,
    least_logit: f32,
}

impl Blaze {
    /// Short range: 128 pixels, two anchors a cell of 8 and six a cell of 16.
    pub(crate) fn near(loader: &Loader<'_>) -> Result<Self> {
        Self::load(
            loader,
            "blazeface-short",
            Detector::Near,
            128,
            &[(8, 2), (16, 6)],
        )
    }

    /// Full range: 192 pixels, one anchor a cell of 4.
    pub(crate) fn far(loader: &Loader<'_>) -> Result<Self> {
        Self::load(loader, "blazeface-full", Detector::Far, 192, &[(4, 1)])
    }

    fn load(
        loader: &Loader<'_>,
        id: &str,
        detector: Detector,
        side: usize,
        grids: &[(usize, usize)],
    ) -> Result<Self> {
        let mut anchors = Vec::new();
        for &(cell, count) in grids {
            for y in 0..side / cell {
                for x in 0..side / cell {
                    let centre = Point::new(
                        (x as f32 + 0.5) * cell as f32,
                        (y as f32 + 0.5) * cell as f32,
                    );
                    anchors.extend(std::iter::repeat_n(centre, count));
                }
            }
        }
        let viewer = Viewer::load(
            loader,
            id,
            side,
            side,
            &[anchors.len() * VALUES, anchors.len()],
        )?;
        Ok(Blaze {
            viewer,
            anchors,
            detector,
            least_logit: 0.0,
        })
    }

    pub(crate) fn side(&self) -> usize {
        self.viewer.width()
    }

    /// Returns the faces in the picture seen through `map`, best first.
    pub(crate) fn detect(&self, pyramid: &Pyramid<'_>, map: &Similarity) -> Result<Vec<Detection>> {
        let candidates = self.viewer.see(pyramid, map, |outputs| {
            let (values, logits) = (outputs[0].chunks_exact(VALUES), outputs[1]);
            let mut candidates = Vec::with_capacity(FEW);
            let seen = values
                .zip(logits)
                .zip(&self.anchors)
                .filter(|((_, logit), _)| **logit >= self.least_logit)
                .map(|((v, &logit), anchor)| {
                    let (cx, cy) = (anchor.x + v[0], anchor.y + v[1]);
                    let (ax, ay) = (anchor.x, anchor.y);
                    (
                        logit,
                        [
                            cx,
                            cy,
                            v[2],
                            v[3],
                            ax + v[4],
                            ay + v[5],
                            ax + v[6],
                            ay + v[7],
                        ],
                    )
                });
            candidates.extend(seen);
            candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
            candidates
        })?;
        Ok(self
            .merge(candidates)
            .into_iter()
            .map(|d| d.through(map))
            .collect())
    }

    /// Averages the candidates that overlap the best one, weighted by score, and goes on with the
    /// rest.
    fn merge(&self, mut candidates: Vec<(f32, [f32; 8])>) -> Vec<Detection> {
        let bounds = |v: &[f32; 8]| Rect {
            x: v[0] - v[2] / 2.0,
            y: v[1] - v[3] / 2.0,
            width: v[2],
            height: v[3],
        };
        let mut merged = Vec::new();
        while let Some(&(best_logit, best)) = candidates.first() {
            let best_bounds = bounds(&best);
            let (mut sum, mut total) = ([0.0f32; 8], 0.0f32);
            candidates.retain(|(logit, values)| {
                let same = bounds(values).iou(&best_bounds) > SAME_FACE || *values == best;
                if same {
                    let weight = super::sigmoid(*logit);
                    total += weight;
                    sum.iter_mut()
                        .zip(values)
                        .for_each(|(s, v)| *s += weight * v);
                }
                !same
            });
            let v = sum.map(|s| s / total);
            merged.push(Detection {
                bounds: bounds(&v),
                score: super::sigmoid(best_logit),
                left_eye: Point::new(v[4], v[5]),
                right_eye: Point::new(v[6], v[7]),
                detector: self.detector,
            });
        }
        merged
    }
}
