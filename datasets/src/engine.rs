//! The engine of this project behind the crate's own seams.

use std::collections::BTreeMap;
use std::path::Path;

use vultus::{
    Comparator, Detector, Engine, EngineOptions, Enrolment, Image, ImageView, Limits, PixelFormat,
    Precision, Role,
};

use crate::extract::{Extractor, Outcome};
use crate::limits::Sighting;
use crate::metrics::detection::DetectedFace;
use crate::run::{ModelRecord, PackRecord};

/// Whom a picture of a set shows, when several faces are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Whom the engine chooses.
    Chosen,
    /// The person at the centre of the picture, as LFW labels it. Where the chosen face does not
    /// cover the centre, the engine looks again at the middle of the picture alone; without a face
    /// there it is a failure to acquire.
    Centre,
}

/// An opened engine with the role that its images have.
pub struct EngineExtractor {
    engine: Engine,
    role: Role,
    subject: Subject,
}

impl EngineExtractor {
    /// Opens the engine on a model pack.
    ///
    /// # Errors
    /// The engine's own, as text.
    pub fn open(
        pack: &Path,
        precision: Precision,
        role: Role,
        subject: Subject,
        accepted: &[String],
    ) -> Result<Self, String> {
        let mut options = EngineOptions::default();
        options.precision = precision;
        options.accepted_licences = accepted.to_vec();
        let engine = Engine::open(pack, &options).map_err(|error| error.to_string())?;
        Ok(Self {
            engine,
            role,
            subject,
        })
    }

    /// Returns the engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the model ids whose cosines a comparator adds, with their shares.
    pub fn shares(&self, comparator: Comparator) -> Vec<(String, f32)> {
        self.engine
            .shares(comparator)
            .into_iter()
            .map(|(model, share)| (model.to_owned(), share))
            .collect()
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
        PackRecord {
            name: self.engine.info().pack.clone(),
            models: models.collect(),
        }
    }

    fn enrol(&self, image: &Image) -> vultus::Result<Enrolment> {
        let enrolment = self.engine.enrol(image, self.role)?;
        if self.subject == Subject::Chosen || covers_centre(&enrolment) {
            return Ok(enrolment);
        }
        self.engine.enrol(&middle(image)?, self.role)
    }

    /// Returns the faces that some detectors show in an image.
    ///
    /// # Errors
    /// The image cannot be decoded, or the engine fails; as text.
    pub fn detect(
        &self,
        encoded: &[u8],
        detectors: &[Detector],
    ) -> Result<Vec<DetectedFace>, String> {
        let image =
            Image::decode(encoded, &Limits::default()).map_err(|error| error.to_string())?;
        let faces = self
            .engine
            .detect_with(&image, self.role, detectors)
            .map_err(|error| error.to_string())?;
        Ok(faces
            .iter()
            .map(|face| DetectedFace {
                xywh: [
                    face.bounds.x,
                    face.bounds.y,
                    face.bounds.width,
                    face.bounds.height,
                ],
                score: face.score,
            })
            .collect())
    }

    /// Returns the mean log odds of "bona fide" that PAD gives a presentation, a still or the
    /// frames of a session; none where PAD gives no answer.
    ///
    /// # Errors
    /// The engine fails; as text.
    pub fn presentation(&self, pictures: &[Image]) -> Result<Option<f32>, String> {
        let pad = match pictures {
            [still] => self
                .engine
                .examine(still, self.role)
                .map(|sample| sample.pad),
            frames => self.session(frames),
        };
        let pad = pad.map_err(|error| error.to_string())?;
        let mean = |views: &[vultus::PadView]| {
            views.iter().map(|view| view.log_odds).sum::<f32>() / views.len() as f32
        };
        Ok(pad.yes().map(|report| mean(&report.views)))
    }

    fn session(&self, frames: &[Image]) -> vultus::Result<vultus::Assessed<vultus::PadReport>> {
        let mut session = self.engine.session(&vultus::SessionOptions::default())?;
        for (timestamp_us, frame) in (0..).step_by(100_000).zip(frames) {
            session.push(frame, timestamp_us)?;
        }
        Ok(session.presentation())
    }

    /// Returns what a policy would judge of an image; none without a face.
    ///
    /// # Errors
    /// The image cannot be decoded, or the engine fails; as text.
    pub fn sight(&self, encoded: &[u8]) -> Result<Option<Sighting>, String> {
        let image =
            Image::decode(encoded, &Limits::default()).map_err(|error| error.to_string())?;
        Ok(Sighting::of(
            &self
                .engine
                .examine(&image, self.role)
                .map_err(|error| error.to_string())?,
        ))
    }

