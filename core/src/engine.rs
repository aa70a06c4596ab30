//! The pipeline. The only module that calls every stage; each arrow of the data flow is one line
//! here.

use crate::align::{AlignedFace, Aligner, Eyes};
use crate::compare::{self, Gallery};
use crate::decision::{Decision, EngineInfo, Evidence, Policy, Reference, decide};
use crate::detect::{Attempt, Cascade, Choice, Turn, choose};
use crate::document;
use crate::embed::{Embedding, Features};
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{
    Assessed, Comparator, Comparison, Detection, Detector, DocumentReport, Face, Obstacle,
    OperatingPoint, Outcome, PadReport, Role, Sample, SequenceEvidence,
};
use crate::image::{Image, Pyramid};
use crate::model::{ModelInfo, Pack};
use crate::network::Loader;
use crate::pad::Pad;
use crate::quality;
use crate::sequence;
use crate::template::{KeyId, Template, TemplateKey};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use vultus_nn::kernel::{Isa, Kernels};
use vultus_nn::{Pool, Precision};

mod generation;
mod measure;
mod session;

use generation::Generation;
pub use measure::{embedding_mean, ranges};
pub use session::{Arrival, Session, SessionOptions};

/// How an engine is opened.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EngineOptions {
    /// Precision of the networks.
    pub precision: Precision,
    /// Ids of weights whose unknown or non-commercial licence is accepted.
    pub accepted_licences: Vec<String>,
    /// The id that the pack must have, 64 hexadecimal digits as [`EngineInfo::pack_id`] tells them;
    /// `Kind::Model` for another one. A pack's own hashes find damage, not somebody who changed
    /// them too.
    pub expected_pack: Option<String>,
    /// Spreads each call, and each search in a gallery, over threads of the engine's own, for a
    /// shorter wait where the cores would be idle. Otherwise a call stays on its thread, and many
    /// at once use all cores best. The bits of the answer are the same. The threads start at the
    /// first call, also that in a forked child.
    pub parallel: bool,
    /// The instruction set of all arithmetic; `None` for the best of this CPU. The bits of the
    /// answer are the same. `Kind::Unsupported` when this CPU lacks it.
    pub instruction_set: Option<Isa>,
    /// Folders of packs whose templates are still compared, by their own embedders and
    /// calibrations; all else is the current pack's. Each embedder that the current pack lacks is
    /// loaded beside it, and run where a template needs it: in every session, in
    /// [`Engine::verify_template`] for a template of that pack, and in [`Engine::renew`].
    pub earlier_packs: Vec<PathBuf>,
}

/// Loaded models and the pipeline over them. Share one between threads: every call takes `&self`,
/// calls do not wait for each other, and an answer does not depend on what else runs. A clone is
/// another handle to the same models.
#[derive(Clone)]
pub struct Engine(Arc<Models>, Option<TemplateKey>);

/// What a pack holds, loaded.
struct Models {
    cascade: Cascade,
    aligner: Aligner,
    eyes: Option<Eyes>,
    pad: Option<Pad>,
    /// `None` when the pack holds no networks that read documents.
    document: Option<document::Reader>,
    /// That of the pack, then those of earlier packs.
    generations: Vec<Generation>,
    /// The embedders of all generations, each once, those of the pack first.
    embeddings: Vec<Arc<Embedding>>,
    /// The one whose features tell whether a face stays the same person's over a sequence.
    identity: Arc<Embedding>,
    sequence: sequence::Calibration,
    models: Vec<ModelInfo>,
    info: EngineInfo,
    kernels: Kernels,
    /// The threads of calls; without, each stays on its caller's.
    pool: Option<Arc<Pool>>,
}

/// What enrolling one picture gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrolment {
    /// What is known of the picture.
    pub sample: Sample,
    /// The reference; `None` when no face was found.
    pub template: Option<Template>,
}

/// What verifying a person against a reference of an earlier pack gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Renewal {
    /// Whether the person is the one enrolled.
    pub decision: Decision,
    /// A reference of the current pack, made of the selfie that was accepted; `None` when it was
    /// not, or when the reference is of the current pack already.
    pub template: Option<Template>,
}

/// A picture after all stages but the comparison.
struct Processed {
    sample: Sample,
    features: Option<Vec<Features>>,
}

