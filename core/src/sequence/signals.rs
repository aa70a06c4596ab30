//! Every signal: what it is called, what it speaks for, how much it counts, and what it says to a
//! person.

use super::evidence::Channel;
use super::frame::Frame;
use super::{clock, detail, identity, light, motion, order, pulse, stream, texture};

/// One signal. Larger values are more suspicious.
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) channel: Channel,
    pub(super) unit: &'static str,
    /// 0 for a signal that is told and decides nothing.
    pub(super) weight: f32,
    /// The distance between usual and unusual values that is taken at least, where bona fide
    /// material is all alike.
    pub(super) least_spread: f32,
    pub(super) measure: fn(&[&Frame]) -> Option<f32>,
    /// What an unusual value means.
    pub(super) unusual: &'static str,
    /// Why it is computed and always abstains.
    pub(super) abstains: Option<&'static str>,
}

const fn spec(
    name: &'static str,
    channel: Channel,
    unit: &'static str,
    (weight, least_spread): (f32, f32),
    measure: fn(&[&Frame]) -> Option<f32>,
    unusual: &'static str,
) -> Spec {
    Spec {
        name,
        channel,
        unit,
        weight,
        least_spread,
        measure,
        unusual,
        abstains: None,
    }
}

use Channel::{Deepfake, Injection};

const CHANCE: &str =
    "told and not counted: on real deepfakes it is right no more often than chance";
const UNMEASURED: &str = "told and not counted: too few long clips were measured to trust it";

pub(super) const SIGNALS: &[Spec] = &[
    spec(
        "identity-consistency",
        Deepfake,
        "1 - cosine",
        (0.4, 0.02),
        identity::spread,
        "the face is less alike from frame to frame than one person's is",
    ),
    Spec {
        abstains: Some(CHANCE),
        ..spec(
            "identity-scatter",
            Deepfake,
            "cosine",
            (0.0, 0.02),
            identity::scatter,
            "how alike the face is to itself varies more than one person's does",
        )
    },
    spec(
        "identity-switch",
        Deepfake,
        "1 - cosine",
        (0.95, 0.22),
        identity::switch,
        "the person before and after a moment is not the same",
    ),
    spec(
        "colour-flicker",
        Deepfake,
        "of the value",
        (0.25, 2e-4),
        light::colour_flicker,
        "the colour of the lower face flickers against the forehead",
    ),
    spec(
        "hue-flicker",
        Deepfake,
        "of the value",
        (0.5, 2e-4),
        light::hue_flicker,
        "the colour of the face flickers",
    ),
    spec(
        "brightness-flicker",
        Deepfake,
        "of the value",
        (0.6, 5e-4),
        light::brightness_flicker,
        "the face flickers in brightness and its surroundings do not",
    ),
    spec(
        "texture-balance",
        Deepfake,
        "deviations",
        (0.4, 0.5),
        texture::imbalance,
        "cheeks and nose are smoother or noisier than the forehead would have them",
    ),
    spec(
        "skin-renewal",
        Deepfake,
        "log share",
        (0.9, 0.05),
        detail::skin_renewal,
        "the skin's fine detail is made anew from frame to frame",
    ),
    spec(
        "edge-renewal",
        Deepfake,
        "log share",
        (0.8, 0.05),
        detail::edge_renewal,
        "the fine detail along the edge of the face is made anew from frame to frame",
    ),
    spec(
        "mouth-renewal",
        Deepfake,
        "log share",
        (0.5, 0.1),
        detail::mouth_renewal,
        "the mouth is drawn anew from frame to frame",
    ),
    Spec {
        abstains: Some(CHANCE),
        ..spec(
            "landmark-jitter",
            Deepfake,
            "eye distances",
            (0.0, 1e-3),
            motion::jitter,
            "the landmarks tremble more than a rigid head's do",
        )
    },
    Spec {
        abstains: Some(CHANCE),
        ..spec(
            "inner-outer-motion",
            Deepfake,
            "eye distances",
            (0.0, 2e-3),
            motion::slip,
            "the inside of the face slips against its outline",
        )
    },
    Spec {
        abstains: Some(CHANCE),
        ..spec(
            "inner-outer-pose",
            Deepfake,
            "degrees",
            (0.0, 0.1),
            motion::pose_gap,
            "the head points elsewhere by its inside than by its outline",
        )
    },
    Spec {
        abstains: Some(UNMEASURED),
        ..spec(
            "eye-stillness",
            Deepfake,
            "mean over deviation",
            (0.0, 10.0),
            motion::eye_stillness,
            "the eyelids hardly move",
        )
    },
    Spec {
        abstains: Some(
            "the pulse in the skin's colour is told and not trusted: recordings carry it too, and \
            coding destroys it",
        ),
        ..spec(
            "pulse-absence",
            Deepfake,
            "share of power",
            (0.0, 0.1),
            pulse::absence,
            "no pulse is seen in the colour of the skin",
        )
    },
    spec(
        "frozen-frames",
        Injection,
        "s",
        (0.9, 0.1),
        order::frozen,
        "the picture stands still to the pixel",
    ),
    spec(
        "repeated-frames",
        Injection,
        "of the frames",
        (0.5, 0.04),
        order::repeated,
        "frames equal the one before them in every pixel",
    ),
    spec(
        "doubled-frames",
        Injection,
        "of the frames",
        (0.4, 0.05),
        order::doubled,
        "frames are replaced by the one before them",
    ),
    spec(
        "looped-frames",
        Injection,
        "likeness",
        (0.95, 0.15),
        order::looped,
        "a moving scene comes again",
    ),
    spec(
        "reversed-frames",
        Injection,
        "likeness",
        (0.95, 0.15),
        order::reversed,
        "a moving scene runs backwards",
    ),
    spec(
        "timestamp-order",
        Injection,
        "of the intervals",
        (0.9, 0.01),
        clock::disorder,
        "timestamps repeat or go backwards",
    ),
    spec(
        "timestamp-haste",
        Injection,
        "of the intervals",
        (0.8, 0.02),
        clock::haste,
        "frames follow each other faster than any camera delivers them",
    ),
    spec(
        "timestamp-drift",
        Injection,
        "octaves",
        (0.3, 0.5),
        clock::drift,
        "the frame rate drifts",
    ),
    spec(
        "timestamp-evenness",
        Injection,
        "share",
        (0.0, 0.1),
        clock::evenness,
        "the timestamps are more even than a camera's",
    ),
    spec(
        "frame-size-changes",
        Injection,
        "changes",
        (0.5, 0.3),
        stream::resizings,
        "the frames change their size",
    ),
    spec(
        "scene-cut",
        Injection,
        "times the movement",
        (0.25, 2.0),
        stream::cut,
        "the scene is cut",
    ),
    spec(
        "block-coding",
        Injection,
        "of the step",
        (0.0, 0.1),
        stream::blocks,
        "the frames carry the grid of a video coder",
    ),
];