    /// Returns whether the whole system, under its default policy, accepts a presentation against a
    /// reference picture.
    ///
    /// # Errors
    /// The engine fails; as text.
    pub fn accepts(&self, presentation: &Image, reference: &Image) -> Result<bool, String> {
        let decision = self
            .engine
            .verify(presentation, reference, &vultus::Policy::default());
        Ok(decision.map_err(|error| error.to_string())?.outcome == vultus::Outcome::Accept)
    }
}

impl Extractor for EngineExtractor {
    fn key(&self) -> String {
        let info = self.engine.info();
        // Not the pack's id: a new calibration changes it, and no feature.
        let [pipeline, models] = [
            env!("VULTUS_PIPELINE_HASH"),
            &vultus::models_json(self.engine.models()),
        ];
        format!(
            "pipeline {pipeline}\nprecision {:?}\nrole {:?}\nsubject {:?}\nmodels {models}\n",
            info.precision, self.role, self.subject
        )
    }

    fn extract(&self, encoded: &[u8]) -> Outcome {
        let image = match Image::decode(encoded, &Limits::default()) {
            Ok(image) => image,
            Err(error) => return Outcome::Unreadable(error.to_string()),
        };
        let enrolment = match self.enrol(&image) {
            Ok(enrolment) => enrolment,
            Err(error) => return Outcome::Unreadable(format!("engine fault: {error}")),
        };
        if self.subject == Subject::Centre
            && enrolment.template.is_some()
            && !covers_centre(&enrolment)
        {
            return Outcome::NotAcquired(
                "no face at the centre, where the set labels one".to_owned(),
            );
        }
        let Some(template) = enrolment.template else {
            return Outcome::NotAcquired("no face found".to_owned());
        };
        let models = self.shares(Comparator::Fused);
        let features: BTreeMap<String, Vec<f32>> = models
            .into_iter()
            .filter_map(|(model, _)| {
                template
                    .values(&model)
                    .map(<[f32]>::to_vec)
                    .map(|values| (model, values))
            })
            .collect();
        let components = enrolment
            .sample
            .quality
            .yes()
            .into_iter()
            .flat_map(|q| &q.components)
            .map(|c| (c.name.name().to_owned(), c.raw))
            .collect();
        Outcome::Acquired {
            features,
            quality: Some(f32::from(template.quality())),
            components,
        }
    }
}

/// Tells whether the enrolled face covers the centre of its picture.
fn covers_centre(enrolment: &Enrolment) -> bool {
    enrolment.sample.face.as_ref().is_some_and(|face| {
        let (x, y) = (
            enrolment.sample.width as f32 / 2.0,
            enrolment.sample.height as f32 / 2.0,
        );
        let b = face.bounds;
        (b.x..=b.x + b.width).contains(&x) && (b.y..=b.y + b.height).contains(&y)
    })
}

/// Returns the middle of a picture, 64 % of its width and height: of LFW's 250 pixels the 160 that
/// hold the labelled head.
fn middle(image: &Image) -> vultus::Result<Image> {
    let (width, height) = (image.width(), image.height());
    let (left, top) = (width * 18 / 100, height * 18 / 100);
    let (kept_width, kept_height) = (width - 2 * left, height - 2 * top);
    let stride = 3 * width as usize;
    let start = top as usize * stride + 3 * left as usize;
    let end = start + (kept_height as usize - 1) * stride + 3 * kept_width as usize;
    Ok(Image::from_view(&ImageView::new(
        &image.rgb()[start..end],
        kept_width,
        kept_height,
        stride,
        PixelFormat::Rgb8,
    )?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_what_lies_within_18_percent_of_each_side() {
        let pixels: Vec<u8> = (0..100 * 50)
            .flat_map(|i| [(i % 100) as u8, (i / 100) as u8, 7])
            .collect();
        let view = ImageView::new(&pixels, 100, 50, 300, PixelFormat::Rgb8).unwrap();
        let middle = middle(&Image::from_view(&view)).unwrap();
        assert_eq!((middle.width(), middle.height()), (64, 32));
        assert_eq!(middle.rgb()[..3], [18, 9, 7]);
        assert_eq!(middle.rgb()[middle.rgb().len() - 3..], [81, 40, 7]);
    }
}
