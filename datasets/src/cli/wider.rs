//! Face detection on WIDER FACE.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vultus::{Detector, Role};

use super::{Common, open, report_findings, write_json};
use crate::detection;
use crate::engine::Subject;
use crate::findings::Findings;
use crate::readers::wider;

#[derive(Clone, Copy, ValueEnum)]
enum DetectorArg {
    Near,
    Far,
    Small,
    /// From a pack that holds it.
    Yunet,
}

impl DetectorArg {
    fn detector(self) -> Detector {
        match self {
            Self::Near => Detector::Near,
            Self::Far => Detector::Far,
            Self::Small => Detector::Small,
            Self::Yunet => Detector::Yunet,
        }
    }
}

#[derive(Args)]
pub(super) struct WiderArgs {
    /// The folder with WIDER_val and wider_face_split, or with ground_truth.csv.
    #[arg(long)]
    root: PathBuf,
    /// Which detectors look.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "near,far,small"
    )]
    detectors: Vec<DetectorArg>,
    /// Where the JSON record goes.
    #[arg(long)]
    json: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

pub(super) fn wider(args: &WiderArgs) -> Result<(), String> {
    let wider = wider::read(&args.root);
    report_findings(&wider.findings, args.common.accept_findings)?;
    let engine = open(&args.common, Role::Selfie, Subject::Chosen)?;
    let detectors: Vec<Detector> = args.detectors.iter().map(|d| d.detector()).collect();
    let names = args
        .detectors
        .iter()
        .filter_map(|d| Some(d.to_possible_value()?.get_name().to_owned()))
        .collect();
    let run = detection::detect_all(&wider, engine.pack(), names, |bytes| {
        engine.detect(bytes, &detectors)
    });
    report_findings(
        &Findings(run.findings.0[wider.findings.0.len()..].to_vec()),
        args.common.accept_findings,
    )?;
    println!("{}, {} images", run.set, run.images);
    for setting in &run.settings {
        println!(
            "  {}: average precision {:.4} over {} faces",
            setting.name, setting.average_precision, setting.faces
        );
    }
    args.json
        .as_ref()
        .map_or(Ok(()), |path| write_json(path, &run))
}
