//! A session: frames in, guidance out, and at the end one decision over all of them.

use super::{Against, Clock, Engine, Processed, Renewal};
use crate::align::{AlignedFace, Track};
use crate::decision::{Decision, Policy};
use crate::detect::{Cascade, choose};
use crate::embed::{Embedding, Features};
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{
    Assessed, CaptureLevel, DocumentReport, Guidance, Obstacle, PadReport, Role, SequenceEvidence,
};
use crate::geometry::Point;
use crate::image::{Image, Pyramid};
use crate::pad::{Pad, Presentation};
use crate::quality;
use crate::sequence::{Challenge, Framing, NextStep, Observation, Recorder, advise};
use crate::template::Template;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How a session is opened.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SessionOptions {
    /// What is asked of the person or the screen.
    pub challenge: Option<Challenge>,
}

/// When a frame was captured and when it came, and what was signed of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Time of capture in microseconds on the clock of the capture, as it comes.
    pub captured_us: u64,
    /// When the host had the whole frame, in microseconds on its own clock, the one of
    /// [`Session::next_step`]. `None` where the host does not tell; such a frame answers no step
    /// that was given out by that clock.
    pub arrived_us: Option<u64>,
    /// SHA-256 of the frame as it was sent; each frame of an attested capture has one.
    pub sha256: Option<[u8; 32]>,
}

/// Frames that are kept whole, and how far apart in time.
const BEST_FRAMES: usize = 5;
const BEST_APART_US: u64 = 200_000;
/// A better frame must be better by this much unified quality to replace one: each costs as much as
/// a still.
const BETTER_BY: u8 = 3;
/// Every so many frames the detector looks for a second face.
const LOOK_AROUND_EVERY: u32 = 8;

/// Frames of one capture. It keeps small descriptors, a few best frames' features, and the face's
/// luminance of the last 0.15 s, which is wiped; memory does not grow with the number of frames.
/// One thread at a time uses it.
pub struct Session {
    engine: Engine,
    recorder: Recorder,
    track: Option<Track>,
    has_rival: bool,
    count: u32,
    usable: u32,
    last: Option<(u64, Point)>,
    best: Vec<Kept>,
    /// `None` when the pack holds no PAD weights.
    presentation: Option<Presentation>,
    /// Over the frames in the order in which they came; `None` once one came without its hash.
    signed: Option<Sha256>,
    is_attested: bool,
}

/// Begins what a capturing device signs.
const ATTESTATION: &[u8] = b"vultus capture 1";

/// A frame that went through the whole pipeline.
struct Kept {
    timestamp_us: u64,
    quality: u8,
    processed: Processed,
}

impl Engine {
    /// Opens a session.
    pub fn session(&self, options: &SessionOptions) -> Result<Session> {
        Ok(Session {
            engine: self.clone(),
            recorder: Recorder::new(options.challenge.clone()),
            track: None,
            has_rival: false,
            count: 0,
            usable: 0,
            last: None,
            best: Vec::with_capacity(BEST_FRAMES),
            presentation: self.0.pad.as_ref().map(Pad::begin),
            signed: options.challenge.as_ref().map(|challenge| {
                let nonce = challenge.nonce_sha256();
                Sha256::new().chain_update(ATTESTATION).chain_update(nonce)
            }),
            is_attested: false,
        })
    }
}

impl Session {
    /// Takes a frame and returns what to tell the person now. Any frame rate and any size of frames
    /// will do.
    ///
    /// Push each picture of the camera once, with its own time of capture: a page that asks more
    /// often than the camera delivers must leave out what it has pushed already, for a picture that
    /// comes again is evidence of an injected stream.
    ///
    /// `timestamp_us` is that time in microseconds on the clock of the capture, as it comes:
    /// repeated, backward and impossible ones are evidence, not an error.
    pub fn push(&mut self, frame: &Image, timestamp_us: u64) -> Result<Guidance> {
        self.push_arrival(
            frame,
            &Arrival {
                captured_us: timestamp_us,
                ..Arrival::default()
            },
        )
    }

