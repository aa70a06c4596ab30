//! Machine-readable zones of identity documents.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use vultus::{Assessed, Image, Limits, Role};

use super::{Common, open, report_findings, write_json};
use crate::document;
use crate::engine::Subject;
use crate::findings::Findings;

#[derive(Args)]
pub(super) struct MrzArgs {
    /// Folder of pictures, its subfolders included, each beside a text file NAME.mrz with the
    /// lines that are printed; an empty one where no zone is.
    #[arg(long)]
    root: PathBuf,
    /// Where the JSON record goes.
    #[arg(long)]
    json: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

pub(super) fn mrz(args: &MrzArgs) -> Result<(), String> {
    let mut findings = Findings::default();
    let printed = document::list(&args.root, &mut findings);
    report_findings(&findings, args.common.accept_findings)?;
    let engine = open(&args.common, Role::Document, Subject::Chosen)?;
    let read = |bytes: &[u8]| {
        let limits = Limits::default();
        let image = Image::decode(bytes, &limits).map_err(|error| error.to_string())?;
        let began = Instant::now();
        match engine.engine().read_document(&image) {
            Ok(Assessed::Yes(report)) => Ok((report, began)),
            Ok(_) => Err("the pack holds no weights that read documents".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    };
    let mut run = document::read_all(&args.root, &printed, engine.pack(), read);
    report_findings(&run.findings, args.common.accept_findings)?;
    run.findings.0.extend(findings.0);
    for (title, rows) in [("kind", &run.kinds), ("format", &run.formats)] {
        println!("{title}: documents exact, lines exact, level read, read and wrong");
        for row in rows {
            println!(
                "  {}: {} of {}, {} of {}, {}, {}",
                row.kind,
                row.exact,
                row.documents,
                row.lines_exact,
                row.lines,
                row.read,
                row.read_wrong
            );
        }
    }
    println!("{:.0} ms a picture, the median", run.milliseconds);
    args.json
        .as_ref()
        .map_or(Ok(()), |path| write_json(path, &run))
}
