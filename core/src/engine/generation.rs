//! The embedders of one pack, and what their scores are worth there. An engine has one of its own,
//! and one of each earlier pack whose templates it still compares.

use crate::compare::{self, Calibration, Part, Recipe};
use crate::embed::{Embedder, Embedding, Features};
use crate::error::Result;
use crate::evidence::{Comparator, Comparison};
use crate::model::Share;
use crate::network::Loader;
use crate::template::Lineage;
use std::sync::Arc;
use vultus_nn::Precision;

pub(super) struct Generation {
    /// In the order of the pack, which is that of features in a template.
    pub(super) embeddings: Vec<Arc<Embedding>>,
    single: Recipe,
    fused: Recipe,
    pub(super) lineage: Lineage,
    pub(super) calibration: Calibration,
}

impl Generation {
    /// Loads the embedders of a pack, but for those that `others` hold.
    pub(super) fn load(loader: &Loader<'_>, others: &[Generation]) -> Result<Self> {
        let shares = loader.pack.embedders()?;
        let load = |share: &Share| {
            let fingerprint = loader.pack.fingerprint(&share.id)?;
            let mut held = others.iter().flat_map(|other| &other.embeddings);
            let is_same = |held: &&Arc<Embedding>| {
                *held.embedder().id == share.id && held.embedder().fingerprint == fingerprint
            };
            match held.find(is_same) {
                Some(held) => Ok(held.clone()),
                None => Embedding::load(loader, &share.id).map(Arc::new),
            }
        };
        let embeddings = shares.iter().map(load).collect::<Result<Vec<_>>>()?;
        let part = |(embedding, share): (&Arc<Embedding>, &Share)| Part {
            embedder: embedding.embedder().clone(),
            share: share.share,
        };
        let parts: Vec<Part> = embeddings.iter().zip(shares).map(part).collect();
        Ok(Generation {
            embeddings,
            single: Recipe::new(Comparator::Single, &parts),
            fused: Recipe::new(Comparator::Fused, &parts),
            lineage: Lineage(parts.into_iter().map(|part| part.embedder).collect()),
            calibration: Calibration::read(loader.pack.calibration())?,
        })
    }

    pub(super) fn recipe(&self, comparator: Comparator) -> &Recipe {
        match comparator {
            Comparator::Single => &self.single,
            Comparator::Fused => &self.fused,
        }
    }

    /// The embedders whose features `comparator` needs: the first ones of the pack.
    pub(super) fn embeddings(&self, comparator: Comparator) -> &[Arc<Embedding>] {
        &self.embeddings[..self.recipe(comparator).parts.len()]
    }

    /// Whether the features are of all of its embedders, in their order.
    pub(super) fn made(&self, features: &[Features]) -> bool {
        self.lineage
            .0
            .iter()
            .eq(features.iter().map(|f| &f.embedder))
    }

    /// Picks the features of its embedders; `None` where one is missing.
    pub(super) fn select(&self, features: &[Features]) -> Option<Vec<Features>> {
        let of = |embedder: &Embedder| features.iter().find(|f| f.embedder == *embedder).cloned();
        self.lineage.0.iter().map(of).collect()
    }

    pub(super) fn compare(
        &self,
        comparator: Comparator,
        precision: Precision,
        fmr: f64,
        probe: &[Features],
        reference: &[Features],
    ) -> Result<Comparison> {
        let recipe = self.recipe(comparator);
        compare::compare(&self.calibration, recipe, precision, fmr, probe, reference)
    }
}
