use crate::comparison::vultus_comparison;
use crate::decision::{CDecision, vultus_decision};
use crate::error::vultus_error;
use crate::handle::{self, Filled, Object, Struct, borrow, c_text, out, sized, text};
use crate::image::vultus_image;
use crate::log;
use crate::panic::{accessor, boundary};
use crate::sample::vultus_sample;
use crate::status::*;
use crate::template::vultus_template;
use std::ffi::{CString, c_char};
use std::path::PathBuf;
use std::ptr::{null, null_mut};
use vultus::{Decision, Engine, EngineOptions, Policy, Precision};

/// The default, which is VULTUS_PRECISION_EXACT.
pub const VULTUS_PRECISION_DEFAULT: i32 = 0;
/// 32-bit floating point.
pub const VULTUS_PRECISION_EXACT: i32 = 1;
/// 16-bit integers where they do not change the answer.
pub const VULTUS_PRECISION_FAST: i32 = 2;

/// Loaded models and the pipeline over them. Open one, share it between all threads.
pub struct vultus_engine {
    _opaque: (),
}

pub(crate) struct Loaded {
    pub(crate) core: Engine,
    models_json: CString,
    pack: CString,
}

impl Object for vultus_engine {
    type Value = Loaded;
    const NAME: &'static str = "vultus_engine";
}

/// How an engine is opened.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct vultus_engine_options {
    /// sizeof(vultus_engine_options).
    pub struct_size: usize,
    /// Ids of weights whose unknown or non-commercial licence is accepted; may be NULL when there
    /// are none.
    pub accepted_licences: *const *const c_char,
    /// How many there are.
    pub accepted_licences_count: usize,
    /// One of VULTUS_PRECISION_*.
    pub precision: i32,
    /// 0: a call stays on its thread, and many at once use all cores best. 1: each call is spread
    /// over a pool of threads that the library keeps, as many as there are cores, for a shorter
    /// wait where the cores would be idle. The answers are the same.
    pub parallel: u32,
    /// The id of the pack, 64 hexadecimal digits, as a decision tells it; VULTUS_ERROR_MODEL for
    /// another one. May be NULL.
    pub expected_pack: *const c_char,
}

// SAFETY: plain data, whose size comes first.
unsafe impl Struct for vultus_engine_options {
    /// Without `expected_pack`.
    const LEAST: usize = std::mem::offset_of!(vultus_engine_options, expected_pack);
}

/// Loads the model pack in the folder `pack`. Nothing else is read, now or later. `options` may be
/// NULL.
///
/// VULTUS_ERROR_MODEL when the pack is missing, damaged, or holds weights whose licence must be
/// accepted first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_engine_open(
    pack: *const c_char,
    options: *const vultus_engine_options,
    engine: *mut *mut vultus_engine,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_engine_open", error, {
        let engine = out(engine, "engine", null_mut())?;
        let pack = path(pack, "pack")?;
        let options = if options.is_null() {
            EngineOptions::default()
        } else {
            options_in(&sized(options, "options")?)?
        };
        let core = Engine::open(&pack, &options).map_err(|e| e.in_argument("pack"))?;
        log::write(log::VULTUS_LOG_INFO, || {
            format!("vultus_engine_open: opened pack {}", core.info().pack)
        });
        let (models_json, pack) = (
            c_text(&vultus::models_json(core.models())),
            c_text(&core.info().pack),
        );
        *engine = handle::give(Loaded {
            core,
            models_json,
            pack,
        });
        Ok(())
    })
}

/// Decides whether the person of `selfie` is that of the reference picture `document`.
///
/// `policy` is a JSON object that overrides defaults, such as {"fmr": 1e-5}, and may be NULL. Whose
/// document the picture shows, or whether it shows one, is looked at where policy.document asks.
/// VULTUS_ERROR_USAGE when it holds an unknown name, or an operating point that the pack's
/// calibration does not support.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_engine_verify(
    engine: *const vultus_engine,
    selfie: *const vultus_image,
    document: *const vultus_image,
    policy: *const c_char,
    decision: *mut *mut vultus_decision,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_engine_verify", error, {
        let decision = out(decision, "decision", null_mut())?;
        let engine = borrow(engine, "engine")?;
        let (selfie, document) = (borrow(selfie, "selfie")?, borrow(document, "document")?);
        *decision = decided(
            "vultus_engine_verify",
            engine.core.verify(selfie, document, &policy_in(policy)?)?,
        );
        Ok(())
    })
}

