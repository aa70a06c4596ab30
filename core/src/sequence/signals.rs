//! Every signal: what it is called, what it speaks for, how much it counts, and what it says to a
//! person.

use super::frame::Frame;
use super::{clock, detail, identity, light, motion, order, pulse, stream, texture};
use crate::evidence::{Channel, SignalName};

/// One signal. Larger values are more suspicious.
pub(super) struct Spec {
    pub(super) name: SignalName,
    pub(super) channel: Channel,
    /// 0 for a signal that is told and decides nothing.
    pub(super) weight: f32,
    /// The distance between usual and unusual values that is taken at least, where bona fide
    /// material is all alike.
    pub(super) least_spread: f32,
    pub(super) measure: fn(&[&Frame]) -> Option<f32>,
    /// What an unusual value means.
    pub(super) unusual: &'static str,
    /// Why it is told and counts for nothing.
    pub(super) uncounted: Option<&'static str>,
}

const fn spec(
    name: SignalName,
    channel: Channel,
    (weight, least_spread): (f32, f32),
    measure: fn(&[&Frame]) -> Option<f32>,
    unusual: &'static str,
) -> Spec {
    Spec {
        name,
        channel,
        weight,
        least_spread,
        measure,
        unusual,
        uncounted: None,
    }
}

use Channel::{Deepfake, Injection};

const CHANCE: &str =
    "told and not counted: on real deepfakes it is right no more often than chance";
const UNMEASURED: &str = "told and not counted: too few long clips were measured to trust it";

pub(super) const SIGNALS: &[Spec] = &[
    spec(
        SignalName::IdentityConsistency,
        Deepfake,
        (0.4, 0.02),
        identity::spread,
        "the face is less alike from frame to frame than one person's is",
    ),
    Spec {
        uncounted: Some(CHANCE),
        ..spec(
            SignalName::IdentityScatter,
            Deepfake,
            (0.0, 0.02),
            identity::scatter,
            "how alike the face is to itself varies more than one person's does",
        )
    },
    spec(
        SignalName::IdentitySwitch,
        Deepfake,
        (0.95, 0.22),
        identity::switch,
        "the person before and after a moment is not the same",
    ),
    spec(
        SignalName::ColourFlicker,
        Deepfake,
        (0.25, 2e-4),
        light::colour_flicker,
        "the colour of the lower face flickers against the forehead",
    ),
    spec(
        SignalName::HueFlicker,
        Deepfake,
        (0.5, 2e-4),
        light::hue_flicker,
        "the colour of the face flickers",
    ),
    spec(
        SignalName::BrightnessFlicker,
        Deepfake,
        (0.6, 5e-4),
        light::brightness_flicker,
        "the face flickers in brightness and its surroundings do not",
    ),
    spec(
        SignalName::TextureBalance,
        Deepfake,
        (0.4, 0.5),
        texture::imbalance,
        "cheeks and nose are smoother or noisier than the forehead would have them",
    ),
    spec(
        SignalName::SkinRenewal,
        Deepfake,
        (0.9, 0.05),
        detail::skin_renewal,
        "the skin's fine detail is made anew from frame to frame",
    ),
    spec(
        SignalName::EdgeRenewal,
        Deepfake,
        (0.8, 0.05),
        detail::edge_renewal,
        "the fine detail along the edge of the face is made anew from frame to frame",
    ),
    spec(
        SignalName::MouthRenewal,
        Deepfake,
        (0.5, 0.1),
        detail::mouth_renewal,
        "the mouth is drawn anew from frame to frame",
    ),
    Spec {
        uncounted: Some(CHANCE),
        ..spec(
            SignalName::LandmarkJitter,
            Deepfake,
            (0.0, 1e-3),
            motion::jitter,
            "the landmarks tremble more than a rigid head's do",
        )
    },
    Spec {
        uncounted: Some(CHANCE),
        ..spec(
            SignalName::InnerOuterMotion,
            Deepfake,
            (0.0, 2e-3),
            motion::slip,
            "the inside of the face slips against its outline",
        )
    },
    Spec {
        uncounted: Some(CHANCE),
        ..spec(
            SignalName::InnerOuterPose,
            Deepfake,
            (0.0, 0.1),
            motion::pose_gap,
            "the head points elsewhere by its inside than by its outline",
        )
    },
    Spec {
        uncounted: Some(UNMEASURED),
        ..spec(
            SignalName::EyeStillness,
            Deepfake,
            (0.0, 10.0),
            motion::eye_stillness,
            "the eyelids hardly move",
        )
    },
    Spec {
        uncounted: Some(
            "the pulse in the skin's colour is told and not trusted: recordings carry it too, and \
            coding destroys it",
        ),
        ..spec(
            SignalName::PulseAbsence,
            Deepfake,
            (0.0, 0.1),
            pulse::absence,
            "no pulse is seen in the colour of the skin",
        )
    },
    spec(
        SignalName::FrozenFrames,
        Injection,
        (0.9, 0.1),
        order::frozen,
        "the picture stands still to the pixel",
    ),
    spec(
        SignalName::RepeatedFrames,
        Injection,
        (0.5, 0.04),
        order::repeated,
        "frames equal the one before them in every pixel",
    ),
    spec(
        SignalName::DoubledFrames,
        Injection,
        (0.4, 0.05),
        order::doubled,
        "frames are replaced by the one before them",
    ),
    spec(
        SignalName::LoopedFrames,
        Injection,
        (0.95, 0.15),
        order::looped,
        "a moving scene comes again",
    ),
    spec(
        SignalName::ReversedFrames,
        Injection,
        (0.95, 0.15),
        order::reversed,
        "a moving scene runs backwards",
    ),
    spec(
        SignalName::TimestampOrder,
        Injection,
        (0.9, 0.01),
        clock::disorder,
        "timestamps repeat or go backwards",
    ),
    spec(
        SignalName::TimestampHaste,
        Injection,
        (0.8, 0.02),
        clock::haste,
        "frames follow each other faster than any camera delivers them",
    ),
    spec(
        SignalName::TimestampDrift,
        Injection,
        (0.3, 0.5),
        clock::drift,
        "the frame rate drifts",
    ),
    spec(
        SignalName::TimestampEvenness,
        Injection,
        (0.0, 0.1),
        clock::evenness,
        "the timestamps are more even than a camera's",
    ),
    spec(
        SignalName::FrameSizeChanges,
        Injection,
        (0.5, 0.3),
        stream::resizings,
        "the frames change their size",
    ),
    spec(
        SignalName::SceneCut,
        Injection,
        (0.25, 2.0),
        stream::cut,
        "the scene is cut",
    ),
    spec(
        SignalName::BlockCoding,
        Injection,
        (0.0, 0.1),
        stream::blocks,
        "the frames carry the grid of a video coder",
    ),
];
