//! The tables that turn scores into false match rates.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use clap::Args;
use vultus::Comparator;

use super::records::write_record;
use super::verification::features;
use super::{Common, write};
use crate::calibrate::{self as tables, Calibration, held_out};
use crate::engine::Subject;
use crate::extract::Extracted;
use crate::metrics::verification::Unsupported;
use crate::protocol::Protocol;
use crate::readers::lfw;
use crate::record::Record;
use crate::score::score;

#[derive(Args)]
pub(super) struct CalibrateArgs {
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

pub(super) fn calibrate(args: &CalibrateArgs) -> Result<(), String> {
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
            let (table, refused) = tables::calibrate(
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

fn print_table(table: &tables::Table, refused: &[Unsupported]) {
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

fn print_check(check: &tables::Check) {
    println!(
        "  on {} other identities, {} non-mated comparisons:",
        check.identities, check.non_mated
    );
    print_points(check);
}

pub(super) fn print_points(check: &tables::Check) {
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
