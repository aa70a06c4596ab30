//! From a detection to a face whose every landmark is known, and the standard crops of it.

mod eyes;
mod pose;
mod template;

pub(crate) use eyes::Eyes;
pub(crate) use template::CROP_SIDE;

use crate::error::Result;
use crate::evidence::{Detection, Pose};
use crate::geometry::{Point, Rect, Similarity};
use crate::image::{Image, Pyramid};
use crate::network::{Loader, Viewer};
use crate::spare::{self, Buffer};

/// Landmarks of the mesh (MediaPipe's 468-point topology).
pub(crate) const POINTS: usize = 468;

/// The side of the network's crop relative to the longer side of the face's box.
const MARGIN: f32 = 1.5;

/// Landmark numbers by what they mark. "Left" is the left of the picture of an upright face.
pub(crate) mod landmark {
    pub(crate) const LEFT_EYE: [usize; 4] = [33, 133, 159, 145];
    pub(crate) const RIGHT_EYE: [usize; 4] = [263, 362, 386, 374];
    pub(crate) const NOSE_TIP: usize = 1;
    pub(crate) const NOSE_BRIDGE: usize = 168;
    pub(crate) const NOSE_BASE: usize = 2;
    pub(crate) const MOUTH_LEFT: usize = 61;
    pub(crate) const MOUTH_RIGHT: usize = 291;
    pub(crate) const LIP_UPPER_INNER: usize = 13;
    pub(crate) const LIP_LOWER_INNER: usize = 14;
    pub(crate) const FOREHEAD: usize = 10;
    pub(crate) const CHIN: usize = 152;
    /// The outline of the face, clockwise from the forehead.
    pub(crate) const OVAL: [usize; 36] = [
        10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
        152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
    ];
}

/// The network that places the landmarks.
pub(crate) struct Aligner {
    viewer: Viewer,
}

/// A face with its landmarks, in the picture that it was found in. Nothing but [`Aligner::align`]
/// makes one.
pub(crate) struct AlignedFace<'a> {
    pyramid: &'a Pyramid<'a>,
    points: Buffer<Point>,
    /// In pixels, growing away from the camera; zero at the middle of the head.
    depths: Buffer<f32>,
    /// How sure the network is that it saw a face, in 0..=1.
    presence: f32,
    fit: Fit,
}

/// How well the landmarks and the detection speak of the same face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Fit {
    /// How far the landmarks moved, on average, when they were placed for the last time, in a crop
    /// about themselves.
    pub(crate) shift: f32,
    /// How far an eye of the mesh lies from where the detector saw it, in the shorter of the two
    /// distances of the eyes; the worse eye.
    pub(crate) eye_gap: f32,
}

/// Where a face was, to find it again in the next frame without a detector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Track {
    bounds: Rect,
    direction: Point,
}

/// Below this presence the network may be looking at something else that moved there.
const SURE_OF_TRACK: f32 = 0.7;

/// Boxes of two frames that overlap by less (intersection over union) are too far apart to trust
/// landmarks that were placed once.
const NEAR_ITS_TRACK: f32 = 0.7;

/// Landmarks that move by no more, in distances of the eyes, when they are placed again are at
/// rest.
/// Of 2,453 faces of 40 to 600 pixels that were pasted before drawn backgrounds, all that came to
/// rest had their eyes within a tenth of that distance; those on hair or neck never did (0.07 and
/// more).
const AT_REST: f32 = 0.05;

/// Eyes that are no farther apart are the same at once: 19 of 20 such faces. On hair the mesh may
/// come to rest, too, as a face of twice the size.
const SAME_EYES: f32 = 0.5;

/// Eyes that are farther apart are not those that were detected.
const OTHER_EYES: f32 = 1.0;

impl crate::evidence::Face {
    /// Whether the landmarks lie on the face.
    pub(crate) fn is_placed(&self) -> bool {
        Fit {
            shift: self.landmark_shift,
            eye_gap: self.eye_gap,
        }
        .holds()
    }
}

impl Fit {
    /// 0 for a perfect fit, up to 1 for one that needs no second look.
    pub(crate) fn doubt(&self) -> f32 {
        (self.shift / AT_REST).max(self.eye_gap / SAME_EYES)
    }

    /// Whether the landmarks lie on the face that was detected.
    pub(crate) fn holds(&self) -> bool {
        self.shift <= AT_REST && self.eye_gap <= OTHER_EYES
    }
}

/// How often landmarks are placed until they rest. Twice suffices for 19 of 20 faces.
const PLACEMENTS: usize = 4;

impl Aligner {
    pub(crate) fn load(loader: &Loader<'_>) -> Result<Self> {
        Ok(Aligner {
            viewer: Viewer::load(loader, "facemesh-468", 192, 192, &[3 * POINTS, 1])?,
        })
    }