impl Processed {
    fn without_face(role: Role, (width, height): (u32, u32)) -> Self {
        Processed {
            sample: Sample {
                role,
                width,
                height,
                face: None,
                rival: None,
                quality: Assessed::NotPossible(Obstacle::NoFace),
                pad: match role {
                    Role::Selfie => Assessed::NotPossible(Obstacle::NoFace),
                    Role::Document => Assessed::NotAsked,
                },
            },
            features: None,
        }
    }
}

impl Processed {
    /// Whether there is a face, and its landmarks lie on it.
    fn is_placed(&self) -> bool {
        self.sample.face.as_ref().is_some_and(Face::is_placed)
    }
}

/// What a selfie is compared with.
#[expect(clippy::large_enum_variant, reason = "one lives as long as a call")]
enum Against<'a> {
    /// A picture that is shown, and what is known of it as an identity document.
    Shown {
        taken: Processed,
        identity_document: Assessed<DocumentReport>,
    },
    Stored(&'a Template),
}

/// Whoever accepts the licence of a weight that no pack holds meant another.
fn check_licences(accepted: &[String], pack: &Pack, earlier: &[Pack]) -> Result<()> {
    let packs = || std::iter::once(pack).chain(earlier);
    let is_held = |id: &String| packs().any(|pack| pack.has(id));
    match accepted.iter().position(|id| !is_held(id)) {
        None => Ok(()),
        Some(place) => {
            let models = packs().flat_map(Pack::models);
            let held: Vec<&str> = models.map(|model| model.id.as_str()).collect();
            let message = format!(
                "accepted_licences: entry {} names no weight of the pack, which holds {}",
                place + 1,
                held.join(", ")
            );
            Err(Error::new(Stage::Model, Kind::Usage, message))
        }
    }
}

impl Models {
    /// What the pack itself makes of faces.
    fn current(&self) -> &Generation {
        &self.generations[0]
    }
}

impl Engine {
    /// Loads the model pack in the folder `pack`. Reads nothing else, now or later.
    pub fn open(pack: impl AsRef<Path>, options: &EngineOptions) -> Result<Engine> {
        let kernels = match options.instruction_set {
            None => Kernels::best(),
            Some(isa) => Kernels::new(isa).ok_or_else(|| lacking(isa))?,
        };
        let open = |pack: &Path| Pack::open(pack, &options.accepted_licences);
        let pack = open(pack.as_ref())?;
        if options
            .expected_pack
            .as_ref()
            .is_some_and(|id| id != pack.id())
        {
            let message = format!(
                "the model pack has the id {}, which is not the expected one",
                pack.id()
            );
            return Err(Error::new(Stage::Model, Kind::Model, message));
        }
        let earlier = options.earlier_packs.iter().map(|pack| open(pack));
        let earlier = earlier.collect::<Result<Vec<_>>>()?;
        check_licences(&options.accepted_licences, &pack, &earlier)?;
        let loader = Loader {
            pack: &pack,
            kernels,
            precision: options.precision,
            watch: None,
        };
        Engine::load(&loader, &earlier, options.parallel)
    }

    fn load(loader: &Loader<'_>, earlier: &[Pack], parallel: bool) -> Result<Engine> {
        let pack = loader.pack;
        let mut generations = vec![Generation::load(loader, &[])?];
        for pack in earlier {
            let loader = Loader {
                pack,
                watch: None,
                ..*loader
            };
            let generation = Generation::load(&loader, &generations)?;
            generations.push(generation);
        }
        let mut embeddings: Vec<Arc<Embedding>> = Vec::new();
        for embedding in generations.iter().flat_map(|g| &g.embeddings) {
            if embeddings
                .iter()
                .all(|known| !Arc::ptr_eq(known, embedding))
            {
                embeddings.push(embedding.clone());
            }
        }
        let identity = match embeddings
            .iter()
            .find(|e| &*e.embedder().id == sequence::IDENTITY)
        {
            Some(embedding) => embedding.clone(),
            None => Arc::new(Embedding::load(loader, sequence::IDENTITY)?),
        };
        let models = Arc::new(Models {
            cascade: Cascade::load(loader)?,
            aligner: Aligner::load(loader)?,
            eyes: Eyes::load(loader)?,
            pad: Pad::load(loader)?,
            document: document::Reader::load(loader)?,
            generations,
            embeddings,
            identity,
            sequence: sequence::Calibration::read(pack.calibration())?,
            models: pack.models().to_vec(),
            info: EngineInfo {
                version: env!("CARGO_PKG_VERSION"),
                pack: format!("{} {}", pack.name(), pack.version()),
                pack_id: pack.id().to_owned(),
                precision: loader.precision,
            },
            kernels: loader.kernels,
            pool: parallel.then(|| Arc::new(Pool::new())),
        });
        Ok(Engine(models, None))
    }

