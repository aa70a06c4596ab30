//! Evidence and a policy in, a decision with reasons out. Pure: no clock, no randomness, no files.

mod document;
mod policy;

pub use document::{DocumentRules, Holder};
pub use policy::{PadRule, Policy, QualityLimits, RiskRule, SequenceRules};

use crate::evidence::{
    Assessed, ChallengeEvidence, ChallengeStatus, Comparison, Component, DocumentReport, Doubt,
    Effect, Findings, Obstacle, Outcome, PadStatus, Reason, ReasonCode, RiskLevel, Role, Sample,
    SequenceEvidence, clause, json,
};
use crate::template::Template;
use serde::Serialize;

/// The answer: an outcome, the reasons for it, and all the evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EngineInfo {
    /// Version of this library.
    pub version: &'static str,
    /// Name of the model pack.
    pub pack: String,
    /// SHA-256 of its manifest.
    pub pack_id: String,
    /// Precision of the networks.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
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
    pub(crate) reference: Reference<'a>,
    pub(crate) identity_document: &'a Assessed<DocumentReport>,
    pub(crate) comparison: &'a Assessed<Comparison>,
    pub(crate) sequence: &'a SequenceEvidence,
}

/// What the selfie is compared with.
#[derive(Clone, Copy)]
pub(crate) enum Reference<'a> {
    /// A picture that is shown now.
    Document(&'a Sample),
    /// What was kept of a picture that was enrolled.
    Stored(&'a Template),
}

impl Reference<'_> {
    fn role(&self) -> Role {
        match self {
            Reference::Document(sample) => sample.role,
            Reference::Stored(template) => template.role(),
        }
    }
}

/// The comparison score from which selfie and document are taken for copies of one picture. Of the
/// 8,101 mated pairs among the samples of LFW View 2 four reach it, all taken at one occasion.
const SAME_PICTURE: f32 = 0.95;

