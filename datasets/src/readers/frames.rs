//! The pictures of a presentation: a still, a folder of frames, or a clip, which `ffmpeg` decodes.

use std::path::{Path, PathBuf};
use std::process::Command;

use vultus::{Image, ImageView, Limits, PixelFormat};

use crate::findings::{Findings, file_name};

/// Endings of the names of clips.
const CLIPS: [&str; 6] = [".mp4", ".mov", ".webm", ".mkv", ".avi", ".mpg"];

/// Tells whether a file is a clip, by its name.
pub fn is_clip(path: &Path) -> bool {
    let name = file_name(path).to_lowercase();
    CLIPS.iter().any(|end| name.ends_with(end))
}

/// Returns the upright picture of a still, or `wanted` pictures evenly spaced over the frames of a
/// folder or a clip; all of them where there are fewer.
///
/// # Errors
/// A file cannot be read, a folder holds no frame, or `ffmpeg` and `ffprobe` are missing or fail.
pub fn read(path: &Path, wanted: usize) -> Result<Vec<Image>, String> {
    if path.is_dir() {
        let frames = listed(path)?;
        let places = spread(frames.len(), wanted);
        return places.into_iter().map(|at| still(&frames[at])).collect();
    }
    if is_clip(path) {
        return clip(path, wanted);
    }
    Ok(vec![still(path)?])
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut findings = Findings::default();
    let frames = findings.list(folder);
    match findings.0.first() {
        Some(finding) => Err(finding.to_string()),
        None if frames.is_empty() => Err("a folder without frames".to_owned()),
        None => Ok(frames),
    }
}

/// The middles of `wanted` equal parts of `count` frames.
fn spread(count: usize, wanted: usize) -> Vec<usize> {
    let wanted = wanted.min(count);
    (0..wanted)
        .map(|part| (2 * part + 1) * count / (2 * wanted))
        .collect()
}

fn still(path: &Path) -> Result<Image, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Image::decode(&bytes, &Limits::default())
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn clip(path: &Path, wanted: usize) -> Result<Vec<Image>, String> {
    let mut probe = Command::new("ffprobe");
    probe.args("-v error -select_streams v:0 -count_packets".split(' '));
    probe.args("-show_entries stream=nb_read_packets -of csv=p=0".split(' '));
    let said = run(probe.arg(path))?;
    let count = String::from_utf8_lossy(&said)
        .trim()
        .trim_end_matches(',')
        .parse::<usize>()
        .map_err(|_| format!("{}: no frame found", path.display()))?;
    let places: Vec<String> = spread(count, wanted)
        .iter()
        .map(|at| format!("eq(n\\,{at})"))
        .collect();
    let mut decode = Command::new("ffmpeg");
    decode.args(["-v", "error", "-nostdin", "-i"]).arg(path);
    decode
        .arg("-vf")
        .arg(format!("select={}", places.join("+")));
    decode.args("-fps_mode passthrough -f image2pipe -c:v ppm -".split(' '));
    let mut rest = &run(&mut decode)?[..];
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let (frame, after) =
            portable(rest).ok_or_else(|| format!("{}: a frame is cut short", path.display()))?;
        frames.push(frame);
        rest = after;
    }
    if frames.is_empty() {
        return Err(format!("{}: no frame could be decoded", path.display()));
    }
    Ok(frames)
}

fn run(command: &mut Command) -> Result<Vec<u8>, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("clips are read through {name}, which cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{name}: {}",
        said.lines().next().unwrap_or("failed")
    ))
}

/// Reads one portable pixel map (P6, 255 levels) and returns what follows it.
fn portable(bytes: &[u8]) -> Option<(Image, &[u8])> {
    let mut words = [0; 3];
    let mut rest = bytes.strip_prefix(b"P6")?;
    for word in &mut words {
        let start = rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let end = start + rest[start..].iter().position(u8::is_ascii_whitespace)?;
        *word = std::str::from_utf8(&rest[start..end]).ok()?.parse().ok()?;
        rest = &rest[end..];
    }
    let [width, height, 255] = words else {
        return None;
    };
    let stride = 3 * width as usize;
    let (pixels, after) = rest.get(1..)?.split_at_checked(stride * height as usize)?;
    let view = ImageView::new(pixels, width, height, stride, PixelFormat::Rgb8).ok()?;
    Some((Image::from_view(&view), after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::test_tree::Tree;

    #[test]
    fn frames_lie_in_the_middles_of_equal_parts() {
        assert_eq!(spread(10, 1), [5]);
        assert_eq!(spread(12, 3), [2, 6, 10]);
        assert_eq!(spread(2, 5), [0, 1]);
        assert!(spread(0, 3).is_empty());
    }

    #[test]
    fn pixel_maps_follow_one_another() {
        let two = b"P6\n2 1\n255\nabcdefP6 1 1 255\nxyz";
        let (first, rest) = portable(two).unwrap();
        assert_eq!((first.width(), first.rgb()), (2, &b"abcdef"[..]));
        let (second, rest) = portable(rest).unwrap();
        assert_eq!((second.height(), second.rgb()), (1, &b"xyz"[..]));
        assert!(rest.is_empty());
        assert!(portable(b"P6 2 2 255\nabc").is_none());
        assert!(portable(b"P5 1 1 255\nabc").is_none());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let tree = Tree::new();
        tree.file("clip.mp4", b"no clip");
        tree.file("still.jpg", b"no picture");
        std::fs::create_dir(tree.path().join("empty")).unwrap();
        for (name, what) in [
            ("clip.mp4", "ff"),
            ("still.jpg", "still.jpg"),
            ("empty", "without frames"),
        ] {
            let fault = read(&tree.path().join(name), 3).unwrap_err();
            assert!(fault.contains(what), "{fault}");
        }
    }

    /// Runs where `ffmpeg` is there, and says so where it is not.
    #[test]
    fn a_clip_is_decoded_upright_and_at_even_places() {
        if Command::new("ffmpeg").arg("-version").output().is_err() {
            eprintln!("not tested: ffmpeg is not installed");
            return;
        }
        let tree = Tree::new();
        let path = tree.path().join("clip.avi");
        let mut make = Command::new("ffmpeg");
        make.args("-v error -f lavfi -i testsrc=s=64x48:r=10:d=2 -c:v mjpeg".split(' '));
        run(make.arg(&path)).unwrap();
        let frames = read(&path, 4).unwrap();
        assert_eq!(frames.len(), 4);
        assert!(frames.iter().all(|f| (f.width(), f.height()) == (64, 48)));
        assert_ne!(frames[0].rgb(), frames[3].rgb());
    }
}
