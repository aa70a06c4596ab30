//! Evidence and a policy in, a decision with reasons out. Pure: no clock, no randomness, no files.

mod policy;
mod reason;

pub use policy::{PadRule, Policy, QualityLimits, RiskRule, SequenceRules};
pub use reason::{Effect, Reason, ReasonCode};

use crate::align::{Fit, Pose};
use crate::compare::Comparison;
use crate::detect::{Detection, Role};
use crate::geometry::{Point, Rect};
use crate::pad::{PadReport, PadStatus};
use crate::quality::QualityReport;
use crate::sequence::{ChallengeStatus, RiskLevel, SequenceEvidence};
use serde::Serialize;

/// What was decided. There is no boolean: a doubt is its own answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A real and the right person, as far as was looked.
    Accept,
    /// Another person, or no bona fide one.
    Reject,
    /// It cannot be said; the reasons tell what to do better.
    Inconclusive,
}

impl Outcome {
    /// Returns the stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Accept => "accept",
            Outcome::Reject => "reject",
            Outcome::Inconclusive => "inconclusive",
        }
    }
}

/// The face that was used.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    pub quality: Option<QualityReport>,
    /// Presentation attack detection; never assessed on a document, which is a print.
    pub pad: PadReport,
}

/// The answer: an outcome, the reasons for it, and all the evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// Why, the decisive reasons first.
    pub reasons: Vec<Reason>,
    /// The comparison; `None` when a face was missing.
    pub comparison: Option<Comparison>,
    /// The probe.
    pub selfie: Sample,
    /// The picture that the reference came from; `None` when the reference is a stored template.
    pub document: Option<Sample>,
    /// Evidence from frames over time.
    pub sequence: SequenceEvidence,
    /// The policy that was applied.
    pub policy: Policy,
    /// What computed it.
    pub engine: EngineInfo,
    /// Milliseconds that each stage took; not part of [`Decision::to_json`].
    #[serde(skip)]
    pub times_ms: Vec<(&'static str, f32)>,
}

/// What computed a decision: equal inputs and equal values here give equal decisions, to the last
/// bit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EngineInfo {
    /// Version of this library.
    pub version: &'static str,
    /// Name of the model pack.
    pub pack: String,
    /// SHA-256 of its manifest.
    pub pack_id: String,
    /// Precision of the networks.
    pub precision: crate::Precision,
}

impl Face {
    /// Whether the landmarks lie on the face.
    pub(crate) fn is_placed(&self) -> bool {
        Fit {
            shift: self.landmark_shift,
            eye_gap: self.eye_gap,
        }
        .holds()
    }
}

impl Sample {
    /// Takes what was found in the upright picture to the one of `size` (width, height) that was
    /// given, which was turned clockwise by so many quarters.
    pub(crate) fn turn(&mut self, quarters: u8, size: [f32; 2]) {
        let place = |point: Point| point.turned(quarters, size);
        if let Some(face) = &mut self.face {
            face.detection = face.detection.moved(place);
            face.bounds = face.bounds.moved(place);
            face.landmarks.iter_mut().for_each(|p| *p = place(*p));
            let roll = face.pose.roll_deg + 90.0 * f32::from(quarters);
            face.pose.roll_deg = if roll > 180.0 { roll - 360.0 } else { roll };
        }
        self.rival = self.rival.as_ref().map(|rival| rival.moved(place));
    }

    /// Returns the sample as JSON.
    pub fn to_json(&self) -> String {
        json(self)
    }
}

impl Decision {
    /// Returns the decision as JSON without times: the same bytes for the same evidence, in every
    /// binding.
    pub fn to_json(&self) -> String {
        json(self)
    }
}

pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("evidence holds nothing that JSON cannot")
}

/// The evidence of one transaction.
pub(crate) struct Evidence<'a> {
    pub(crate) selfie: &'a Sample,
    pub(crate) document: Option<&'a Sample>,
    pub(crate) comparison: Option<&'a Comparison>,
    pub(crate) sequence: &'a SequenceEvidence,
}

