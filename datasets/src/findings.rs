//! What is wrong with a dataset, line by line.

use std::fmt::Display;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// One defect of a dataset: where it is and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The file, with the line where there is one (`pairs.txt:17`).
    pub place: String,
    /// What is wrong, and what was expected.
    pub problem: String,
}

impl Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// The defects met while a dataset is read, in the order of reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// Records one defect.
    pub fn add(&mut self, place: impl Display, problem: impl Display) {
        self.0.push(Finding {
            place: place.to_string(),
            problem: problem.to_string(),
        });
    }

    /// Records a defect when a count is not the one that the set is known to have.
    pub fn expect_count(&mut self, place: impl Display, what: &str, expected: usize, found: usize) {
        if expected != found {
            self.add(place, format!("{found} {what}, expected {expected}"));
        }
    }

    /// Reads a text file; a failure is recorded and gives an empty text.
    pub fn read_text(&mut self, path: &Path) -> String {
        std::fs::read_to_string(path).unwrap_or_else(|error| {
            self.add(path.display(), format!("cannot be read: {error}"));
            String::new()
        })
    }

    /// Lists a folder's entries sorted by name; a failure is recorded and gives none.
    pub fn list(&mut self, folder: &Path) -> Vec<std::path::PathBuf> {
        match std::fs::read_dir(folder) {
            Ok(entries) => {
                let mut paths: Vec<_> = entries
                    .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                    .filter(|path| !file_name(path).starts_with('.'))
                    .collect();
                paths.sort();
                paths
            }
            Err(error) => {
                self.add(folder.display(), format!("cannot be listed: {error}"));
                Vec::new()
            }
        }
    }

    /// Returns the JPEG, PNG and WebP files below a folder, sorted by path; what cannot be listed
    /// is recorded.
    pub fn images_below(&mut self, folder: &Path) -> Vec<std::path::PathBuf> {
        let mut images = Vec::new();
        for path in self.list(folder) {
            if path.is_dir() {
                images.extend(self.images_below(&path));
            } else if path.extension().is_some_and(|end| {
                ["jpg", "jpeg", "png", "webp"]
                    .iter()
                    .any(|e| end.eq_ignore_ascii_case(e))
            }) {
                images.push(path);
            }
        }
        images
    }

    /// Tells whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Returns the last part of a path as text, empty when there is none.
pub fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
