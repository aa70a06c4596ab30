use crate::challenge::{kind_number, vultus_challenge};
use crate::decision::vultus_decision;
use crate::engine::{decided, policy_in, vultus_engine};
use crate::error::vultus_error;
use crate::evidence::vultus_evidence;
use crate::handle::{self, Filled, Object, Struct, borrow, bytes, c_text, out, sized};
use crate::image::vultus_image;
use crate::panic::boundary;
use crate::status::*;
use crate::template::vultus_template;
use std::ffi::{CString, c_char};
use std::ptr::{null, null_mut};
use std::sync::{LazyLock, Mutex, MutexGuard};
use vultus::{Arrival, Direction, Guidance, GuidanceCode, NextStep, Session, SessionOptions, Task};

/// Good; stay like this.
pub const VULTUS_GUIDANCE_READY: i32 = 1;
/// No face is in the frame.
pub const VULTUS_GUIDANCE_NO_FACE: i32 = 2;
/// A second face is so large that either could be meant.
pub const VULTUS_GUIDANCE_SEVERAL_FACES: i32 = 3;
/// The face is too small.
pub const VULTUS_GUIDANCE_COME_CLOSER: i32 = 4;
/// The face is too large.
pub const VULTUS_GUIDANCE_MOVE_BACK: i32 = 5;
/// The face is far from the middle of the frame.
pub const VULTUS_GUIDANCE_CENTRE_FACE: i32 = 6;
/// The head is turned away.
pub const VULTUS_GUIDANCE_LOOK_AHEAD: i32 = 7;
/// The face is too dark.
pub const VULTUS_GUIDANCE_TURN_TO_THE_LIGHT: i32 = 8;
/// The face is too bright.
pub const VULTUS_GUIDANCE_TOO_BRIGHT: i32 = 9;
/// The face moves or is blurred.
pub const VULTUS_GUIDANCE_HOLD_STILL: i32 = 10;

/// Frames of one capture, in the order in which they came. It keeps no pixels but the face's
/// luminance of the last 0.15 s, which is wiped, and its memory does not grow with their number.
pub struct vultus_session {
    _opaque: (),
}

impl Object for vultus_session {
    type Value = Mutex<Session>;
    const NAME: &'static str = "vultus_session";
}

/// What to tell the person now. The caller sets `struct_size`, the library the rest.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct vultus_guidance {
    /// sizeof(vultus_guidance).
    pub struct_size: usize,
    /// One of VULTUS_GUIDANCE_*; 0 when the call failed.
    pub code: i32,
    /// Frames so far that nothing was wrong with.
    pub frames: u32,
    /// 1 when the box below is that of the face, 0 when no face was found.
    pub has_face: i32,
    /// Left side of the box around its landmarks, in pixels of the frame.
    pub x: f32,
    /// Upper side of the box.
    pub y: f32,
    /// Width of the box.
    pub width: f32,
    /// Height of the box.
    pub height: f32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: plain data, whose size comes first.
unsafe impl Struct for vultus_guidance {}

impl vultus_guidance {
    fn of(guidance: &Guidance) -> Result<vultus_guidance, Fault> {
        let unknown = || {
            Fault::new(
                VULTUS_ERROR_INTERNAL,
                format!("the guidance {} has no number", guidance.code.name()),
            )
        };
        let code = CODES
            .iter()
            .find(|(_, code)| *code == guidance.code)
            .ok_or_else(unknown)?
            .0;
        let face = guidance.face.unwrap_or_default();
        Ok(vultus_guidance {
            struct_size: 0,
            code,
            frames: guidance.frames,
            has_face: i32::from(guidance.face.is_some()),
            x: face.x,
            y: face.y,
            width: face.width,
            height: face.height,
            reserved: 0,
        })
    }
}

