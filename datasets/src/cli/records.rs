//! Records of runs, and the tables that are made of them.

use std::path::{Path, PathBuf};

use clap::Args;

use super::write;
use crate::record::{Record, replace, summary, tables};

#[derive(Args)]
pub(super) struct TableArgs {
    /// Records, or the JSON of runs.
    #[arg(required = true)]
    records: Vec<PathBuf>,
    /// One table of what matters most, instead of all.
    #[arg(long)]
    summary: bool,
    /// The file whose tables are rewritten.
    #[arg(long)]
    readme: Option<PathBuf>,
    /// Rewrite nothing; fail when the README differs from the records.
    #[arg(long, requires = "readme")]
    check: bool,
}

pub(super) fn keep(runs: &[PathBuf], folder: &Path) -> Result<(), String> {
    for path in runs {
        let record = Record::read(path)?;
        write_record(&folder.join(record.file_name()), &record)?;
    }
    Ok(())
}

pub(super) fn table(args: &TableArgs) -> Result<(), String> {
    let records = args
        .records
        .iter()
        .map(|path| Record::read(path))
        .collect::<Result<Vec<_>, _>>()?;
    let tables = if args.summary {
        summary(&records)
    } else {
        tables(&records)
    };
    let Some(readme) = &args.readme else {
        print!("{tables}");
        return Ok(());
    };
    let old = std::fs::read_to_string(readme)
        .map_err(|error| format!("{}: {error}", readme.display()))?;
    let new = replace(&old, &tables)?;
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

pub(super) fn write_record(path: &Path, record: &Record) -> Result<(), String> {
    let mut text = serde_json::to_string_pretty(record).map_err(|error| error.to_string())?;
    text.push('\n');
    write(path, text.as_bytes())?;
    println!("{}", path.display());
    Ok(())
}