/// Decides whether the person of `selfie` is the one enrolled as `reference`. `policy` as for
/// vultus_engine_verify().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_engine_verify_template(
    engine: *const vultus_engine,
    selfie: *const vultus_image,
    reference: *const vultus_template,
    policy: *const c_char,
    decision: *mut *mut vultus_decision,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_engine_verify_template", error, {
        let decision = out(decision, "decision", null_mut())?;
        let engine = borrow(engine, "engine")?;
        let (selfie, reference) = (borrow(selfie, "selfie")?, borrow(reference, "reference")?);
        *decision = decided(
            "vultus_engine_verify_template",
            engine
                .core
                .verify_template(selfie, reference, &policy_in(policy)?)?,
        );
        Ok(())
    })
}

/// Makes a reference of a picture; `role` is one of VULTUS_ROLE_*. Without a face in it
/// `*reference` stays NULL, which is a failure to acquire and no error. `sample`, which may be
/// NULL, gets what is known of the picture.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_engine_enrol(
    engine: *const vultus_engine,
    image: *const vultus_image,
    role: i32,
    reference: *mut *mut vultus_template,
    sample: *mut *mut vultus_sample,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_engine_enrol", error, {
        let sample = if sample.is_null() {
            None
        } else {
            Some(out(sample, "sample", null_mut())?)
        };
        let result = out(reference, "reference", null_mut())?;
        let engine = borrow(engine, "engine")?;
        let enrolment = engine.core.enrol(borrow(image, "image")?, role_in(role)?)?;
        if let Some(sample) = sample {
            *sample = handle::give((&enrolment.sample).into());
        }
        if let Some(made) = enrolment.template {
            *result = handle::give(made);
        }
        Ok(())
    })
}

/// Examines one picture without comparing it with anything; `role` is one of VULTUS_ROLE_*.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_engine_examine(
    engine: *const vultus_engine,
    image: *const vultus_image,
    role: i32,
    sample: *mut *mut vultus_sample,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_engine_examine", error, {
        let sample = out(sample, "sample", null_mut())?;
        let engine = borrow(engine, "engine")?;
        *sample = handle::give(
            (&engine
                .core
                .examine(borrow(image, "image")?, role_in(role)?)?)
                .into(),
        );
        Ok(())
    })
}

/// Compares two templates at the operating point of `policy`, which may be NULL. Fills
/// `comparison`, of which the caller set `struct_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_engine_compare(
    engine: *const vultus_engine,
    probe: *const vultus_template,
    reference: *const vultus_template,
    policy: *const c_char,
    comparison: *mut vultus_comparison,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_engine_compare", error, {
        let comparison = Filled::clear(comparison, "comparison")?;
        let engine = borrow(engine, "engine")?;
        let (probe, reference) = (borrow(probe, "probe")?, borrow(reference, "reference")?);
        let found = engine.core.compare(probe, reference, &policy_in(policy)?)?;
        comparison.set(vultus_comparison::of(&found));
        Ok(())
    })
}

/// Returns name and version of the model pack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_engine_pack(engine: *const vultus_engine) -> *const c_char {
    accessor!(null(), { Ok(borrow(engine, "engine")?.pack.as_ptr()) })
}

/// Returns what the pack says of each weight as JSON: origin, licence, hash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_engine_models_json(engine: *const vultus_engine) -> *const c_char {
    accessor!(null(), {
        Ok(borrow(engine, "engine")?.models_json.as_ptr())
    })
}