    /// Places the landmarks, then again in a crop about the result until they rest: the network was
    /// trained on crops made from landmarks, and its error halves. `None` when there is no face
    /// after all, or when they left the one that was detected.
    pub(crate) fn align<'a>(
        &self,
        pyramid: &'a Pyramid<'a>,
        face: &Detection,
    ) -> Result<Option<AlignedFace<'a>>> {
        let first = self.place(pyramid, face.bounds, face.direction())?;
        let mut placed = self.settle(pyramid, first, PLACEMENTS - 1)?;
        placed.fit.eye_gap = placed.eye_gap(face);
        Ok((placed.presence >= 0.5 && placed.lies_on(&face.bounds)).then_some(placed))
    }

    /// Places the landmarks where the face was a frame ago. `None` when it is lost.
    pub(crate) fn follow<'a>(
        &self,
        pyramid: &'a Pyramid<'a>,
        track: &Track,
    ) -> Result<Option<AlignedFace<'a>>> {
        let mut face = self.place(pyramid, track.bounds, track.direction)?;
        if face.bounds().iou(&track.bounds) < NEAR_ITS_TRACK {
            face = self.settle(pyramid, face, PLACEMENTS - 1)?;
            if !face.fit.holds() {
                return Ok(None);
            }
        }
        Ok((face.presence >= SURE_OF_TRACK).then_some(face))
    }

    /// Places the landmarks of a face again, up to `times`, until they rest.
    fn settle<'a>(
        &self,
        pyramid: &'a Pyramid<'a>,
        mut face: AlignedFace<'a>,
        times: usize,
    ) -> Result<AlignedFace<'a>> {
        for _ in 0..times {
            let mut next = self.place(pyramid, face.bounds(), face.direction())?;
            next.fit.shift = next.shift_from(&face);
            face = next;
            if face.fit.shift <= AT_REST {
                break;
            }
        }
        Ok(face)
    }

    fn place<'a>(
        &self,
        pyramid: &'a Pyramid<'a>,
        bounds: Rect,
        direction: Point,
    ) -> Result<AlignedFace<'a>> {
        let extent = bounds.width.max(bounds.height).max(1.0) * MARGIN;
        let map = Similarity::onto_square(
            self.viewer.width() as f32,
            bounds.centre(),
            extent,
            direction,
        );
        self.viewer.see(pyramid, &map, |outputs| AlignedFace {
            pyramid,
            points: spare::POINTS.collect(
                outputs[0]
                    .chunks_exact(3)
                    .map(|p| map.apply(Point::new(p[0], p[1]))),
            ),
            depths: spare::FLOATS.collect(outputs[0].chunks_exact(3).map(|p| p[2] * map.scale())),
            presence: 1.0 / (1.0 + libm::expf(-outputs[1][0])),
            fit: Fit::default(),
        })
    }
}

impl<'a> AlignedFace<'a> {
    pub(crate) fn pyramid(&self) -> &'a Pyramid<'a> {
        self.pyramid
    }

    pub(crate) fn image(&self) -> &'a Image {
        self.pyramid.image()
    }

    /// The landmarks in pixels of the picture.
    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }

    /// The depths of the landmarks in pixels, growing away from the camera.
    pub(crate) fn depths(&self) -> &[f32] {
        &self.depths
    }

    /// The box around the landmarks: from the forehead to the chin, from ear to ear, without hair.
    pub(crate) fn bounds(&self) -> Rect {
        Rect::around(self.points.iter().copied())
    }

    pub(crate) fn eye_centres(&self) -> [Point; 2] {
        [landmark::LEFT_EYE, landmark::RIGHT_EYE]
            .map(|eye| Point::mean(eye.map(|i| self.points[i])))
    }

    /// Distance between the centres of the eyes in pixels.
    pub(crate) fn inter_eye_px(&self) -> f32 {
        let [left, right] = self.eye_centres();
        left.distance(right)
    }

    /// How well the landmarks fit what was detected; perfect for a face that was followed.
    pub(crate) fn fit(&self) -> &Fit {
        &self.fit
    }

    fn eye_gap(&self, detected: &Detection) -> f32 {
        let [left, right] = self.eye_centres();
        let gap = left
            .distance(detected.left_eye)
            .max(right.distance(detected.right_eye));
        let apart = detected.left_eye.distance(detected.right_eye);
        gap / apart.min(self.inter_eye_px()).max(f32::MIN_POSITIVE)
    }

    fn shift_from(&self, before: &AlignedFace<'_>) -> f32 {
        let moved = self.points.iter().zip(&before.points[..]);
        let sum: f32 = moved.map(|(now, then)| now.distance(*then)).sum();
        sum / POINTS as f32 / self.inter_eye_px().max(f32::MIN_POSITIVE)
    }

    /// Whether the landmarks share half of their box, or of the detection's, with the other: they
    /// may not wander to a neighbour.
    fn lies_on(&self, detected: &Rect) -> bool {
        let own = self.bounds();
        let smaller = (own.width * own.height).min(detected.width * detected.height);
        2.0 * own.overlap(detected) >= smaller
    }

    pub(crate) fn pose(&self) -> Pose {
        Pose::of(&self.points, &self.depths)
    }

    pub(crate) fn track(&self) -> Track {
        Track {
            bounds: self.bounds(),
            direction: self.direction(),
        }
    }

    /// The direction of the face's own x axis, along the eyes.
    pub(crate) fn direction(&self) -> Point {
        let (left, right) = (
            self.points[landmark::LEFT_EYE[0]],
            self.points[landmark::RIGHT_EYE[0]],
        );
        Point::new(right.x - left.x, right.y - left.y)
    }
}
