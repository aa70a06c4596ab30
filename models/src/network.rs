//! How a network runs, the ranges of its values, and the mean of its output.

use crate::PackArgs;
use clap::Args;
use indicatif::ProgressBar;
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;
use vultus::measure::{embedding_mean, ranges as measure};
use vultus::{Image, Limits, Pack};
use vultus_nn::kernel::{Isa, Kernels, peak};
use vultus_nn::{Explanation, Network, Ranges};

type Done = Result<(), Box<dyn Error>>;

#[derive(Args)]
pub(crate) struct ExplainArgs {
    /// An ONNX file
    model: PathBuf,
    /// Height of the input; the graph's own when it states one
    #[arg(long, requires = "width")]
    height: Option<usize>,
    /// Width of the input
    #[arg(long, requires = "height")]
    width: Option<usize>,
    /// Ranges of the network (`int16/<id>.json`): explains its 16-bit form
    #[arg(long, value_name = "FILE")]
    int16: Option<PathBuf>,
    /// Instruction set instead of the best of this CPU
    #[arg(long)]
    isa: Option<Isa>,
    /// Runs it for so many seconds and adds the time of every layer, and its share of what the
    /// arithmetic units could do
    #[arg(long, value_name = "SECONDS")]
    time: Option<f64>,
}

/// Writes the plan of a network as a table.
pub(crate) fn explain(args: &ExplainArgs, out: &mut impl Write) -> Done {
    let onnx = std::fs::read(&args.model).map_err(|e| format!("{}: {e}", args.model.display()))?;
    let stated = Network::input_shape(&onnx)?;
    let shape = match (args.height, args.width, stated) {
        (Some(height), Some(width), _) => [1, stated.map_or(3, |s| s[1]), height, width],
        (_, _, Some(shape)) => shape,
        _ => {
            return Err(
                "the graph leaves the size of its input open: give --height and --width".into(),
            );
        }
    };
    let ranges: Option<Ranges> = args.int16.as_deref().map(read_ranges).transpose()?;
    let kernels = match args.isa {
        Some(isa) => Kernels::new(isa).ok_or("this CPU does not have that instruction set")?,
        None => Kernels::best(),
    };
    let network = Network::load(kernels, &onnx, shape, ranges.as_ref())?;
    let explanation = network.explain();
    match args.time {
        Some(seconds) if explanation.refused.is_none() => {
            times(&network, &explanation, shape, seconds, out)
        }
        _ => Ok(write!(out, "{explanation}")?),
    }
}

/// Writes the median time of every layer.
fn times(
    network: &Network,
    explanation: &Explanation,
    shape: [usize; 4],
    seconds: f64,
    out: &mut impl Write,
) -> Done {
    let peak = peak(network.kernels());
    let input: Vec<f32> = (0..shape.iter().product())
        .map(|i| ((i * 37 % 255) as f32 - 127.0) / 128.0)
        .collect();
    let (start, mut scratch, mut runs) = (Instant::now(), network.scratch(), Vec::new());
    while start.elapsed().as_secs_f64() < seconds || runs.len() < 5 {
        runs.push(network.time(&input, &mut scratch)?);
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    writeln!(
        out,
        "{:32} {:>14} {:36} {:>9} {:>9} {:>7}",
        "value", "to", "kernel", "us", "GMAC/s", "% peak"
    )?;
    let mut limit = 0.0;
    for (at, layer) in explanation.layers.iter().enumerate() {
        let time = median(runs.iter().map(|run| run[at]).collect());
        let rate = layer.macs as f64 / time;
        let most = if layer.kernel.starts_with("conv i16") {
            peak.integers
        } else {
            peak.floats
        };
        limit += layer.macs as f64 / most;
        let [channels, height, width] = layer.output;
        let (to, us, rate, share) = (
            format!("{channels}x{height}x{width}"),
            time * 1e6,
            rate / 1e9,
            rate / most * 100.0,
        );
        writeln!(
            out,
            "{:32} {to:>14} {:36} {us:>9.2} {rate:>9.2} {share:>7.1}",
            layer.name, layer.kernel
        )?;
    }
    let whole = median(runs.iter().map(|run| run.iter().sum()).collect());
    let (floats, integers) = (peak.floats / 1e9, peak.integers / 1e9);
    let (ms, least, share) = (whole * 1e3, limit * 1e3, limit / whole * 100.0);
    writeln!(
        out,
        "{ms:.4} ms; the arithmetic alone takes {least:.4} ms at {floats:.0} GMAC/s in floats and \
        {integers:.0} in integers: {share:.0} %"
    )?;
    Ok(())
}

fn read_ranges(path: &Path) -> Result<Ranges, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(serde_json::from_slice(&bytes)
        .map_err(|e| format!("{}: not ranges: {e}", path.display()))?)
}

