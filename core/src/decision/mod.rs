//! Evidence and a policy in, a decision with reasons out. Pure: no clock, no randomness, no files.

mod document;
mod policy;

pub use document::{DocumentRules, Holder};
pub use policy::{PadRule, Policy, QualityLimits, RiskRule, SequenceRules};

use crate::evidence::{
    Assessed, ChallengeStatus, Comparison, Component, DocumentReport, Doubt, Effect, Obstacle,
    Outcome, PadStatus, Reason, ReasonCode, RiskLevel, Role, Sample, SequenceEvidence, clause,
    json,
};
use serde::Serialize;

/// The answer: an outcome, the reasons for it, and all the evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// Why, the decisive reasons first.
    pub reasons: Vec<Reason>,
    /// The comparison.
    pub comparison: Assessed<Comparison>,
    /// The probe.
    pub selfie: Sample,
    /// The reference picture; `None` when the reference is a stored template.
    pub document: Option<Sample>,
    /// What is known of the reference picture as an identity document. Nothing, unless the policy
    /// asks: it is a reference picture then, and nobody looked whose document it is, or whether it
    /// is one.
    pub identity_document: Assessed<DocumentReport>,
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

impl Decision {
    /// Returns the decision as JSON without times: the same bytes for the same evidence, in every
    /// binding.
    pub fn to_json(&self) -> String {
        json(self)
    }
}

/// The evidence of one transaction.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub(crate) selfie: &'a Sample,
    pub(crate) document: Option<&'a Sample>,
    pub(crate) identity_document: &'a Assessed<DocumentReport>,
    pub(crate) comparison: &'a Assessed<Comparison>,
    pub(crate) sequence: &'a SequenceEvidence,
}

/// Weighs the evidence. An attack or a non-match of good samples rejects; whatever could not be
/// judged is inconclusive; only what was looked at and found right is accepted.
pub(crate) fn decide(evidence: &Evidence<'_>, policy: &Policy) -> (Outcome, Vec<Reason>) {
    let samples = [Some(evidence.selfie), evidence.document];
    let mut reasons = Vec::with_capacity(8);
    for sample in samples.into_iter().flatten() {
        faults(sample, policy, &mut reasons);
    }
    // A non-match of bad samples says more of the samples than of the person.
    let comparison = compared(evidence.comparison, reasons.is_empty());
    reasons.extend(presented(evidence.selfie, policy));
    streamed(evidence.sequence, policy, &mut reasons);
    reasons.extend(challenged(evidence.sequence, policy));
    reasons.extend(document::documented(
        evidence.identity_document,
        &policy.document,
    ));
    reasons.extend(comparison);
    reasons.sort_by_key(|reason| reason.effect);
    let has = |effect| reasons.iter().any(|reason| reason.effect == effect);
    let is_match = evidence.comparison.yes().is_some_and(|c| c.is_match);
    let outcome = if has(Effect::Reject) {
        Outcome::Reject
    } else if has(Effect::Inconclusive) || !is_match {
        Outcome::Inconclusive
    } else {
        Outcome::Accept
    };
    (outcome, reasons)
}

/// What makes a sample unfit to be compared.
fn faults(sample: &Sample, policy: &Policy, reasons: &mut Vec<Reason>) {
    let mut fault = |code, text: String| {
        let role = Some(sample.role);
        reasons.push(Reason::doubt(Doubt::Inconclusive, code, role, text));
    };
    let (Some(face), Assessed::Yes(quality)) = (&sample.face, &sample.quality) else {
        fault(ReasonCode::NoFace, "no face was found".to_owned());
        return;
    };
    if let Some(rival) = &sample.rival {
        let share = 100.0 * rival.bounds.side() / face.detection.bounds.side();
        fault(
            ReasonCode::SeveralFaces,
            format!("a second face of {share:.0} % of the size is in the picture; only one may be"),
        );
    }
    if !face.is_placed() {
        fault(
            ReasonCode::FaceNotPlaced,
            "the landmarks of the face cannot be placed; come closer and face the camera"
                .to_owned(),
        );
    }
    let limits = policy.limits(sample.role);
    if face.inter_eye_px < limits.min_inter_eye_px {
        let (found, least) = (face.inter_eye_px, limits.min_inter_eye_px);
        fault(
            ReasonCode::FaceTooSmall,
            format!(
                "the eyes are {found:.0} px apart, at least {least:.0} px are needed; come closer"
            ),
        );
    }
    if quality.component(Component::FaceInsidePicture).score < limits.min_inside {
        fault(
            ReasonCode::FaceCutOff,
            "the face is cut by the edge of the picture".to_owned(),
        );
    }
    if face.pose.yaw_deg.abs() > limits.max_yaw_deg
        || face.pose.pitch_deg.abs() > limits.max_pitch_deg
    {
        let (yaw, pitch) = (face.pose.yaw_deg, face.pose.pitch_deg);
        fault(
            ReasonCode::FaceTurnedAway,
            format!(
                "the head is turned by {yaw:.0} degrees and nods by {pitch:.0}; look into the \
                camera"
            ),
        );
    }
    for (component, code, advice) in [
        (
            Component::Sharpness,
            ReasonCode::Blurred,
            "the face is blurred; hold still and focus",
        ),
        (
            Component::UnderExposurePrevention,
            ReasonCode::TooDark,
            "the face is too dark; turn to the light",
        ),
        (
            Component::OverExposurePrevention,
            ReasonCode::TooBright,
            "the face is too bright; avoid direct light",
        ),
        (
            Component::DynamicRange,
            ReasonCode::LowContrast,
            "the face has hardly any contrast",
        ),
    ] {
        if quality.component(component).score < limits.min_component {
            fault(code, advice.to_owned());
        }
    }
}

