//! Galleries: 1:N.

use crate::{Template, raise};
use pyo3::prelude::*;
use std::sync::RwLock;
use vultus as core;

/// References by number. Searches run at once, changes one after the other.
#[pyclass(frozen, module = "vultus._vultus")]
pub(crate) struct Gallery {
    gallery: RwLock<core::Gallery>,
    engine: core::Engine,
}

impl Gallery {
    pub(crate) fn new(engine: &core::Engine) -> Gallery {
        Gallery {
            gallery: RwLock::new(engine.gallery()),
            engine: engine.clone(),
        }
    }

    /// What is found is whole even if a change panicked, for a gallery is changed only by what
    /// cannot fail any more.
    fn read<T>(&self, look: impl FnOnce(&core::Gallery) -> T) -> T {
        look(
            &self
                .gallery
                .read()
                .unwrap_or_else(|poisoned| poisoned.into_inner()),
        )
    }

    fn write<T>(&self, change: impl FnOnce(&mut core::Gallery) -> T) -> T {
        change(
            &mut self
                .gallery
                .write()
                .unwrap_or_else(|poisoned| poisoned.into_inner()),
        )
    }
}

#[pymethods]
impl Gallery {
    fn insert(&self, py: Python<'_>, id: u64, reference: &Template) -> PyResult<()> {
        py.detach(|| {
            let reference = reference.by(&self.engine)?;
            self.write(|gallery| gallery.insert(id, &reference))
        })
        .map_err(raise)
    }

    fn remove(&self, py: Python<'_>, id: u64) -> bool {
        py.detach(|| self.write(|gallery| gallery.remove(id)))
    }

    /// Returns (id, score), the best first.
    fn search(&self, py: Python<'_>, probe: &Template, most: usize) -> PyResult<Vec<(u64, f32)>> {
        let found = py
            .detach(|| {
                let probe = probe.by(&self.engine)?;
                self.read(|gallery| gallery.search(&probe, most))
            })
            .map_err(raise)?;
        Ok(found
            .into_iter()
            .map(|candidate| (candidate.id, candidate.score))
            .collect())
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        py.detach(|| self.read(core::Gallery::len))
    }
}
