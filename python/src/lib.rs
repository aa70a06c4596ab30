//! The compiled part of the Python module `vultus`: thin wrappers over the core, which release the
//! interpreter lock.

mod annotate;
mod gallery;
mod session;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::hash::{DefaultHasher, Hash, Hasher};
use vultus as core;
use zeroize::Zeroizing;

pyo3::create_exception!(
    vultus,
    VultusError,
    PyException,
    "The base of every error that vultus raises."
);
pyo3::create_exception!(
    vultus,
    InputError,
    VultusError,
    "The input is broken: not a picture, cut short, a wrong shape."
);
pyo3::create_exception!(
    vultus,
    LimitError,
    VultusError,
    "The input is larger than a limit allows."
);
pyo3::create_exception!(
    vultus,
    ModelError,
    VultusError,
    "The model pack is missing, damaged or under a licence that was not accepted."
);
pyo3::create_exception!(
    vultus,
    UsageError,
    VultusError,
    "The call contradicts the documentation."
);
pyo3::create_exception!(
    vultus,
    UnsupportedError,
    VultusError,
    "The input is valid, but of a sort that is not handled."
);
pyo3::create_exception!(
    vultus,
    InternalError,
    VultusError,
    "A defect of the engine."
);

fn raise(error: core::Error) -> PyErr {
    let message = error.to_string();
    match error.kind() {
        core::Kind::Input => InputError::new_err(message),
        core::Kind::Limit => LimitError::new_err(message),
        core::Kind::Model => ModelError::new_err(message),
        core::Kind::Usage => UsageError::new_err(message),
        core::Kind::Unsupported => UnsupportedError::new_err(message),
        _ => InternalError::new_err(message),
    }
}

fn role(name: &str) -> PyResult<core::Role> {
    match name {
        "selfie" => Ok(core::Role::Selfie),
        "document" => Ok(core::Role::Document),
        _ => Err(UsageError::new_err(format!(
            "role is {name:?}, allowed are \"selfie\" and \"document\""
        ))),
    }
}

/// An upright picture.
#[pyclass(frozen, module = "vultus._vultus")]
struct Image(core::Image);

#[pymethods]
impl Image {
    /// Decodes a JPEG, PNG or WebP file.
    #[staticmethod]
    fn decode(py: Python<'_>, data: &[u8]) -> PyResult<Image> {
        py.detach(|| core::Image::decode(data, &core::Limits::default()))
            .map(Image)
            .map_err(raise)
    }

    /// Copies raw rows of pixels.
    #[staticmethod]
    fn from_pixels(
        py: Python<'_>,
        pixels: PyBuffer<u8>,
        width: u32,
        height: u32,
        colour: &str,
    ) -> PyResult<Image> {
        let (format, channels) = match colour {
            "rgb" => (core::PixelFormat::Rgb8, 3),
            "bgr" => (core::PixelFormat::Bgr8, 3),
            "rgba" => (core::PixelFormat::Rgba8, 4),
            "bgra" => (core::PixelFormat::Bgra8, 4),
            "grey" => (core::PixelFormat::Grey8, 1),
            _ => {
                return Err(UsageError::new_err(format!(
                    "colour is {colour:?}, allowed are \"rgb\", \"bgr\", \"rgba\", \"bgra\", \
                    \"grey\""
                )));
            }
        };
        let data = pixels.to_vec(py)?;
        py.detach(|| {
            Ok(Image(core::Image::from_view(&core::ImageView::new(
                &data,
                width,
                height,
                width as usize * channels,
                format,
            )?)))
        })
        .map_err(raise)
    }

    #[getter]
    fn width(&self) -> u32 {
        self.0.width()
    }

    #[getter]
    fn height(&self) -> u32 {
        self.0.height()
    }

    /// Returns the pixels: rows from the top, three bytes R, G, B a pixel.
    fn rgb<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.rgb())
    }

    fn __repr__(&self) -> String {
        format!("Image({} x {})", self.0.width(), self.0.height())
    }
}

/// A stored reference. One that came out of a pickle is its bytes until an engine reads it.
#[pyclass(frozen, eq, module = "vultus._vultus")]
#[derive(PartialEq)]
struct Template {
    bytes: Zeroizing<Vec<u8>>,
    role: String,
    quality: u8,
}

impl Template {
    /// What an engine reads of it.
    fn by(&self, engine: &core::Engine) -> core::Result<core::Template> {
        engine
            .read_template(&self.bytes)
            .map_err(|e| e.in_argument("reference"))
    }
}

