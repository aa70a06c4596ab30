//! One engine in one process, for `benches/peers/run.py`: `peer-worker ENGINE FOLDER`, where ENGINE
//! is `vultus-f32`, `vultus-int16` or `tract` for a network, `vultus-exact` or `vultus-fast` for a
//! verification. Answers the commands of `worker.py` on standard input.

use sha2::{Digest, Sha256};
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;
use tract_onnx::prelude::*;
use vultus::{Comparator, Engine, EngineOptions, Image, Limits, Policy, Precision, Role};
use vultus_nn::kernel::Kernels;
use vultus_nn::{Network, Ranges};

type Run = Box<dyn FnMut() -> Result<Vec<f32>, Box<dyn Error>>>;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, engine, folder] = args.as_slice() else {
        return Err("peer-worker ENGINE FOLDER".into());
    };
    let folder = Path::new(folder);
    let before = kib("VmRSS")?;
    let mut run = match engine.as_str() {
        "vultus-f32" => network(folder, false)?,
        "vultus-int16" => network(folder, true)?,
        "tract" => tract(folder)?,
        "vultus-exact" => verification(folder, Precision::Exact)?,
        "vultus-fast" => verification(folder, Precision::Fast)?,
        "vultus-scan" => scan(folder)?,
        other => return Err(format!("no engine {other}").into()),
    };
    run()?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = match words[..] {
            ["burst", seconds, least] => {
                let (seconds, least): (f64, usize) = (seconds.parse()?, least.parse()?);
                let (start, cpu, mut times) = (Instant::now(), cpu_ms()?, Vec::new());
                while start.elapsed().as_secs_f64() < seconds || times.len() < least {
                    let before = Instant::now();
                    run()?;
                    times.push(before.elapsed().as_secs_f64() * 1e3);
                }
                serde_json::json!({"cpu_ms": (cpu_ms()? - cpu) / times.len() as f64, "ms": times})
            }
            ["outputs", path] => {
                let bytes: Vec<u8> = run()?.into_iter().flat_map(f32::to_le_bytes).collect();
                std::fs::write(path, bytes)?;
                serde_json::json!({})
            }
            ["memory"] => serde_json::json!({"peak_kib": kib("VmHWM")?, "before_kib": before}),
            _ => return Err(format!("no command {line:?}").into()),
        };
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

struct Task {
    onnx: Vec<u8>,
    shape: [usize; 4],
    input: Vec<f32>,
}

fn task(folder: &Path) -> Result<Task, Box<dyn Error>> {
    let task: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("task.json"))?)?;
    let input = std::fs::read(folder.join("input.f32"))?;
    let input = input
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect();
    Ok(Task {
        onnx: std::fs::read(folder.join("model.onnx"))?,
        shape: serde_json::from_value(task["shape"].clone())?,
        input,
    })
}

fn network(folder: &Path, integers: bool) -> Result<Run, Box<dyn Error>> {
    let Task { onnx, shape, input } = task(folder)?;
    let ranges: Option<Ranges> = if integers {
        Some(serde_json::from_slice(&std::fs::read(
            folder.join("int16.json"),
        )?)?)
    } else {
        None
    };
    let network = Network::load(Kernels::best(), &onnx, shape, ranges.as_ref())?;
    let mut scratch = network.scratch();
    Ok(Box::new(move || {
        network.run(&input, &mut scratch)?;
        Ok((0..network.outputs().len())
            .flat_map(|i| scratch.output(i))
            .copied()
            .collect())
    }))
}

fn tract(folder: &Path) -> Result<Run, Box<dyn Error>> {
    let Task { onnx, shape, input } = task(folder)?;
    let parser = tract_onnx::onnx()
        .with_ignore_output_shapes(true)
        .with_ignore_value_info(true);
    let model = parser
        .model_for_read(&mut &onnx[..])?
        .with_input_fact(0, f32::fact(shape).into())?
        .into_optimized()?
        .into_runnable()?;
    Ok(Box::new(move || {
        let results = model.run(tvec!(Tensor::from_shape(&shape, &input)?.into()))?;
        let mut values = Vec::new();
        for result in results {
            values.extend(result.to_plain_array_view::<f32>()?.iter().copied());
        }
        Ok(values)
    }))
}

