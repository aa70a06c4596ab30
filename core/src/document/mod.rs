//! The identity document: what its machine-readable zone says.
//!
//! Whatever is read here is personal: it is wiped when dropped, no error and no log holds it.

mod codes;
mod mrz;
mod names;
mod reader;
mod report;
#[cfg(test)]
mod tests;

pub use crate::evidence::{Check, CheckResult, Date, FieldName, Format, Mrz};
pub use codes::is_state;
pub use mrz::{ShortDate, check_digit};
pub use names::{NameMatch, Names, Verdict, compare as compare_names};
pub(crate) use reader::Reader;
#[cfg(test)]
pub(crate) use report::LeastMargins;