impl From<core::Template> for Template {
    fn from(template: core::Template) -> Template {
        Template {
            bytes: Zeroizing::new(template.to_bytes().to_vec()),
            role: template.role().name().to_owned(),
            quality: template.quality(),
        }
    }
}

#[pymethods]
impl Template {
    /// Returns the bytes to store. They are biometric data: encrypt them.
    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.bytes)
    }

    /// A pickle holds the bytes: biometric data.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Py<PyAny>, PickledTemplate<'py>)> {
        let made = py.get_type::<Template>().getattr("_unpickled")?;
        let bytes = PyBytes::new(py, &self.bytes);
        Ok((made.unbind(), (bytes, self.role.clone(), self.quality)))
    }

    #[staticmethod]
    fn _unpickled(bytes: Vec<u8>, role: String, quality: u8) -> Template {
        Template {
            bytes: Zeroizing::new(bytes),
            role,
            quality,
        }
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.bytes.hash(&mut hasher);
        hasher.finish()
    }

    /// What the picture was that it came from: "selfie" or "document".
    #[getter]
    fn role(&self) -> &str {
        &self.role
    }

    /// Unified quality score of the sample, 0..=100.
    #[getter]
    fn quality(&self) -> u8 {
        self.quality
    }

    fn __repr__(&self) -> String {
        let (role, quality, bytes) = (&self.role, self.quality, self.bytes.len());
        format!("Template({role}, quality {quality}, {bytes} bytes)")
    }
}

type PickledTemplate<'py> = (Bound<'py, PyBytes>, String, u8);

/// Loaded models. Answers are JSON, which the Python side turns into frozen objects.
#[pyclass(frozen, module = "vultus._vultus")]
struct Engine(core::Engine);