/// Weighs the evidence. An attack or a non-match of good samples rejects; whatever could not be
/// judged is inconclusive; only what was looked at and found right is accepted.
pub(crate) fn decide(evidence: &Evidence<'_>, policy: &Policy) -> (Outcome, Vec<Reason>) {
    let mut reasons = Vec::new();
    for sample in std::iter::once(evidence.selfie).chain(evidence.document) {
        acquired(sample, policy, &mut reasons);
    }
    presented(evidence.selfie, policy, &mut reasons);
    streamed(evidence.sequence, policy, &mut reasons);
    if let Some(comparison) = evidence.comparison {
        // A non-match of bad samples says more of the samples than of the person.
        let samples_are_good = !reasons
            .iter()
            .any(|r| r.effect == Effect::Inconclusive && r.code.is_about_the_sample());
        reasons.push(compared(comparison, samples_are_good));
    }
    let outcome = if reasons.iter().any(|r| r.effect == Effect::Reject) {
        Outcome::Reject
    } else if evidence.comparison.is_none()
        || reasons.iter().any(|r| r.effect == Effect::Inconclusive)
    {
        Outcome::Inconclusive
    } else {
        Outcome::Accept
    };
    reasons.sort_by_key(|r| r.effect);
    (outcome, reasons)
}

fn acquired(sample: &Sample, policy: &Policy, reasons: &mut Vec<Reason>) {
    let role = Some(sample.role);
    let mut doubt = |code, text: String| {
        reasons.push(Reason {
            code,
            effect: Effect::Inconclusive,
            role,
            text,
        })
    };
    let (Some(face), Some(quality)) = (&sample.face, &sample.quality) else {
        doubt(ReasonCode::NoFace, "no face was found".to_owned());
        return;
    };
    if let Some(rival) = &sample.rival {
        let share = 100.0 * rival.bounds.side() / face.detection.bounds.side();
        doubt(
            ReasonCode::SeveralFaces,
            format!("a second face of {share:.0} % of the size is in the picture; only one may be"),
        );
    }
    if !face.is_placed() {
        doubt(
            ReasonCode::FaceNotPlaced,
            "the landmarks of the face cannot be placed; come closer and face the camera"
                .to_owned(),
        );
    }
    let limits = policy.limits(sample.role);
    if face.inter_eye_px < limits.least_inter_eye_px {
        let (found, least) = (face.inter_eye_px, limits.least_inter_eye_px);
        doubt(
            ReasonCode::FaceTooSmall,
            format!(
                "the eyes are {found:.0} px apart, at least {least:.0} px are needed; come closer"
            ),
        );
    }
    let inside = quality
        .component("face-inside-picture")
        .map_or(0, |c| c.score);
    if inside < limits.least_inside {
        doubt(
            ReasonCode::FaceCutOff,
            "the face is cut by the edge of the picture".to_owned(),
        );
    }
    if face.pose.yaw_deg.abs() > limits.most_yaw_deg
        || face.pose.pitch_deg.abs() > limits.most_pitch_deg
    {
        let (yaw, pitch) = (face.pose.yaw_deg, face.pose.pitch_deg);
        doubt(
            ReasonCode::FaceTurnedAway,
            format!(
                "the head is turned by {yaw:.0} degrees and nods by {pitch:.0}; look into the \
                camera"
            ),
        );
    }
    for (name, code, advice) in [
        (
            "sharpness",
            ReasonCode::Blurred,
            "the face is blurred; hold still and focus",
        ),
        (
            "under-exposure-prevention",
            ReasonCode::TooDark,
            "the face is too dark; turn to the light",
        ),
        (
            "over-exposure-prevention",
            ReasonCode::TooBright,
            "the face is too bright; avoid direct light",
        ),
        (
            "dynamic-range",
            ReasonCode::LowContrast,
            "the face has hardly any contrast",
        ),
    ] {
        if quality
            .component(name)
            .is_none_or(|c| c.score < limits.least_component)
        {
            doubt(code, advice.to_owned());
        }
    }
}

