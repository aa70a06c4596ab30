use crate::handle::{self, Object, borrow, c_text};
use crate::panic::accessor;
use std::ffi::{CString, c_char};
use std::ptr::null;

/// What is known of one picture: its face, pose and quality.
pub struct vultus_sample {
    _opaque: (),
}

pub(crate) struct CSample {
    pub(crate) face: Option<vultus::Detection>,
    json: CString,
}

impl Object for vultus_sample {
    type Value = CSample;
    const NAME: &'static str = "vultus_sample";
}

impl From<&vultus::Sample> for CSample {
    fn from(sample: &vultus::Sample) -> CSample {
        CSample {
            face: sample.face.as_ref().map(|f| f.detection.clone()),
            json: c_text(&sample.to_json()),
        }
    }
}

/// Returns 1 when a face was found, 0 when not: a failure to acquire.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_sample_has_face(sample: *const vultus_sample) -> i32 {
    accessor!(0, {
        Ok(i32::from(borrow(sample, "sample")?.face.is_some()))
    })
}

/// Returns the sample as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_sample_json(sample: *const vultus_sample) -> *const c_char {
    accessor!(null(), { Ok(borrow(sample, "sample")?.json.as_ptr()) })
}

/// Frees a sample.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_sample_free(sample: *mut vultus_sample) {
    // SAFETY: the caller keeps the rules on pointers in the header's introduction.
    unsafe { handle::take_back(sample) }
}