    /// As [`Session::push`], of a frame that came from elsewhere: when it arrived, and its hash
    /// where the capture is to be attested.
    pub fn push_arrival(&mut self, frame: &Image, arrival: &Arrival) -> Result<Guidance> {
        let timestamp_us = arrival.captured_us;
        self.is_attested = false;
        self.signed = match (self.signed.take(), arrival.sha256) {
            (Some(signed), Some(sha256)) => Some(signed.chain_update(sha256)),
            _ => None,
        };
        let pyramid = Pyramid::new(self.engine.0.kernels, frame);
        let face = self.follow(&pyramid)?;
        self.count = self.count.saturating_add(1);
        let (mut features, mut eye_openings) = (None, None);
        let guidance = match &face {
            None => advise(None, self.usable),
            Some(face) => {
                let quality = quality::assess(face, usize::from(self.has_rival));
                if let (Some(pad), Some(presentation)) =
                    (&self.engine.0.pad, &mut self.presentation)
                {
                    presentation.push(pad.look(face)?);
                }
                if self.is_among_best(quality.unified, timestamp_us) {
                    self.keep(&pyramid, timestamp_us)?;
                }
                if self.recorder.wants_features(timestamp_us) {
                    features = Some(
                        self.engine
                            .0
                            .identity
                            .embed(face, self.engine.0.pool.as_deref())?,
                    );
                }
                if let Some(eyes) = self
                    .engine
                    .0
                    .eyes
                    .as_ref()
                    .filter(|_| self.recorder.wants_eyes(timestamp_us))
                {
                    eye_openings = Some(eyes.openings(face, self.engine.0.pool.as_deref())?);
                }
                let framing = Framing {
                    width: frame.width(),
                    height: frame.height(),
                    face: face.bounds(),
                    inter_eye_px: face.inter_eye_px(),
                    pose: face.pose(),
                    quality: &quality,
                    has_rival: self.has_rival,
                    speed: self.speed(face, timestamp_us),
                };
                advise(Some(&framing), self.usable)
            }
        };
        self.usable = guidance.frames;
        self.last = face
            .as_ref()
            .map(|face| (timestamp_us, face.bounds().centre()));
        self.recorder.push(Observation {
            pyramid: &pyramid,
            timestamp_us,
            arrived_us: arrival.arrived_us,
            face: face.as_ref(),
            features,
            eye_openings,
        });
        Ok(guidance)
    }

    /// Tells at which moment, on the clock of the frames, the first step of the challenge was
    /// shown. `Kind::Usage` without a challenge, or when it has begun already.
    pub fn begin_challenge(&mut self, timestamp_us: u64) -> Result<()> {
        self.recorder.begin_challenge(timestamp_us)
    }

    /// Gives out the step of the challenge that is due at `host_us`, a time in microseconds on the
    /// host's own clock, which must not go back; the first call begins. Show it at once, and push
    /// the frames by [`Session::push_arrival`] with the time at which each came, on the same clock.
    ///
    /// The rest of the script stays here, so that whoever sends the frames cannot prepare the
    /// answer. Flashes must be seen within 600 ms, movements begin within 900 ms of the end of
    /// their step; a frame that took 500 ms longer than the fastest one is left out. `Kind::Usage`
    /// without a challenge, after [`Session::begin_challenge`], or when the time goes back.
    pub fn next_step(&mut self, host_us: u64) -> Result<NextStep> {
        self.recorder.next_step(host_us)
    }

    /// Returns what the capturing device has to sign: SHA-256 over `vultus capture 1`, the SHA-256
    /// of the nonce, and that of every frame in the order of [`Session::push_arrival`].
    /// `Kind::Usage` without a challenge, or when a frame came without its hash.
    pub fn attestation_digest(&self) -> Result<[u8; 32]> {
        match (&self.signed, self.count) {
            (Some(signed), 1..) => Ok(signed.clone().finalize().into()),
            _ => Err(Error::new(
                Stage::Sequence,
                Kind::Usage,
                "nothing can be attested: it takes a challenge, and every frame with its hash",
            )),
        }
    }

