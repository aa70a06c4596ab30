//! `vultus-models`: looks into model packs with the loader of the engine itself.

mod inspect;

use clap::{Args, Parser, Subcommand};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about = "Looks into model packs with the loader of the engine itself")]
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
}

#[derive(Args)]
struct PackArgs {
    /// The pack's folder
    pack: PathBuf,
    /// Accepts the licence of a weight whose licence is unknown or non-commercial; may be repeated
    #[arg(long, value_name = "ID")]
    accept_licence: Vec<String>,
}

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let done = match Cli::parse().command {
        Command::List(args) => inspect::list(&args.pack, &args.accept_licence, &mut out),
        Command::Verify(args) => inspect::verify(&args.pack, &args.accept_licence, &mut out),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vultus-models: {error}");
            ExitCode::FAILURE
        }
    }
}
