//! Video sets of real and manipulated faces: FaceForensics++, Celeb-DF, DFDC.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::findings::{Findings, file_name};

/// One clip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    /// The name that reports use.
    pub name: String,
    /// The video file or the folder of frames.
    pub path: PathBuf,
    /// The manipulation; none for a real clip.
    pub manipulation: Option<String>,
    /// The real clip that a manipulated one was made from, where the set says so.
    pub original: Option<String>,
}

/// A set of clips.
#[derive(Clone, Debug)]
pub struct VideoSet {
    /// Name of the set for reports.
    pub set: String,
    /// The clips.
    pub clips: Vec<Clip>,
    /// What is wrong with the set.
    pub findings: Findings,
}

/// How a video set is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// FaceForensics++: the official tree, or `original/` beside one folder a method.
    FaceForensics,
    /// Celeb-DF v2.
    CelebDf,
    /// DFDC: folders with `metadata.json`.
    Dfdc,
}

const METHODS: [&str; 6] = [
    "Deepfakes",
    "Face2Face",
    "FaceShifter",
    "FaceSwap",
    "NeuralTextures",
    "DeepFakeDetection",
];

/// Reads a video set of the given layout at `root`.
pub fn read(root: &Path, layout: Layout) -> VideoSet {
    let mut findings = Findings::default();
    let (set, clips) = match layout {
        Layout::FaceForensics => (
            "FaceForensics++",
            face_forensics(root, 1_000, &mut findings),
        ),
        Layout::CelebDf => (
            "Celeb-DF v2",
            celeb_df(root, &CELEB_DF_COUNTS, &mut findings),
        ),
        Layout::Dfdc => ("DFDC", dfdc(root, &mut findings)),
    };
    if clips.is_empty() {
        findings.add(root.display(), "no clip found");
    }
    VideoSet {
        set: set.to_owned(),
        clips,
        findings,
    }
}

fn stem(path: &Path) -> String {
    let name = file_name(path);
    match name.rsplit_once('.') {
        Some((stem, _)) if path.is_file() => stem.to_owned(),
        _ => name,
    }
}

fn is_clip(path: &Path) -> bool {
    path.is_dir()
        || [".mp4", ".avi", ".mov", ".mkv", ".webm"]
            .iter()
            .any(|end| file_name(path).to_lowercase().ends_with(end))
}

fn face_forensics(root: &Path, full_count: usize, findings: &mut Findings) -> Vec<Clip> {
    let mut folders: Vec<(Option<&str>, PathBuf)> = Vec::new();
    let official = root.join("original_sequences");
    if official.is_dir() {
        let quality = |folder: PathBuf, findings: &mut Findings| {
            findings
                .list(&folder)
                .into_iter()
                .map(|quality| quality.join("videos"))
                .filter(|videos| videos.is_dir())
                .collect::<Vec<_>>()
        };
        for videos in quality(official.join("youtube"), findings) {
            folders.push((None, videos));
        }
        for method in METHODS {
            let folder = root.join("manipulated_sequences").join(method);
            if folder.is_dir() {
                for videos in quality(folder, findings) {
                    folders.push((Some(method), videos));
                }
            }
        }
    } else {
        folders.push((None, root.join("original")));
        for folder in findings.list(root).into_iter().filter(|f| f.is_dir()) {
            let name = file_name(&folder);
            match METHODS.iter().find(|&&method| method == name) {
                Some(method) => folders.push((Some(method), folder)),
                None if name == "original" => {}
                None => findings.add(
                    folder.display(),
                    format!(
                        "unknown method, expected original or one of {}",
                        METHODS.join(", ")
                    ),
                ),
            }
        }
    }
    let mut clips = Vec::new();
    for (method, folder) in folders {
        let paths: Vec<_> = findings
            .list(&folder)
            .into_iter()
            .filter(|p| is_clip(p))
            .collect();
        if official.is_dir() && method != Some("DeepFakeDetection") {
            findings.expect_count(folder.display(), "clips", full_count, paths.len());
        }
        for path in paths {
            let name = stem(&path);
            let target = name.split('_').next().unwrap_or(&name).to_owned();
            clips.push(Clip {
                name: format!("{}/{name}", method.unwrap_or("original")),
                path,
                manipulation: method.map(str::to_owned),
                original: method.map(|_| format!("original/{target}")),
            });
        }
    }
    let known: HashSet<String> = clips.iter().map(|clip| clip.name.clone()).collect();
    for clip in &clips {
        if let Some(original) = clip.original.as_ref().filter(|name| !known.contains(*name)) {
            findings.add(&clip.name, format!("its original {original} is missing"));
        }
    }
    clips
}