const CODES: [(i32, GuidanceCode); 10] = [
    (VULTUS_GUIDANCE_READY, GuidanceCode::Ready),
    (VULTUS_GUIDANCE_NO_FACE, GuidanceCode::NoFace),
    (VULTUS_GUIDANCE_SEVERAL_FACES, GuidanceCode::SeveralFaces),
    (VULTUS_GUIDANCE_COME_CLOSER, GuidanceCode::ComeCloser),
    (VULTUS_GUIDANCE_MOVE_BACK, GuidanceCode::MoveBack),
    (VULTUS_GUIDANCE_CENTRE_FACE, GuidanceCode::CentreFace),
    (VULTUS_GUIDANCE_LOOK_AHEAD, GuidanceCode::LookAhead),
    (
        VULTUS_GUIDANCE_TURN_TO_THE_LIGHT,
        GuidanceCode::TurnToTheLight,
    ),
    (VULTUS_GUIDANCE_TOO_BRIGHT, GuidanceCode::TooBright),
    (VULTUS_GUIDANCE_HOLD_STILL, GuidanceCode::HoldStill),
];

/// Returns a VULTUS_GUIDANCE_* as a sentence for people; NULL for another number. It lives for
/// ever.
#[unsafe(no_mangle)]
pub extern "C" fn vultus_guidance_text(code: i32) -> *const c_char {
    static TEXTS: LazyLock<[CString; 10]> =
        LazyLock::new(|| CODES.map(|(_, code)| c_text(code.text())));
    CODES
        .iter()
        .position(|(number, _)| *number == code)
        .map_or(null(), |i| TEXTS[i].as_ptr())
}

/// # Safety
/// As for [`borrow`].
unsafe fn lock<'a>(session: *const vultus_session) -> Result<MutexGuard<'a, Session>, Fault> {
    let broken = |_| {
        Fault::new(
            VULTUS_ERROR_PANIC,
            "session: a defect of the engine has stopped it; open another",
        )
    };
    // SAFETY: by the contract of this function.
    unsafe { borrow(session, "session")? }
        .lock()
        .map_err(broken)
}

/// Opens a session, which keeps the models of `engine` alive. `challenge` is what will be asked of
/// the person; it may be NULL and is not kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_session_new(
    engine: *const vultus_engine,
    challenge: *const vultus_challenge,
    session: *mut *mut vultus_session,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_session_new", error, {
        let session = out(session, "session", null_mut())?;
        let engine = borrow(engine, "engine")?;
        let mut options = SessionOptions::default();
        if !challenge.is_null() {
            options.challenge = Some(borrow(challenge, "challenge")?.core.clone());
        }
        *session = handle::give(Mutex::new(engine.core.session(&options)?));
        Ok(())
    })
}

/// Takes a frame, and fills `guidance`, of which the caller set `struct_size`.
///
/// Push each picture of the camera once, with its own time of capture: one that is pushed again is
/// evidence of an injected stream. `timestamp_us` is that time in microseconds on the clock of the
/// capture, as it comes: one that repeats or goes backward is evidence and no error. The frame must
/// not be mirrored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_session_push(
    session: *mut vultus_session,
    frame: *const vultus_image,
    timestamp_us: u64,
    guidance: *mut vultus_guidance,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_session_push", error, {
        let guidance = Filled::clear(guidance, "guidance")?;
        let mut session = lock(session)?;
        let told = session.push(borrow(frame, "frame")?, timestamp_us)?;
        guidance.set(vultus_guidance::of(&told)?);
        Ok(())
    })
}

/// Tells at which moment, on the clock of the frames, the first step of the challenge was shown.
/// VULTUS_ERROR_USAGE without a challenge, or when it has begun already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_session_begin_challenge(
    session: *mut vultus_session,
    timestamp_us: u64,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_session_begin_challenge", error, {
        Ok(lock(session)?.begin_challenge(timestamp_us)?)
    })
}

