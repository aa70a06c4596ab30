use crate::engine::vultus_engine;
use crate::error::vultus_error;
use crate::handle::{self, Object, borrow, c_text, out, text};
use crate::image::vultus_image;
use crate::panic::{accessor, boundary};
use crate::status::*;
use std::ffi::{CString, c_char};
use std::ptr::{null, null_mut};
use vultus::document::Date;
use vultus::{DocumentLevel, DocumentReport};
use zeroize::Zeroize;

/// Nothing that was read may be relied on.
pub const VULTUS_DOCUMENT_NONE: i32 = 0;
/// The zone was read without doubt and its check digits hold. Anybody can print one.
pub const VULTUS_DOCUMENT_READ: i32 = 1;
/// What the document shows more than once agrees.
pub const VULTUS_DOCUMENT_CONSISTENT: i32 = 2;
/// The issuer's signature covers what is read and the portrait.
pub const VULTUS_DOCUMENT_SIGNED: i32 = 3;

/// What was read off the picture of an identity document.
pub struct vultus_document {
    _opaque: (),
}

pub(crate) struct CDocument {
    level: i32,
    json: CString,
    /// Wiped when it is dropped.
    personal: CString,
}

impl Object for vultus_document {
    type Value = CDocument;
    const NAME: &'static str = "vultus_document";
}

impl CDocument {
    fn of(report: &DocumentReport, today: Option<Date>) -> CDocument {
        CDocument {
            level: match report.level {
                None => VULTUS_DOCUMENT_NONE,
                Some(DocumentLevel::Read) => VULTUS_DOCUMENT_READ,
                Some(DocumentLevel::Consistent) => VULTUS_DOCUMENT_CONSISTENT,
                Some(DocumentLevel::Signed) => VULTUS_DOCUMENT_SIGNED,
            },
            json: c_text(&report.to_json()),
            personal: c_text(&report.personal_json(today)),
        }
    }
}

impl Drop for CDocument {
    fn drop(&mut self) {
        std::mem::take(&mut self.personal)
            .into_bytes_with_nul()
            .zeroize();
    }
}

/// Reads the machine-readable zone of an identity document (ICAO Doc 9303), any way up. Whatever
/// the picture shows is a document; VULTUS_ERROR_UNSUPPORTED with a pack that holds no networks for
/// it. `today` is a date, "YYYY-MM-DD", that tells the century of dates; it may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_engine_read_document(
    engine: *const vultus_engine,
    picture: *const vultus_image,
    today: *const c_char,
    document: *mut *mut vultus_document,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_engine_read_document", error, {
        let document = out(document, "document", null_mut())?;
        let engine = borrow(engine, "engine")?;
        let picture = borrow(picture, "picture")?;
        let today = if today.is_null() {
            None
        } else {
            let date = Date::from_iso(text(today, "today")?);
            let refused = || Fault::new(VULTUS_ERROR_USAGE, "today: must be a date, YYYY-MM-DD");
            Some(date.ok_or_else(refused)?)
        };
        let found = engine.core.read_document(picture)?;
        let report = found.yes().ok_or_else(|| {
            let why = found.absence().unwrap_or_default();
            Fault::new(
                VULTUS_ERROR_UNSUPPORTED,
                format!("no document can be read: {why}"),
            )
        })?;
        *document = handle::give(CDocument::of(report, today));
        Ok(())
    })
}

/// Returns how far the document is established, one of VULTUS_DOCUMENT_*.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_document_level(document: *const vultus_document) -> i32 {
    accessor!(VULTUS_DOCUMENT_NONE, {
        Ok(borrow(document, "document")?.level)
    })
}

/// Returns what was found as JSON, without what stands in the zone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_document_json(document: *const vultus_document) -> *const c_char {
    accessor!(null(), { Ok(borrow(document, "document")?.json.as_ptr()) })
}

/// Returns what stands in the zone as JSON, "null" without one: `lines`, `document_code`, `issuer`,
/// `number`, `nationality`, `family_name`, `given_names`, `sex`, `birth_date`, `expiry_date`,
/// `optional`. All of it is personal, and in doubt unless the level says otherwise. It is wiped
/// with the document.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_document_personal_json(
    document: *const vultus_document,
) -> *const c_char {
    accessor!(null(), {
        Ok(borrow(document, "document")?.personal.as_ptr())
    })
}

/// Frees a document.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_document_free(document: *mut vultus_document) {
    // SAFETY: the caller keeps the rules on pointers in the header's introduction.
    unsafe { handle::take_back(document) }
}
