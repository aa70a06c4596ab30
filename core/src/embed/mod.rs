//! From an aligned face to features.

use crate::align::{AlignedFace, CROP_SIDE};
use crate::error::{Error, Kind, Result, Stage};
use crate::network::{Loader, Viewer};
use std::sync::Arc;
use vultus_nn::Pool;
use vultus_nn::kernel::{Dot, Kernels};
use zeroize::Zeroizing;

/// The weight that made features. Only features of equal embedders can be compared.
#[derive(Clone)]
pub(crate) struct Embedder {
    pub(crate) id: Arc<str>,
    /// The number of values of its features.
    pub(crate) dimension: usize,
    /// The beginning of the hash of the weight.
    pub(crate) fingerprint: [u8; 16],
    /// What compares them; the engine's, and no part of whether embedders are equal.
    pub(crate) kernels: Kernels,
}

impl PartialEq for Embedder {
    fn eq(&self, other: &Embedder) -> bool {
        (&self.id, self.dimension, &self.fingerprint)
            == (&other.id, other.dimension, &other.fingerprint)
    }
}

impl Eq for Embedder {}

impl std::fmt::Debug for Embedder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} values", self.id, self.dimension)
    }
}

/// A unit vector that stands for a face, of one embedder. Wiped when dropped; never printed.
#[derive(Clone, PartialEq)]
pub(crate) struct Features {
    pub(crate) embedder: Embedder,
    pub(crate) values: Zeroizing<Vec<f32>>,
}

impl Features {
    /// Returns the cosine with features of the same embedder, in -1..=1; larger means more alike.
    pub(crate) fn cosine(&self, other: &Features) -> f32 {
        debug_assert_eq!(
            self.embedder, other.embedder,
            "features of different embedders cannot be compared"
        );
        let mut result = 0.0;
        self.embedder.kernels.run(Dot {
            a: &self.values,
            b: &other.values,
            result: &mut result,
        });
        result
    }

    /// Returns the mean direction of features of one embedder; `None` when there are none.
    pub(crate) fn mean<'a>(all: impl IntoIterator<Item = &'a Features>) -> Option<Features> {
        let mut all = all.into_iter();
        let mut mean = all.next()?.clone();
        for features in all {
            debug_assert_eq!(
                features.embedder, mean.embedder,
                "features of different embedders have no mean"
            );
            mean.values
                .iter_mut()
                .zip(features.values.iter())
                .for_each(|(sum, v)| *sum += v);
        }
        let unit = 1.0 / norm(&mean.values);
        mean.values.iter_mut().for_each(|v| *v *= unit);
        Some(mean)
    }
}

/// A loaded embedder.
pub(crate) struct Embedding {
    embedder: Embedder,
    viewer: Viewer,
}

impl Embedding {
    pub(crate) fn load(loader: &Loader<'_>, id: &str) -> Result<Self> {
        let dimension = match &loader.pack.entry(id)?.outputs[..] {
            [features] => features.len(),
            _ => None,
        };
        let fault = || {
            Error::new(
                Stage::Embed,
                Kind::Model,
                format!("model {id}: an embedder has one output of a stated length"),
            )
        };
        let dimension = dimension
            .filter(|&length| (1..=usize::from(u16::MAX)).contains(&length))
            .ok_or_else(fault)?;
        let viewer = Viewer::load(loader, id, CROP_SIDE, CROP_SIDE, &[dimension])?;
        Ok(Embedding {
            embedder: Embedder {
                id: id.into(),
                dimension,
                fingerprint: loader.pack.fingerprint(id)?,
                kernels: loader.kernels,
            },
            viewer,
        })
    }

    pub(crate) fn embedder(&self) -> &Embedder {
        &self.embedder
    }

    /// Returns the mean direction of the features of the face and of its mirror image; with a
    /// pool on two threads.
    pub(crate) fn embed(&self, face: &AlignedFace<'_>, pool: Option<&Pool>) -> Result<Features> {
        let mut values = self.see(face, pool, |[plain, mirrored]| {
            let (plain_unit, mirrored_unit) = (1.0 / norm(plain), 1.0 / norm(mirrored));
            let both = plain.iter().zip(mirrored);
            Zeroizing::new(
                both.map(|(p, m)| p * plain_unit + m * mirrored_unit)
                    .collect::<Vec<f32>>(),
            )
        })?;
        let unit = 1.0 / norm(&values);
        values.iter_mut().for_each(|v| *v *= unit);
        Ok(Features {
            embedder: self.embedder.clone(),
            values,
        })
    }

    /// Hands what the network gives for the face and for its mirror image to `read`; with a
    /// pool on two threads.
    pub(crate) fn see<R>(
        &self,
        face: &AlignedFace<'_>,
        pool: Option<&Pool>,
        read: impl FnOnce([&[f32]; 2]) -> R,
    ) -> Result<R> {
        self.viewer
            .see_both_ways(face.pyramid(), &face.crop(), pool, read)
    }
}

fn norm(values: &[f32]) -> f32 {
    values
        .iter()
        .map(|v| v * v)
        .sum::<f32>()
        .sqrt()
        .max(f32::MIN_POSITIVE)
}
