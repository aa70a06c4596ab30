//! Reads a set and runs nothing.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::csv_protocol;
use crate::protocol::{Pairs, Protocol};
use crate::readers::{cfp, documents, insightface, lfw, listed, pad, video, wider, ytf};

#[derive(Clone, Copy, ValueEnum)]
enum AnyLayout {
    Lfw,
    Bin,
    CfpFf,
    CfpFp,
    Ytf,
    Csv,
    Wider,
    PadCsv,
    PadSpecies,
    OuluNpu,
    CelebaSpoof,
    ReplayAttack,
    FaceForensics,
    CelebDf,
    Dfdc,
    Documents,
}

#[derive(Args)]
pub(super) struct CheckArgs {
    /// The layout of the set.
    #[arg(long, value_enum)]
    layout: AnyLayout,
    /// The set's folder, or the file of a pack.
    #[arg(long)]
    root: PathBuf,
    /// The CSV protocol.
    #[arg(long)]
    protocol: Option<PathBuf>,
}

pub(super) fn check(args: &CheckArgs) -> Result<(), String> {
    let verification = |protocol: Protocol| {
        let pairs = match &protocol.pairs {
            Pairs::Listed(pairs) => pairs.len(),
            Pairs::All => 0,
        };
        (
            format!(
                "{}: {} samples of {} identities, {pairs} pairs",
                protocol.set,
                protocol.samples.len(),
                protocol.identities.len()
            ),
            protocol.findings,
        )
    };
    let pad_set = |layout| {
        let set = pad::read(&args.root, layout, None);
        (
            format!("{}: {} presentations", set.set, set.presentations.len()),
            set.findings,
        )
    };
    let clips = |layout| {
        let set = video::read(&args.root, layout);
        let manipulated = set
            .clips
            .iter()
            .filter(|clip| clip.manipulation.is_some())
            .count();
        (
            format!(
                "{}: {} clips, {manipulated} of them manipulated",
                set.set,
                set.clips.len()
            ),
            set.findings,
        )
    };
    let (summary, findings) = match args.layout {
        AnyLayout::Lfw => {
            let one = lfw::read(&args.root, lfw::View::One);
            let (text, mut findings) = verification(one);
            let (other, more) = verification(lfw::read(&args.root, lfw::View::Two));
            findings.0.extend(more.0);
            (format!("{text}\n{other}"), findings)
        }
        AnyLayout::Bin => verification(insightface::read(&args.root)),
        AnyLayout::CfpFf => verification(cfp::read(&args.root, cfp::Experiment::FrontalFrontal)),
        AnyLayout::CfpFp => verification(cfp::read(&args.root, cfp::Experiment::FrontalProfile)),
        AnyLayout::Ytf => verification(ytf::read(&args.root, 1)),
        AnyLayout::Csv => verification(listed::read(
            csv_protocol(args.protocol.as_deref())?,
            &args.root,
        )),
        AnyLayout::Wider => {
            let set = wider::read(&args.root);
            let faces: usize = set.images.iter().map(|image| image.faces.len()).sum();
            (
                format!("{}: {} images, {faces} faces", set.set, set.images.len()),
                set.findings,
            )
        }
        AnyLayout::PadCsv => pad_set(pad::Layout::Csv),
        AnyLayout::PadSpecies => pad_set(pad::Layout::Species),
        AnyLayout::OuluNpu => pad_set(pad::Layout::OuluNpu),
        AnyLayout::CelebaSpoof => pad_set(pad::Layout::CelebaSpoof),
        AnyLayout::ReplayAttack => pad_set(pad::Layout::ReplayAttack),
        AnyLayout::FaceForensics => clips(video::Layout::FaceForensics),
        AnyLayout::CelebDf => clips(video::Layout::CelebDf),
        AnyLayout::Dfdc => clips(video::Layout::Dfdc),
        AnyLayout::Documents => {
            let set = documents::read(&args.root);
            (
                format!("{}: {} images of documents", set.set, set.documents.len()),
                set.findings,
            )
        }
    };
    println!("{summary}");
    for finding in &findings.0 {
        println!("finding: {finding}");
    }
    match findings.0.len() {
        0 => Ok(()),
        n => Err(format!("{n} findings")),
    }
}
