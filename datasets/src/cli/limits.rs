//! Limits of quality and of PAD from bona fide pictures.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use indicatif::ParallelProgressIterator;
use rayon::prelude::*;
use vultus::Role;

use super::{Common, open, report_findings};
use crate::engine::Subject;
use crate::extract::progress;
use crate::findings::Findings;
use crate::limits::limits as derive;

#[derive(Args)]
pub(super) struct LimitsArgs {
    /// Folder of bona fide pictures, its subfolders included.
    #[arg(long)]
    root: PathBuf,
    /// What the pictures are.
    #[arg(long, value_enum, default_value = "selfie")]
    role: RoleArg,
    /// The share of them that each limit alone may refuse.
    #[arg(long, default_value_t = 0.01)]
    refuse: f64,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleArg {
    Selfie,
    Document,
}

pub(super) fn limits(args: &LimitsArgs) -> Result<(), String> {
    let (role, field) = match args.role {
        RoleArg::Selfie => (Role::Selfie, "selfie"),
        RoleArg::Document => (Role::Document, "document"),
    };
    let mut findings = Findings::default();
    let pictures = findings.images_below(&args.root);
    report_findings(&findings, args.common.accept_findings)?;
    let engine = open(&args.common, role, Subject::Chosen)?;
    let bar = progress(pictures.len(), "pictures");
    let look = |path: &PathBuf| {
        std::fs::read(path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| engine.sight(&bytes))
    };
    let looked: Vec<_> = pictures
        .par_iter()
        .with_max_len(1)
        .progress_with(bar)
        .map(look)
        .collect();
    let mut seen = Vec::new();
    for (path, sighting) in pictures.iter().zip(looked) {
        match sighting {
            Ok(sighting) => seen.extend(sighting),
            Err(error) => findings.add(path.display(), format!("unreadable image: {error}")),
        }
    }
    report_findings(&findings, args.common.accept_findings)?;
    let found = derive(&seen, args.refuse)?;
    eprintln!(
        "{} pictures, {} without a face; each limit refuses at most {} of the rest, all together \
        {}",
        pictures.len(),
        pictures.len() - seen.len(),
        args.refuse,
        found.refused
    );
    if let Some(pad) = found.pad {
        eprintln!("PAD score at that BPCER: {pad:.4}");
    }
    println!("{}", serde_json::json!({ field: found.limits }));
    Ok(())
}
