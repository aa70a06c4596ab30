//! Any other verification set.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::verification::{ComparatorArg, Output, verification};
use super::{Common, csv_protocol};
use crate::engine::Subject;
use crate::readers::{cfp, insightface, listed, ytf};

#[derive(Clone, Copy, ValueEnum)]
enum VerifyLayout {
    /// InsightFace pack; --root is the file.
    Bin,
    CfpFf,
    CfpFp,
    Ytf,
    /// --root is the folder of the images, --protocol the CSV.
    Csv,
}

#[derive(Args)]
pub(super) struct VerifyArgs {
    /// The layout of the set.
    #[arg(long, value_enum)]
    layout: VerifyLayout,
    /// The set's folder, or the file of a pack.
    #[arg(long)]
    root: PathBuf,
    /// The CSV protocol: probe,reference,mated[,group][,fold].
    #[arg(long)]
    protocol: Option<PathBuf>,
    /// Frames of a clip that are taken at most.
    #[arg(long, default_value_t = 20)]
    frames: usize,
    /// Which features are compared.
    #[arg(long, value_enum, default_value = "fused")]
    comparator: ComparatorArg,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    common: Common,
}

pub(super) fn verify(args: &VerifyArgs) -> Result<(), String> {
    let protocol = match args.layout {
        VerifyLayout::Bin => insightface::read(&args.root),
        VerifyLayout::CfpFf => cfp::read(&args.root, cfp::Experiment::FrontalFrontal),
        VerifyLayout::CfpFp => cfp::read(&args.root, cfp::Experiment::FrontalProfile),
        VerifyLayout::Ytf => ytf::read(&args.root, args.frames),
        VerifyLayout::Csv => listed::read(csv_protocol(args.protocol.as_deref())?, &args.root),
    };
    verification(
        protocol,
        Subject::Chosen,
        args.comparator,
        &args.output,
        &args.common,
    )
}
