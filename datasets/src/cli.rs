//! The command line.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD as BASE64, Engine as _};
use clap::{Args, Parser, Subcommand, ValueEnum};
use indicatif::ParallelProgressIterator;
use rayon::prelude::*;
use vultus::{Comparator, Detector, Precision, Role};

use crate::calibrate::{self, Calibration, calibrate, held_out};
use crate::engine::{EngineExtractor, Subject};
use crate::export;
use crate::extract::{Cache, Extracted, Extractor, extract_all, progress};
use crate::findings::Findings;
use crate::limits::limits;
use crate::metrics::verification::Unsupported;
use crate::pad::{Judgement, judge_all};
use crate::plan::{Claim, plan};
use crate::protocol::Pairs;
use crate::protocol::Protocol;
use crate::readers::{ORIGINS, cfp, documents, insightface, lfw, listed, pad, video, wider, ytf};
use crate::record::{self, Record};
use crate::run::{Means, Questions, Run};
use crate::score::score;
use crate::{detection, report};

#[derive(Parser)]
#[command(
    version,
    about = "Error rates, calibration and reports on face datasets that you have"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Labeled Faces in the Wild.
    Lfw(LfwArgs),
    /// Any other verification set: InsightFace pack, CFP, YTF, or your own pairs as CSV.
    Verify(VerifyArgs),
    /// Face detection on WIDER FACE: average precision per setting.
    Wider(WiderArgs),
    /// Presentation attack detection on a public set or on attacks that you captured: the ISO/IEC
    /// 30107-3 self-test.
    Pad(PadArgs),
    /// Reads a set, and lists what is missing or wrong; runs nothing.
    Check(CheckArgs),
    /// Lists the sets that the readers know, where a person gets them, and the expected layout.
    Sets,
    /// Makes the tables that turn scores into false match rates.
    Calibrate(CalibrateArgs),
    /// Derives limits of quality and of PAD from bona fide pictures, as JSON for a policy.
    Limits(LimitsArgs),
    /// Tells how many trials a claim takes.
    Plan(PlanArgs),
    /// Compares two runs over the same trials.
    Compare(CompareArgs),
    /// Makes the HTML page of a run from its JSON.
    Report(ReportArgs),
    /// Keeps the figures of runs, without names, scores or features, for `table`.
    Record {
        /// JSON of runs.
        #[arg(required = true)]
        runs: Vec<PathBuf>,
        /// Where the records go, named after the set and what was run.
        #[arg(long, default_value = "datasets/records")]
        folder: PathBuf,
    },
    /// Prints figures as Markdown tables, or puts them into a README.
    Table(TableArgs),
}