fn presented(selfie: &Sample, policy: &Policy, reasons: &mut Vec<Reason>) {
    if selfie.face.is_none() {
        return;
    }
    let (code, effect) = match (selfie.pad.status, policy.pad) {
        (PadStatus::Attack, PadRule::Ignore) => (ReasonCode::PresentationAttack, Effect::Note),
        (PadStatus::Attack, _) => (ReasonCode::PresentationAttack, Effect::Reject),
        (PadStatus::BonaFide, _) => (ReasonCode::BonaFide, Effect::Support),
        (PadStatus::NotAssessed, PadRule::Require) => {
            (ReasonCode::PadNotAssessed, Effect::Inconclusive)
        }
        (PadStatus::NotAssessed, _) => (ReasonCode::PadNotAssessed, Effect::Note),
        (PadStatus::NotAssessable, PadRule::Ignore) => (ReasonCode::PadNotAssessable, Effect::Note),
        (PadStatus::NotAssessable, _) => (ReasonCode::PadNotAssessable, Effect::Inconclusive),
    };
    reasons.push(Reason {
        code,
        effect,
        role: Some(Role::Selfie),
        text: selfie.pad.text.clone(),
    });
}

fn streamed(sequence: &SequenceEvidence, policy: &Policy, reasons: &mut Vec<Reason>) {
    let by_rule = |rule| match rule {
        RiskRule::Reject => Effect::Reject,
        RiskRule::Inconclusive => Effect::Inconclusive,
        RiskRule::Ignore => Effect::Note,
    };
    let mut add = |code, effect, text: &str| {
        reasons.push(Reason {
            code,
            effect,
            role: None,
            text: text.to_owned(),
        })
    };
    let rules = &policy.sequence;
    let (code, effect) = match sequence.risk {
        None => (
            ReasonCode::SequenceNotAssessed,
            if policy.require_sequence {
                Effect::Inconclusive
            } else {
                Effect::Note
            },
        ),
        Some(RiskLevel::Low) => (ReasonCode::SequenceConsistent, Effect::Support),
        Some(RiskLevel::Medium) => (ReasonCode::SequenceSuspicious, by_rule(rules.medium)),
        Some(RiskLevel::High) => (ReasonCode::SequenceManipulated, by_rule(rules.high)),
    };
    add(code, effect, &sequence.text);
    let text = &sequence.challenge.text;
    match sequence.challenge.status {
        ChallengeStatus::NotAsked => {}
        ChallengeStatus::Passed => add(ReasonCode::ChallengePassed, Effect::Support, text),
        ChallengeStatus::Failed => add(
            ReasonCode::ChallengeFailed,
            by_rule(rules.challenge_failed),
            text,
        ),
        ChallengeStatus::NotAssessable => add(
            ReasonCode::ChallengeNotAssessable,
            by_rule(rules.challenge_not_assessable),
            text,
        ),
    }
}

fn compared(comparison: &Comparison, samples_are_good: bool) -> Reason {
    let (score, point) = (comparison.score, &comparison.operating_point);
    let (code, effect, relation) = match (comparison.is_match, samples_are_good) {
        (true, _) => (ReasonCode::Match, Effect::Support, "reaches"),
        (false, true) => (ReasonCode::NonMatch, Effect::Reject, "is below"),
        (false, false) => (ReasonCode::NonMatch, Effect::Inconclusive, "is below"),
    };
    let text = format!(
        "the comparison score {score:.3} {relation} {:.3}, the threshold for a false match rate \
        of {}",
        point.threshold, point.fmr
    );
    Reason {
        code,
        effect,
        role: None,
        text,
    }
}