/// Frees an engine. No call on it may be running.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_engine_free(engine: *mut vultus_engine) {
    // SAFETY: the caller keeps the rules on pointers in the header's introduction.
    unsafe { handle::take_back(engine) }
}

pub(crate) fn decided(call: &str, decision: Decision) -> *mut vultus_decision {
    log::write(log::VULTUS_LOG_DEBUG, || {
        let reasons: Vec<_> = decision.reasons.iter().map(|r| r.code.name()).collect();
        let spent_ms: f32 = decision.times_ms.iter().map(|(_, ms)| ms).sum();
        format!(
            "{call}: {} ({}) in {spent_ms:.0} ms",
            decision.outcome.name(),
            reasons.join(", ")
        )
    });
    handle::give(CDecision::from(decision))
}

/// # Safety
/// `policy` is NULL or text.
pub(crate) unsafe fn policy_in(policy: *const c_char) -> Result<Policy, Fault> {
    if policy.is_null() {
        return Ok(Policy::default());
    }
    // SAFETY: by the contract of this function.
    let policy = unsafe { text(policy, "policy")? };
    Ok(Policy::from_json(policy).map_err(|e| e.in_argument("policy"))?)
}

/// No pack holds so many weights.
const MOST_LICENCES: usize = 64;

fn options_in(given: &vultus_engine_options) -> Result<EngineOptions, Fault> {
    let mut options = EngineOptions::default();
    options.parallel = match given.parallel {
        0 => false,
        1 => true,
        other => {
            return Err(Fault::new(
                VULTUS_ERROR_USAGE,
                format!("options.parallel: is {other}, allowed are 0 and 1"),
            ));
        }
    };
    options.precision = match given.precision {
        VULTUS_PRECISION_DEFAULT | VULTUS_PRECISION_EXACT => Precision::Exact,
        VULTUS_PRECISION_FAST => Precision::Fast,
        other => {
            let message =
                format!("options.precision: is {other}, allowed are VULTUS_PRECISION_*, 0 to 2");
            return Err(Fault::new(VULTUS_ERROR_USAGE, message));
        }
    };
    if given.accepted_licences_count > 0 && given.accepted_licences.is_null() {
        return Err(Fault::new(
            VULTUS_ERROR_NULL,
            "options.accepted_licences: is NULL, but accepted_licences_count is not 0",
        ));
    }
    if given.accepted_licences_count > MOST_LICENCES {
        let message = format!(
            "options.accepted_licences_count: is {}, at most {MOST_LICENCES} are taken",
            given.accepted_licences_count
        );
        return Err(Fault::new(VULTUS_ERROR_USAGE, message));
    }
    for i in 0..given.accepted_licences_count {
        // SAFETY: the caller says that the array holds so many texts.
        let id = unsafe { text(*given.accepted_licences.add(i), "options.accepted_licences")? };
        options.accepted_licences.push(id.to_owned());
    }
    if !given.expected_pack.is_null() {
        // SAFETY: the caller says that it is text.
        let id = unsafe { text(given.expected_pack, "options.expected_pack")? };
        options.expected_pack = Some(id.to_owned());
    }
    Ok(options)
}

/// # Safety
/// `given` is NULL or ends in NUL.
#[cfg(unix)]
unsafe fn path(given: *const c_char, name: &str) -> Result<PathBuf, Fault> {
    use std::os::unix::ffi::OsStrExt;
    if given.is_null() {
        return Err(Fault::new(
            VULTUS_ERROR_NULL,
            format!("{name}: is NULL, which is not allowed"),
        ));
    }
    // SAFETY: by the contract of this function. Paths need not be UTF-8 here.
    let bytes = unsafe { std::ffi::CStr::from_ptr(given) }.to_bytes();
    Ok(std::ffi::OsStr::from_bytes(bytes).into())
}

/// # Safety
/// `given` is NULL or ends in NUL.
#[cfg(not(unix))]
unsafe fn path(given: *const c_char, name: &str) -> Result<PathBuf, Fault> {
    // SAFETY: by the contract of this function.
    Ok(unsafe { text(given, name)? }.into())
}
