//! Hashes the sources of the engine that decide what features an image gives, as part of the key of
//! the feature cache.

use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const STAGES: [&str; 10] = [
    "geometry.rs",
    "kernel",
    "image",
    "nn",
    "model",
    "detect",
    "align",
    "quality",
    "embed",
    "engine.rs",
];

fn main() {
    let core = Path::new("../core/src");
    let mut files = Vec::new();
    for stage in STAGES {
        println!("cargo:rerun-if-changed={}", core.join(stage).display());
        collect(&core.join(stage), &mut files);
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.to_string_lossy().as_bytes());
        hash.update(std::fs::read(&file).expect("a listed source can be read"));
    }
    let mut hex = String::new();
    for byte in &hash.finalize()[..8] {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
    }
    println!("cargo:rustc-env=VULTUS_PIPELINE_HASH={hex}");
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)
            .expect("the engine's sources can be listed")
            .flatten()
        {
            collect(&entry.path(), files);
        }
    } else if path.extension().is_some_and(|end| end == "rs") {
        files.push(path.to_owned());
    }
}