/// What is measured, over which pictures.
#[derive(Args)]
struct OverArgs {
    #[command(flatten)]
    pack: PackArgs,
    /// A text file that names a picture a line
    #[arg(long, value_name = "FILE")]
    pictures: PathBuf,
    /// The folder for `<id>.json`
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

#[derive(Args)]
pub(crate) struct RangesArgs {
    #[command(flatten)]
    over: OverArgs,
    /// Ids of the networks to write; all of the pack by default
    #[arg(long, value_name = "ID")]
    id: Vec<String>,
    /// What a range is widened by: values beyond it are clipped
    #[arg(long, default_value_t = 1.25)]
    headroom: f32,
}

/// Writes the ranges of the networks of a pack over pictures of faces.
pub(crate) fn ranges(args: &RangesArgs, out: &mut impl Write) -> Done {
    if !(args.headroom >= 1.0 && args.headroom.is_finite()) {
        return Err(format!("the headroom is {}, at least 1 is needed", args.headroom).into());
    }
    Pack::open(&args.over.pack.pack, &args.over.pack.accept_licence)?;
    let (found, pictures) = args
        .over
        .pictures(|pack, accepted, pictures| measure(pack, accepted, pictures))?;
    if let Some(missing) = args.id.iter().find(|id| !found.contains_key(*id)) {
        return Err(format!(
            "no network {missing} ran; those that did: {}",
            found.keys().cloned().collect::<Vec<_>>().join(", ")
        )
        .into());
    }
    std::fs::create_dir_all(&args.over.out)?;
    for (id, mut ranges) in found
        .into_iter()
        .filter(|(id, _)| args.id.is_empty() || args.id.contains(id))
    {
        ranges
            .values_mut()
            .for_each(|range| *range = round(*range * args.headroom));
        std::fs::write(
            args.over.out.join(format!("{id}.json")),
            serde_json::to_string_pretty(&ranges)? + "\n",
        )?;
        writeln!(
            out,
            "{id}: {} ranges over {pictures} pictures",
            ranges.len()
        )?;
    }
    Ok(())
}

#[derive(Args)]
pub(crate) struct CentreArgs {
    #[command(flatten)]
    over: OverArgs,
    /// Id of the embedder
    #[arg(long, value_name = "ID")]
    id: String,
}

/// Writes the mean of what an embedder of a pack gives over pictures of faces.
pub(crate) fn centre(args: &CentreArgs, out: &mut impl Write) -> Done {
    let ((mean, faces), pictures) = args
        .over
        .pictures(|pack, accepted, pictures| embedding_mean(pack, accepted, &args.id, pictures))?;
    let rounded: Vec<f64> = mean
        .iter()
        .map(|value| (value * 1e4).round() / 1e4)
        .collect();
    std::fs::create_dir_all(&args.over.out)?;
    std::fs::write(
        args.over.out.join(format!("{}.json", args.id)),
        serde_json::to_string(&rounded)? + "\n",
    )?;
    let length = mean.iter().map(|value| value * value).sum::<f64>().sqrt();
    writeln!(
        out,
        "{}: a mean of length {length:.3} over {faces} faces in {pictures} pictures",
        args.id
    )?;
    Ok(())
}

impl OverArgs {
    /// Runs `measure` on the pack, the licences accepted and the pictures, and returns how many
    /// these are.
    fn pictures<R, M>(&self, measure: M) -> Result<(R, usize), Box<dyn Error>>
    where
        M: FnOnce(&Path, &[String], &mut dyn Iterator<Item = Image>) -> vultus::Result<R>,
    {
        let names = std::fs::read_to_string(&self.pictures)
            .map_err(|e| format!("{}: {e}", self.pictures.display()))?;
        let paths: Vec<&str> = names.lines().filter(|line| !line.is_empty()).collect();
        let mut fault = None;
        let bar = ProgressBar::new(paths.len() as u64);
        let mut pictures = paths.iter().map_while(|path| match decode(path) {
            Ok(picture) => {
                bar.inc(1);
                Some(picture)
            }
            Err(error) => {
                fault = Some(error);
                None
            }
        });
        let measured = measure(&self.pack.pack, &self.pack.accept_licence, &mut pictures)?;
        bar.finish_and_clear();
        fault.map_or(Ok((measured, paths.len())), Err)
    }
}

fn decode(path: &str) -> Result<Image, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|e| format!("{path}: {e}"))?;
    Ok(Image::decode(&bytes, &Limits::default()).map_err(|e| format!("{path}: {e}"))?)
}

