//! What can be wrong with the bytes that were handed in.

use std::fmt;

/// Why some bytes could not be read. It says where and what, and never holds content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The file or structure at fault, such as "EF.SOD" or "DG2".
    pub file: &'static str,
    /// What was wrong with it, and what is allowed.
    pub what: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.what)
    }
}

impl std::error::Error for Malformed {}

/// The same inside a structure, before it is known of which file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) String);

pub(crate) type Parsed<T> = Result<T, Broken>;

impl Broken {
    pub(crate) fn of(self, file: &'static str) -> Malformed {
        Malformed { file, what: self.0 }
    }
}

pub(crate) fn broken<T>(what: impl Into<String>) -> Parsed<T> {
    Err(Broken(what.into()))
}
