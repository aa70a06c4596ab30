//! On-device biometric verification: is this a real person, and the right one?
//!
//! Pixels go in, evidence is gathered stage by stage, a policy turns the evidence into a decision that says why:
//!
//! ```text
//! bytes -image-> Image -detect-> Detection -align-> AlignedFace -quality-> QualityReport ----------------+
//!                  +------------------pad(Image, AlignedFace)-> PadReport --------------------------------+
//!                                        AlignedFace -embed-> Features(probe) --+                         |
//!   enrolment: the same path -template-> Template(reference) ------------compare-> Comparison ------------+
//!   frames: the same per frame ----------------------sequence-> SequenceEvidence -------------------------+-decision-> Decision
//! ```
//!
//! ```no_run
//! use vultus::{Engine, EngineOptions, Image, Limits, Policy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::open("build/pack", &EngineOptions::default())?;
//! let selfie = Image::decode(&std::fs::read("selfie.jpg")?, &Limits::default())?;
//! let document = Image::decode(&std::fs::read("passport.jpg")?, &Limits::default())?;
//! let decision = engine.verify(&selfie, &document, &Policy::default())?;
//! println!("{:?}: {}", decision.outcome, decision.reasons[0].text);
//! # Ok(())
//! # }
//! ```
//!
//! # Determinism
//!
//! The same input, pack and precision give the same decision to the last bit, whatever runs beside it.

mod align;
mod compare;
mod decision;
mod detect;
mod embed;
mod engine;
mod error;
mod geometry;
mod image;
mod kernel;
mod model;
mod nn;
mod pad;
mod quality;
mod sequence;
mod template;

pub use align::Pose;
pub use compare::{Comparator, Comparison, OperatingPoint};
pub use decision::{
    Decision, Effect, EngineInfo, Face, Outcome, PadRule, Policy, QualityLimits, Reason, ReasonCode, RiskRule, Sample, SequenceRules,
};
pub use detect::{Detection, Detector, Role};
pub use engine::{Engine, EngineOptions, Enrolment, Session, SessionOptions};
pub use error::{Error, Kind, Result, Stage};
pub use geometry::{Point, Rect};
pub use image::{Image, ImageView, Limits, PixelFormat};
pub use model::{Licence, LicenceUse, ModelInfo, Pack, models_json};
pub use nn::Precision;
pub use pad::{PadReport, PadStatus, Species};
pub use quality::{Measure, QualityReport};
pub use sequence::{
    Challenge, ChallengeEvidence, ChallengeKind, ChallengeStatus, Channel, ChannelEvidence, Guidance, GuidanceCode, RiskLevel,
    SequenceEvidence, Signal, SignalStatus,
};
pub use template::Template;

/// The inference engine by itself, for the tools and benchmarks of this project. Not part of the stable interface.
#[doc(hidden)]
pub mod internals {
    pub use crate::kernel::Isa;
    pub use crate::nn::{Explanation, Layer, Network, NetworkError, OutputInfo, Ranges, Scratch};
}