/// When a frame was captured and when it came, and what was signed of it. The caller sets all.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct vultus_arrival {
    /// sizeof(vultus_arrival).
    pub struct_size: usize,
    /// Time of capture in microseconds on the clock of the capture, as it comes.
    pub captured_us: u64,
    /// When the host had the whole frame, in microseconds on its own clock, the one of
    /// vultus_session_next_step(); counts where `has_arrived` is 1.
    pub arrived_us: u64,
    /// 1 when `arrived_us` is told, else 0. A frame without it answers no step that was given out.
    pub has_arrived: i32,
    /// 1 when `sha256` is told, else 0.
    pub has_sha256: i32,
    /// SHA-256 of the frame as it was sent; each frame of an attested capture has one.
    pub sha256: [u8; 32],
}

// SAFETY: plain data, whose size comes first.
unsafe impl Struct for vultus_arrival {}

/// As vultus_session_push(), of a frame that came from elsewhere.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_session_push_arrival(
    session: *mut vultus_session,
    frame: *const vultus_image,
    arrival: *const vultus_arrival,
    guidance: *mut vultus_guidance,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_session_push_arrival", error, {
        let guidance = Filled::clear(guidance, "guidance")?;
        let given = sized(arrival, "arrival")?;
        let arrival = Arrival {
            captured_us: given.captured_us,
            arrived_us: flag(given.has_arrived, "arrival->has_arrived")?
                .then_some(given.arrived_us),
            sha256: flag(given.has_sha256, "arrival->has_sha256")?.then_some(given.sha256),
        };
        let mut session = lock(session)?;
        let told = session.push_arrival(borrow(frame, "frame")?, &arrival)?;
        guidance.set(vultus_guidance::of(&told)?);
        Ok(())
    })
}

fn flag(value: i32, name: &str) -> Result<bool, Fault> {
    match value {
        0 | 1 => Ok(value == 1),
        _ => Err(Fault::new(
            VULTUS_ERROR_USAGE,
            format!("{name}: is {value}, allowed are 0 and 1"),
        )),
    }
}

/// The head is turned to the person's own left.
pub const VULTUS_DIRECTION_LEFT: i32 = 1;
/// The head is turned to the person's own right.
pub const VULTUS_DIRECTION_RIGHT: i32 = 2;
/// The head is raised.
pub const VULTUS_DIRECTION_UP: i32 = 3;
/// The head is lowered.
pub const VULTUS_DIRECTION_DOWN: i32 = 4;

/// The step of a challenge that is due. The caller sets `struct_size`, the library the rest.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct vultus_next_step {
    /// sizeof(vultus_next_step).
    pub struct_size: usize,
    /// One of VULTUS_CHALLENGE_*; 0 when nothing new is due.
    pub kind: u32,
    /// How long the step is shown, in milliseconds.
    pub duration_ms: u32,
    /// Of flashes: the colour of the screen, 0xRRGGBB.
    pub colour: u32,
    /// Of moves of the head: one of VULTUS_DIRECTION_*.
    pub direction: i32,
    /// Of blinks: how often both eyes are shut.
    pub times: u32,
    /// In how many milliseconds to ask again.
    pub wait_ms: u32,
    /// 1 when all was shown and the time to answer has passed, else 0.
    pub is_over: i32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: plain data, whose size comes first.
unsafe impl Struct for vultus_next_step {}

impl vultus_next_step {
    fn of(next: &NextStep) -> vultus_next_step {
        let mut due = vultus_next_step {
            wait_ms: next.wait_ms,
            is_over: i32::from(next.is_over),
            ..Default::default()
        };
        let Some(step) = next.step else { return due };
        due.kind = kind_number(step.kind);
        due.duration_ms = step.duration_ms;
        match step.task {
            Task::Flash(on) => {
                due.colour = on
                    .iter()
                    .fold(0, |all, &on| (all << 8) | if on { 0xff } else { 0 });
            }
            Task::HeadMove(Direction::Left) => due.direction = VULTUS_DIRECTION_LEFT,
            Task::HeadMove(Direction::Right) => due.direction = VULTUS_DIRECTION_RIGHT,
            Task::HeadMove(Direction::Up) => due.direction = VULTUS_DIRECTION_UP,
            Task::HeadMove(Direction::Down) => due.direction = VULTUS_DIRECTION_DOWN,
            Task::Blink(times) => due.times = times.into(),
            _ => {}
        }
        due
    }
}

