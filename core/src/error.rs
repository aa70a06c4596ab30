//! What can go wrong, by stage and by who is at fault.

use std::fmt;

/// The result of every fallible call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who is at fault. Stable: a code is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The input is broken: not an image, truncated, a stride that is too short.
    Input,
    /// The input is well formed but larger than a limit allows.
    Limit,
    /// The model pack is missing, damaged, or under a licence that was not accepted.
    Model,
    /// The call contradicts the documentation: templates of two models, an unsupported operating
    /// point.
    Usage,
    /// The input is valid but of a sort that is not handled: an animated image, an unknown template
    /// version.
    Unsupported,
    /// A defect of the engine.
    Internal,
}

impl Kind {
    /// Returns the stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Input => "input",
            Kind::Limit => "limit",
            Kind::Model => "model",
            Kind::Usage => "usage",
            Kind::Unsupported => "unsupported",
            Kind::Internal => "internal",
        }
    }
}

/// Where it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are those of the modules")]
pub enum Stage {
    Image,
    Network,
    Model,
    Detect,
    Align,
    Quality,
    Pad,
    Embed,
    Template,
    Compare,
    Document,
    Sequence,
    Decision,
    Engine,
}

impl Stage {
    /// Returns the stable lower-case name, which is the name of the module.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Image => "image",
            Stage::Network => "nn",
            Stage::Model => "model",
            Stage::Detect => "detect",
            Stage::Align => "align",
            Stage::Quality => "quality",
            Stage::Pad => "pad",
            Stage::Embed => "embed",
            Stage::Template => "template",
            Stage::Compare => "compare",
            Stage::Document => "document",
            Stage::Sequence => "sequence",
            Stage::Decision => "decision",
            Stage::Engine => "engine",
        }
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failed call: where, whose fault, what was wrong and what is allowed.
///
/// An outcome (no face, a non-match, an attack) is never an `Error`; it is a
/// [`Decision`](crate::Decision).
pub struct Error(Box<Inner>);

struct Inner {
    stage: Stage,
    kind: Kind,
    message: String,
    cause: Option<Cause>,
}

impl Error {
    pub(crate) fn new(stage: Stage, kind: Kind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            stage,
            kind,
            message: message.into(),
            cause: None,
        }))
    }

    pub(crate) fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Puts the name of the argument at fault in front of the message.
    #[must_use]
    pub fn in_argument(mut self, argument: &str) -> Self {
        self.0.message = format!("{argument}: {}", self.0.message);
        self
    }

    /// Returns where it happened.
    pub fn stage(&self) -> Stage {
        self.0.stage
    }

    /// Returns who is at fault.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Error({}/{}: {self})",
            self.0.stage.name(),
            self.0.kind.name()
        )
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}
