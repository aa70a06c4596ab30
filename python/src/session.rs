//! Sessions and challenges.

use crate::{Image, Points, Template, Times, answer, raise};
use pyo3::prelude::*;
use std::sync::{Mutex, MutexGuard};
use vultus as core;

/// What is asked of the person or the screen, derived from a nonce.
#[pyclass(frozen, module = "vultus._vultus")]
pub(crate) struct Challenge(core::Challenge);

#[pymethods]
impl Challenge {
    /// Derives the steps from a nonce of 16 to 64 bytes and the kinds "flash", "head-turn",
    /// "blink", "head-moves". Blinks need the pack's network of the eyes and 8 frames a second;
    /// without them the challenge is not assessable.
    #[new]
    fn new(nonce: &[u8], kinds: Vec<String>) -> PyResult<Challenge> {
        let kinds: Vec<core::ChallengeKind> = kinds
            .iter()
            .map(|name| kind(name))
            .collect::<PyResult<_>>()?;
        core::Challenge::new(nonce, &kinds)
            .map(Challenge)
            .map_err(raise)
    }

    /// What is asked, in order.
    #[getter]
    fn kinds(&self) -> Vec<&'static str> {
        self.0.kinds().iter().map(|kind| kind.name()).collect()
    }

    /// How long the steps take together.
    #[getter]
    fn duration_ms(&self) -> u32 {
        self.0.duration_ms()
    }

    /// Base-2 logarithm of how many different scripts the kinds have.
    #[getter]
    fn entropy_bits(&self) -> f32 {
        self.0.entropy_bits()
    }

    /// Returns the script for whoever shows it, without the nonce.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// Returns the script as plain dictionaries.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?
            .call_method1("loads", (self.0.to_json(),))
    }

    fn __repr__(&self) -> String {
        format!(
            "Challenge({}, {} ms)",
            self.kinds().join(", "),
            self.0.duration_ms()
        )
    }
}

fn kind(name: &str) -> PyResult<core::ChallengeKind> {
    core::ChallengeKind::from_name(name).ok_or_else(|| {
        let all: Vec<&str> = core::ChallengeKind::ALL
            .iter()
            .map(|kind| kind.name())
            .collect();
        crate::UsageError::new_err(format!("kinds: allowed are {}", all.join(", ")))
    })
}

/// Frames of one capture. Calls from several threads wait for each other.
#[pyclass(frozen, module = "vultus._vultus")]
pub(crate) struct Session {
    session: Mutex<core::Session>,
    engine: core::Engine,
}

type GuidanceFields = (&'static str, String, Option<[f32; 4]>, u32);

impl Session {
    pub(crate) fn open(engine: &core::Engine, challenge: Option<&Challenge>) -> PyResult<Session> {
        let mut options = core::SessionOptions::default();
        options.challenge = challenge.map(|challenge| challenge.0.clone());
        engine
            .session(&options)
            .map(|session| Session {
                session: Mutex::new(session),
                engine: engine.clone(),
            })
            .map_err(raise)
    }

    /// A session whose frame failed is as good as before it: nothing is half done when a push
    /// returns.
    fn lock(&self) -> MutexGuard<'_, core::Session> {
        self.session
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[pymethods]
impl Session {
    /// Returns (code, text, box of the face as x, y, width, height or None, usable frames so far).
    #[pyo3(signature = (frame, captured_us, arrived_us=None, sha256=None))]
    fn push(
        &self,
        py: Python<'_>,
        frame: &Image,
        captured_us: u64,
        arrived_us: Option<u64>,
        sha256: Option<[u8; 32]>,
    ) -> PyResult<GuidanceFields> {
        let arrival = core::Arrival {
            captured_us,
            arrived_us,
            sha256,
        };
        let told = py
            .detach(|| self.lock().push_arrival(&frame.0, &arrival))
            .map_err(raise)?;
        Ok((
            told.code.name(),
            told.text,
            told.face.map(|b| [b.x, b.y, b.width, b.height]),
            told.frames,
        ))
    }

    /// Returns the JSON of the step that is due.
    fn next_step(&self, py: Python<'_>, host_us: u64) -> PyResult<String> {
        py.detach(|| self.lock().next_step(host_us))
            .map(|next| next.to_json())
            .map_err(raise)
    }

    fn attestation_digest(&self, py: Python<'_>) -> PyResult<[u8; 32]> {
        py.detach(|| self.lock().attestation_digest())
            .map_err(raise)
    }

    fn attest(&self, py: Python<'_>, digest: [u8; 32]) -> PyResult<()> {
        py.detach(|| self.lock().attest(&digest)).map_err(raise)
    }

    fn begin_challenge(&self, py: Python<'_>, timestamp_us: u64) -> PyResult<()> {
        py.detach(|| self.lock().begin_challenge(timestamp_us))
            .map_err(raise)
    }

    /// Returns the JSON of the evidence.
    fn evidence(&self, py: Python<'_>) -> String {
        py.detach(|| self.lock().evidence().to_json())
    }

    fn template(&self, py: Python<'_>) -> PyResult<Option<Template>> {
        Ok(py
            .detach(|| self.lock().template())
            .map_err(raise)?
            .map(Template::from))
    }

    /// As `Engine.verify`.
    fn verify(
        &self,
        py: Python<'_>,
        document: &Image,
        policy: &str,
    ) -> PyResult<(String, Points, Points, Times)> {
        let decided = py
            .detach(|| {
                self.lock()
                    .verify(&document.0, &core::Policy::from_json(policy)?)
            })
            .map_err(raise)?;
        Ok(answer(decided))
    }

    /// As `Engine.verify_template`.
    fn verify_template(
        &self,
        py: Python<'_>,
        reference: &Template,
        policy: &str,
    ) -> PyResult<(String, Points, Points, Times)> {
        let decided = py
            .detach(|| {
                self.lock().verify_template(
                    &reference.by(&self.engine)?,
                    &core::Policy::from_json(policy)?,
                )
            })
            .map_err(raise)?;
        Ok(answer(decided))
    }
}