    /// Tells that the host checked a signature of the capturing device, whose key it trusts, over
    /// `digest`. It holds for the frames so far; one more takes it back. `Kind::Usage` where
    /// `digest` is not [`Session::attestation_digest`].
    pub fn attest(&mut self, digest: &[u8; 32]) -> Result<()> {
        if self.attestation_digest()? != *digest {
            let message = "the digest is not that of this session's nonce and frames";
            return Err(Error::new(Stage::Sequence, Kind::Usage, message));
        }
        self.is_attested = true;
        Ok(())
    }

    /// Returns what the frames so far tell.
    pub fn evidence(&self) -> SequenceEvidence {
        let mut evidence = self.recorder.evidence(&self.engine.0.sequence);
        if self.is_attested && evidence.capture == CaptureLevel::HostTime {
            evidence.capture = CaptureLevel::Attested;
        }
        evidence
    }

    /// Returns what the frames so far tell of a presentation attack.
    pub fn presentation(&self) -> Assessed<PadReport> {
        match &self.presentation {
            Some(presentation) => presentation.report(),
            None => Assessed::NotPossible(Obstacle::NoWeights),
        }
    }

    /// Returns a reference fused over the best frames; `None` when no frame held a face.
    pub fn template(&self) -> Result<Option<Template>> {
        let probe = self.probe(&self.engine.0.current().embeddings);
        Ok(self.engine.template(Role::Selfie, &probe))
    }

    /// Decides whether the person of the frames is that of the reference picture `document`. As
    /// [`Engine::verify`], with the frames' evidence.
    pub fn verify(&self, document: &Image, policy: &Policy) -> Result<Decision> {
        self.verify_against(document, None, policy)
    }

    /// Decides whether the person of the frames is the holder of a document whose chip was read. As
    /// [`Engine::verify_chip`], with the frames' evidence.
    pub fn verify_chip(
        &self,
        portrait: &Image,
        chip: DocumentReport,
        policy: &Policy,
    ) -> Result<Decision> {
        self.verify_against(portrait, Some(chip), policy)
    }

    fn verify_against(
        &self,
        picture: &Image,
        chip: Option<DocumentReport>,
        policy: &Policy,
    ) -> Result<Decision> {
        let mut clock = Clock::start();
        self.engine.check(policy)?;
        let embeddings = self.engine.0.current().embeddings(policy.comparator);
        let probe = self.probe(embeddings);
        let reference = self.engine.refer(picture, chip, policy, &mut clock)?;
        self.engine
            .decide(probe, self.evidence(), reference, policy, clock)
    }

    /// Decides whether the person of the frames is the one enrolled as `reference`. As
    /// [`Engine::verify_template`], with the frames' evidence.
    pub fn verify_template(&self, reference: &Template, policy: &Policy) -> Result<Decision> {
        let clock = Clock::start();
        self.engine.check(policy)?;
        let generation = self.engine.generation(reference)?;
        let probe = self.probe(generation.embeddings(policy.comparator));
        let against = Against::Stored(reference);
        self.engine
            .decide(probe, self.evidence(), against, policy, clock)
    }

    /// As [`Engine::renew`], of the frames: the new reference is [`Session::template`].
    pub fn renew(&self, reference: &Template, policy: &Policy) -> Result<Renewal> {
        if self.engine.is_current(reference)? {
            return Ok(Renewal {
                decision: self.verify_template(reference, policy)?,
                template: None,
            });
        }
        let clock = Clock::start();
        self.engine.check(policy)?;
        let probe = self.probe(&self.engine.0.embeddings);
        self.engine
            .renew_by(probe, self.evidence(), reference, policy, clock)
    }

