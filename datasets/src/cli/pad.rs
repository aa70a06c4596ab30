//! The self-test of presentation attack detection.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use vultus::Role;

use super::{Common, open, report_findings, write, write_json};
use crate::engine::Subject;
use crate::findings::Findings;
use crate::pad::{Judgement, calibrated, html, judge_all, text};
use crate::readers::pad;

#[derive(Clone, Copy, ValueEnum)]
enum PadLayout {
    /// presentations.csv: path,label,species[,set][,reference]
    Csv,
    /// Folders <label>/ or <set>/<label>/, bona_fide beside one folder a species.
    Species,
    OuluNpu,
    CelebaSpoof,
    ReplayAttack,
}

impl PadLayout {
    fn layout(self) -> pad::Layout {
        match self {
            Self::Csv => pad::Layout::Csv,
            Self::Species => pad::Layout::Species,
            Self::OuluNpu => pad::Layout::OuluNpu,
            Self::CelebaSpoof => pad::Layout::CelebaSpoof,
            Self::ReplayAttack => pad::Layout::ReplayAttack,
        }
    }
}

#[derive(Args)]
pub(super) struct PadArgs {
    /// The set's folder.
    #[arg(long)]
    root: PathBuf,
    /// The layout of the set.
    #[arg(long, value_enum, default_value = "csv")]
    layout: PadLayout,
    /// The list of the layout csv, where it is not ROOT/presentations.csv.
    #[arg(long)]
    list: Option<PathBuf>,
    /// BPCERs at which APCER is reported; the first is that of thresholds over sources.
    #[arg(long, value_delimiter = ',', num_args = 1.., default_values_t = [0.05, 0.10])]
    bpcer: Vec<f64>,
    /// Pictures taken of a clip or a folder of frames, at even distances. Clips take ffmpeg.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..))]
    frames: u16,
    /// Where the calibration of PAD goes that the bona fide presentations give.
    #[arg(long)]
    calibrate: Option<PathBuf>,
    /// Where the JSON record goes.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where the HTML page goes.
    #[arg(long)]
    html: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

pub(super) fn pad(args: &PadArgs) -> Result<(), String> {
    let set = pad::read(&args.root, args.layout.layout(), args.list.as_deref());
    report_findings(&set.findings, args.common.accept_findings)?;
    let engine = open(&args.common, Role::Selfie, Subject::Chosen)?;
    let run = judge_all(
        &set,
        engine.pack(),
        shipped_threshold(&args.common.pack)?,
        &args.bpcer,
        usize::from(args.frames),
        |pictures, reference| {
            let accepts = |reference| {
                let accepted = pictures.iter().map(|p| engine.accepts(p, reference));
                accepted.collect::<Result<Vec<bool>, String>>()
            };
            Ok(Judgement {
                score: engine.presentation(pictures)?,
                accepted: reference
                    .map(accepts)
                    .transpose()?
                    .map(|all| all.contains(&true)),
            })
        },
    );
    report_findings(
        &Findings(run.findings.0[set.findings.0.len()..].to_vec()),
        args.common.accept_findings,
    )?;
    print!("{}", text(&run));
    if let Some(path) = &args.json {
        write_json(path, &run)?;
    }
    if let Some(path) = &args.calibrate {
        let Some(calibration) = calibrated(&run, args.bpcer[0]) else {
            return Err("no bona fide presentation has a score: no threshold".to_owned());
        };
        write_json(path, &calibration)?;
    }
    args.html
        .as_ref()
        .map_or(Ok(()), |path| write(path, html(&run).as_bytes()))
}

/// The mean log odds from which on the pack calls a presentation bona fide.
fn shipped_threshold(pack: &Path) -> Result<f32, String> {
    let path = pack.join("pack.json");
    let text = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let manifest: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    manifest["calibration"]["pad"]["threshold"]
        .as_f64()
        .map(|threshold| threshold as f32)
        .ok_or_else(|| format!("{} states no threshold of PAD", path.display()))
}
