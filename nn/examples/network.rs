//! Runs one network: `network MODEL.onnx HEIGHT WIDTH explain`, or `... time SECONDS
//! [RANGES.json]`.
//!
//! `calibrate INPUTS.f32 RANGES.json` writes the ranges of the network over planar inputs; `run
//! INPUTS.f32 OUTPUT.f32 [RANGES.json]` its outputs.

use std::time::Instant;
use vultus_nn::kernel::Kernels;
use vultus_nn::{Network, Ranges};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let usage = "network MODEL.onnx HEIGHT WIDTH (explain | time | calibrate | run) ...";
    let [model, height, width, verb, rest @ ..] = args.as_slice() else {
        return Err(usage.into());
    };
    let shape = [1, 3, height.parse()?, width.parse()?];
    let onnx = std::fs::read(model)?;
    let ranges = |path: Option<&String>| -> Result<Option<Ranges>, Box<dyn std::error::Error>> {
        path.map(|path| Ok(serde_json::from_slice(&std::fs::read(path)?)?))
            .transpose()
    };
    let length: usize = shape.iter().product();
    match (verb.as_str(), rest) {
        ("explain", []) => print!(
            "{}",
            Network::load(Kernels::best(), &onnx, shape, None)?.explain()
        ),
        ("time", [seconds, more @ ..]) => {
            let network = Network::load(
                Kernels::best(),
                &onnx,
                shape,
                ranges(more.first())?.as_ref(),
            )?;
            let mut scratch = network.scratch();
            let input: Vec<f32> = (0..length)
                .map(|i| ((i * 37 % 255) as f32 - 127.0) / 128.0)
                .collect();
            let (start, limit, mut times) = (Instant::now(), seconds.parse()?, Vec::new());
            while start.elapsed().as_secs_f64() < limit || times.len() < 5 {
                let start = Instant::now();
                network.run(&input, &mut scratch)?;
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
            times.sort_by(f64::total_cmp);
            println!(
                "{:.4} {:.4}",
                times[times.len() / 10],
                times[times.len() / 2]
            );
        }
        ("calibrate", [inputs, path]) => {
            let network = Network::load(Kernels::best(), &onnx, shape, None)?;
            let (mut scratch, mut ranges) = (network.scratch(), Ranges::new());
            for input in floats(inputs)?.chunks_exact(length) {
                network.calibrate(input, &mut scratch, &mut ranges)?;
            }
            std::fs::write(path, serde_json::to_string_pretty(&ranges)? + "\n")?;
        }
        ("run", [inputs, path, more @ ..]) => {
            let network = Network::load(
                Kernels::best(),
                &onnx,
                shape,
                ranges(more.first())?.as_ref(),
            )?;
            let mut scratch = network.scratch();
            let mut bytes = Vec::new();
            for input in floats(inputs)?.chunks_exact(length) {
                network.run(input, &mut scratch)?;
                for output in 0..network.outputs().len() {
                    bytes.extend(
                        scratch
                            .output(output)
                            .iter()
                            .flat_map(|value| value.to_le_bytes()),
                    );
                }
            }
            std::fs::write(path, bytes)?;
        }
        _ => return Err(usage.into()),
    }
    Ok(())
}

fn floats(path: &str) -> std::io::Result<Vec<f32>> {
    Ok(std::fs::read(path)?
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect())
}
