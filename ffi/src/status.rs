use vultus::{Kind, Role};

/// Whether a call succeeded: VULTUS_OK or one of VULTUS_ERROR_*. A code is never given another
/// meaning.
pub type vultus_status = i32;

/// The call succeeded.
pub const VULTUS_OK: i32 = 0;
/// The input is broken: not a picture, cut short, a stride that is too short, a damaged template.
pub const VULTUS_ERROR_INPUT: i32 = 4001;
/// The input is well formed but larger than a limit allows.
pub const VULTUS_ERROR_LIMIT: i32 = 4002;
/// The model pack is missing, damaged, or under a licence that was not accepted.
pub const VULTUS_ERROR_MODEL: i32 = 4003;
/// The call contradicts this documentation: an unknown constant, templates of other weights, an
/// unsupported operating point.
pub const VULTUS_ERROR_USAGE: i32 = 4004;
/// The input is valid but of a sort that is not handled: an animated picture, an unknown template
/// version.
pub const VULTUS_ERROR_UNSUPPORTED: i32 = 4005;
/// A defect of the engine.
pub const VULTUS_ERROR_INTERNAL: i32 = 4006;
/// An argument is NULL that must not be.
pub const VULTUS_ERROR_NULL: i32 = 4007;
/// An argument is a handle of another type.
pub const VULTUS_ERROR_HANDLE: i32 = 4008;
/// A defect of the engine that was stopped at this interface. The handles of the call may still be
/// used and freed.
pub const VULTUS_ERROR_PANIC: i32 = 4009;
/// What was asked for does not exist: a decision holds no comparison when a face was missing.
pub const VULTUS_ERROR_ABSENT: i32 = 4010;

/// No picture in particular; no argument takes it.
pub const VULTUS_ROLE_NONE: i32 = 0;
/// The live face: the probe.
pub const VULTUS_ROLE_SELFIE: i32 = 1;
/// The reference picture, as of an identity document.
pub const VULTUS_ROLE_DOCUMENT: i32 = 2;

/// A failed call on its way to the caller.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) status: vultus_status,
    pub(crate) stage: &'static str,
    pub(crate) message: String,
}

impl Fault {
    /// A fault of the call itself, seen before the core is reached.
    pub(crate) fn new(status: vultus_status, message: impl Into<String>) -> Fault {
        Fault {
            status,
            stage: "interface",
            message: message.into(),
        }
    }
}

impl From<vultus::Error> for Fault {
    fn from(error: vultus::Error) -> Fault {
        let status = match error.kind() {
            Kind::Input => VULTUS_ERROR_INPUT,
            Kind::Limit => VULTUS_ERROR_LIMIT,
            Kind::Model => VULTUS_ERROR_MODEL,
            Kind::Usage => VULTUS_ERROR_USAGE,
            Kind::Unsupported => VULTUS_ERROR_UNSUPPORTED,
            _ => VULTUS_ERROR_INTERNAL,
        };
        Fault {
            status,
            stage: error.stage().name(),
            message: error.to_string(),
        }
    }
}

pub(crate) fn role_in(role: i32) -> Result<Role, Fault> {
    match role {
        VULTUS_ROLE_SELFIE => Ok(Role::Selfie),
        VULTUS_ROLE_DOCUMENT => Ok(Role::Document),
        _ => {
            let message =
                format!("role: is {role}, allowed are VULTUS_ROLE_SELFIE and VULTUS_ROLE_DOCUMENT");
            Err(Fault::new(VULTUS_ERROR_USAGE, message))
        }
    }
}

pub(crate) fn role_out(role: Option<Role>) -> i32 {
    match role {
        None => VULTUS_ROLE_NONE,
        Some(Role::Selfie) => VULTUS_ROLE_SELFIE,
        Some(Role::Document) => VULTUS_ROLE_DOCUMENT,
    }
}
