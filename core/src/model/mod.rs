//! Model packs: a folder with a manifest `pack.json` and the weights it names. The only module that
//! reads files.

use crate::error::{Error, Kind, Result, Stage};
use crate::image::Colour;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use vultus_nn::Ranges;

/// The manifest's file name inside a pack.
const MANIFEST: &str = "pack.json";

/// The manifest version that this engine reads.
const FORMAT: u32 = 1;

/// What a weight may be used for, as its licence says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LicenceUse {
    /// Any use, with attribution at the most.
    Permissive,
    /// Research or other non-commercial use only.
    NonCommercial,
    /// Nobody says.
    Unknown,
}

/// The licence of a weight, which is not that of the code around it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Licence {
    /// SPDX identifier, or `NOASSERTION`.
    pub spdx: String,
    /// The class of use that it allows.
    #[serde(rename = "use")]
    pub usage: LicenceUse,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Input {
    pub(crate) colour: Colour,
    pub(crate) scale: f32,
    pub(crate) offset: f32,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Output {
    pub(crate) shape: Vec<serde_json::Value>,
}

impl Output {
    /// Returns the number of values; `None` where a size is the caller's choice.
    pub(crate) fn len(&self) -> Option<usize> {
        self.shape
            .iter()
            .map(|size| size.as_u64().map(|size| size as usize))
            .product()
    }
}

/// What a pack says of one weight.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ModelInfo {
    /// Stable name, unique in the pack.
    pub id: String,
    /// The stage that it serves: `detect-near`, `detect-far`, `detect-small`, `mesh`, `eyes`,
    /// `embed`, `pad`.
    pub task: String,
    /// File name inside the pack.
    pub file: String,
    /// Lower-case hexadecimal SHA-256 of that file.
    pub sha256: String,
    /// Licence of the weights.
    pub licence: Licence,
    /// What is known of the training data.
    pub training_data: String,
    pub(crate) input: Input,
    #[serde(default, skip_serializing)]
    pub(crate) outputs: Vec<Output>,
    /// The ranges of the values that convolutions read, for [`Precision::Fast`](crate::Precision);
    /// without them the network runs in floats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) int16: Option<Ranges>,
}

/// An embedder of a pack and its share of the fused score.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Share {
    pub(crate) id: String,
    pub(crate) share: f32,
}

#[derive(Deserialize)]
struct Manifest {
    format: u32,
    name: String,
    version: String,
    models: Vec<ModelInfo>,
    #[serde(default)]
    embedders: Vec<Share>,
    #[serde(default)]
    calibration: serde_json::Value,
}

/// An opened pack: its manifest has been read, its weights are read and checked one by one on
/// demand.
pub struct Pack {
    folder: PathBuf,
    id: String,
    manifest: Manifest,
}

