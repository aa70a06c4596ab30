use crate::engine::vultus_engine;
use crate::error::vultus_error;
use crate::handle::{self, Filled, Object, Struct, borrow, out};
use crate::image::vultus_image;
use crate::panic::{accessor, boundary};
use crate::sample::vultus_sample;
use crate::status::*;
use std::ptr::null_mut;
use vultus::Detection;

/// Where a face is, in pixels of the upright picture. The caller sets `struct_size`, the library
/// the rest.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct vultus_face {
    /// sizeof(vultus_face).
    pub struct_size: usize,
    /// Left side of its box, which may reach beyond the picture.
    pub x: f32,
    /// Upper side of its box.
    pub y: f32,
    /// Width of its box.
    pub width: f32,
    /// Height of its box.
    pub height: f32,
    /// The eye on the left of an upright face's picture, which is the subject's right eye.
    pub left_eye_x: f32,
    /// The same eye, from the top.
    pub left_eye_y: f32,
    /// The eye on the right of an upright face's picture.
    pub right_eye_x: f32,
    /// The same eye, from the top.
    pub right_eye_y: f32,
    /// How sure the detector is, 0 to 1; larger is surer.
    pub score: f32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: plain data, whose size comes first.
unsafe impl Struct for vultus_face {}

impl vultus_face {
    fn of(face: &Detection) -> vultus_face {
        vultus_face {
            struct_size: 0,
            x: face.bounds.x,
            y: face.bounds.y,
            width: face.bounds.width,
            height: face.bounds.height,
            left_eye_x: face.left_eye.x,
            left_eye_y: face.left_eye.y,
            right_eye_x: face.right_eye.x,
            right_eye_y: face.right_eye.y,
            score: face.score,
            reserved: 0,
        }
    }
}

/// All faces that were found in a picture.
pub struct vultus_faces {
    _opaque: (),
}

impl Object for vultus_faces {
    type Value = Vec<Detection>;
    const NAME: &'static str = "vultus_faces";
}

/// Finds every face of a picture; `role` is one of VULTUS_ROLE_*. None found is no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_engine_detect(
    engine: *const vultus_engine,
    image: *const vultus_image,
    role: i32,
    faces: *mut *mut vultus_faces,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_engine_detect", error, {
        let faces = out(faces, "faces", null_mut())?;
        let engine = borrow(engine, "engine")?;
        *faces = handle::give(
            engine
                .core
                .detect(borrow(image, "image")?, role_in(role)?)?,
        );
        Ok(())
    })
}

/// Returns how many faces there are. Those that the detector is surest of come first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_faces_count(faces: *const vultus_faces) -> usize {
    accessor!(0, { Ok(borrow(faces, "faces")?.len()) })
}

/// Fills `face`, of which the caller set `struct_size`. VULTUS_ERROR_ABSENT when there is no face
/// `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_faces_get(
    faces: *const vultus_faces,
    index: usize,
    face: *mut vultus_face,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_faces_get", error, {
        let face = Filled::clear(face, "face")?;
        let faces = borrow(faces, "faces")?;
        let absent = || {
            Fault::new(
                VULTUS_ERROR_ABSENT,
                format!("index: is {index}, there are {} faces", faces.len()),
            )
        };
        face.set(vultus_face::of(faces.get(index).ok_or_else(absent)?));
        Ok(())
    })
}

/// Frees faces.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_faces_free(faces: *mut vultus_faces) {
    // SAFETY: the caller keeps the rules on pointers in the header's introduction.
    unsafe { handle::take_back(faces) }
}

/// Fills `face`, of which the caller set `struct_size`, with the face that was chosen.
/// VULTUS_ERROR_ABSENT when none was found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_sample_face(
    sample: *const vultus_sample,
    face: *mut vultus_face,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_sample_face", error, {
        let face = Filled::clear(face, "face")?;
        let absent = || {
            Fault::new(
                VULTUS_ERROR_ABSENT,
                "sample: no face was found in the picture",
            )
        };
        let found = borrow(sample, "sample")?.face.as_ref();
        face.set(vultus_face::of(found.ok_or_else(absent)?));
        Ok(())
    })
}
