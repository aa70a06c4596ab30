use crate::handle::{self, Object, borrow, c_text};
use crate::panic::accessor;
use std::ffi::{CString, c_char};
use std::ptr::null;
use vultus::{RiskLevel, SequenceEvidence};

/// Nothing was assessed, which says nothing about the frames.
pub const VULTUS_RISK_NONE: i32 = 0;
/// Like bona fide material.
pub const VULTUS_RISK_LOW: i32 = 1;
/// Unusual for bona fide material.
pub const VULTUS_RISK_MEDIUM: i32 = 2;
/// Hardly ever seen on bona fide material.
pub const VULTUS_RISK_HIGH: i32 = 3;

/// What the frames of a session tell: deepfake, injected stream, challenge, and every signal behind
/// them.
pub struct vultus_evidence {
    _opaque: (),
}

pub(crate) struct CEvidence {
    risk: i32,
    json: CString,
}

impl Object for vultus_evidence {
    type Value = CEvidence;
    const NAME: &'static str = "vultus_evidence";
}

impl From<SequenceEvidence> for CEvidence {
    fn from(evidence: SequenceEvidence) -> CEvidence {
        let risk = match evidence.risk {
            None => VULTUS_RISK_NONE,
            Some(RiskLevel::Low) => VULTUS_RISK_LOW,
            Some(RiskLevel::Medium) => VULTUS_RISK_MEDIUM,
            Some(RiskLevel::High) => VULTUS_RISK_HIGH,
        };
        CEvidence {
            risk,
            json: c_text(&evidence.to_json()),
        }
    }
}

/// Returns the higher risk of a deepfake or an injected stream, one of VULTUS_RISK_*.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_evidence_risk(evidence: *const vultus_evidence) -> i32 {
    accessor!(VULTUS_RISK_NONE, { Ok(borrow(evidence, "evidence")?.risk) })
}

/// Returns the evidence as JSON, as it stands in the JSON of a decision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_evidence_json(evidence: *const vultus_evidence) -> *const c_char {
    accessor!(null(), { Ok(borrow(evidence, "evidence")?.json.as_ptr()) })
}

/// Frees evidence.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_evidence_free(evidence: *mut vultus_evidence) {
    // SAFETY: the caller keeps the rules on pointers in the header's introduction.
    unsafe { handle::take_back(evidence) }
}