/// Gives out the step of the challenge that is due at `host_us`, a time in microseconds on the
/// host's own clock, which must not go back; the first call begins the challenge. Fills `next`, of
/// which the caller set `struct_size`.
///
/// Show the step at once, and push the frames by vultus_session_push_arrival() on the same clock:
/// the later steps stay here, so that whoever sends the frames cannot prepare the answer.
/// VULTUS_ERROR_USAGE without a challenge, after vultus_session_begin_challenge(), or when the time
/// goes back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_session_next_step(
    session: *mut vultus_session,
    host_us: u64,
    next: *mut vultus_next_step,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_session_next_step", error, {
        let next = Filled::clear(next, "next")?;
        next.set(vultus_next_step::of(&lock(session)?.next_step(host_us)?));
        Ok(())
    })
}

/// Fills `digest`, 32 bytes, with what the capturing device has to sign: SHA-256 over
/// "vultus capture 1", the SHA-256 of the nonce, and that of every frame in the order in which they
/// came. VULTUS_ERROR_USAGE without a challenge, or when a frame came without its hash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_session_attestation_digest(
    session: *const vultus_session,
    digest: *mut u8,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_session_attestation_digest", error, {
        let digest = out(digest.cast::<[u8; 32]>(), "digest", [0; 32])?;
        *digest = lock(session)?.attestation_digest()?;
        Ok(())
    })
}

/// Tells that the caller checked a signature of the capturing device, whose key it trusts, over
/// `digest`, 32 bytes. It holds for the frames so far; one more takes it back. VULTUS_ERROR_USAGE
/// where `digest` is not that of vultus_session_attestation_digest().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_session_attest(
    session: *mut vultus_session,
    digest: *const u8,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_session_attest", error, {
        let mut given = [0; 32];
        given.copy_from_slice(bytes(digest, 32, "digest")?);
        Ok(lock(session)?.attest(&given)?)
    })
}

/// Returns what the frames so far tell, at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_session_evidence(
    session: *const vultus_session,
    evidence: *mut *mut vultus_evidence,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_session_evidence", error, {
        let evidence = out(evidence, "evidence", null_mut())?;
        *evidence = handle::give(lock(session)?.evidence().into());
        Ok(())
    })
}

/// Makes a reference of the best frames. When no frame held a face `*reference` stays NULL, which
/// is a failure to acquire and no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_session_template(
    session: *const vultus_session,
    reference: *mut *mut vultus_template,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_session_template", error, {
        let reference = out(reference, "reference", null_mut())?;
        if let Some(made) = lock(session)?.template()? {
            *reference = handle::give(made);
        }
        Ok(())
    })
}

/// Decides whether the person of the frames is that of the reference picture `document`. `policy`
/// as for vultus_engine_verify().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_session_verify(
    session: *const vultus_session,
    document: *const vultus_image,
    policy: *const c_char,
    decision: *mut *mut vultus_decision,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_session_verify", error, {
        let decision = out(decision, "decision", null_mut())?;
        let session = lock(session)?;
        *decision = decided(
            "vultus_session_verify",
            session.verify(borrow(document, "document")?, &policy_in(policy)?)?,
        );
        Ok(())
    })
}

/// Decides whether the person of the frames is the one enrolled as `reference`. `policy` as for
/// vultus_engine_verify().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_session_verify_template(
    session: *const vultus_session,
    reference: *const vultus_template,
    policy: *const c_char,
    decision: *mut *mut vultus_decision,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_session_verify_template", error, {
        let decision = out(decision, "decision", null_mut())?;
        let session = lock(session)?;
        let reference = borrow(reference, "reference")?;
        *decision = decided(
            "vultus_session_verify_template",
            session.verify_template(reference, &policy_in(policy)?)?,
        );
        Ok(())
    })
}

/// Frees a session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_session_free(session: *mut vultus_session) {
    // SAFETY: the caller keeps the rules on pointers in the header's introduction.
    unsafe { handle::take_back(session) }
}
