//! What the verbs on verification sets share: features, rates, the record and the page.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD as BASE64, Engine as _};
use clap::{Args, ValueEnum};
use vultus::{Comparator, Role};

use super::calibrate::print_points;
use super::{Common, open, report_findings, write, write_json};
use crate::calibrate::{Calibration, held_out};
use crate::engine::{EngineExtractor, Subject};
use crate::extract::{Cache, Extracted, Extractor, extract_all};
use crate::findings::Findings;
use crate::protocol::{Pairs, Protocol};
use crate::run::{Means, Questions, Run};
use crate::score::score;
use crate::{export, report};

#[derive(Args)]
pub(super) struct Output {
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

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ComparatorArg {
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

pub(super) fn verification(
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

pub(super) struct Features {
    pub(super) extractor: EngineExtractor,
    pub(super) extracted: Vec<Extracted>,
    pub(super) took: Duration,
}

pub(super) fn features(
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