/// Weighs the evidence. An attack or a non-match of good samples rejects; whatever could not be
/// judged is inconclusive; only what was looked at and found right is accepted.
pub(crate) fn decide(evidence: &Evidence<'_>, policy: &Policy) -> (Outcome, Vec<Reason>) {
    let mut reasons = Vec::with_capacity(8);
    let selfie = evidence.selfie;
    faults(Role::Selfie, selfie.findings(), policy, &mut reasons);
    match evidence.reference {
        Reference::Document(sample) => {
            faults(sample.role, sample.findings(), policy, &mut reasons);
        }
        Reference::Stored(template) => {
            let first = reasons.len();
            let findings = Some(*template.findings());
            faults(template.role(), findings, policy, &mut reasons);
            tell_of_enrolment(&mut reasons[first..]);
        }
    }
    // A non-match of bad samples says more of the samples than of the person.
    let comparison = compared(evidence.comparison, reasons.is_empty());
    // That there is no face has been said.
    if selfie.face.is_some() {
        let report = selfie.pad.as_ref();
        let report = report.map(|report| (report.status, report.text.as_str()));
        reasons.extend(presented(&report, policy));
    }
    if let Reference::Stored(template) = evidence.reference {
        reasons.extend(enrolled(template, policy));
    }
    streamed(evidence.sequence, policy, &mut reasons);
    reasons.extend(challenged(evidence.sequence, policy));
    reasons.extend(captured(evidence.sequence, policy));
    reasons.extend(document::documented(
        evidence.identity_document,
        &policy.document,
    ));
    reasons.extend(comparison);
    reasons.extend(copied(evidence, policy));
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

/// Says of reasons that they are about the picture that was enrolled.
fn tell_of_enrolment(reasons: &mut [Reason]) {
    for reason in reasons {
        reason
            .text
            .insert_str(0, "when the reference was enrolled: ");
    }
}

/// What makes a sample unfit to be compared.
fn faults(role: Role, findings: Option<Findings>, policy: &Policy, reasons: &mut Vec<Reason>) {
    let mut fault = |code, text: String| {
        reasons.push(Reason::doubt(Doubt::Inconclusive, code, Some(role), text));
    };
    let Some(found) = findings else {
        fault(ReasonCode::NoFace, "no face was found".to_owned());
        return;
    };
    if let Some(share) = found.rival_share {
        let share = 100.0 * share;
        fault(
            ReasonCode::SeveralFaces,
            format!("a second face of {share:.0} % of the size is in the picture; only one may be"),
        );
    }
    if !found.is_placed {
        fault(
            ReasonCode::FaceNotPlaced,
            "the landmarks of the face cannot be placed; come closer and face the camera"
                .to_owned(),
        );
    }
    let limits = policy.limits(role);
    if found.inter_eye_px < limits.min_inter_eye_px {
        let (apart, least) = (found.inter_eye_px, limits.min_inter_eye_px);
        fault(
            ReasonCode::FaceTooSmall,
            format!(
                "the eyes are {apart:.0} px apart, at least {least:.0} px are needed; come closer"
            ),
        );
    }
    if found.yaw_deg.abs() > limits.max_yaw_deg || found.pitch_deg.abs() > limits.max_pitch_deg {
        let (yaw, pitch) = (found.yaw_deg, found.pitch_deg);
        fault(
            ReasonCode::FaceTurnedAway,
            format!(
                "the head is turned by {yaw:.0} degrees and nods by {pitch:.0}; look into the \
                camera"
            ),
        );
    }
    let least = limits.min_component;
    for (component, least, code, advice) in [
        (
            Component::FaceInsidePicture,
            limits.min_inside,
            ReasonCode::FaceCutOff,
            "the face is cut by the edge of the picture",
        ),
        (
            Component::Sharpness,
            least,
            ReasonCode::Blurred,
            "the face is blurred; hold still and focus",
        ),
        (
            Component::UnderExposurePrevention,
            least,
            ReasonCode::TooDark,
            "the face is too dark; turn to the light",
        ),
        (
            Component::OverExposurePrevention,
            least,
            ReasonCode::TooBright,
            "the face is too bright; avoid direct light",
        ),
        (
            Component::DynamicRange,
            least,
            ReasonCode::LowContrast,
            "the face has hardly any contrast",
        ),
    ] {
        if !found.reaches(component, least) {
            fault(code, advice.to_owned());
        }
    }
}

/// What presentation attack detection says of a live face: its status with a sentence.
fn presented(pad: &Assessed<(PadStatus, &str)>, policy: &Policy) -> Option<Reason> {
    let role = Some(Role::Selfie);
    let doubt = |doubt, code, text: &str| Some(Reason::doubt(doubt, code, role, text));
    if let Some(proof) = pad.proof() {
        let (status, text) = *proof.found();
        return match (status, policy.pad) {
            (PadStatus::BonaFide, _) => {
                Some(Reason::support(proof, ReasonCode::BonaFide, role, text))
            }
            (PadStatus::Attack, PadRule::Ignore) => {
                doubt(Doubt::Note, ReasonCode::PresentationAttack, text)
            }
            (PadStatus::Attack, PadRule::Require | PadRule::WhenAvailable) => {
                doubt(Doubt::Reject, ReasonCode::PresentationAttack, text)
            }
        };
    }
    let why = clause(pad.absence()?);
    match (pad, policy.pad) {
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

/// What presentation attack detection said against the live face of a stored reference; that it
/// said nothing is no support for whoever stands before the camera now.
fn enrolled(template: &Template, policy: &Policy) -> Option<Reason> {
    // A document is a print.
    if template.role() == Role::Document {
        return None;
    }
    let pad = template.findings().pad;
    let report = pad.map(|status| (status, "it looked like a print or a screen"));
    let mut reason = presented(&report, policy).filter(|r| r.effect != Effect::Support)?;
    tell_of_enrolment(std::slice::from_mut(&mut reason));
    Some(reason)
}

/// Whether the selfie is a copy of the document's portrait, which anybody has who saw the document.
fn copied(evidence: &Evidence<'_>, policy: &Policy) -> Option<Reason> {
    let score = evidence.comparison.yes()?.score;
    let is_copy = evidence.reference.role() == Role::Document && score >= SAME_PICTURE;
    is_copy.then(|| {
        let text = format!(
            "selfie and document come from one capture: the comparison score {score:.3} reaches \
            {SAME_PICTURE}, which two captures of a person do not; take a new selfie"
        );
        Reason::doubt(
            by_rule(policy.same_picture),
            ReasonCode::SamePicture,
            None,
            text,
        )
    })
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
            ChallengeStatus::Passed if !found.holds() => {
                let (bits, least) = (found.entropy_bits, ChallengeEvidence::MIN_ENTROPY_BITS);
                let text = format!(
                    "{}; a script of {bits:.0} bits is too easy to foresee, {least:.0} are needed",
                    found.text
                );
                Reason::doubt(Doubt::Note, ReasonCode::ChallengePassed, None, text)
            }
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

/// Whether it is proven that the frames were captured as the policy demands.
fn captured(sequence: &SequenceEvidence, policy: &Policy) -> Option<Reason> {
    let (is, least) = (sequence.capture, policy.min_capture);
    (is < least).then(|| {
        let text = format!(
            "the capture reaches the level {}, and {} is demanded",
            is.name(),
            least.name()
        );
        Reason::doubt(Doubt::Inconclusive, ReasonCode::CaptureLevel, None, text)
    })
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