fn presented(selfie: &Sample, policy: &Policy) -> Option<Reason> {
    // That there is no face has been said.
    selfie.face.as_ref()?;
    let role = Some(Role::Selfie);
    let doubt = |doubt, code, text: &str| Some(Reason::doubt(doubt, code, role, text));
    if let Some(proof) = selfie.pad.proof() {
        let report = proof.found();
        return match (report.status, policy.pad) {
            (PadStatus::BonaFide, _) => Some(Reason::support(
                proof,
                ReasonCode::BonaFide,
                role,
                &report.text,
            )),
            (PadStatus::Attack, PadRule::Ignore) => {
                doubt(Doubt::Note, ReasonCode::PresentationAttack, &report.text)
            }
            (PadStatus::Attack, PadRule::Require | PadRule::WhenAvailable) => {
                doubt(Doubt::Reject, ReasonCode::PresentationAttack, &report.text)
            }
        };
    }
    let why = clause(selfie.pad.absence()?);
    match (&selfie.pad, policy.pad) {
        (Assessed::NotAsked | Assessed::NotPossible(Obstacle::NoWeights), PadRule::Require) => {
            doubt(Doubt::Inconclusive, ReasonCode::PadNotAssessed, &why)
        }
        (Assessed::NotAsked | Assessed::NotPossible(Obstacle::NoWeights), _) => {
            doubt(Doubt::Note, ReasonCode::PadNotAssessed, &why)
        }
        (_, PadRule::Ignore) => doubt(Doubt::Note, ReasonCode::PadNotAssessable, &why),
        (_, PadRule::Require | PadRule::WhenAvailable) => {
            doubt(Doubt::Inconclusive, ReasonCode::PadNotAssessable, &why)
        }
    }
}

fn by_rule(rule: RiskRule) -> Doubt {
    match rule {
        RiskRule::Reject => Doubt::Reject,
        RiskRule::Inconclusive => Doubt::Inconclusive,
        RiskRule::Ignore => Doubt::Note,
    }
}

/// What the channels say: the gravest level, and whether both were assessed. What is missing in one
/// is told even where the other is suspicious, so that a rule which ignores the suspicion does not
/// hide it.
fn streamed(sequence: &SequenceEvidence, policy: &Policy, reasons: &mut Vec<Reason>) {
    let channels = [&sequence.deepfake.finding, &sequence.injection.finding];
    let gravest = channels
        .iter()
        .filter_map(|finding| finding.yes())
        .map(|channel| channel.risk)
        .max();
    let rules = &policy.sequence;
    let text = &sequence.text;
    let suspicion = match gravest {
        Some(RiskLevel::High) => Some((rules.high, ReasonCode::SequenceManipulated)),
        Some(RiskLevel::Medium) => Some((rules.medium, ReasonCode::SequenceSuspicious)),
        Some(RiskLevel::Low) | None => None,
    };
    if let Some((rule, code)) = suspicion {
        reasons.push(Reason::doubt(by_rule(rule), code, None, text));
    }
    let both = channels[0].as_ref().and(channels[1].as_ref());
    match (both.proof(), suspicion) {
        (Some(proof), None) => {
            let code = ReasonCode::SequenceConsistent;
            let (deepfake, injection) = proof.found();
            reasons.push(if deepfake.tells() && injection.tells() {
                Reason::support(proof, code, None, text)
            } else {
                Reason::doubt(Doubt::Note, code, None, text)
            });
        }
        (Some(_), Some(_)) => {}
        (None, _) => {
            let doubt = if policy.require_sequence {
                Doubt::Inconclusive
            } else {
                Doubt::Note
            };
            let code = ReasonCode::SequenceNotAssessed;
            reasons.push(Reason::doubt(doubt, code, None, text));
        }
    }
}

fn challenged(sequence: &SequenceEvidence, policy: &Policy) -> Option<Reason> {
    let rules = &policy.sequence;
    match &sequence.challenge {
        Assessed::NotAsked => None,
        Assessed::NotPossible(obstacle) => Some(Reason::doubt(
            by_rule(rules.challenge_not_assessable),
            ReasonCode::ChallengeNotAssessable,
            None,
            clause(obstacle.sentence()),
        )),
        Assessed::Yes(found) => Some(match found.status {
            ChallengeStatus::Passed => Reason::support(
                sequence.challenge.proof()?,
                ReasonCode::ChallengePassed,
                None,
                &found.text,
            ),
            ChallengeStatus::Failed => Reason::doubt(
                by_rule(rules.challenge_failed),
                ReasonCode::ChallengeFailed,
                None,
                &found.text,
            ),
        }),
    }
}

fn compared(comparison: &Assessed<Comparison>, samples_are_good: bool) -> Option<Reason> {
    let proof = comparison.proof()?;
    let Comparison {
        score,
        operating_point: point,
        is_match,
        ..
    } = proof.found();
    let text = |relation| {
        format!(
            "the comparison score {score:.3} {relation} {:.3}, the threshold for a false match \
            rate of {}",
            point.threshold, point.fmr
        )
    };
    Some(match (is_match, samples_are_good) {
        (true, _) => Reason::support(proof, ReasonCode::Match, None, text("reaches")),
        (false, true) => Reason::doubt(Doubt::Reject, ReasonCode::NonMatch, None, text("is below")),
        (false, false) => Reason::doubt(
            Doubt::Inconclusive,
            ReasonCode::NonMatch,
            None,
            text("is below"),
        ),
    })
}

#[cfg(test)]
mod tests;