    /// Returns a handle to the same models that protects templates and galleries by `key`: what it
    /// enrols is protected, and it reads and compares what `key` protects and nothing else.
    pub fn with_template_key(&self, key: &TemplateKey) -> Engine {
        Engine(self.0.clone(), Some(key.clone()))
    }

    /// Returns what computes: version, pack, precision.
    pub fn info(&self) -> &EngineInfo {
        &self.0.info
    }

    /// Returns what the pack says of each weight: origin, licence, hash.
    pub fn models(&self) -> &[ModelInfo] {
        &self.0.models
    }

    /// Decides whether the person of the selfie is that of the reference picture `document`. Whose
    /// document that is, or whether it is one, is looked at where `policy.document` asks.
    ///
    /// `Kind::Usage` when the calibration does not support `policy.fmr`; whatever the pictures show
    /// is a [`Decision`].
    pub fn verify(&self, selfie: &Image, document: &Image, policy: &Policy) -> Result<Decision> {
        self.verify_against(selfie, document, None, policy)
    }

    /// Decides whether the person of the selfie is the holder of a document whose chip was read:
    /// `portrait` is the picture in its DG2, and `chip` what was found of its other files.
    pub fn verify_chip(
        &self,
        selfie: &Image,
        portrait: &Image,
        chip: DocumentReport,
        policy: &Policy,
    ) -> Result<Decision> {
        self.verify_against(selfie, portrait, Some(chip), policy)
    }

    fn verify_against(
        &self,
        selfie: &Image,
        picture: &Image,
        chip: Option<DocumentReport>,
        policy: &Policy,
    ) -> Result<Decision> {
        let mut clock = Clock::start();
        self.check(policy)?;
        let (probe, reference) = self.both(
            &mut clock,
            |clock: &mut Clock| {
                let embeddings = self.0.current().embeddings(policy.comparator);
                self.take(selfie, Role::Selfie, embeddings, clock)
            },
            |clock: &mut Clock| self.refer(picture, chip, policy, clock),
        );
        self.decide(
            probe?,
            SequenceEvidence::not_asked(),
            reference?,
            policy,
            clock,
        )
    }