const CELEB_DF_COUNTS: [(&str, bool, usize); 3] = [
    ("Celeb-real", true, 590),
    ("YouTube-real", true, 300),
    ("Celeb-synthesis", false, 5_639),
];

fn celeb_df(root: &Path, counts: &[(&str, bool, usize)], findings: &mut Findings) -> Vec<Clip> {
    let mut clips = Vec::new();
    for &(folder, real, count) in counts {
        let paths: Vec<_> = findings
            .list(&root.join(folder))
            .into_iter()
            .filter(|path| is_clip(path))
            .collect();
        findings.expect_count(folder, "clips", count, paths.len());
        for path in paths {
            clips.push(Clip {
                name: format!("{folder}/{}", stem(&path)),
                path,
                manipulation: (!real).then(|| folder.to_owned()),
                original: None,
            });
        }
    }
    const LIST: &str = "List_of_testing_videos.txt";
    let truth: BTreeMap<String, bool> = clips
        .iter()
        .map(|clip| (clip.name.clone(), clip.manipulation.is_none()))
        .collect();
    let text = findings.read_text(&root.join(LIST));
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, l)| !l.trim().is_empty())
    {
        let place = format!("{LIST}:{}", index + 1);
        let Some((label @ ("0" | "1"), path)) = line.trim().split_once(' ') else {
            findings.add(place, "expected 0 (fake) or 1 (real) and a path");
            continue;
        };
        let name = path.trim().rsplit_once('.').map_or(path, |(name, _)| name);
        match truth.get(name) {
            None => findings.add(place, format!("names an unknown clip {path:?}")),
            Some(&real) if real != (label == "1") => {
                findings.add(
                    place,
                    format!("label {label} contradicts the folder of {path}"),
                );
            }
            Some(_) => {}
        }
    }
    clips
}

#[derive(Deserialize)]
struct DfdcEntry {
    label: String,
    original: Option<String>,
}

