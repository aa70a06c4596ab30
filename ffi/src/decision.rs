use crate::comparison::vultus_comparison;
use crate::error::vultus_error;
use crate::handle::{self, Filled, Object, borrow, c_text};
use crate::panic::{accessor, boundary};
use crate::status::*;
use std::ffi::{CString, c_char};
use std::ptr::null;
use vultus::{Assessed, Comparison, Decision, Effect, Outcome};

/// No decision: what a NULL handle has. Zeroed memory never accepts.
pub const VULTUS_OUTCOME_NONE: i32 = 0;
/// Another person, or no bona fide one.
pub const VULTUS_OUTCOME_REJECT: i32 = 1;
/// It cannot be said; the reasons tell what to do better.
pub const VULTUS_OUTCOME_INCONCLUSIVE: i32 = 2;
/// A real and the right person, as far as was looked. Compare with ==, as the others are not 0
/// either.
pub const VULTUS_OUTCOME_ACCEPT: i32 = 3;

/// Rejects, whatever else speaks for the person.
pub const VULTUS_EFFECT_REJECT: i32 = 1;
/// Leaves the question open.
pub const VULTUS_EFFECT_INCONCLUSIVE: i32 = 2;
/// Speaks for acceptance.
pub const VULTUS_EFFECT_SUPPORT: i32 = 3;
/// Is told, and decides nothing.
pub const VULTUS_EFFECT_NOTE: i32 = 4;

/// The answer to one transaction: an outcome, the reasons for it, and the evidence.
pub struct vultus_decision {
    _opaque: (),
}

/// What C may see of a decision; the landmarks, which are biometric data, are left behind.
pub(crate) struct CDecision {
    outcome: Outcome,
    reasons: Vec<Reason>,
    comparison: Assessed<Comparison>,
    stages: Vec<(CString, f32)>,
    json: CString,
}

struct Reason {
    code: CString,
    text: CString,
    effect: Effect,
    role: i32,
}

impl Object for vultus_decision {
    type Value = CDecision;
    const NAME: &'static str = "vultus_decision";
}

impl From<Decision> for CDecision {
    fn from(decision: Decision) -> CDecision {
        let reason = |r: &vultus::Reason| Reason {
            code: c_text(r.code.name()),
            text: c_text(&r.text),
            effect: r.effect,
            role: role_out(r.role),
        };
        CDecision {
            outcome: decision.outcome,
            reasons: decision.reasons.iter().map(reason).collect(),
            stages: decision
                .times_ms
                .iter()
                .map(|&(stage, ms)| (c_text(stage), ms))
                .collect(),
            json: c_text(&decision.to_json()),
            comparison: decision.comparison,
        }
    }
}

impl CDecision {
    fn reason(&self, index: usize) -> Result<&Reason, Fault> {
        self.reasons
            .get(index)
            .ok_or_else(|| Fault::new(VULTUS_ERROR_ABSENT, "index: there is no such reason"))
    }

    fn stage(&self, index: usize) -> Result<&(CString, f32), Fault> {
        self.stages
            .get(index)
            .ok_or_else(|| Fault::new(VULTUS_ERROR_ABSENT, "index: there is no such stage"))
    }
}

/// Returns one of VULTUS_OUTCOME_*.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_decision_outcome(decision: *const vultus_decision) -> i32 {
    accessor!(VULTUS_OUTCOME_NONE, {
        Ok(match borrow(decision, "decision")?.outcome {
            Outcome::Reject => VULTUS_OUTCOME_REJECT,
            Outcome::Inconclusive => VULTUS_OUTCOME_INCONCLUSIVE,
            Outcome::Accept => VULTUS_OUTCOME_ACCEPT,
        })
    })
}

/// Returns how many reasons there are. The decisive ones come first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_decision_reason_count(decision: *const vultus_decision) -> usize {
    accessor!(0, { Ok(borrow(decision, "decision")?.reasons.len()) })
}

/// Returns the stable code of a reason, such as "non-match"; NULL when there is no reason `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_decision_reason_code(
    decision: *const vultus_decision,
    index: usize,
) -> *const c_char {
    accessor!(null(), {
        Ok(borrow(decision, "decision")?.reason(index)?.code.as_ptr())
    })
}

/// Returns a reason as a sentence for people; NULL when there is no reason `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_decision_reason_text(
    decision: *const vultus_decision,
    index: usize,
) -> *const c_char {
    accessor!(null(), {
        Ok(borrow(decision, "decision")?.reason(index)?.text.as_ptr())
    })
}

/// Returns what a reason does to the outcome, one of VULTUS_EFFECT_*; 0 when there is no reason
/// `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_decision_reason_effect(
    decision: *const vultus_decision,
    index: usize,
) -> i32 {
    accessor!(0, {
        Ok(match borrow(decision, "decision")?.reason(index)?.effect {
            Effect::Reject => VULTUS_EFFECT_REJECT,
            Effect::Inconclusive => VULTUS_EFFECT_INCONCLUSIVE,
            Effect::Support => VULTUS_EFFECT_SUPPORT,
            Effect::Note => VULTUS_EFFECT_NOTE,
        })
    })
}

/// Returns the picture that a reason is about, one of VULTUS_ROLE_*; VULTUS_ROLE_NONE for the
/// transaction as a whole.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_decision_reason_role(
    decision: *const vultus_decision,
    index: usize,
) -> i32 {
    accessor!(VULTUS_ROLE_NONE, {
        Ok(borrow(decision, "decision")?.reason(index)?.role)
    })
}

/// Fills `comparison`, of which the caller set `struct_size`. VULTUS_ERROR_ABSENT when a face was
/// missing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_decision_comparison(
    decision: *const vultus_decision,
    comparison: *mut vultus_comparison,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_decision_comparison", error, {
        let comparison = Filled::clear(comparison, "comparison")?;
        let absent = || {
            Fault::new(
                VULTUS_ERROR_ABSENT,
                "decision: nothing was compared, as a face was missing",
            )
        };
        let found = &borrow(decision, "decision")?.comparison;
        comparison.set(vultus_comparison::of(found.yes().ok_or_else(absent)?));
        Ok(())
    })
}

/// Returns how many stages were timed. They are in no promised order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_decision_stage_count(decision: *const vultus_decision) -> usize {
    accessor!(0, { Ok(borrow(decision, "decision")?.stages.len()) })
}

/// Returns the name of a stage, such as "embed"; NULL when there is no stage `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_decision_stage_name(
    decision: *const vultus_decision,
    index: usize,
) -> *const c_char {
    accessor!(null(), {
        Ok(borrow(decision, "decision")?.stage(index)?.0.as_ptr())
    })
}

/// Returns the milliseconds that a stage took, over both pictures and all threads; 0 when there is
/// no stage `index`. Decoding is not among them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_decision_stage_ms(
    decision: *const vultus_decision,
    index: usize,
) -> f32 {
    accessor!(0.0, { Ok(borrow(decision, "decision")?.stage(index)?.1) })
}

/// Returns the decision with all its evidence as JSON, without times: the same bytes for the same
/// input in every language.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_decision_json(decision: *const vultus_decision) -> *const c_char {
    accessor!(null(), { Ok(borrow(decision, "decision")?.json.as_ptr()) })
}

/// Frees a decision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_decision_free(decision: *mut vultus_decision) {
    // SAFETY: the caller keeps the rules on pointers in the header's introduction.
    unsafe { handle::take_back(decision) }
}