    /// The reference of a picture, which is read as a document where the policy asks and no chip
    /// tells more.
    fn refer(
        &self,
        picture: &Image,
        chip: Option<DocumentReport>,
        policy: &Policy,
        clock: &mut Clock,
    ) -> Result<Against<'static>> {
        let embeddings = self.0.current().embeddings(policy.comparator);
        let taken = self.take(picture, Role::Document, embeddings, clock)?;
        let identity_document = match (chip, policy.document.level()) {
            (Some(chip), _) => Assessed::Yes(chip),
            (None, Some(_)) => self.read_document(picture)?,
            (None, None) => Assessed::NotAsked,
        };
        clock.lap("document");
        Ok(Against::Shown {
            taken,
            identity_document,
        })
    }

    /// Reads the machine-readable zone of a document, any way up.
    ///
    /// Whatever the picture shows is a [`DocumentReport`]; not possible with a pack that has no
    /// networks for it.
    pub fn read_document(&self, picture: &Image) -> Result<Assessed<DocumentReport>> {
        let Some(reader) = &self.0.document else {
            return Ok(Assessed::NotPossible(Obstacle::NoWeights));
        };
        let report = reader.read(&Pyramid::new(self.0.kernels, picture))?;
        Ok(Assessed::Yes(report))
    }

    /// Decides whether the person of the selfie is the one enrolled as `reference`. The policy
    /// weighs what was found in the reference's picture as if it were shown again.
    pub fn verify_template(
        &self,
        selfie: &Image,
        reference: &Template,
        policy: &Policy,
    ) -> Result<Decision> {
        let mut clock = Clock::start();
        self.check(policy)?;
        let generation = self.generation(reference)?;
        let embeddings = generation.embeddings(policy.comparator);
        let probe = self.take(selfie, Role::Selfie, embeddings, &mut clock)?;
        let sequence = SequenceEvidence::not_asked();
        self.decide(probe, sequence, Against::Stored(reference), policy, clock)
    }

    /// As [`Engine::verify_template`], and makes a reference of the current pack of a selfie that
    /// is accepted, so that a change of pack asks nobody to enrol again.
    ///
    /// The selfie takes the place of what was enrolled: whoever is accepted once, by a false match
    /// or an attack that was not found, stays. Ask for the policy that you enrol by.
    pub fn renew(&self, selfie: &Image, reference: &Template, policy: &Policy) -> Result<Renewal> {
        if self.is_current(reference)? {
            return Ok(Renewal {
                decision: self.verify_template(selfie, reference, policy)?,
                template: None,
            });
        }
        let mut clock = Clock::start();
        self.check(policy)?;
        let probe = self.take(selfie, Role::Selfie, &self.0.embeddings, &mut clock)?;
        let sequence = SequenceEvidence::not_asked();
        self.renew_by(probe, sequence, reference, policy, clock)
    }

    fn renew_by(
        &self,
        probe: Processed,
        sequence: SequenceEvidence,
        reference: &Template,
        policy: &Policy,
        clock: Clock,
    ) -> Result<Renewal> {
        let template = self.template(Role::Selfie, &probe);
        let decision = self.decide(probe, sequence, Against::Stored(reference), policy, clock)?;
        Ok(Renewal {
            template: template.filter(|_| decision.outcome == Outcome::Accept),
            decision,
        })
    }

    /// Makes a reference of a picture.
    pub fn enrol(&self, image: &Image, role: Role) -> Result<Enrolment> {
        let embeddings = &self.0.current().embeddings;
        let taken = self.take(image, role, embeddings, &mut Clock::start())?;
        Ok(Enrolment {
            template: self.template(role, &taken),
            sample: taken.sample,
        })
    }

    /// A reference of a picture that went through all stages; `None` when no face was found.
    fn template(&self, role: Role, taken: &Processed) -> Option<Template> {
        let findings = taken.sample.findings()?;
        let features = self.0.current().select(taken.features.as_deref()?)?;
        let precision = self.0.info.precision;
        Some(Template::new(
            role,
            precision,
            findings,
            features,
            self.1.as_ref(),
        ))
    }

    /// Returns the same reference as an engine with the template key `to` reads it, or one without
    /// a key. `Kind::Usage` when another key than this engine's protects it.
    pub fn rekey(&self, reference: &Template, to: Option<&TemplateKey>) -> Result<Template> {
        reference.features(self.key())?;
        Ok(reference.rekeyed(self.1.as_ref(), to))
    }

    fn key(&self) -> Option<KeyId> {
        self.1.as_ref().map(TemplateKey::id)
    }

    /// Whose weights made the template.
    fn generation(&self, template: &Template) -> Result<&Generation> {
        let features = template.features(self.key())?;
        let all = &self.0.generations;
        all.iter().find(|g| g.made(features)).ok_or_else(|| {
            let message = "the template was made with other weights than those of this engine's \
                           packs";
            Error::new(Stage::Compare, Kind::Usage, message)
        })
    }

    fn is_current(&self, template: &Template) -> Result<bool> {
        let generation = self.generation(template)?;
        Ok(std::ptr::eq(generation, self.0.current()))
    }

    /// Compares two templates at the operating point of `policy`. `Kind::Usage` when they are of
    /// different packs.
    pub fn compare(
        &self,
        probe: &Template,
        reference: &Template,
        policy: &Policy,
    ) -> Result<Comparison> {
        self.generation(reference)?.compare(
            policy.comparator,
            self.0.info.precision,
            policy.fmr,
            probe.features(self.key())?,
            reference.features(self.key())?,
        )
    }

    /// Returns how alike two templates are, in -1..=1, without any operating point. `Kind::Usage`
    /// when they are of different packs.
    pub fn score(
        &self,
        probe: &Template,
        reference: &Template,
        comparator: Comparator,
    ) -> Result<f32> {
        compare::score(
            self.generation(reference)?.recipe(comparator),
            probe.features(self.key())?,
            reference.features(self.key())?,
        )
    }

    /// Returns the model ids whose cosines a comparator adds, with their shares, which sum to 1.
    pub fn shares(&self, comparator: Comparator) -> Vec<(&str, f32)> {
        let recipe = self.0.current().recipe(comparator);
        let parts = recipe.parts.iter();
        parts.map(|part| (&*part.embedder.id, part.share)).collect()
    }

    /// Returns an empty gallery for references of the current pack, protected by this engine's
    /// template key if it has one, compared as the default policy compares.
    pub fn gallery(&self) -> Gallery {
        let recipe = self.0.current().recipe(Policy::default().comparator);
        Gallery::new(
            recipe.clone(),
            self.0.info.precision,
            self.key(),
            self.0.kernels,
            self.0.pool.clone(),
        )
    }

    /// Returns the threshold at which a search in a gallery of `size` references returns anybody
    /// for a person who is not in it with the probability `fpir`, the false positive identification
    /// rate (ISO/IEC 19795-1).
    ///
    /// Comparisons are taken as independent: each may be false with the probability 1 - (1 -
    /// fpir)^(1/size). `Kind::Usage` when the calibration does not reach that rate.
    pub fn gallery_threshold(&self, size: usize, fpir: f64) -> Result<OperatingPoint> {
        compare::gallery_threshold(
            &self.0.current().calibration,
            Policy::default().comparator,
            self.0.info.precision,
            size,
            fpir,
        )
    }

    /// Reads a stored template. `Kind::Input` when it is damaged, `Kind::Unsupported` when its
    /// format is another version's, `Kind::Usage` when weights that neither the pack nor an earlier
    /// one has made it, or when another template key than this engine's protects it.
    pub fn read_template(&self, bytes: &[u8]) -> Result<Template> {
        let lineages = self.0.generations.iter().map(|g| &g.lineage);
        Template::from_bytes(bytes, lineages, self.0.info.precision, self.1.as_ref())
    }

    /// Examines one picture without comparing it with anything.
    pub fn examine(&self, image: &Image, role: Role) -> Result<Sample> {
        Ok(self.take(image, role, &[], &mut Clock::start())?.sample)
    }

    /// Returns every face of a picture, best first: what all detectors of the default pack show,
    /// each face once.
    pub fn detect(&self, image: &Image, role: Role) -> Result<Vec<Detection>> {
        self.detect_with(image, role, &Detector::DEFAULT)
    }

    /// Returns every face that some detectors show, best first. `Kind::Usage` for one that the pack
    /// does not hold.
    pub fn detect_with(
        &self,
        image: &Image,
        role: Role,
        detectors: &[Detector],
    ) -> Result<Vec<Detection>> {
        self.0
            .cascade
            .all(&Pyramid::new(self.0.kernels, image), role, detectors)
    }

    /// `Kind::Usage` when the calibration does not support the policy's operating point: told
    /// before any work is done.
    fn check(&self, policy: &Policy) -> Result<()> {
        policy.validate()?;
        self.0
            .current()
            .calibration
            .at(policy.comparator, self.0.info.precision, policy.fmr)
            .map(drop)
    }

    fn take(
        &self,
        image: &Image,
        role: Role,
        embeddings: &[Arc<Embedding>],
        clock: &mut Clock,
    ) -> Result<Processed> {
        let pyramid = Pyramid::new(self.0.kernels, image);
        clock.lap("pyramid");
        let taken = self.take_from(&pyramid, role, embeddings, clock)?;
        if role == Role::Document || taken.is_placed() {
            return Ok(taken);
        }
        // A selfie that lost its orientation: all that looks at surroundings wants it upright.
        let found = self.search(&pyramid, role, Cascade::sideways())?;
        clock.lap("detect");
        let Some((_, face)) = found.filter(|(_, face)| face.fit().holds()) else {
            return Ok(taken);
        };
        let turn = Turn::along(face.direction());
        let upright = image.turned_back(turn.quarters());
        let pyramid = Pyramid::new(self.0.kernels, &upright);
        clock.lap("pyramid");
        let mut again = self.take_from(&pyramid, role, embeddings, clock)?;
        if !again.is_placed() {
            return Ok(taken);
        }
        let size = [image.width(), image.height()];
        again
            .sample
            .turn(turn.quarters(), size.map(|length| length as f32));
        (again.sample.width, again.sample.height) = (size[0], size[1]);
        Ok(again)
    }

    fn take_from(
        &self,
        pyramid: &Pyramid<'_>,
        role: Role,
        embeddings: &[Arc<Embedding>],
        clock: &mut Clock,
    ) -> Result<Processed> {
        let image = pyramid.image();
        let found = self.find(pyramid, role)?;
        clock.lap("detect");
        let mut processed = Processed::without_face(role, (image.width(), image.height()));
        let Some((choice, face)) = found else {
            return Ok(processed);
        };
        let assess = |clock: &mut Clock| {
            let quality = quality::assess(&face, usize::from(choice.rival.is_some()));
            clock.lap("quality");
            let pad = self.present(&face, role);
            clock.lap("pad");
            (quality, pad)
        };
        let embed = |clock: &mut Clock| self.embed(embeddings, &face, clock);
        let ((quality, pad), features) = self.both(clock, assess, embed);
        processed.features = Some(features?);
        let sample = &mut processed.sample;
        sample.quality = Assessed::Yes(quality);
        sample.pad = pad?;
        sample.rival = choice.rival;
        sample.face = Some(Face {
            detection: choice.face,
            bounds: face.bounds(),
            pose: face.pose(),
            inter_eye_px: face.inter_eye_px(),
            landmark_shift: face.fit().shift,
            eye_gap: face.fit().eye_gap,
            landmarks: face.points().to_vec(),
        });
        Ok(processed)
    }

    /// Presentation attack detection of a face, which a document is not asked for.
    fn present(&self, face: &AlignedFace<'_>, role: Role) -> Result<Assessed<PadReport>> {
        match (role, &self.0.pad) {
            (Role::Document, _) => Ok(Assessed::NotAsked),
            (Role::Selfie, None) => Ok(Assessed::NotPossible(Obstacle::NoWeights)),
            (Role::Selfie, Some(pad)) => pad.assess(face),
        }
    }

    /// Returns the features of every embedder.
    fn embed(
        &self,
        embeddings: &[Arc<Embedding>],
        face: &AlignedFace<'_>,
        clock: &mut Clock,
    ) -> Result<Vec<Features>> {
        let Some((last, others)) = embeddings.split_last() else {
            return Ok(Vec::new());
        };
        let embed = |clock: &mut Clock| {
            let features = last.embed(face, self.0.pool.as_deref());
            clock.lap("embed");
            features
        };
        let (all, features) = self.both(clock, |clock| self.embed(others, face, clock), embed);
        let mut all = all?;
        all.push(features?);
        Ok(all)
    }

    /// Runs both, side by side if the engine was opened so.
    fn both<A: Send, B: Send>(
        &self,
        clock: &mut Clock,
        one: impl FnOnce(&mut Clock) -> A + Send,
        other: impl FnOnce(&mut Clock) -> B + Send,
    ) -> (A, B) {
        let Some(pool) = &self.0.pool else {
            return (one(clock), other(clock));
        };
        let timed = || {
            let mut clock = Clock::start();
            (other(&mut clock), clock)
        };
        let (a, (b, beside)) = pool.join(|| one(clock), timed);
        beside
            .laps
            .into_iter()
            .for_each(|(stage, spent)| clock.add(stage, spent));
        (a, b)
    }

    /// Looks from near to far until the landmarks of a chosen face fit it beyond doubt; returns the
    /// least doubtful face where they never do.
    fn find<'a>(
        &self,
        pyramid: &'a Pyramid<'a>,
        role: Role,
    ) -> Result<Option<(Choice, AlignedFace<'a>)>> {
        self.search(pyramid, role, Cascade::attempts(role))
    }

    fn search<'a>(
        &self,
        pyramid: &'a Pyramid<'a>,
        role: Role,
        attempts: impl Iterator<Item = Attempt>,
    ) -> Result<Option<(Choice, AlignedFace<'a>)>> {
        let mut best: Option<(Choice, AlignedFace<'a>)> = None;
        for attempt in attempts {
            let faces = self.0.cascade.look(pyramid, attempt)?;
            if let Some(choice) = choose(&faces, role, pyramid.width(), pyramid.height())
                && let Some(face) = self.0.aligner.align(pyramid, &choice.face)?
            {
                let doubt = face.fit().doubt();
                if best
                    .as_ref()
                    .is_none_or(|(_, best)| doubt < best.fit().doubt())
                {
                    best = Some((choice, face));
                }
                if doubt <= 1.0 {
                    break;
                }
            }
        }
        Ok(best)
    }

    /// Compares the probe with a stored reference, by what its pack made of both.
    fn compare_stored(
        &self,
        probe: &[Features],
        reference: &Template,
        policy: &Policy,
    ) -> Result<Comparison> {
        let generation = self.generation(reference)?;
        let reference = reference.features(self.key())?;
        let (comparator, precision) = (policy.comparator, self.0.info.precision);
        let compare =
            |probe| generation.compare(comparator, precision, policy.fmr, probe, reference);
        match &self.1 {
            None => compare(probe),
            Some(key) => {
                let protected = probe.iter().map(|plain| key.protect(plain));
                compare(&protected.collect::<Vec<_>>())
            }
        }
    }

    fn decide(
        &self,
        probe: Processed,
        sequence: SequenceEvidence,
        against: Against<'_>,
        policy: &Policy,
        mut clock: Clock,
    ) -> Result<Decision> {
        let compared = match (&probe.features, &against) {
            (Some(probe), Against::Stored(template)) => {
                Some(self.compare_stored(probe, template, policy)?)
            }
            (Some(probe), Against::Shown { taken, .. }) => match &taken.features {
                Some(reference) => Some(self.0.current().compare(
                    policy.comparator,
                    self.0.info.precision,
                    policy.fmr,
                    probe,
                    reference,
                )?),
                None => None,
            },
            (None, _) => None,
        };
        let comparison = compared.map_or(Assessed::NotPossible(Obstacle::NoFace), Assessed::Yes);
        let not_shown = match policy.document.level() {
            Some(_) => Assessed::NotPossible(Obstacle::NoPicture),
            None => Assessed::NotAsked,
        };
        let (reference, identity_document) = match &against {
            Against::Shown {
                taken,
                identity_document,
            } => (Reference::Document(&taken.sample), identity_document),
            Against::Stored(template) => (Reference::Stored(template), &not_shown),
        };
        let evidence = Evidence {
            selfie: &probe.sample,
            reference,
            identity_document,
            comparison: &comparison,
            sequence: &sequence,
        };
        let (outcome, reasons) = decide(&evidence, policy);
        clock.lap("decide");
        let (document, identity_document) = match against {
            Against::Shown {
                taken,
                identity_document,
            } => (Some(taken.sample), identity_document),
            Against::Stored(_) => (None, not_shown),
        };
        Ok(Decision {
            outcome,
            reasons,
            comparison,
            selfie: probe.sample,
            document,
            identity_document,
            sequence,
            policy: policy.clone(),
            engine: self.0.info.clone(),
            times_ms: clock.laps,
        })
    }
}

fn lacking(isa: Isa) -> Error {
    let has: Vec<&str> = Kernels::all().map(|kernels| kernels.isa().name()).collect();
    let message = format!("this CPU has no {}; it has {}", isa.name(), has.join(", "));
    Error::new(Stage::Network, Kind::Unsupported, message)
}

/// Adds up the time of each stage over a transaction, over all threads.
struct Clock {
    last: Instant,
    laps: Vec<(&'static str, f32)>,
}

impl Clock {
    fn start() -> Self {
        Clock {
            last: Instant::now(),
            laps: Vec::with_capacity(8),
        }
    }

    fn lap(&mut self, stage: &'static str) {
        let now = Instant::now();
        let spent = (now - self.last).as_secs_f32() * 1e3;
        self.last = now;
        self.add(stage, spent);
    }

    fn add(&mut self, stage: &'static str, spent: f32) {
        match self.laps.iter_mut().find(|(name, _)| *name == stage) {
            Some((_, total)) => *total += spent,
            None => self.laps.push((stage, spent)),
        }
    }
}
