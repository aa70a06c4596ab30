//! In which order the detectors look, from near to far.

use super::{Blaze, Center, Turn, Window, Yunet, suppress};
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{Detection, Detector, Role};
use crate::image::Pyramid;
use crate::network::Loader;

/// One look at the whole picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Attempt {
    detector: Detector,
    /// How large the picture is shown, relative to just fitting; below 1 for a face that fills the
    /// frame.
    zoom: f32,
    turn: Turn,
}

pub(crate) struct Cascade {
    near: Blaze,
    far: Blaze,
    small: Center,
    yunet: Option<Yunet>,
}

/// Side of CenterFace's input: a portrait of 40 pixels on a page of 1,600 is 16 pixels here, four
/// cells of its heatmap.
const SMALL_SIDE: usize = 640;

/// Looks at the whole picture that together show its faces; for small ones `TILES` follow.
const EVERY_LOOK: [(Detector, f32); 6] = [
    (Detector::Near, 0.3),
    (Detector::Near, 0.5),
    (Detector::Near, 1.0),
    (Detector::Far, 1.0),
    (Detector::Small, 1.0),
    (Detector::Yunet, 1.0),
];

/// How much larger CenterFace is shown the quarters of a picture that is larger than its input.
const TILES: f32 = 1.8;

/// Detections of two looks that overlap by more than this (intersection over union) show the same
/// face.
const SAME_FACE: f32 = 0.4;

impl Cascade {
    pub(crate) fn load(loader: &Loader<'_>) -> Result<Self> {
        Ok(Cascade {
            near: Blaze::near(loader)?,
            far: Blaze::far(loader)?,
            small: Center::load(loader, SMALL_SIDE)?,
            yunet: Yunet::load(loader)?,
        })
    }

    /// The looks to take, in order, until one shows a face. Documents are looked at in all four
    /// orientations by one detector before the next is asked.
    pub(crate) fn attempts(role: Role) -> impl Iterator<Item = Attempt> {
        let looks: &[(Detector, f32)] = match role {
            Role::Selfie => &[
                (Detector::Near, 1.0),
                (Detector::Far, 1.0),
                (Detector::Near, 0.5),
                (Detector::Small, 1.0),
                (Detector::Near, 0.3),
            ],
            Role::Document => &[
                (Detector::Far, 1.0),
                (Detector::Near, 1.0),
                (Detector::Small, 1.0),
                (Detector::Near, 0.5),
            ],
        };
        Self::turned(looks, Turn::of(role))
    }

    /// The looks to take at a still selfie in which nothing stands upright: it may lie on its side
    /// or its head.
    pub(crate) fn sideways() -> impl Iterator<Item = Attempt> {
        let looks = &[
            (Detector::Near, 1.0),
            (Detector::Far, 1.0),
            (Detector::Small, 1.0),
        ];
        Self::turned(looks, &Turn::ALL[1..])
    }

    fn turned(
        looks: &'static [(Detector, f32)],
        turns: &'static [Turn],
    ) -> impl Iterator<Item = Attempt> {
        looks.iter().flat_map(move |&(detector, zoom)| {
            turns.iter().map(move |&turn| Attempt {
                detector,
                zoom,
                turn,
            })
        })
    }

    /// Returns all faces that `detectors` show in every look of theirs, best first. A document is
    /// shown in the first orientation in which it holds an upright face.
    pub(crate) fn all(
        &self,
        pyramid: &Pyramid<'_>,
        role: Role,
        detectors: &[Detector],
    ) -> Result<Vec<Detection>> {
        let (width, height) = (pyramid.width(), pyramid.height());
        for &turn in Turn::of(role) {
            let mut found = Vec::new();
            for &(detector, zoom) in EVERY_LOOK
                .iter()
                .filter(|(detector, _)| detectors.contains(detector))
            {
                found.extend(self.look(
                    pyramid,
                    Attempt {
                        detector,
                        zoom,
                        turn,
                    },
                )?);
            }
            if detectors.contains(&Detector::Small) && width.max(height) > SMALL_SIDE as f32 {
                for window in Window::tiles(width, height, TILES) {
                    let faces = self.see(pyramid, Detector::Small, window, turn)?;
                    found.extend(
                        faces
                            .into_iter()
                            .filter(|face| !window.cuts(&face.bounds, width, height)),
                    );
                }
            }
            if !found.is_empty() {
                return Ok(suppress(found, SAME_FACE));
            }
        }
        Ok(Vec::new())
    }

    /// Returns the faces that one look at the whole picture shows, best first.
    pub(crate) fn look(&self, pyramid: &Pyramid<'_>, attempt: Attempt) -> Result<Vec<Detection>> {
        self.see(
            pyramid,
            attempt.detector,
            Window::whole(pyramid.width(), pyramid.height(), attempt.zoom),
            attempt.turn,
        )
    }

    /// Returns the faces that a detector sees in a window, best first; only those that stand
    /// upright in it, because a network that is shown a face sideways places the eyes at random.
    fn see(
        &self,
        pyramid: &Pyramid<'_>,
        detector: Detector,
        window: Window,
        turn: Turn,
    ) -> Result<Vec<Detection>> {
        let view = |side| window.map(side, turn);
        let mut found = match detector {
            Detector::Near => self.near.detect(pyramid, &view(self.near.side()))?,
            Detector::Far => self.far.detect(pyramid, &view(self.far.side()))?,
            Detector::Small => self.small.detect(pyramid, &view(self.small.side()))?,
            Detector::Yunet => {
                let message =
                    "the model pack does not hold yunet, which is opt-in: build the pack with it";
                let yunet = self
                    .yunet
                    .as_ref()
                    .ok_or_else(|| Error::new(Stage::Detect, Kind::Usage, message))?;
                yunet.detect(pyramid, &view(yunet.side()))?
            }
        };
        let up = turn.direction();
        found.retain(|face| {
            let eyes = face.direction();
            let along = eyes.x * up.x + eyes.y * up.y;
            let length = (eyes.x * eyes.x + eyes.y * eyes.y).sqrt();
            along > 0.7 * length
        });
        Ok(found)
    }
}
