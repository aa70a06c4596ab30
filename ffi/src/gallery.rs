use crate::comparison::vultus_operating_point;
use crate::engine::vultus_engine;
use crate::error::vultus_error;
use crate::handle::{self, Filled, Object, Struct, borrow, out};
use crate::panic::{accessor, boundary};
use crate::status::*;
use crate::template::vultus_template;
use std::ptr::null_mut;
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use vultus::{Candidate, Gallery};

/// References by number, searched for those that are most alike to a probe (1:N). It holds
/// biometric data.
pub struct vultus_gallery {
    _opaque: (),
}

impl Object for vultus_gallery {
    type Value = RwLock<Gallery>;
    const NAME: &'static str = "vultus_gallery";
}

/// One reference that a search found. The caller sets `struct_size`, the library the rest.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct vultus_candidate {
    /// sizeof(vultus_candidate).
    pub struct_size: usize,
    /// The number that it was inserted under.
    pub id: u64,
    /// How alike it is to the probe, -1 to 1; larger means more alike.
    pub score: f32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: plain data, whose size comes first.
unsafe impl Struct for vultus_candidate {}

/// What a search found, the most alike first.
pub struct vultus_candidates {
    _opaque: (),
}

impl Object for vultus_candidates {
    type Value = Vec<Candidate>;
    const NAME: &'static str = "vultus_candidates";
}

fn broken<T>(_: T) -> Fault {
    Fault::new(
        VULTUS_ERROR_PANIC,
        "gallery: a defect of the engine has stopped it; make another",
    )
}

/// # Safety
/// As for [`borrow`].
unsafe fn shared<'a>(
    gallery: *const vultus_gallery,
) -> Result<RwLockReadGuard<'a, Gallery>, Fault> {
    // SAFETY: by the contract of this function.
    unsafe { borrow(gallery, "gallery")? }
        .read()
        .map_err(broken)
}

/// # Safety
/// As for [`borrow`].
unsafe fn alone<'a>(gallery: *mut vultus_gallery) -> Result<RwLockWriteGuard<'a, Gallery>, Fault> {
    // SAFETY: by the contract of this function.
    unsafe { borrow(gallery, "gallery")? }
        .write()
        .map_err(broken)
}

/// Makes an empty gallery for templates of `engine`, compared as the default policy compares. It
/// does not need the engine any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_gallery_new(
    engine: *const vultus_engine,
    gallery: *mut *mut vultus_gallery,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_gallery_new", error, {
        let gallery = out(gallery, "gallery", null_mut())?;
        *gallery = handle::give(RwLock::new(borrow(engine, "engine")?.core.gallery()));
        Ok(())
    })
}

/// Adds a copy of `reference` under the number `id`. VULTUS_ERROR_USAGE when the number is taken,
/// or the template was made in another precision.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_gallery_insert(
    gallery: *mut vultus_gallery,
    id: u64,
    reference: *const vultus_template,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_gallery_insert", error, {
        let reference = borrow(reference, "reference")?;
        Ok(alone(gallery)?.insert(id, reference)?)
    })
}

/// Wipes and removes the reference with the number `id`; `removed` gets 1 when there was one, 0
/// when not, which is no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_gallery_remove(
    gallery: *mut vultus_gallery,
    id: u64,
    removed: *mut i32,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_gallery_remove", error, {
        let removed = out(removed, "removed", 0)?;
        *removed = i32::from(alone(gallery)?.remove(id));
        Ok(())
    })
}

/// Returns how many references it holds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_gallery_count(gallery: *const vultus_gallery) -> usize {
    accessor!(0, { Ok(shared(gallery)?.len()) })
}

/// Finds the `most` references that are most alike to `probe`, or all where it holds fewer; equal
/// scores come in the order of their numbers. The scores are those of comparing one by one. Whether
/// one of them is a match, vultus_engine_gallery_threshold() says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_gallery_search(
    gallery: *const vultus_gallery,
    probe: *const vultus_template,
    most: usize,
    candidates: *mut *mut vultus_candidates,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_gallery_search", error, {
        let candidates = out(candidates, "candidates", null_mut())?;
        let probe = borrow(probe, "probe")?;
        let found = shared(gallery)?.search(probe, most)?;
        *candidates = handle::give(found);
        Ok(())
    })
}

/// Wipes and frees a gallery.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_gallery_free(gallery: *mut vultus_gallery) {
    // SAFETY: the caller keeps the rules on pointers in the header's introduction.
    unsafe { handle::take_back(gallery) }
}

/// Fills `point`, of which the caller set `struct_size`, with the threshold for a search in a
/// gallery of `size` references: scores from there on come up for a person who is not in it with
/// the probability `fpir`, the false positive identification rate.
///
/// VULTUS_ERROR_USAGE when the pack's calibration does not reach so far, which a larger `fpir` or
/// fewer references cure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_engine_gallery_threshold(
    engine: *const vultus_engine,
    size: usize,
    fpir: f64,
    point: *mut vultus_operating_point,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_engine_gallery_threshold", error, {
        let point = Filled::clear(point, "point")?;
        let engine = borrow(engine, "engine")?;
        let found = engine.core.gallery_threshold(size, fpir)?;
        point.set(vultus_operating_point::of(&found));
        Ok(())
    })
}

/// Returns how many candidates there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_candidates_count(candidates: *const vultus_candidates) -> usize {
    accessor!(0, { Ok(borrow(candidates, "candidates")?.len()) })
}

/// Fills `candidate`, of which the caller set `struct_size`. VULTUS_ERROR_ABSENT when there is no
/// candidate `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_candidates_get(
    candidates: *const vultus_candidates,
    index: usize,
    candidate: *mut vultus_candidate,
    error: *mut *mut vultus_error,
) -> vultus_status {
    boundary!("vultus_candidates_get", error, {
        let candidate = Filled::clear(candidate, "candidate")?;
        let found = borrow(candidates, "candidates")?;
        let absent = || {
            Fault::new(
                VULTUS_ERROR_ABSENT,
                format!("index: is {index}, there are {} candidates", found.len()),
            )
        };
        let Candidate { id, score } = *found.get(index).ok_or_else(absent)?;
        candidate.set(vultus_candidate {
            struct_size: 0,
            id,
            score,
            reserved: 0,
        });
        Ok(())
    })
}

/// Frees candidates.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vultus_candidates_free(candidates: *mut vultus_candidates) {
    // SAFETY: the caller keeps the rules on pointers in the header's introduction.
    unsafe { handle::take_back(candidates) }
}
