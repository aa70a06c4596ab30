//! Labeled Faces in the Wild.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Common;
use super::verification::{ComparatorArg, Output, verification};
use crate::engine::Subject;
use crate::readers::lfw;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ViewArg {
    /// View 1, to choose and calibrate on.
    #[value(name = "1")]
    One,
    /// View 2, ten folds, to report on.
    #[value(name = "2")]
    Two,
    /// Every pair of the images of both views.
    All,
}

#[derive(Args)]
pub(super) struct LfwArgs {
    /// The folder with pairs.txt and images/.
    #[arg(long)]
    root: PathBuf,
    /// Which pairs.
    #[arg(long, value_enum, default_value = "2")]
    view: ViewArg,
    /// Compare every image of the view with every other.
    #[arg(long)]
    all_pairs: bool,
    /// Which features are compared.
    #[arg(long, value_enum, default_value = "fused")]
    comparator: ComparatorArg,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    common: Common,
}

pub(super) fn lfw(args: &LfwArgs) -> Result<(), String> {
    let view = match args.view {
        ViewArg::One => lfw::View::One,
        ViewArg::Two => lfw::View::Two,
        ViewArg::All => lfw::View::Both,
    };
    let mut protocol = lfw::read(&args.root, view);
    if args.all_pairs || args.view == ViewArg::All {
        protocol = protocol.into_all_pairs();
    }
    verification(
        protocol,
        Subject::Centre,
        args.comparator,
        &args.output,
        &args.common,
    )
}