fn verification(folder: &Path, precision: Precision) -> Result<Run, Box<dyn Error>> {
    let mut options = EngineOptions::default();
    options.precision = precision;
    let engine = Engine::open(folder.join("pack"), &options)?;
    let (selfie, document) = (folder.join("selfie.jpg"), folder.join("document.jpg"));
    Ok(Box::new(move || {
        let picture = |path: &Path| {
            Ok::<_, Box<dyn Error>>(Image::decode(&std::fs::read(path)?, &Limits::default())?)
        };
        let decision =
            engine.verify(&picture(&selfie)?, &picture(&document)?, &Policy::default())?;
        Ok(vec![
            decision
                .comparison
                .yes()
                .ok_or("no face in one of the pictures")?
                .score,
        ])
    }))
}

/// References of a scan, and candidates that are asked for: those of `scan.py`.
const REFERENCES: u64 = 500_000;
const CANDIDATES: usize = 10;

/// A search among random references, made by laying random values into the bytes of a real
/// template.
fn scan(folder: &Path) -> Result<Run, Box<dyn Error>> {
    let engine = Engine::open(folder.join("pack"), &EngineOptions::default())?;
    let picture = Image::decode(
        &std::fs::read(folder.join("selfie.jpg"))?,
        &Limits::default(),
    )?;
    let real = engine
        .enrol(&picture, Role::Selfie)?
        .template
        .ok_or("no face in the picture")?;
    let places: Vec<(usize, usize)> = engine
        .shares(Comparator::Fused)
        .into_iter()
        .map(|(model, _)| {
            let values = real.values(model).ok_or("the pack has another embedder")?;
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            let at = real
                .to_bytes()
                .windows(bytes.len())
                .position(|window| window == bytes)
                .ok_or("a template of another form")?;
            Ok((at, values.len()))
        })
        .collect::<Result<_, Box<dyn Error>>>()?;
    let (mut gallery, mut state, mut probe) = (engine.gallery(), 1u64, None);
    for id in 0..REFERENCES {
        let mut bytes = real.to_bytes().to_vec();
        for &(at, length) in &places {
            let mut values: Vec<f32> = (0..length)
                .map(|_| {
                    state = state
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    (state >> 40) as f32 / (1 << 23) as f32 - 1.0
                })
                .collect();
            let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
            values.iter_mut().for_each(|v| *v /= norm);
            bytes[at..at + 4 * length].copy_from_slice(
                &values
                    .iter()
                    .flat_map(|v| v.to_le_bytes())
                    .collect::<Vec<u8>>(),
            );
        }
        let body = bytes.len() - 8;
        let checksum = Sha256::digest(&bytes[..body]);
        bytes[body..].copy_from_slice(&checksum[..8]);
        let template = engine.read_template(&bytes)?;
        gallery.insert(id, &template)?;
        probe.get_or_insert(template);
    }
    let probe = probe.ok_or("no reference")?;
    Ok(Box::new(move || {
        Ok(gallery
            .search(&probe, CANDIDATES)?
            .into_iter()
            .map(|candidate| candidate.score)
            .collect())
    }))
}

/// Returns a field of this process's status in KiB.
fn kib(field: &str) -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
        .ok_or("no such field")?;
    Ok(line.split_whitespace().next().ok_or("no value")?.parse()?)
}

/// Returns the time that this process has spent on a CPU.
fn cpu_ms() -> Result<f64, Box<dyn Error>> {
    let nanoseconds = std::fs::read_to_string("/proc/self/schedstat")?;
    Ok(nanoseconds
        .split_whitespace()
        .next()
        .ok_or("no value")?
        .parse::<f64>()?
        / 1e6)
}