impl Pack {
    /// Opens the pack in `folder`. A weight whose licence is unknown or non-commercial is refused
    /// unless its id is in `accepted`.
    ///
    /// Every fault is `Kind::Model`, with what to do about it.
    pub fn open(folder: &Path, accepted: &[String]) -> Result<Pack> {
        let path = folder.join(MANIFEST);
        let bytes = read_file(&path, MOST_MANIFEST).map_err(|e| {
            let what = match e.kind() {
                ErrorKind::NotFound if !folder.exists() => {
                    "no such folder; build a pack with `make pack`, or give the path of one"
                }
                ErrorKind::NotFound => "the folder holds no pack.json, so it is no model pack",
                _ => "cannot be read",
            };
            fault(format!("model pack {}: {what}", folder.display())).because(e)
        })?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|e| fault(format!("{}: not a manifest", path.display())).because(e))?;
        if manifest.format != FORMAT {
            let message = format!(
                "{}: format {}, this engine reads format {FORMAT}",
                path.display(),
                manifest.format
            );
            return Err(fault(message));
        }
        for model in &manifest.models {
            if model.licence.usage != LicenceUse::Permissive && !accepted.contains(&model.id) {
                let class = if model.licence.usage == LicenceUse::Unknown {
                    "unknown"
                } else {
                    "non-commercial"
                };
                return Err(fault(format!(
                    "model {}: its licence ({}) is {class}; accept it by naming \"{}\" when the \
                    engine is opened, or use a pack without it",
                    model.id, model.licence.spdx, model.id
                )));
            }
            if Path::new(&model.file).components().count() != 1
                || model.file.contains(['/', '\\'])
                || model.file.starts_with('.')
            {
                return Err(fault(format!(
                    "model {}: file {:?} is not a plain file name",
                    model.id, model.file
                )));
            }
        }
        Ok(Pack {
            folder: folder.to_owned(),
            id: hex(&Sha256::digest(&bytes)),
            manifest,
        })
    }

    /// Returns the name that its builder gave it.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// Returns its version.
    pub fn version(&self) -> &str {
        &self.manifest.version
    }

    /// Returns the SHA-256 of the manifest, which names the hash of every weight: equal ids are
    /// equal packs.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns what it says of each weight.
    pub fn models(&self) -> &[ModelInfo] {
        &self.manifest.models
    }

    /// Returns the embedders in the order in which templates store their features, the one that
    /// compares alone first.
    pub(crate) fn embedders(&self) -> Result<&[Share]> {
        let shares = &self.manifest.embedders;
        let sum: f32 = shares.iter().map(|s| s.share).sum();
        let ids: BTreeSet<&str> = shares.iter().map(|s| s.id.as_str()).collect();
        if shares.is_empty()
            || ids.len() != shares.len()
            || shares.iter().any(|s| s.share.is_nan() || s.share <= 0.0)
            || (sum - 1.0).abs() > 1e-3
        {
            let what = "must name its embedders, each once, with shares above 0 that sum to 1; \
                build the pack again";
            return Err(fault(format!(
                "model pack {}: {what}",
                self.folder.display()
            )));
        }
        Ok(shares)
    }

    pub(crate) fn calibration(&self) -> &serde_json::Value {
        &self.manifest.calibration
    }

    /// Whether it holds the weight `id`.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.manifest.models.iter().any(|model| model.id == id)
    }

    pub(crate) fn entry(&self, id: &str) -> Result<&ModelInfo> {
        self.manifest
            .models
            .iter()
            .find(|model| model.id == id)
            .ok_or_else(|| {
                let present: Vec<&str> =
                    self.manifest.models.iter().map(|m| m.id.as_str()).collect();
                fault(format!(
                    "model pack {}: has no model {id}; it has {}",
                    self.folder.display(),
                    present.join(", ")
                ))
            })
    }

    /// The first 16 bytes of the hash of the weight `id`, as templates carry them.
    pub(crate) fn fingerprint(&self, id: &str) -> Result<[u8; 16]> {
        let model = self.entry(id)?;
        let byte = |i: usize| {
            model
                .sha256
                .get(2 * i..2 * i + 2)
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        };
        let bytes: Option<Vec<u8>> = (0..16).map(byte).collect();
        bytes
            .and_then(|b| b.try_into().ok())
            .ok_or_else(|| fault(format!("model {id}: {:?} is no sha256", model.sha256)))
    }

    /// Reads the weight `id` and checks its hash.
    pub fn read(&self, id: &str) -> Result<Vec<u8>> {
        let model = self.entry(id)?;
        let path = self.folder.join(&model.file);
        let bytes = read_file(&path, MOST_WEIGHT).map_err(|e| {
            fault(format!(
                "model {id}: {} cannot be read; build the pack again",
                path.display()
            ))
            .because(e)
        })?;
        if bytes.starts_with(b"version https://git-lfs") {
            let what = "is a Git LFS pointer, not a model; run `git lfs pull` where it came from \
                and build the pack again";
            return Err(fault(format!("model {id}: {} {what}", path.display())));
        }
        let found = hex(&Sha256::digest(&bytes));
        if found != model.sha256 {
            let what = "was changed after the pack was built; build the pack again";
            return Err(fault(format!(
                "model {id}: {} {what} (sha256 {found}, expected {})",
                path.display(),
                model.sha256
            )));
        }
        Ok(bytes)
    }
}

/// No manifest, and no weight, is larger.
const MOST_MANIFEST: u64 = 16 << 20;
const MOST_WEIGHT: u64 = 1 << 30;

/// Reads a regular file of a size that is known before: no device, no pipe, nothing without end.
fn read_file(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let refused = |what: &str| Err(std::io::Error::other(what.to_owned()));
    // A pipe is not opened, as that would wait for its other end.
    if !std::fs::metadata(path)?.is_file() {
        return refused("it is no regular file");
    }
    let file = std::fs::File::open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return refused("it is no regular file");
    }
    if found.len() > most {
        return refused("it is larger than any such file");
    }
    let mut bytes = Vec::with_capacity(found.len() as usize);
    file.take(found.len()).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns what a pack says of its weights as a JSON array.