fn dfdc(root: &Path, findings: &mut Findings) -> Vec<Clip> {
    let mut folders = vec![root.to_owned()];
    if !root.join("metadata.json").is_file() {
        folders = findings
            .list(root)
            .into_iter()
            .filter(|f| f.is_dir())
            .collect();
    }
    let mut clips = Vec::new();
    for folder in folders {
        let file = folder.join("metadata.json");
        let text = findings.read_text(&file);
        if text.is_empty() {
            continue;
        }
        let entries: BTreeMap<String, DfdcEntry> = match serde_json::from_str(&text) {
            Ok(entries) => entries,
            Err(error) => {
                findings.add(file.display(), format!("not the metadata of DFDC: {error}"));
                continue;
            }
        };
        for (name, entry) in &entries {
            let place = format!("{}:{name}", file.display());
            let manipulation = match entry.label.as_str() {
                "REAL" => None,
                "FAKE" => Some("FAKE".to_owned()),
                other => {
                    findings.add(place, format!("label {other:?}, expected REAL or FAKE"));
                    continue;
                }
            };
            let path = folder.join(name);
            if !path.is_file() {
                findings.add(place, "the clip is missing");
                continue;
            }
            clips.push(Clip {
                name: format!("{}/{name}", file_name(&folder)),
                path,
                manipulation,
                original: entry.original.clone(),
            });
        }
        for path in findings
            .list(&folder)
            .into_iter()
            .filter(|path| path.is_file())
        {
            if is_clip(&path) && !entries.contains_key(&file_name(&path)) {
                findings.add(path.display(), "a clip that metadata.json does not name");
            }
        }
    }
    clips
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::test_tree::{Tree, assert_finding};

    #[test]
    fn face_forensics_short_and_official_trees() {
        let short = Tree::new();
        short.file("original/519.mp4", b"x");
        short.file("Deepfakes/519_515.mp4", b"x");
        let set = read(short.path(), Layout::FaceForensics);
        assert_eq!(set.findings.0, []);
        assert_eq!(set.clips[1].manipulation.as_deref(), Some("Deepfakes"));
        assert_eq!(set.clips[1].original.as_deref(), Some("original/519"));
        short.file("FaceSwap/777_001.mp4", b"x");
        short.file("Faceswap2/777_001.mp4", b"x");
        let set = read(short.path(), Layout::FaceForensics);
        assert_finding(
            &set.findings,
            "FaceSwap/777_001: its original original/777 is missing",
        );
        assert_finding(&set.findings, "unknown method");

        let full = Tree::new();
        full.file("original_sequences/youtube/c23/videos/000.mp4", b"x");
        full.file(
            "manipulated_sequences/FaceSwap/c23/videos/000_003.mp4",
            b"x",
        );
        let mut findings = Findings::default();
        let clips = face_forensics(full.path(), 1, &mut findings);
        assert_eq!(findings.0, []);
        assert_eq!(clips.len(), 2);
        face_forensics(full.path(), 1_000, &mut findings);
        assert_finding(&findings, "1 clips, expected 1000");
    }

    #[test]
    fn celeb_df_list_must_agree_with_the_folders() {
        let tree = Tree::new();
        tree.file("Celeb-real/id0_0000.mp4", b"x");
        tree.file("Celeb-synthesis/id0_id1_0000.mp4", b"x");
        tree.file(
            "List_of_testing_videos.txt",
            b"1 Celeb-real/id0_0000.mp4\n0 Celeb-synthesis/id0_id1_0000.mp4\n",
        );
        let counts = [("Celeb-real", true, 1), ("Celeb-synthesis", false, 1)];
        let mut findings = Findings::default();
        assert_eq!(celeb_df(tree.path(), &counts, &mut findings).len(), 2);
        assert_eq!(findings.0, []);
        tree.file(
            "List_of_testing_videos.txt",
            b"0 Celeb-real/id0_0000.mp4\n1 Celeb-real/id9.mp4\nreal x\n",
        );
        celeb_df(tree.path(), &counts, &mut findings);
        assert_finding(
            &findings,
            "List_of_testing_videos.txt:1: label 0 contradicts",
        );
        assert_finding(
            &findings,
            "List_of_testing_videos.txt:2: names an unknown clip",
        );
        assert_finding(&findings, "List_of_testing_videos.txt:3: expected 0 (fake)");
    }

    #[test]
    fn dfdc_metadata_and_files_must_agree() {
        let tree = Tree::new();
        tree.file("dfdc_train_part_0/a.mp4", b"x");
        tree.file("dfdc_train_part_0/b.mp4", b"x");
        tree.file(
            "dfdc_train_part_0/metadata.json",
            br#"{"a.mp4":{"label":"FAKE","split":"train","original":"b.mp4"},
                "b.mp4":{"label":"REAL","split":"train"}}"#,
        );
        let set = read(tree.path(), Layout::Dfdc);
        assert_eq!(set.findings.0, []);
        assert_eq!(set.clips[0].original.as_deref(), Some("b.mp4"));
        tree.file("dfdc_train_part_0/c.mp4", b"x");
        tree.file(
            "dfdc_train_part_0/metadata.json",
            br#"{"a.mp4":{"label":"FAK"},"d.mp4":{"label":"REAL"},"b.mp4":{"label":"REAL"}}"#,
        );
        let set = read(tree.path(), Layout::Dfdc);
        assert_finding(&set.findings, "metadata.json:a.mp4: label \"FAK\"");
        assert_finding(&set.findings, "metadata.json:d.mp4: the clip is missing");
        assert_finding(
            &set.findings,
            "c.mp4: a clip that metadata.json does not name",
        );
    }
}
