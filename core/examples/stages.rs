//! Where the time of a verification goes, and how near each stage is to what the machine allows:
//! `stages PACK SELFIE DOCUMENT SECONDS [fast]`.
//!
//! The limit of a stage that computes is its multiply-adds over the peak of one core; of one that
//! moves pixels, the bytes that it must read and write over the speed of a large copy. Run it on an
//! idle machine: all is measured in the same run, on one thread.

use std::path::Path;
use std::time::Instant;
use vultus::{Decision, Engine, EngineOptions, Image, Limits, Policy, Precision};
use vultus_nn::kernel::{Kernels, Peak, peak};
use vultus_nn::{Network, Ranges};

type Fault = Box<dyn std::error::Error>;

/// What a stage runs, for a selfie that the near and a document that the far detector finds at the
/// first look.
const DETECT: [(&str, usize, usize); 3] = [
    ("blazeface-short", 128, 1),
    ("blazeface-full", 192, 1),
    ("facemesh-468", 192, 4),
];
const PAD: [(&str, usize, usize); 2] = [("minifasnet-v2", 80, 2), ("minifasnet-v1se", 80, 1)];
const EMBED: [(&str, usize, usize); 2] = [("sface", 112, 4), ("mobilefacenet", 112, 4)];

fn main() -> Result<(), Fault> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [pack, selfie, document, seconds, more @ ..] = args.as_slice() else {
        return Err("stages PACK SELFIE DOCUMENT SECONDS [fast]".into());
    };
    let mut options = EngineOptions::default();
    options.precision = if more == ["fast"] {
        Precision::Fast
    } else {
        Precision::Exact
    };
    let (pack, seconds): (&Path, f64) = (pack.as_ref(), seconds.parse()?);
    let engine = Engine::open(pack, &options)?;
    let files = [std::fs::read(selfie)?, std::fs::read(document)?];
    let decode = || -> Result<[Image; 2], Fault> {
        Ok([
            Image::decode(&files[0], &Limits::default())?,
            Image::decode(&files[1], &Limits::default())?,
        ])
    };

    let (start, mut runs) = (Instant::now(), Vec::new());
    let mut seen: Option<Decision> = None;
    while start.elapsed().as_secs_f64() < seconds || runs.len() < 5 {
        let start = Instant::now();
        let pictures = decode()?;
        let mut laps = vec![("decode", start.elapsed().as_secs_f64() * 1e3)];
        let decision = engine.verify(&pictures[0], &pictures[1], &Policy::default())?;
        laps.extend(
            decision
                .times_ms
                .iter()
                .map(|&(stage, ms)| (stage, f64::from(ms))),
        );
        let before = start.elapsed().as_secs_f64() * 1e3;
        drop(pictures);
        laps.push(("wipe", start.elapsed().as_secs_f64() * 1e3 - before));
        laps.push(("all", start.elapsed().as_secs_f64() * 1e3));
        runs.push(laps);
        seen = Some(decision);
    }
    let decision = seen.ok_or("no run")?;
    for sample in [Some(&decision.selfie), decision.document.as_ref()]
        .into_iter()
        .flatten()
    {
        println!(
            "{:?}: found by {:?}",
            sample.role,
            sample.face.as_ref().map(|face| face.detection.detector)
        );
    }

    println!(
        "score {:.6}",
        decision
            .comparison
            .yes()
            .map_or(f32::NAN, |comparison| comparison.score)
    );

    let network = Network::load(
        Kernels::best(),
        &std::fs::read(pack.join("minifasnet-v2.onnx"))?,
        [1, 3, 80, 80],
        None,
    )?;
    let peak = peak(network.kernels());
    let bandwidth = bandwidth();
    println!(
        "{:?}: {:.0} GMAC/s in floats, {:.0} in integers; a copy moves {:.1} GB/s",
        network.kernels().isa(),
        peak.floats / 1e9,
        peak.integers / 1e9,
        bandwidth / 1e9
    );
    let pixels: f64 = decode()?
        .iter()
        .map(|picture| f64::from(picture.width() * picture.height()) * 3.0)
        .sum();
    println!(
        "| stage | ms | share of all | must | limit, ms | share of the limit \
        |\n|---|---|---|---|---|---|"
    );
    let median = |stage: &str| {
        let mut times: Vec<f64> = runs
            .iter()
            .flatten()
            .filter(|(name, _)| *name == stage)
            .map(|(_, ms)| *ms)
            .collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let all = median("all");
    for &(stage, _) in &runs[0] {
        let ms = median(stage);
        let compute =
            |networks: &[(&str, usize, usize)]| compute(pack, networks, options.precision, &peak);
        let (must, limit) = match stage {
            "decode" => (
                format!("{:.1} MB written", pixels / 1e6),
                pixels / bandwidth,
            ),
            // Each level reads the one below: 1 + 1/4 + ... of the picture, and writes a quarter of
            // that.
            "pyramid" => (
                format!("{:.1} MB read and written", pixels * 5.0 / 3.0 / 1e6),
                pixels * 5.0 / 3.0 / bandwidth,
            ),
            "wipe" => (
                format!("{:.1} MB written", pixels / 1e6),
                pixels / bandwidth,
            ),
            "detect" => compute(&DETECT)?,
            "pad" => compute(&PAD)?,
            "embed" => compute(&EMBED)?,
            _ => (String::new(), 0.0),
        };
        let share = if limit > 0.0 {
            format!("{:.0} %", limit * 1e5 / ms)
        } else {
            String::new()
        };
        let limit = if limit > 0.0 {
            format!("{:.2}", limit * 1e3)
        } else {
            String::new()
        };
        println!(
            "| {stage} | {ms:.2} | {:.0} % | {must} | {limit} | {share} |",
            ms / all * 100.0
        );
    }
    Ok(())
}

/// Returns the multiply-adds of some networks, each run so often, and the seconds that the
/// arithmetic alone takes.
fn compute(
    pack: &Path,
    networks: &[(&str, usize, usize)],
    precision: Precision,
    peak: &Peak,
) -> Result<(String, f64), Fault> {
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(pack.join("pack.json"))?)?;
    let (mut macs, mut seconds) = (0, 0.0);
    for &(id, side, runs) in networks {
        let entry = manifest["models"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|model| model["id"] == id)
            .ok_or("no such network")?;
        let ranges: Option<Ranges> = if precision == Precision::Fast {
            serde_json::from_value(entry["int16"].clone()).ok()
        } else {
            None
        };
        let network = Network::load(
            Kernels::best(),
            &std::fs::read(pack.join(format!("{id}.onnx")))?,
            [1, 3, side, side],
            ranges.as_ref(),
        )?;
        for layer in network.explain().layers {
            let most = if layer.kernel.starts_with("conv i16") {
                peak.integers
            } else {
                peak.floats
            };
            macs += layer.macs * runs as u64;
            seconds += layer.macs as f64 * runs as f64 / most;
        }
    }
    Ok((format!("{:.0} MMAC", macs as f64 / 1e6), seconds))
}

/// Returns the bytes a second that a copy of 64 MiB reads and writes together.
fn bandwidth() -> f64 {
    let (from, mut to) = (vec![1u8; 64 << 20], vec![0u8; 64 << 20]);
    let times = (0..20).map(|_| {
        let start = Instant::now();
        std::hint::black_box(&mut to).copy_from_slice(std::hint::black_box(&from));
        start.elapsed().as_secs_f64()
    });
    2.0 * from.len() as f64 / times.fold(f64::INFINITY, f64::min)
}
