//! `vultus-models`: looks into model packs with the loader of the engine itself, and measures what
//! packs are made with.

mod inspect;
mod network;

use clap::{Args, Parser, Subcommand};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    version,
    about = "Looks into model packs with the loader of the engine itself"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lists the weights of a pack
    List(PackArgs),
    /// Checks every weight of a pack against its hash, as the engine does
    Verify(PackArgs),
    /// Shows how a network runs: layers, shapes, multiply-adds, kernels, bytes
    Explain(network::ExplainArgs),
    /// Measures what 16-bit arithmetic is scaled by, over pictures of faces: one JSON file a
    /// network
    Ranges(network::RangesArgs),
    /// Measures what an embedder gives on average over pictures of faces, which a conversion takes
    /// off: one JSON list
    Centre(network::CentreArgs),
}

#[derive(Args)]
pub(crate) struct PackArgs {
    /// The pack's folder
    pub(crate) pack: PathBuf,
    /// Accepts the licence of a weight whose licence is unknown or non-commercial; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) accept_licence: Vec<String>,
}

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let done = match Cli::parse().command {
        Command::List(args) => inspect::list(&args.pack, &args.accept_licence, &mut out),
        Command::Verify(args) => inspect::verify(&args.pack, &args.accept_licence, &mut out),
        Command::Explain(args) => network::explain(&args, &mut out),
        Command::Ranges(args) => network::ranges(&args, &mut out),
        Command::Centre(args) => network::centre(&args, &mut out),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vultus-models: {error}");
            ExitCode::FAILURE
        }
    }
}
