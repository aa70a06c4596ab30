//! The engine of this project behind the crate's own seams.

use std::collections::BTreeMap;
use std::path::Path;

use vultus::{Comparator, Engine, EngineOptions, Image, Limits, Precision, Role};

use crate::extract::{Extractor, Outcome};
use crate::metrics::detection::DetectedFace;
use crate::run::{ModelRecord, PackRecord};

/// An opened engine with the role that its images have.
pub struct EngineExtractor {
    engine: Engine,
    role: Role,
}

impl EngineExtractor {
    /// Opens the engine on a model pack.
    ///
    /// # Errors
    /// The engine's own, as text.
    pub fn open(pack: &Path, precision: Precision, role: Role, accepted: &[String]) -> Result<Self, String> {
        let mut options = EngineOptions::default();
        options.precision = precision;
        options.accepted_licences = accepted.to_vec();
        let engine = Engine::open(pack, &options).map_err(|error| error.to_string())?;
        Ok(Self { engine, role })
    }

    /// Returns the engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns what reports say of the pack.
    pub fn pack(&self) -> PackRecord {
        let models = self.engine.models().iter().map(|model| ModelRecord {
            id: model.id.clone(),
            task: model.task.clone(),
            sha256: model.sha256.clone(),
            licence: model.licence.spdx.clone(),
            licence_use: serde_json::to_value(model.licence.usage)
                .ok()
                .and_then(|value| value.as_str().map(str::to_owned))
                .unwrap_or_default(),
            training_data: model.training_data.clone(),
        });
        PackRecord { name: self.engine.info().pack.clone(), models: models.collect() }
    }

    /// Returns the faces that the detector cascade shows in an image.
    ///
    /// # Errors
    /// The image cannot be decoded, or the engine fails; as text.
    pub fn detect(&self, encoded: &[u8]) -> Result<Vec<DetectedFace>, String> {
        let image = Image::decode(encoded, &Limits::default()).map_err(|error| error.to_string())?;
        let faces = self.engine.detect(&image, self.role).map_err(|error| error.to_string())?;
        Ok(faces
            .iter()
            .map(|face| DetectedFace { xywh: [face.bounds.x, face.bounds.y, face.bounds.width, face.bounds.height], score: face.score })
            .collect())
    }

    /// Returns the PAD score of an image; none where PAD gives no answer.
    ///
    /// # Errors
    /// The image cannot be decoded, or the engine fails; as text.
    pub fn pad_score(&self, encoded: &[u8]) -> Result<Option<f32>, String> {
        let image = Image::decode(encoded, &Limits::default()).map_err(|error| error.to_string())?;
        let sample = self.engine.examine(&image, self.role).map_err(|error| error.to_string())?;
        Ok(sample.pad.score)
    }

    /// Returns whether the whole system, under its default policy, accepts a presentation against a reference picture.
    ///
    /// # Errors
    /// An image cannot be decoded, or the engine fails; as text.
    pub fn accepts(&self, presentation: &[u8], reference: &[u8]) -> Result<bool, String> {
        let decode = |bytes| Image::decode(bytes, &Limits::default()).map_err(|error| error.to_string());
        let decision = self.engine.verify(&decode(presentation)?, &decode(reference)?, &vultus::Policy::default());
        Ok(decision.map_err(|error| error.to_string())?.outcome == vultus::Outcome::Accept)
    }
}

impl Extractor for EngineExtractor {
    fn key(&self) -> String {
        let info = self.engine.info();
        format!("pipeline {}\npack {}\nprecision {:?}\nrole {:?}\n", env!("VULTUS_PIPELINE_HASH"), info.pack_id, info.precision, self.role)
    }

    fn extract(&self, encoded: &[u8]) -> Outcome {
        let image = match Image::decode(encoded, &Limits::default()) {
            Ok(image) => image,
            Err(error) => return Outcome::Unreadable(error.to_string()),
        };
        let template = match self.engine.enrol(&image, self.role) {
            Ok(enrolment) => enrolment.template,
            Err(error) => return Outcome::Unreadable(format!("engine fault: {error}")),
        };
        let Some(template) = template else {
            return Outcome::NotAcquired("no face found".to_owned());
        };
        let features: BTreeMap<String, Vec<f32>> = Comparator::Fused
            .shares()
            .iter()
            .filter_map(|(model, _)| Some(((*model).to_owned(), template.values(model)?.to_vec())))
            .collect();
        Outcome::Acquired { features, quality: Some(f32::from(template.quality())) }
    }
}
