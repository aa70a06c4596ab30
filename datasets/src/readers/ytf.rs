//! YouTube Faces: 5,000 pairs of clips in ten splits; the features of a clip's frames are averaged.

use std::path::Path;

use crate::protocol::{Builder, Protocol, Source};

const FOLDS: u32 = 10;
const PER_FOLD: usize = 250;

/// Reads YTF at `root`: `splits.txt` or `splits_corrected.txt`, and the frames below
/// `frame_images_DB/<Name>/<clip>/`. At most `frames` evenly spaced frames of a clip are taken.
pub fn read(root: &Path, frames: usize) -> Protocol {
    read_folds(root, frames, FOLDS, PER_FOLD)
}

fn read_folds(root: &Path, frames: usize, folds: u32, per_fold: usize) -> Protocol {
    let mut builder = Builder::new("YTF");
    let file = ["splits_corrected.txt", "splits.txt"]
        .into_iter()
        .find(|file| root.join(file).is_file())
        .unwrap_or("splits.txt");
    let text = builder.findings.read_text(&root.join(file));
    for (index, line) in text
        .lines()
        .enumerate()
        .skip(1)
        .filter(|(_, l)| !l.trim().is_empty())
    {
        let place = format!("{file}:{}", index + 1);
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let clips: Vec<&str> = fields.iter().copied().filter(|f| f.contains('/')).collect();
        let fold = fields.first().and_then(|field| field.parse::<u32>().ok());
        let mated = match fields.last() {
            Some(&"1") => Some(true),
            Some(&"0") => Some(false),
            _ => None,
        };
        let (&[first, second], Some(fold @ 1..), Some(mated)) = (&clips[..], fold, mated) else {
            builder.findings.add(
                place,
                "expected: split, number, <Name>/<clip>, <Name>/<clip>, ..., 0 or 1",
            );
            continue;
        };
        if fold > folds {
            builder
                .findings
                .add(place, format!("split {fold}, expected 1 to {folds}"));
            continue;
        }
        let mut clip = |clip: &str| {
            if let Some(sample) = builder.find(clip) {
                return Some(sample);
            }
            let folder = root.join("frame_images_DB").join(clip);
            let paths: Vec<_> = if folder.is_dir() {
                builder.findings.list(&folder)
            } else {
                Vec::new()
            };
            if paths.is_empty() {
                builder.findings.add(
                    &place,
                    format!("names a clip without frames: {}", folder.display()),
                );
                return None;
            }
            let take = frames.clamp(1, paths.len());
            let images = (0..take)
                .map(|i| Source::File(paths[i * paths.len() / take].clone()))
                .collect();
            let identity = clip.split('/').next().unwrap_or(clip);
            Some(builder.sample(clip, identity, images))
        };
        let (probe, reference) = (clip(first), clip(second));
        builder.compare(place, probe, reference, mated, fold - 1, None);
    }
    let counts = builder.counts();
    let expected = folds as usize * per_fold;
    builder
        .findings
        .expect_count(file, "mated pairs", expected, counts.mated);
    builder
        .findings
        .expect_count(file, "non-mated pairs", expected, counts.non_mated);
    builder.finish(folds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::test_tree::{Tree, assert_finding};

    fn tree(splits: &str) -> Tree {
        let tree = Tree::new();
        for clip in ["Ann/0", "Ann/3", "Bob/1"] {
            for frame in 0..5 {
                tree.file(
                    &format!("frame_images_DB/{clip}/{}.{frame}.jpg", &clip[4..]),
                    b"x",
                );
            }
        }
        tree.file("splits.txt", splits.as_bytes());
        tree
    }

    const GOOD: &str = "split number, pair number, first name, second name, is same\n\
                        1, 1, Ann/0, Ann/3, 1\n1, 2, Ann/0, Bob/1, 0\n";

    #[test]
    fn a_clip_is_one_sample_of_evenly_spaced_frames() {
        let protocol = read_folds(tree(GOOD).path(), 2, 1, 1);
        assert_eq!(protocol.findings.0, []);
        let names: Vec<_> = protocol.samples.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["Ann/0", "Ann/3", "Bob/1"]);
        assert_eq!(protocol.identities, ["Ann", "Bob"]);
        assert_eq!(protocol.samples[0].images.len(), 2);
    }

    #[test]
    fn defects_are_told_with_their_line() {
        let cases = [
            (
                GOOD.replace("Ann/3", "Ann/4"),
                "splits.txt:2: names a clip without frames",
            ),
            (
                GOOD.replace("Ann/3, 1", "Ann/3, yes"),
                "splits.txt:2: expected: split",
            ),
            (
                GOOD.replace("\n1, 2", "\n9, 2"),
                "splits.txt:3: split 9, expected 1 to 1",
            ),
            (
                GOOD.replace("1, 2, Ann/0, Bob/1, 0\n", ""),
                "0 non-mated pairs, expected 1",
            ),
        ];
        for (splits, expected) in cases {
            assert_finding(
                &read_folds(tree(&splits).path(), 2, 1, 1).findings,
                expected,
            );
        }
    }
}
