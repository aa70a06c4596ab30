//! Two runs over the same trials.

use std::path::PathBuf;

use clap::Args;

use super::{read_run, write};
use crate::report;

#[derive(Args)]
pub(super) struct CompareArgs {
    /// JSON record of the first run.
    first: PathBuf,
    /// JSON record of the second run.
    second: PathBuf,
    /// Where the HTML page goes.
    #[arg(long)]
    html: Option<PathBuf>,
}

pub(super) fn compare(args: &CompareArgs) -> Result<(), String> {
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