pub fn models_json(models: &[ModelInfo]) -> String {
    serde_json::to_string(models).expect("a manifest holds nothing that JSON cannot")
}

fn fault(message: String) -> Error {
    Error::new(Stage::Model, Kind::Model, message)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn pack(licence: &str, weight: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let sha = hex(&Sha256::digest(b"weights"));
        let manifest = format!(
            r#"{{"format":1,"name":"t","version":"1","models":[{{
            "id":"m","task":"embed","file":"m.onnx","sha256":"{sha}",
            "licence":{{"spdx":"X","use":"{licence}"}},"training_data":"none",
            "input":{{"colour":"rgb","scale":1.0,"offset":0.0}}}}]}}"#
        );
        fs::write(folder.path().join(MANIFEST), manifest).unwrap();
        fs::write(folder.path().join("m.onnx"), weight).unwrap();
        folder
    }

    fn message<T>(result: Result<T>) -> String {
        let error = result.err().expect("must be refused");
        assert_eq!((error.kind(), error.stage()), (Kind::Model, Stage::Model));
        error.to_string()
    }

    #[test]
    fn a_good_weight_is_read() {
        let folder = pack("permissive", b"weights");
        assert_eq!(
            Pack::open(folder.path(), &[]).unwrap().read("m").unwrap(),
            b"weights"
        );
    }

    #[test]
    fn one_flipped_byte_is_refused() {
        let folder = pack("permissive", b"weightS");
        let pack = Pack::open(folder.path(), &[]).unwrap();
        assert!(message(pack.read("m")).contains("was changed after the pack was built"));
        assert!(message(pack.read("n")).ends_with("has no model n; it has m"));
    }

    #[test]
    #[cfg(unix)]
    fn only_regular_files_are_read() {
        let folder = pack("permissive", b"weights");
        let weight = folder.path().join("m.onnx");
        for device in ["/dev/zero", "/dev/null"] {
            fs::remove_file(&weight).unwrap();
            std::os::unix::fs::symlink(device, &weight).unwrap();
            let pack = Pack::open(folder.path(), &[]).unwrap();
            assert!(
                message(pack.read("m")).contains("cannot be read"),
                "{device}"
            );
        }
        fs::remove_file(&weight).unwrap();
        fs::create_dir(&weight).unwrap();
        let pack = Pack::open(folder.path(), &[]).unwrap();
        assert!(message(pack.read("m")).contains("cannot be read"));
        fs::remove_file(folder.path().join(MANIFEST)).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.path().join(MANIFEST)).unwrap();
        assert!(message(Pack::open(folder.path(), &[])).contains("cannot be read"));
    }

    #[test]
    fn a_pointer_is_named() {
        let folder = pack(
            "permissive",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        );
        assert!(
            message(Pack::open(folder.path(), &[]).unwrap().read("m")).contains("Git LFS pointer")
        );
    }

    #[test]
    fn licences_are_accepted_by_name_only() {
        for class in ["unknown", "non-commercial"] {
            let folder = pack(class, b"weights");
            assert!(message(Pack::open(folder.path(), &[])).contains(class));
            assert!(
                message(Pack::open(folder.path(), &["other".into()]))
                    .contains("accept it by naming \"m\"")
            );
            assert!(Pack::open(folder.path(), &["m".into()]).is_ok());
        }
    }

    #[test]
    fn a_missing_or_foreign_folder_says_what_to_do() {
        let empty = tempfile::tempdir().unwrap();
        assert!(message(Pack::open(empty.path(), &[])).contains("holds no pack.json"));
        assert!(message(Pack::open(&empty.path().join("gone"), &[])).contains("make pack"));
        fs::write(empty.path().join(MANIFEST), "{").unwrap();
        assert!(message(Pack::open(empty.path(), &[])).contains("not a manifest"));
        fs::write(
            empty.path().join(MANIFEST),
            r#"{"format":9,"name":"","version":"","models":[]}"#,
        )
        .unwrap();
        assert!(
            message(Pack::open(empty.path(), &[])).contains("format 9, this engine reads format 1")
        );
    }
}
