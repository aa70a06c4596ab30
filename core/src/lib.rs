//! On-device biometric verification: is this a real person, and the right one?
//!
//! Pixels go in, evidence is gathered stage by stage, a policy turns the evidence into a decision
//! that says why:
//!
//! ```text
//! bytes -image-> Image -detect-> Detection -align-> AlignedFace -quality-> QualityReport
//!                  +---pad(Image, AlignedFace)-> PadReport
//!                                      AlignedFace -embed-> Features(probe) -+
//!   enrolment: the same path -template-> Template(reference) -----compare-> Comparison
//!   frames: the same per frame -sequence-> SequenceEvidence
//!   all of these -decision-> Decision
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
//! # Sessions
//!
//! A still tells nothing of deepfakes and injected streams; frames over time do. A [`Session`]
//! takes frames as they come, says what to tell the person, and decides over all of them: the
//! template is fused over the best frames, presentation attack detection is the median of all, and
//! [`SequenceEvidence`] holds every signal of the two channels. A [`Challenge`] is derived from a
//! nonce; its answer must come in time.
//!
//! ```no_run
//! use vultus::{Challenge, ChallengeKind, Engine, Image, Policy, SessionOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let engine = Engine::open("build/pack", &Default::default())?;
//! # let document = Image::decode(&std::fs::read("passport.jpg")?, &Default::default())?;
//! # let (frames, nonce, shown_at_us): (Vec<(Image, u64)>, _, _) = (Vec::new(), [0; 32], 0);
//! let mut options = SessionOptions::default();
//! options.challenge = Some(Challenge::new(&nonce, &[ChallengeKind::Flash])?);
//! let mut session = engine.session(&options)?;
//! session.begin_challenge(shown_at_us)?;
//! for (frame, timestamp_us) in &frames {
//!     println!("{}", session.push(frame, *timestamp_us)?.text);
//! }
//! let decision = session.verify(&document, &Policy::default())?;
//! println!("{:?}: {}", decision.sequence.risk, decision.sequence.text);
//! # Ok(())
//! # }
//! ```
//!
//! # Determinism
//!
//! The same input, pack and precision give the same decision to the last bit, whatever runs beside
//! it.

mod align;
mod compare;
mod decision;
mod detect;
pub mod document;
mod embed;
mod engine;
mod error;
mod evidence;
mod geometry;
mod image;
mod model;
mod network;
mod pad;
mod quality;
#[cfg(feature = "schema")]
pub mod schema;
mod sequence;
mod spare;
mod template;

pub use compare::{Candidate, Gallery};
pub use decision::{
    Decision, DocumentRules, EngineInfo, Holder, PadRule, Policy, QualityLimits, RiskRule,
    SequenceRules,
};
pub use engine::{Arrival, Engine, EngineOptions, Enrolment, Renewal, Session, SessionOptions};
pub use error::{Error, Kind, Result, Stage};
pub use evidence::{
    Assessed, CaptureLevel, ChallengeEvidence, ChallengeKind, ChallengeStatus, Channel,
    ChannelEvidence, ChannelRisk, Comparator, Comparison, Component, Coverage, Detection, Detector,
    Direction, DocumentCheck, DocumentField, DocumentLevel, DocumentReport, DocumentSight, Effect,
    FORMAT, Face, Guidance, GuidanceCode, Measure, Obstacle, OperatingPoint, Outcome, PadReport,
    PadStatus, PadView, Pose, QualityReport, Reason, ReasonCode, RiskLevel, Role, Sample,
    SequenceEvidence, Signal, SignalName, Signature, SignatureStatus, Standing,
};
pub use geometry::{Point, Rect};
pub use image::{Image, ImageView, Limits, PixelFormat};
pub use model::{Licence, LicenceUse, ModelInfo, Pack, models_json};
pub use sequence::{Challenge, NextStep, Step, Task};
pub use template::{Template, TemplateKey};
pub use vultus_nn::Precision;
pub use vultus_nn::kernel::Isa;

/// What whoever builds a model pack measures of its networks.
pub mod measure {
    pub use crate::engine::{embedding_mean, ranges};
    pub use vultus_nn::Ranges;
}