#[derive(Args)]
struct TableArgs {
    /// Records, or the JSON of runs.
    #[arg(required = true)]
    records: Vec<PathBuf>,
    /// The file whose tables are rewritten.
    #[arg(long)]
    readme: Option<PathBuf>,
    /// Rewrite nothing; fail when the README differs from the records.
    #[arg(long, requires = "readme")]
    check: bool,
}

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
struct VerifyArgs {
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

#[derive(Args)]
struct WiderArgs {
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
struct PadArgs {
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
struct CheckArgs {
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

#[derive(Args)]
#[group(required = true, multiple = false)]
struct PlanArgs {
    /// FMR to be shown at 95 % confidence.
    #[arg(long)]
    fmr: Option<f64>,
    /// FNMR to be shown at 95 % confidence.
    #[arg(long)]
    fnmr: Option<f64>,
    /// IAPAR to be shown at 95 % confidence.
    #[arg(long)]
    iapar: Option<f64>,
    /// iBeta level, 1 or 2.
    #[arg(long)]
    ibeta: Option<u8>,
    /// FIDO Biometric Component.
    #[arg(long)]
    fido: bool,
}

#[derive(Args)]
struct CompareArgs {
    /// JSON record of the first run.
    first: PathBuf,
    /// JSON record of the second run.
    second: PathBuf,
    /// Where the HTML page goes.
    #[arg(long)]
    html: Option<PathBuf>,
}

#[derive(Args)]
struct ReportArgs {
    /// JSON record of a run.
    run: PathBuf,
    /// Where the HTML page goes.
    #[arg(long)]
    html: PathBuf,
}

#[derive(Args)]
struct Common {
    /// The model pack.
    #[arg(long, default_value = "build/pack")]
    pack: PathBuf,
    /// Ids of weights whose unknown or non-commercial licence you accept.
    #[arg(long)]
    accept_licence: Vec<String>,
    /// Precision of the networks.
    #[arg(long, value_enum, default_value = "exact")]
    precision: PrecisionArg,
    /// Folder of the feature cache; it holds biometric data.
    #[arg(long, default_value_os_t = default_cache())]
    cache: PathBuf,
    /// Report rates even though the set has findings; every report then says so.
    #[arg(long)]
    accept_findings: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum PrecisionArg {
    Exact,
    Fast,
}

impl PrecisionArg {
    fn precision(self) -> Precision {
        match self {
            Self::Exact => Precision::Exact,
            Self::Fast => Precision::Fast,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Fast => "fast",
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum ComparatorArg {
    Single,
    Fused,
}

impl ComparatorArg {
    fn comparator(self) -> Comparator {
        match self {
            Self::Single => Comparator::Single,
            Self::Fused => Comparator::Fused,
        }
    }
}

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
struct LfwArgs {
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

#[derive(Args)]
struct Output {
    /// Where the JSON record goes.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where the HTML page goes.
    #[arg(long)]
    html: Option<PathBuf>,
    /// Show the faces of the worst pairs in the HTML page; without it the page names them only.
    #[arg(long, requires = "html")]
    faces: bool,
    /// Folder for the features as .npy files, for an independent check; they are biometric data.
    #[arg(long)]
    export: Option<PathBuf>,
    /// False match rates of the operating points.
    #[arg(long, value_delimiter = ',')]
    fmr: Vec<f64>,
    /// Resamples of the bootstrap over identities.
    #[arg(long, default_value_t = 1000)]
    resamples: usize,
}

#[derive(Args)]
struct CalibrateArgs {
    /// The folder of LFW.
    #[arg(long)]
    root: PathBuf,
    /// The calibration file; tables of other comparators and precisions in it are kept.
    #[arg(long, default_value = "models/calibration/default.json")]
    out: PathBuf,
    /// Make nothing; only check the tables that are there on identities outside the calibration,
    /// and fail where one does not hold.
    #[arg(long)]
    check: bool,
    /// Where the record of that check goes.
    #[arg(long)]
    record: Option<PathBuf>,
    /// Extrapolate unsupported points by a generalised Pareto tail.
    #[arg(long)]
    extrapolate_tail: bool,
    /// Resamples of the bootstrap over identities.
    #[arg(long, default_value_t = 1000)]
    resamples: usize,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct LimitsArgs {
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

fn default_cache() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(home);
    base.unwrap_or_else(|| PathBuf::from(".cache"))
        .join("vultus/features")
}

/// Runs the command line; failures are printed to standard error.
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Lfw(args) => lfw(&args),
        Command::Verify(args) => verify(&args),
        Command::Wider(args) => detect(&args),
        Command::Pad(args) => self_test(&args),
        Command::Check(args) => check(&args),
        Command::Sets => {
            for origin in ORIGINS {
                println!(
                    "{}\n  from:   {}\n  terms:  {}\n  layout: {}",
                    origin.set, origin.page, origin.terms, origin.layout
                );
            }
            Ok(())
        }
        Command::Calibrate(args) => calibrate_lfw(&args),
        Command::Limits(args) => bona_fide_limits(&args),
        Command::Plan(args) => print_plan(&args),
        Command::Compare(args) => compare(&args),
        Command::Report(args) => read_run(&args.run).and_then(|run| {
            write(
                &args.html,
                report::html(&run, &report::Faces::new()).as_bytes(),
            )
        }),
        Command::Record { runs, folder } => keep(&runs, &folder),
        Command::Table(args) => table(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn report_findings(findings: &Findings, accepted: bool) -> Result<(), String> {
    for finding in &findings.0 {
        eprintln!("finding: {finding}");
    }
    match findings.0.len() {
        0 => Ok(()),
        n if accepted => {
            eprintln!("{n} findings accepted: the rates are those of what is there");
            Ok(())
        }
        n => Err(format!(
            "{n} findings: no rate is computed; repair the set, or pass --accept-findings"
        )),
    }
}

struct Features {
    extractor: EngineExtractor,
    extracted: Vec<Extracted>,
    took: Duration,
}

fn features(
    protocol: &mut Protocol,
    subject: Subject,
    common: &Common,
) -> Result<Features, String> {
    report_findings(&protocol.findings, common.accept_findings)?;
    let extractor = open(common, Role::Selfie, subject)?;
    let cache = Cache::open(&common.cache, &extractor as &dyn Extractor)
        .map_err(|error| format!("{}: {error}", common.cache.display()))?;
    let start = Instant::now();
    let before = protocol.findings.0.len();
    let extracted = extract_all(
        &protocol.samples,
        &extractor,
        Some(&cache),
        &mut protocol.findings,
    );
    let new = Findings(protocol.findings.0[before..].to_vec());
    report_findings(&new, common.accept_findings)?;
    Ok(Features {
        extractor,
        extracted,
        took: start.elapsed(),
    })
}

fn lfw(args: &LfwArgs) -> Result<(), String> {
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

fn verification(
    mut protocol: Protocol,
    subject: Subject,
    comparator: ComparatorArg,
    output: &Output,
    common: &Common,
) -> Result<(), String> {
    let features = features(&mut protocol, subject, common)?;
    let comparator = comparator.comparator();
    let start = Instant::now();
    let shares = features.extractor.shares(comparator);
    let scored = score(&protocol, &features.extracted, &shares)?;
    let means = Means {
        pack: features.extractor.pack(),
        comparator: comparator.name().to_owned(),
        precision: common.precision.name().to_owned(),
        extraction: features.took,
        scoring: start.elapsed(),
    };
    let default = match protocol.pairs {
        Pairs::All => vec![1e-2, 1e-3, 1e-4, 1e-5],
        Pairs::Listed(_) => vec![1e-2, 1e-3],
    };
    let fmrs = if output.fmr.is_empty() {
        default
    } else {
        output.fmr.clone()
    };
    let questions = Questions {
        fmrs,
        resamples: output.resamples,
        worst: 20,
    };
    let mut run = Run::new(&protocol, &features.extracted, &scored, means, &questions);
    if let Ok(table) =
        Calibration::of_pack(&common.pack)?.table(comparator.name(), common.precision.name())
    {
        run.calibrated = Some(held_out(table, &protocol, &scored, output.resamples.max(1)));
    }
    print_run(&run);
    if let Some(path) = &output.json {
        write_json(path, &run)?;
    }
    if let Some(path) = &output.html {
        let faces = if output.faces {
            faces(&protocol, &run)?
        } else {
            report::Faces::new()
        };
        write(path, report::html(&run, &faces).as_bytes())?;
    }
    if let Some(folder) = &output.export {
        export::features(folder, &protocol, &features.extracted, &shares)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    Ok(())
}

/// Returns the pictures of the worst pairs of a run.
fn faces(protocol: &Protocol, run: &Run) -> Result<report::Faces, String> {
    let worst: HashSet<&str> = run
        .worst_mated
        .iter()
        .chain(&run.worst_non_mated)
        .flat_map(|t| [t.probe.as_str(), t.reference.as_str()])
        .collect();
    let shown = protocol
        .samples
        .iter()
        .filter(|sample| worst.contains(sample.name.as_str()));
    shown
        .filter_map(|sample| Some((sample, sample.images.first()?)))
        .map(|(sample, image)| {
            let bytes = image
                .read()
                .map_err(|error| format!("{}: {error}", sample.name))?;
            let kind = if bytes.starts_with(b"\x89PNG") {
                "png"
            } else {
                "jpeg"
            };
            Ok((
                sample.name.clone(),
                format!("data:image/{kind};base64,{}", BASE64.encode(&bytes)),
            ))
        })
        .collect()
}

fn read_run(path: &Path) -> Result<Run, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let run: Run = serde_json::from_slice(&bytes)
        .map_err(|error| format!("{} is no record of a run: {error}", path.display()))?;
    if run.format != crate::run::FORMAT {
        return Err(format!(
            "{} has format {}, this program reads {}",
            path.display(),
            run.format,
            crate::run::FORMAT
        ));
    }
    Ok(run)
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), String> {
    write(
        path,
        &serde_json::to_vec(value).map_err(|error| error.to_string())?,
    )
}

fn open(common: &Common, role: Role, subject: Subject) -> Result<EngineExtractor, String> {
    EngineExtractor::open(
        &common.pack,
        common.precision.precision(),
        role,
        subject,
        &common.accept_licence,
    )
}

fn verify(args: &VerifyArgs) -> Result<(), String> {
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

fn csv_protocol(path: Option<&Path>) -> Result<&Path, String> {
    path.ok_or_else(|| "--layout csv needs --protocol FILE".to_owned())
}

fn detect(args: &WiderArgs) -> Result<(), String> {
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

fn self_test(args: &PadArgs) -> Result<(), String> {
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
    print!("{}", crate::pad::text(&run));
    if let Some(path) = &args.json {
        write_json(path, &run)?;
    }
    if let Some(path) = &args.calibrate {
        let Some(calibration) = crate::pad::calibrated(&run, args.bpcer[0]) else {
            return Err("no bona fide presentation has a score: no threshold".to_owned());
        };
        write_json(path, &calibration)?;
    }
    args.html.as_ref().map_or(Ok(()), |path| {
        write(path, crate::pad::html(&run).as_bytes())
    })
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

fn check(args: &CheckArgs) -> Result<(), String> {
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

fn bona_fide_limits(args: &LimitsArgs) -> Result<(), String> {
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
    let found = limits(&seen, args.refuse)?;
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

fn print_plan(args: &PlanArgs) -> Result<(), String> {
    let rates = [
        (args.fmr, Claim::Fmr as fn(f64) -> Claim),
        (args.fnmr, Claim::Fnmr),
        (args.iapar, Claim::Iapar),
    ];
    let rate = rates
        .into_iter()
        .find_map(|(value, claim)| value.map(claim));
    let claim = rate.or(args.ibeta.map(Claim::Ibeta)).unwrap_or(Claim::Fido);
    let (requirements, notes) = plan(claim)?;
    for requirement in requirements {
        println!(
            "{:>9} {} with {} errors seen",
            requirement.trials, requirement.what, requirement.errors
        );
    }
    for note in notes {
        println!("note: {note}");
    }
    Ok(())
}

fn compare(args: &CompareArgs) -> Result<(), String> {
    let (first, second) = (read_run(&args.first)?, read_run(&args.second)?);
    let contrasts = report::compare::compare(&first, &second)?;
    print!("{}", report::compare::text(&contrasts));
    args.html.as_ref().map_or(Ok(()), |path| {
        write(
            path,
            report::compare::html(&first, &second, &contrasts).as_bytes(),
        )
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn keep(runs: &[PathBuf], folder: &Path) -> Result<(), String> {
    for path in runs {
        let record = Record::read(path)?;
        write_record(&folder.join(record.file_name()), &record)?;
    }
    Ok(())
}

fn write_record(path: &Path, record: &Record) -> Result<(), String> {
    let mut text = serde_json::to_string_pretty(record).map_err(|error| error.to_string())?;
    text.push('\n');
    write(path, text.as_bytes())?;
    println!("{}", path.display());
    Ok(())
}

fn table(args: &TableArgs) -> Result<(), String> {
    let records = args
        .records
        .iter()
        .map(|path| Record::read(path))
        .collect::<Result<Vec<_>, _>>()?;
    let tables = record::tables(&records);
    let Some(readme) = &args.readme else {
        print!("{tables}");
        return Ok(());
    };
    let old = std::fs::read_to_string(readme)
        .map_err(|error| format!("{}: {error}", readme.display()))?;
    let new = record::replace(&old, &tables)?;
    match (old == new, args.check) {
        (true, _) => println!(
            "{}: the figures are those of {} records",
            readme.display(),
            records.len()
        ),
        (false, true) => {
            return Err(format!(
                "{}: the figures differ from the {} records; run `table` without --check",
                readme.display(),
                records.len()
            ));
        }
        (false, false) => write(readme, new.as_bytes())?,
    }
    Ok(())
}

fn print_run(run: &Run) {
    println!(
        "{}, {} comparator, {} precision",
        run.set, run.comparator, run.precision
    );
    println!(
        "  {} samples of {} identities, {} mated and {} non-mated comparisons",
        run.samples.len(),
        run.identities,
        run.mated,
        run.non_mated
    );
    println!(
        "  failures to acquire: {} of {}",
        run.failures.len(),
        run.samples.len()
    );
    if let Some(tenfold) = &run.tenfold {
        println!(
            "  {}-fold accuracy: {:.3} % ± {:.3} (standard deviation over folds)",
            tenfold.folds.len(),
            100.0 * tenfold.accuracy,
            100.0 * tenfold.deviation
        );
    }
    for point in &run.operating_points {
        print!(
            "  FNMR at FMR {:.0e}: {:.3} % ({} of {}), Clopper-Pearson 95 % {:.3} to {:.3} %",
            point.fmr,
            100.0 * point.fnmr,
            point.false_non_matches,
            run.mated,
            100.0 * point.fnmr_interval.low,
            100.0 * point.fnmr_interval.high
        );
        if let Some(interval) = point.fnmr_by_identity {
            print!(
                ", over identities {:.3} to {:.3} %",
                100.0 * interval.low,
                100.0 * interval.high
            );
        }
        println!(", threshold {:.4}", point.threshold);
    }
    for refused in &run.refused {
        println!(
            "  FMR {:.0e} refused: it takes {} non-mated comparisons, the set has {}",
            refused.fmr, refused.non_mated_needed, refused.non_mated
        );
    }
    if let Some(check) = &run.calibrated {
        println!("  the pack's thresholds:");
        print_points(check);
    }
    println!(
        "  extraction {:.1} s ({} of {} from the cache), {:.0} ms a sample on one core; scoring \
        {:.2} s",
        run.timing.extraction_s,
        run.timing.from_cache,
        run.samples.len(),
        1e3 * run.timing.median_sample_s,
        run.timing.scoring_s
    );
}

fn calibrate_lfw(args: &CalibrateArgs) -> Result<(), String> {
    let view_1 = lfw::read(&args.root, lfw::View::One).into_all_pairs();
    let mut both = lfw::read(&args.root, lfw::View::Both);
    let features = features(&mut both, Subject::Centre, &args.common)?;
    let known: HashSet<&str> = view_1.identities.iter().map(String::as_str).collect();
    let by_name: HashMap<&str, &Extracted> = both
        .samples
        .iter()
        .map(|sample| sample.name.as_str())
        .zip(&features.extracted)
        .collect();
    let pick = |protocol: &Protocol| -> Vec<Extracted> {
        protocol
            .samples
            .iter()
            .filter_map(|sample| by_name.get(sample.name.as_str()).map(|e| (*e).clone()))
            .collect()
    };
    let others = both.restrict_identities("LFW identities that View 1 does not name", |name| {
        !known.contains(name)
    });
    let precision = args.common.precision.name();
    let mut calibration = Calibration::read(&args.out)?;
    let mut checks = Vec::new();
    for comparator in [Comparator::Single, Comparator::Fused] {
        let shares = features.extractor.shares(comparator);
        if !args.check {
            let scored = score(&view_1, &pick(&view_1), &shares)?;
            let (table, refused) = calibrate(
                &view_1,
                &scored,
                comparator.name(),
                precision,
                args.resamples,
                args.extrapolate_tail,
            );
            print_table(&table, &refused);
            calibration.insert(table);
        }
        let table = calibration.table(comparator.name(), precision)?;
        let scored = score(&others, &pick(&others), &shares)?;
        let check = held_out(table, &others, &scored, args.resamples);
        print_check(&check);
        checks.push(check);
    }
    if !args.check {
        if let Some(folder) = args.out.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let mut text =
            serde_json::to_string_pretty(&calibration).map_err(|error| error.to_string())?;
        text.push('\n');
        write(&args.out, text.as_bytes())?;
    }
    let broken = checks
        .iter()
        .flat_map(|check| &check.points)
        .filter(|point| !point.holds)
        .count();
    if let Some(path) = &args.record {
        write_record(
            path,
            &Record::of_calibration(&features.extractor.pack(), &others.set, checks),
        )?;
    }
    match broken {
        0 => Ok(()),
        n => Err(format!(
            "{n} thresholds do not hold on identities that the calibration never saw"
        )),
    }
}

fn print_table(table: &calibrate::Table, refused: &[Unsupported]) {
    println!(
        "{}, {}: {} identities, {} mated, {} non-mated",
        table.comparator, table.set, table.identities, table.mated, table.non_mated
    );
    for point in &table.points {
        println!(
            "  FMR {:.0e}: threshold {:.5}, interval {:.2e} to {:.2e}, FNMR {:.3} %{}",
            point.fmr,
            point.threshold,
            point.fmr_low,
            point.fmr_high,
            100.0 * point.fnmr,
            if point.extrapolated {
                ", EXTRAPOLATED"
            } else {
                ""
            }
        );
    }
    for unsupported in refused {
        println!(
            "  FMR {:.0e} refused: it takes {} non-mated comparisons, the set has {}",
            unsupported.fmr, unsupported.non_mated_needed, unsupported.non_mated
        );
    }
}

fn print_check(check: &calibrate::Check) {
    println!(
        "  on {} other identities, {} non-mated comparisons:",
        check.identities, check.non_mated
    );
    print_points(check);
}

fn print_points(check: &calibrate::Check) {
    for point in &check.points {
        println!(
            "    FMR {:.0e}: observed {:.2e}, interval {:.2e} to {:.2e}: {}",
            point.fmr,
            point.fmr_observed,
            point.fmr_low,
            point.fmr_high,
            if point.holds {
                "holds"
            } else {
                "DOES NOT HOLD"
            }
        );
    }
}