    /// Finds the face where it was a frame ago, or anywhere when it is lost. Looks around for a
    /// second face now and then.
    fn follow<'a>(&mut self, pyramid: &'a Pyramid<'a>) -> Result<Option<AlignedFace<'a>>> {
        let inner = &self.engine.0;
        if self.count.is_multiple_of(LOOK_AROUND_EVERY) {
            let attempt = Cascade::attempts(Role::Selfie).next();
            let faces = attempt.map_or(Ok(Vec::new()), |attempt| {
                inner.cascade.look(pyramid, attempt)
            })?;
            self.has_rival = choose(&faces, Role::Selfie, pyramid.width(), pyramid.height())
                .is_some_and(|choice| choice.rival.is_some());
        }
        let followed = match &self.track {
            Some(track) => inner.aligner.follow(pyramid, track)?,
            None => None,
        };
        let face = match followed {
            Some(face) => Some(face),
            None => self
                .engine
                .find(pyramid, Role::Selfie)?
                .filter(|(_, face)| face.fit().holds())
                .map(|(choice, face)| {
                    self.has_rival = choice.rival.is_some();
                    face
                }),
        };
        self.track = face.as_ref().map(AlignedFace::track);
        Ok(face)
    }

    /// Movement of the face since the frame before, in distances of the eyes a second.
    fn speed(&self, face: &AlignedFace<'_>, timestamp_us: u64) -> f32 {
        let Some((at_us, centre)) = self.last.filter(|(at, _)| *at < timestamp_us) else {
            return 0.0;
        };
        let seconds = (timestamp_us - at_us) as f32 * 1e-6;
        centre.distance(face.bounds().centre()) / face.inter_eye_px().max(1.0) / seconds
    }

    fn best_frame(&self) -> Option<&Kept> {
        self.best.iter().max_by_key(|kept| kept.quality)
    }

    fn is_among_best(&self, quality: u8, timestamp_us: u64) -> bool {
        if self
            .best
            .iter()
            .any(|kept| kept.timestamp_us.abs_diff(timestamp_us) < BEST_APART_US)
        {
            return false;
        }
        let worst = self.best.iter().map(|kept| kept.quality).min();
        self.best.len() < BEST_FRAMES
            || worst.is_some_and(|worst| quality >= worst.saturating_add(BETTER_BY))
    }

    /// Takes a frame as a still is taken, in the place of the worst kept one.
    fn keep(&mut self, pyramid: &Pyramid<'_>, timestamp_us: u64) -> Result<()> {
        let processed = self.engine.take_from(
            pyramid,
            Role::Selfie,
            &self.engine.0.embeddings,
            &mut Clock::start(),
        )?;
        let Some(quality) = processed
            .sample
            .quality
            .yes()
            .filter(|_| processed.is_placed())
            .map(|quality| quality.unified)
        else {
            return Ok(());
        };
        if self.best.len() == BEST_FRAMES {
            let worst = (0..BEST_FRAMES)
                .min_by_key(|&i| self.best[i].quality)
                .unwrap_or(0);
            self.best.swap_remove(worst);
        }
        self.best.push(Kept {
            timestamp_us,
            quality,
            processed,
        });
        Ok(())
    }

    /// The mean directions of the best frames' features.
    fn fused(&self, embeddings: &[Arc<Embedding>]) -> Vec<Features> {
        let of = |embedding: &Arc<Embedding>| {
            let all = self
                .best
                .iter()
                .filter_map(|kept| kept.processed.features.as_ref())
                .flatten();
            Features::mean(all.filter(|features| features.embedder == *embedding.embedder()))
        };
        embeddings.iter().filter_map(of).collect()
    }

    /// The best frame with the features of all best ones and the presentation attack detection of
    /// all frames.
    fn probe(&self, embeddings: &[Arc<Embedding>]) -> Processed {
        match self.best_frame() {
            None => Processed::without_face(Role::Selfie, self.recorder.size()),
            Some(best) => {
                let mut sample = best.processed.sample.clone();
                sample.pad = self.presentation();
                Processed {
                    sample,
                    features: Some(self.fused(embeddings)),
                }
            }
        }
    }
}