type Points = Vec<(f32, f32)>;
type OperatingPoint = (f64, [f64; 2], f32, u64, String);
type Times = Vec<(&'static str, f32)>;

fn points(sample: Option<&core::Sample>) -> Points {
    sample
        .and_then(|s| s.face.as_ref())
        .map_or_else(Vec::new, |face| {
            face.landmarks.iter().map(|p| (p.x, p.y)).collect()
        })
}

#[pymethods]
impl Engine {
    #[new]
    fn new(
        py: Python<'_>,
        pack: std::path::PathBuf,
        precision: &str,
        parallel: bool,
        accepted_licences: Vec<String>,
        expected_pack: Option<String>,
    ) -> PyResult<Engine> {
        let mut options = core::EngineOptions::default();
        options.precision = match precision {
            "exact" => core::Precision::Exact,
            "fast" => core::Precision::Fast,
            _ => {
                return Err(UsageError::new_err(format!(
                    "precision is {precision:?}, allowed are \"exact\" and \"fast\""
                )));
            }
        };
        options.parallel = parallel;
        options.accepted_licences = accepted_licences;
        options.expected_pack = expected_pack;
        py.detach(|| core::Engine::open(pack, &options))
            .map(Engine)
            .map_err(raise)
    }

    /// Returns (JSON, landmarks of the selfie, landmarks of the document, milliseconds by stage).
    fn verify(
        &self,
        py: Python<'_>,
        selfie: &Image,
        document: &Image,
        policy: &str,
    ) -> PyResult<(String, Points, Points, Times)> {
        let decided = py
            .detach(|| {
                self.0
                    .verify(&selfie.0, &document.0, &core::Policy::from_json(policy)?)
            })
            .map_err(raise)?;
        Ok(answer(decided))
    }

    /// As `verify`, against a stored reference.
    fn verify_template(
        &self,
        py: Python<'_>,
        selfie: &Image,
        reference: &Template,
        policy: &str,
    ) -> PyResult<(String, Points, Points, Times)> {
        let decided = py
            .detach(|| {
                self.0.verify_template(
                    &selfie.0,
                    &reference.by(&self.0)?,
                    &core::Policy::from_json(policy)?,
                )
            })
            .map_err(raise)?;
        Ok(answer(decided))
    }

    /// Returns (JSON of the sample, landmarks, template or None).
    fn enrol(
        &self,
        py: Python<'_>,
        image: &Image,
        role: &str,
    ) -> PyResult<(String, Points, Option<Template>)> {
        let role = self::role(role)?;
        let enrolment = py.detach(|| self.0.enrol(&image.0, role)).map_err(raise)?;
        Ok((
            enrolment.sample.to_json(),
            points(Some(&enrolment.sample)),
            enrolment.template.map(Template::from),
        ))
    }

    /// Returns (JSON of the sample, landmarks).
    fn examine(&self, py: Python<'_>, image: &Image, role: &str) -> PyResult<(String, Points)> {
        let role = self::role(role)?;
        let sample = py
            .detach(|| self.0.examine(&image.0, role))
            .map_err(raise)?;
        Ok((sample.to_json(), points(Some(&sample))))
    }

    /// Returns (JSON of the report, JSON of what stands in the zone). `today` is YYYY-MM-DD.
    fn read_document(
        &self,
        py: Python<'_>,
        image: &Image,
        today: &str,
    ) -> PyResult<(String, String)> {
        let today = core::document::Date::from_iso(today)
            .ok_or_else(|| UsageError::new_err("today: must be a date, YYYY-MM-DD"))?;
        let found = py
            .detach(|| self.0.read_document(&image.0))
            .map_err(raise)?;
        match found.yes() {
            Some(report) => Ok((
                report.to_json(),
                report.personal_json(Some(today)).to_string(),
            )),
            None => Err(UnsupportedError::new_err(format!(
                "no document can be read: {}",
                found.absence().unwrap_or_default()
            ))),
        }
    }

    /// Returns the JSON of the comparison.
    fn compare(&self, probe: &Template, reference: &Template, policy: &str) -> PyResult<String> {
        let policy = core::Policy::from_json(policy).map_err(raise)?;
        Ok(self
            .0
            .compare(
                &probe.by(&self.0).map_err(raise)?,
                &reference.by(&self.0).map_err(raise)?,
                &policy,
            )
            .map_err(raise)?
            .to_json())
    }

    /// Opens a session.
    #[pyo3(signature = (challenge=None))]
    fn session(&self, challenge: Option<&session::Challenge>) -> PyResult<session::Session> {
        session::Session::open(&self.0, challenge)
    }

    fn gallery(&self) -> gallery::Gallery {
        gallery::Gallery::new(&self.0)
    }

    /// Returns the fields of an operating point: rate, its interval, threshold, comparisons, set.
    fn gallery_threshold(&self, size: usize, fpir: f64) -> PyResult<OperatingPoint> {
        let point = self.0.gallery_threshold(size, fpir).map_err(raise)?;
        Ok((
            point.fmr,
            point.fmr_interval,
            point.threshold,
            point.non_mated,
            point.set,
        ))
    }

    fn read_template(&self, data: &[u8]) -> PyResult<Template> {
        self.0
            .read_template(data)
            .map(Template::from)
            .map_err(raise)
    }

    /// Returns the JSON of what the pack says of each weight.
    fn models(&self) -> String {
        core::models_json(self.0.models())
    }

    /// Returns a PNG of the pictures side by side with boxes, landmarks and the lines of text.
    #[staticmethod]
    fn annotate<'py>(
        py: Python<'py>,
        panels: Vec<(PyRef<'py, Image>, Points, Vec<[f32; 4]>)>,
        lines: Vec<String>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let panels: Vec<annotate::Panel<'_>> = panels
            .iter()
            .map(|(image, points, boxes)| annotate::Panel {
                image: &image.0,
                points,
                boxes,
            })
            .collect();
        let png =
            annotate::draw(&panels, &lines).map_err(|e| InternalError::new_err(e.to_string()))?;
        Ok(PyBytes::new(py, &png))
    }
}

fn answer(decision: core::Decision) -> (String, Points, Points, Times) {
    (
        decision.to_json(),
        points(Some(&decision.selfie)),
        points(decision.document.as_ref()),
        decision.times_ms,
    )
}

#[pymodule]
fn _vultus(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<Image>()?;
    module.add_class::<Template>()?;
    module.add_class::<Engine>()?;
    module.add_class::<gallery::Gallery>()?;
    module.add_class::<session::Challenge>()?;
    module.add_class::<session::Session>()?;
    for (name, class) in [
        ("VultusError", py.get_type::<VultusError>()),
        ("InputError", py.get_type::<InputError>()),
        ("LimitError", py.get_type::<LimitError>()),
        ("ModelError", py.get_type::<ModelError>()),
        ("UsageError", py.get_type::<UsageError>()),
        ("UnsupportedError", py.get_type::<UnsupportedError>()),
        ("InternalError", py.get_type::<InternalError>()),
    ] {
        module.add(name, class)?;
    }
    Ok(())
}
