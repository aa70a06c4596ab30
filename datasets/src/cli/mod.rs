//! The command line, a file for each verb.

mod calibrate;
mod check;
mod compare;
mod lfw;
mod limits;
mod mrz;
mod pad;
mod plan;
mod records;
mod verification;
mod verify;
mod wider;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use vultus::{Precision, Role};

use crate::engine::{EngineExtractor, Subject};
use crate::findings::Findings;
use crate::readers::ORIGINS;
use crate::report;
use crate::run::Run;

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
    Lfw(lfw::LfwArgs),
    /// Any other verification set: InsightFace pack, CFP, YTF, or your own pairs as CSV.
    Verify(verify::VerifyArgs),
    /// Face detection on WIDER FACE: average precision per setting.
    Wider(wider::WiderArgs),
    /// Presentation attack detection on a public set or on attacks that you captured: the ISO/IEC
    /// 30107-3 self-test.
    Pad(pad::PadArgs),
    /// Machine-readable zones of identity documents, beside what is printed there.
    Mrz(mrz::MrzArgs),
    /// Reads a set, and lists what is missing or wrong; runs nothing.
    Check(check::CheckArgs),
    /// Lists the sets that the readers know, where a person gets them, and the expected layout.
    Sets,
    /// Makes the tables that turn scores into false match rates.
    Calibrate(calibrate::CalibrateArgs),
    /// Derives limits of quality and of PAD from bona fide pictures, as JSON for a policy.
    Limits(limits::LimitsArgs),
    /// Tells how many trials a claim takes.
    Plan(plan::PlanArgs),
    /// Compares two runs over the same trials.
    Compare(compare::CompareArgs),
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
    Table(records::TableArgs),
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
        Command::Lfw(args) => lfw::lfw(&args),
        Command::Verify(args) => verify::verify(&args),
        Command::Wider(args) => wider::wider(&args),
        Command::Pad(args) => pad::pad(&args),
        Command::Mrz(args) => mrz::mrz(&args),
        Command::Check(args) => check::check(&args),
        Command::Sets => {
            for origin in ORIGINS {
                println!(
                    "{}\n  from:   {}\n  terms:  {}\n  layout: {}",
                    origin.set, origin.page, origin.terms, origin.layout
                );
            }
            Ok(())
        }
        Command::Calibrate(args) => calibrate::calibrate(&args),
        Command::Limits(args) => limits::limits(&args),
        Command::Plan(args) => plan::plan(&args),
        Command::Compare(args) => compare::compare(&args),
        Command::Report(args) => read_run(&args.run).and_then(|run| {
            write(
                &args.html,
                report::html(&run, &report::Faces::new()).as_bytes(),
            )
        }),
        Command::Record { runs, folder } => records::keep(&runs, &folder),
        Command::Table(args) => records::table(&args),
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

fn csv_protocol(path: Option<&Path>) -> Result<&Path, String> {
    path.ok_or_else(|| "--layout csv needs --protocol FILE".to_owned())
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

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), String> {
    write(
        path,
        &serde_json::to_vec(value).map_err(|error| error.to_string())?,
    )
}
