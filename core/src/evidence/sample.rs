//! What is known of one picture.

use super::{Assessed, PadReport, QualityReport, json, names};
use crate::geometry::{Point, Rect};
use serde::Serialize;

names! {
    /// What a picture is in the transaction. A selfie is live and upright; a reference picture may
    /// be a print, any way up, with a small portrait.
    pub enum Role {
        /// The live face: the probe.
        Selfie = 1 => "selfie",
        /// The reference picture, as of an identity document; that it is one takes a policy that
        /// asks.
        Document = 2 => "document",
    }
}

names! {
    /// The detectors, from near to far.
    pub enum Detector {
        /// BlazeFace short range: faces of a fifth of the frame and more.
        Near => "near",
        /// BlazeFace full range: down to a twentieth.
        Far => "far",
        /// CenterFace: small faces, portraits on documents.
        Small => "small",
        /// YuNet, which an optional pack holds.
        Yunet => "yunet",
    }
}

impl Detector {
    /// The detectors of the default pack.
    pub const DEFAULT: [Detector; 3] = [Detector::Near, Detector::Far, Detector::Small];
}

/// A face found in a picture. All coordinates are pixels of the upright picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Detection {
    /// The face's box, parallel to the sides of the picture.
    pub bounds: Rect,
    /// How sure the detector is, in 0..=1; larger is surer. Not comparable between detectors.
    pub score: f32,
    /// The eye on the left of an upright face's picture (the subject's right eye).
    pub left_eye: Point,
    /// The eye on the right of an upright face's picture.
    pub right_eye: Point,
    /// Which network found it.
    pub detector: Detector,
}

/// The rotation of the head in degrees; all zero for a face that looks straight into the camera.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pose {
    /// Turned to the side: positive towards the right of the picture.
    pub yaw_deg: f32,
    /// Nodding: positive downwards.
    pub pitch_deg: f32,
    /// Tilted to the shoulder: positive clockwise in the picture.
    pub roll_deg: f32,
}

/// The face that was used.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Face {
    /// Where the detector saw it.
    pub detection: Detection,
    /// The box around its landmarks.
    pub bounds: Rect,
    /// Direction of the head.
    pub pose: Pose,
    /// Distance between the centres of the eyes in pixels.
    pub inter_eye_px: f32,
    /// How far the landmarks moved, on average and in distances of the eyes, when they were placed
    /// for the last time: above 0.05 they do not lie on a face.
    pub landmark_shift: f32,
    /// How far an eye of the mesh lies from where the detector saw it, in distances of the eyes:
    /// above 1 they are not the same.
    pub eye_gap: f32,
    /// The 468 landmarks of the mesh in pixels; biometric data, so not part of the JSON.
    #[serde(skip)]
    pub landmarks: Vec<Point>,
}

/// What is known of one picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sample {
    /// What the picture is in the transaction.
    pub role: Role,
    /// Width of the upright picture in pixels.
    pub width: u32,
    /// Height of the upright picture in pixels.
    pub height: u32,
    /// The face that was chosen; `None` when none was found (a failure to acquire).
    pub face: Option<Face>,
    /// Another face so large that either could be meant.
    pub rival: Option<Detection>,
    /// Quality of the face sample.
    pub quality: Assessed<QualityReport>,
    /// Presentation attack detection; not asked of a reference picture, which may be a print.
    pub pad: Assessed<PadReport>,
}

impl Sample {
    /// Returns the sample as JSON.
    pub fn to_json(&self) -> String {
        json(self)
    }
}
