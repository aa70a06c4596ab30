use crate::error::vultus_error;
use crate::handle::{self, Object, borrow, bytes, c_text, out};
use crate::panic::{accessor, boundary};
use crate::status::*;
use std::ffi::{CString, c_char};
use std::ptr::{null, null_mut};
use vultus::{Challenge, ChallengeKind};

/// Colours are shown on the screen, and are looked for on the face.
pub const VULTUS_CHALLENGE_FLASH: u32 = 1;
/// The head is turned to a side.
pub const VULTUS_CHALLENGE_HEAD_TURN: u32 = 2;
/// The eyes are closed and opened. Needs the pack's network of the eyes and 8 frames a second;
/// without them it is not assessable.
pub const VULTUS_CHALLENGE_BLINK: u32 = 4;

/// The head is turned and nods in a drawn order, which is as hard to foresee as the flashes.
pub const VULTUS_CHALLENGE_HEAD_MOVES: u32 = 8;

/// What is asked of the person or shown on the screen during a session.
pub struct vultus_challenge {
    _opaque: (),
}

pub(crate) struct Asked {
    pub(crate) core: Challenge,
    json: CString,
}

impl Object for vultus_challenge {
    type Value = Asked;
    const NAME: &'static str = "vultus_challenge";
}

/// Derives a challenge from a nonce of 16 to 64 unpredictable bytes, which is used once; `kinds` is
/// a sum of VULTUS_CHALLENGE_*, asked in the order of their values. Equal nonces and kinds give
/// equal challenges, so that a server need only keep the nonce.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_challenge_new(
    nonce: *const u8,
    length: usize,
    kinds: u32,
    challenge: *mut *mut vultus_challenge,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_challenge_new", error, {
        let challenge = out(challenge, "challenge", null_mut())?;
        let nonce = bytes(nonce, length, "nonce")?;
        let core = Challenge::new(nonce, &kinds_in(kinds)?).map_err(|e| e.in_argument("nonce"))?;
        let json = c_text(&core.to_json());
        *challenge = handle::give(Asked { core, json });
        Ok(())
    })
}

/// Returns all that is to be shown and asked as JSON for the page or app that records. The nonce is
/// not in it. Who has it can prepare the answer to the later steps: vultus_session_next_step()
/// gives each out when it is due.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_challenge_json(
    challenge: *const vultus_challenge,
) -> *const c_char {
    accessor!(null(), {
        Ok(borrow(challenge, "challenge")?.json.as_ptr())
    })
}

/// Frees a challenge.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_challenge_free(challenge: *mut vultus_challenge) {
    // SAFETY: the caller keeps the rules on pointers in the header's introduction.
    unsafe { handle::take_back(challenge) }
}

const KINDS: [(u32, ChallengeKind); 4] = [
    (VULTUS_CHALLENGE_FLASH, ChallengeKind::Flash),
    (VULTUS_CHALLENGE_HEAD_TURN, ChallengeKind::HeadTurn),
    (VULTUS_CHALLENGE_BLINK, ChallengeKind::Blink),
    (VULTUS_CHALLENGE_HEAD_MOVES, ChallengeKind::HeadMoves),
];

pub(crate) fn kind_number(kind: ChallengeKind) -> u32 {
    let row = KINDS.iter().find(|(_, named)| *named == kind);
    row.map_or(0, |(number, _)| *number)
}

fn kinds_in(kinds: u32) -> Result<Vec<ChallengeKind>, Fault> {
    if kinds == 0 || kinds & !KINDS.iter().fold(0, |all, (bit, _)| all | bit) != 0 {
        return Err(Fault::new(
            VULTUS_ERROR_USAGE,
            format!("kinds: is {kinds}, allowed are sums of VULTUS_CHALLENGE_*, 1 to 15"),
        ));
    }
    Ok(KINDS
        .iter()
        .filter(|(bit, _)| kinds & bit != 0)
        .map(|(_, kind)| *kind)
        .collect())
}