/// Rounds up to four significant digits, as many as are worth keeping.
fn round(range: f32) -> f32 {
    let digits = 10f64.powi(3 - f64::from(range).log10().floor() as i32);
    ((f64::from(range) * digits).ceil() / digits) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_graph_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "not a graph").unwrap();
        let args = ExplainArgs {
            model: file.path().into(),
            height: None,
            width: None,
            int16: None,
            isa: None,
            time: None,
        };
        assert!(
            explain(&args, &mut Vec::new())
                .unwrap_err()
                .to_string()
                .contains("not an ONNX file")
        );
    }

    const BUILD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../build");

    /// The pack that `make pack` builds: networks of known shape.
    fn pack() -> PathBuf {
        std::env::var_os("VULTUS_PACK").map_or_else(|| Path::new(BUILD).join("pack"), PathBuf::from)
    }

    #[test]
    fn a_network_of_the_pack_is_explained() {
        let mut args = ExplainArgs {
            model: pack().join("minifasnet-v2.onnx"),
            height: None,
            width: None,
            int16: None,
            isa: None,
            time: None,
        };
        let mut text = Vec::new();
        explain(&args, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("3x1x1") && text.contains("MMAC, weights"),
            "{text}"
        );
        args.time = Some(0.0);
        let mut timed = Vec::new();
        explain(&args, &mut timed).unwrap();
        assert!(
            String::from_utf8(timed)
                .unwrap()
                .contains("the arithmetic alone takes")
        );
    }

    #[test]
    fn ranges_are_rounded_up() {
        for (range, rounded) in [
            (1.23456, 1.235),
            (12345.6, 12350.0),
            (0.001_234_01, 0.001_235),
            (2.0, 2.0),
        ] {
            assert_eq!(round(range), rounded);
        }
    }

    #[test]
    fn the_mean_of_one_picture_points_where_its_features_do() {
        let photo = Path::new(BUILD).join("photos/obama.jpg");
        let folder = tempfile::tempdir().unwrap();
        let pictures = folder.path().join("list.txt");
        std::fs::write(&pictures, format!("{}\n", photo.display())).unwrap();
        let args = CentreArgs {
            over: OverArgs {
                pack: PackArgs {
                    pack: pack(),
                    accept_licence: Vec::new(),
                },
                pictures,
                out: folder.path().into(),
            },
            id: "sface".into(),
        };
        let mut said = Vec::new();
        centre(&args, &mut said).unwrap();
        assert!(
            String::from_utf8(said)
                .unwrap()
                .ends_with("over 1 faces in 1 pictures\n")
        );
        let mean: Vec<f64> =
            serde_json::from_slice(&std::fs::read(folder.path().join("sface.json")).unwrap())
                .unwrap();
        let engine = vultus::Engine::open(pack(), &vultus::EngineOptions::default()).unwrap();
        let template = engine
            .enrol(
                &decode(photo.to_str().unwrap()).unwrap(),
                vultus::Role::Selfie,
            )
            .unwrap()
            .template
            .unwrap();
        let features = template.values("sface").unwrap();
        let dot: f64 = mean
            .iter()
            .zip(features)
            .map(|(m, &f)| m * f64::from(f))
            .sum();
        assert!(
            dot / mean.iter().map(|m| m * m).sum::<f64>().sqrt() > 0.999,
            "{dot}"
        );
    }
}
