//! What whoever builds a model pack measures of its networks.

use super::Engine;
use crate::detect::Cascade;
use crate::embed::Embedding;
use crate::error::Result;
use crate::evidence::Role;
use crate::image::{Image, Pyramid};
use crate::model::Pack;
use crate::network::{Loader, Watch};
use std::collections::BTreeMap;
use std::path::Path;
use vultus_nn::kernel::Kernels;
use vultus_nn::{Precision, Ranges};

fn exact(pack: &Pack) -> Loader<'_> {
    Loader {
        pack,
        kernels: Kernels::best(),
        precision: Precision::Exact,
        watch: None,
    }
}

/// Returns the ranges that the networks of the pack in `pack` show over `pictures`, by model id:
/// what `Precision::Fast` is scaled by.
pub fn ranges(
    pack: &Path,
    accepted_licences: &[String],
    pictures: impl Iterator<Item = Image>,
) -> Result<BTreeMap<String, Ranges>> {
    let (pack, watch) = (Pack::open(pack, accepted_licences)?, Watch::default());
    let loader = Loader {
        watch: Some(watch.clone()),
        ..exact(&pack)
    };
    let engine = Engine::load(&loader, &[], false)?;
    for picture in pictures {
        engine.enrol(&picture, Role::Selfie)?;
        // A selfie ends the cascade early: let every detector see the picture.
        let pyramid = Pyramid::new(engine.0.kernels, &picture);
        for attempt in Cascade::attempts(Role::Selfie) {
            engine.0.cascade.look(&pyramid, attempt)?;
        }
    }
    let seen = watch
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    Ok(seen.clone())
}

/// Returns the mean of what the embedder `id` of the pack in `pack` gives for the faces of
/// `pictures` and their mirror images, and how many faces that were. A conversion takes it off, so
/// that features lie around zero.
pub fn embedding_mean(
    pack: &Path,
    accepted_licences: &[String],
    id: &str,
    pictures: impl Iterator<Item = Image>,
) -> Result<(Vec<f64>, usize)> {
    let pack = Pack::open(pack, accepted_licences)?;
    let (engine, embedding) = (
        Engine::load(&exact(&pack), &[], false)?,
        Embedding::load(&exact(&pack), id)?,
    );
    let (mut mean, mut faces) = (vec![0.0; embedding.embedder().dimension], 0);
    for picture in pictures {
        if let Some((_, face)) =
            engine.find(&Pyramid::new(engine.0.kernels, &picture), Role::Selfie)?
        {
            embedding.see(&face, None, |ways| {
                mean.iter_mut().enumerate().for_each(|(i, sum)| {
                    *sum += ways.map(|way| f64::from(way[i])).iter().sum::<f64>()
                })
            })?;
            faces += 1;
        }
    }
    mean.iter_mut()
        .for_each(|sum| *sum /= (2 * faces.max(1)) as f64);
    Ok((mean, faces))
}
