//! Presentation attack sets: bona fide and attack presentations by species.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::findings::{Findings, file_name};
use crate::readers::listed::Table;

/// The label that bona fide presentations carry in folders and CSV.
pub const BONA_FIDE: &str = "bona_fide";

/// One presentation: an image, a clip, or a folder of frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presentation {
    /// The name that reports use.
    pub name: String,
    /// The file or the folder of frames.
    pub path: PathBuf,
    /// The attack's species; none for a bona fide presentation.
    pub species: Option<String>,
    /// The capture set or subset it belongs to; frames of one set are correlated.
    pub set: String,
    /// The enrolled image that the presentation is made against, where the set says so.
    pub reference: Option<PathBuf>,
}

/// A presentation attack set.
#[derive(Clone, Debug)]
pub struct PadSet {
    /// Name of the set for reports.
    pub set: String,
    /// The presentations.
    pub presentations: Vec<Presentation>,
    /// What is wrong with the set.
    pub findings: Findings,
}

/// How the presentations are labelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `presentations.csv`: path, label (`bona_fide` or `attack`), species[, set][, reference]. A
    /// `*` in a path stands for any part of a name: one row then lists many presentations.
    Csv,
    /// Folders `<label>/` or `<set>/<label>/`, where the label is `bona_fide` or a species.
    Species,
    /// OULU-NPU protocols.
    OuluNpu,
    /// CelebA-Spoof `metas/intra_test`.
    CelebaSpoof,
    /// Replay-Attack folders.
    ReplayAttack,
}

/// Reads a presentation attack set of the given layout at `root`; the list of [`Layout::Csv`] may
/// lie elsewhere.
pub fn read(root: &Path, layout: Layout, list: Option<&Path>) -> PadSet {
    let mut reader = Reader {
        root: root.to_owned(),
        presentations: Vec::new(),
        findings: Findings::default(),
        seen: BTreeSet::new(),
    };
    let set = match layout {
        Layout::Csv => reader.csv(list),
        Layout::Species => reader.species(),
        Layout::OuluNpu => reader.oulu_npu(&OULU_COUNTS),
        Layout::CelebaSpoof => reader.celeba_spoof(625_537),
        Layout::ReplayAttack => reader.replay_attack(&REPLAY_COUNTS),
    };
    reader.check_species_names();
    if reader.presentations.is_empty() {
        reader.findings.add(root.display(), "no presentation found");
    }
    PadSet {
        set,
        presentations: reader.presentations,
        findings: reader.findings,
    }
}

/// Files, bona fide and attack, of OULU-NPU's three parts.
const OULU_COUNTS: [(&str, usize, usize); 3] = [
    ("Train", 360, 1_440),
    ("Dev", 270, 1_080),
    ("Test", 360, 1_440),
];
/// Files, bona fide and attack, of Replay-Attack's three parts.
const REPLAY_COUNTS: [(&str, usize, usize); 3] =
    [("train", 60, 300), ("devel", 60, 300), ("test", 80, 400)];
/// Spoof types of CelebA-Spoof by the value of attribute 40.
const CELEBA_SPECIES: [&str; 10] = [
    "photo",
    "poster",
    "a4",
    "face_mask",
    "upper_body_mask",
    "region_mask",
    "pc",
    "pad",
    "phone",
    "3d_mask",
];

/// Tells whether a name is made of the pieces of a pattern with any text at each `*` between them.
fn fits(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

struct Reader {
    root: PathBuf,
    presentations: Vec<Presentation>,
    findings: Findings,
    seen: BTreeSet<PathBuf>,
}

impl Reader {
    fn add(&mut self, place: &str, path: PathBuf, species: Option<String>, set: &str) -> bool {
        if !path.exists() {
            self.findings.add(
                place,
                format!("names a file that is missing: {}", path.display()),
            );
            return false;
        }
        if !self.seen.insert(path.clone()) {
            self.findings.add(
                place,
                format!("{} is given twice: counted once", path.display()),
            );
            return false;
        }
        let name = path
            .strip_prefix(&self.root)
            .unwrap_or(&path)
            .display()
            .to_string();
        self.presentations.push(Presentation {
            name,
            path,
            species,
            set: set.to_owned(),
            reference: None,
        });
        true
    }

    fn csv(&mut self, list: Option<&Path>) -> String {
        const FILE: &str = "presentations.csv";
        let own = self.root.join(FILE);
        let text = self.findings.read_text(list.unwrap_or(&own));
        let table = Table::parse(&text, &["path", "label", "species"]);
        for problem in &table.problems {
            self.findings.add(FILE, problem);
        }
        for (line, row) in &table.rows {
            let place = format!("{FILE}:{line}");
            let row = match row {
                Ok(row) => row,
                Err(problem) => {
                    self.findings.add(place, problem);
                    continue;
                }
            };
            let species = match (row["label"], row["species"]) {
                (BONA_FIDE, "") => None,
                ("attack", species) if !species.is_empty() => Some(species.to_owned()),
                ("attack", _) => {
                    self.findings.add(place, "an attack without a species");
                    continue;
                }
                (BONA_FIDE, species) => {
                    self.findings
                        .add(place, format!("bona_fide with the species {species:?}"));
                    continue;
                }
                (label, _) => {
                    self.findings.add(
                        place,
                        format!("label {label:?}, expected bona_fide or attack"),
                    );
                    continue;
                }
            };
            let set = row.get("set").copied().unwrap_or("");
            let reference = row
                .get("reference")
                .filter(|reference| !reference.is_empty());
            let reference = reference.map(|reference| self.root.join(reference));
            if let Some(reference) = reference.as_ref().filter(|path| !path.is_file()) {
                self.findings.add(
                    &place,
                    format!("names a reference that is missing: {}", reference.display()),
                );
                continue;
            }
            for path in self.matching(&place, row["path"]) {
                if self.add(&place, path, species.clone(), set)
                    && let Some(added) = self.presentations.last_mut()
                {
                    added.reference = reference.clone();
                }
            }
        }
        list.and_then(Path::file_stem).map_or_else(
            || FILE.to_owned(),
            |stem| stem.to_string_lossy().into_owned(),
        )
    }

    /// The path below the root, or those that its `*` stand for.
    fn matching(&mut self, place: &str, pattern: &str) -> Vec<PathBuf> {
        let mut paths = vec![self.root.clone()];
        for part in pattern.split('/') {
            if !part.contains('*') {
                paths.iter_mut().for_each(|path| path.push(part));
                continue;
            }
            let mut found = Vec::new();
            for folder in paths {
                let entries = self.findings.list(&folder);
                found.extend(entries.into_iter().filter(|p| fits(part, &file_name(p))));
            }
            paths = found;
        }
        if paths.is_empty() {
            self.findings
                .add(place, format!("nothing is named as {pattern:?}"));
        }
        paths
    }

    fn species(&mut self) -> String {
        let root = self.root.clone();
        let mut folders = self.findings.list(&root);
        folders.retain(|folder| folder.is_dir());
        let labels_at_root = folders.iter().any(|folder| {
            file_name(folder) == BONA_FIDE || self.findings.list(folder).iter().any(|e| e.is_file())
        });
        for folder in folders {
            if labels_at_root {
                self.label_folder(&folder, "");
                continue;
            }
            for label in self.findings.list(&folder) {
                self.label_folder(&label, &file_name(&folder));
            }
        }
        file_name(&root)
    }

    fn label_folder(&mut self, folder: &Path, set: &str) {
        let label = file_name(folder);
        let plain: String = label
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase();
        let bona_fide_words = [
            "bonafide",
            "bonafides",
            "bonefide",
            "live",
            "real",
            "genuine",
        ];
        if label != BONA_FIDE && bona_fide_words.contains(&plain.as_str()) {
            self.findings.add(
                folder.display(),
                format!("label {label:?} is neither bona_fide nor a species: left out"),
            );
            return;
        }
        let species = (label != BONA_FIDE).then_some(label);
        for path in self.findings.list(folder) {
            let place = path.display().to_string();
            self.add(&place, path, species.clone(), set);
        }
    }

    fn oulu_npu(&mut self, counts: &[(&str, usize, usize)]) -> String {
        for &(part, bona_fide, attacks) in counts {
            let folder = self.root.join(format!("{part}_files"));
            let before = self.presentations.len();
            for path in self.findings.list(&folder) {
                let file = file_name(&path);
                let is_clip = path.is_dir() || file.ends_with(".avi");
                if !is_clip {
                    continue;
                }
                // <phone>_<session>_<user>_<file>
                let stem = file.trim_end_matches(".avi");
                let species = match stem.rsplit('_').next() {
                    Some("1") => None,
                    Some("2") => Some("print_1"),
                    Some("3") => Some("print_2"),
                    Some("4") => Some("replay_1"),
                    Some("5") => Some("replay_2"),
                    _ => {
                        self.findings
                            .add(path.display(), "expected <phone>_<session>_<user>_<1 to 5>");
                        continue;
                    }
                };
                let place = path.display().to_string();
                self.add(&place, path, species.map(str::to_owned), part);
            }
            self.count_part(part, before, bona_fide, attacks);
            self.oulu_protocols(part);
        }
        "OULU-NPU".to_owned()
    }

    /// Checks that the protocol lists name only clips that exist, with the label of their name.
    fn oulu_protocols(&mut self, part: &str) {
        let known: HashMap<String, bool> = self
            .presentations
            .iter()
            .filter(|p| p.set == part)
            .map(|p| {
                let stem = file_name(&p.path).trim_end_matches(".avi").to_owned();
                (stem, p.species.is_none())
            })
            .collect();
        let protocols = self.root.join("Protocols");
        for folder in self
            .findings
            .list(&protocols)
            .into_iter()
            .filter(|f| f.is_dir())
        {
            for list in self.findings.list(&folder) {
                if !file_name(&list).starts_with(part) {
                    continue;
                }
                let text = self.findings.read_text(&list);
                for (index, line) in text
                    .lines()
                    .enumerate()
                    .filter(|(_, l)| !l.trim().is_empty())
                {
                    let place = format!("{}:{}", list.display(), index + 1);
                    let Some((label, clip)) = line.trim().split_once(',') else {
                        self.findings.add(place, "expected <label>,<clip>");
                        continue;
                    };
                    match (label.trim(), known.get(clip.trim())) {
                        (_, None) => self
                            .findings
                            .add(place, format!("names an unknown clip {clip:?}")),
                        ("+1", Some(true)) | ("-1" | "-2", Some(false)) => {}
                        (label, Some(_)) => self.findings.add(
                            place,
                            format!("label {label:?} contradicts the name {clip:?}"),
                        ),
                    }
                }
            }
        }
    }

    fn celeba_spoof(&mut self, expected: usize) -> String {
        for part in ["train", "test"] {
            let file = format!("metas/intra_test/{part}_label.json");
            let text = self.findings.read_text(&self.root.join(&file));
            if text.is_empty() {
                continue;
            }
            let rows: BTreeMap<String, Vec<i64>> = match serde_json::from_str(&text) {
                Ok(rows) => rows,
                Err(error) => {
                    self.findings.add(
                        &file,
                        format!("not an object of path to attributes: {error}"),
                    );
                    continue;
                }
            };
            for (path, attributes) in rows {
                let place = format!("{file}:{path}");
                let [.., kind, _, _, spoof] = attributes[..] else {
                    self.findings.add(
                        place,
                        format!("{} attributes, expected 44", attributes.len()),
                    );
                    continue;
                };
                let named_live = path.contains("/live/");
                let species = match (kind, spoof) {
                    (0, 0) if named_live => None,
                    (1..=10, 1) if !named_live => {
                        Some(CELEBA_SPECIES[kind as usize - 1].to_owned())
                    }
                    _ => {
                        self.findings.add(
                            place,
                            format!("spoof type {kind} and label {spoof} contradict the folder"),
                        );
                        continue;
                    }
                };
                let path = self.root.join(path);
                self.add(&place, path, species, part);
            }
        }
        let place = self.root.display().to_string();
        self.findings
            .expect_count(place, "images", expected, self.presentations.len());
        "CelebA-Spoof".to_owned()
    }

    fn replay_attack(&mut self, counts: &[(&str, usize, usize)]) -> String {
        for &(part, bona_fide, attacks) in counts {
            let before = self.presentations.len();
            let folder = self.root.join(part);
            for path in self.findings.list(&folder.join("real")) {
                let place = path.display().to_string();
                self.add(&place, path, None, part);
            }
            for support in ["fixed", "hand"] {
                for path in self.findings.list(&folder.join("attack").join(support)) {
                    let place = path.display().to_string();
                    let file = file_name(&path);
                    // attack_<device>_client<id>_session<n>_<quality>_<photo|video>_<light>
                    let fields: Vec<&str> = file.split('_').collect();
                    let medium = fields.iter().find(|f| ["photo", "video"].contains(f));
                    match (&fields[..], medium) {
                        (["attack", device @ ("print" | "mobile" | "highdef"), ..], Some(m)) => {
                            let species = format!("{device}_{m}_{support}");
                            self.add(&place, path, Some(species), part);
                        }
                        _ => self.findings.add(
                            place,
                            "expected attack_<print|mobile|highdef>_..._<photo|video>_...",
                        ),
                    }
                }
            }
            self.count_part(part, before, bona_fide, attacks);
        }
        "Replay-Attack".to_owned()
    }

    fn count_part(&mut self, part: &str, before: usize, bona_fide: usize, attacks: usize) {
        let added = &self.presentations[before..];
        let seen = added.iter().filter(|p| p.species.is_none()).count();
        let seen_attacks = added.len() - seen;
        self.findings
            .expect_count(part, "bona fide presentations", bona_fide, seen);
        self.findings
            .expect_count(part, "attack presentations", attacks, seen_attacks);
    }

    /// Species that differ in one character or in case are most likely one species misspelt.
    fn check_species_names(&mut self) {
        let names: BTreeSet<&String> = self
            .presentations
            .iter()
            .filter_map(|p| p.species.as_ref())
            .collect();
        let names: Vec<&String> = names.into_iter().collect();
        for (index, a) in names.iter().enumerate() {
            for b in &names[index + 1..] {
                let both_end_in_digit = [a, b]
                    .iter()
                    .all(|name| name.ends_with(|c: char| c.is_ascii_digit()));
                if !both_end_in_digit && almost_equal(&a.to_lowercase(), &b.to_lowercase()) {
                    self.findings.add(
                        self.root.display(),
                        format!("species {a:?} and {b:?} differ by a letter: one is a typo"),
                    );
                }
            }
        }
    }
}

/// Tells whether one insertion, deletion or substitution at most separates two names of 4 or more.
fn almost_equal(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() {
        (&a, &b)
    } else {
        (&b, &a)
    };
    if short.len() < 4 || long.len() - short.len() > 1 {
        return false;
    }
    let start = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let skip = usize::from(long.len() == short.len()).min(short.len() - start);
    short[start + skip..] == long[(start + 1).min(long.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::test_tree::{Tree, assert_finding};

    fn summary(set: &PadSet) -> Vec<(&str, &str, &str)> {
        set.presentations
            .iter()
            .map(|p| {
                (
                    p.name.as_str(),
                    p.species.as_deref().unwrap_or("-"),
                    p.set.as_str(),
                )
            })
            .collect()
    }

    #[test]
    fn species_folders_with_and_without_sets() {
        for (prefix, set) in [("", ""), ("lab/", "lab")] {
            let tree = Tree::new();
            for file in ["bona_fide/1.jpg", "print/clip/1.jpg", "print/clip/2.jpg"] {
                tree.file(&format!("{prefix}{file}"), b"x");
            }
            let found = read(tree.path(), Layout::Species, None);
            assert_eq!(found.findings.0, []);
            let names = [
                format!("{prefix}bona_fide/1.jpg"),
                format!("{prefix}print/clip"),
            ];
            assert_eq!(
                summary(&found),
                [
                    (names[0].as_str(), "-", set),
                    (names[1].as_str(), "print", set)
                ]
            );
        }
    }

    #[test]
    fn a_row_may_list_many_and_the_list_may_lie_elsewhere() {
        let tree = Tree::new();
        for file in [
            "a/1.jpg",
            "a/2.jpg",
            "a/note.txt",
            "b/video/bona.mp4",
            "b/video/replay.mp4",
        ] {
            tree.file(file, b"x");
        }
        tree.file(
            "lists/mine.csv",
            b"path,label,species,set\na/*.jpg,bona_fide,,a\n*/video/r*y.mp4,attack,screen,b\n\
            c*/x,attack,print,c\n",
        );
        let list = tree.path().join("lists/mine.csv");
        let set = read(tree.path(), Layout::Csv, Some(&list));
        assert_eq!(
            summary(&set),
            [
                ("a/1.jpg", "-", "a"),
                ("a/2.jpg", "-", "a"),
                ("b/video/replay.mp4", "screen", "b")
            ]
        );
        assert_finding(&set.findings, "nothing is named as \"c*/x\"");
        assert!(fits("*", "any") && fits("a*c*e", "abcde") && fits("exact", "exact"));
        assert!(!fits("a*c", "ab") && !fits("exact", "exactly") && !fits("a*a", "b"));
    }

    #[test]
    fn misspelt_labels_are_found() {
        let tree = Tree::new();
        for file in [
            "bonafide/1.jpg",
            "replay/1.jpg",
            "repla/1.jpg",
            "Print/1.jpg",
            "print/1.jpg",
        ] {
            tree.file(file, b"x");
        }
        let set = read(tree.path(), Layout::Species, None);
        assert_finding(
            &set.findings,
            "label \"bonafide\" is neither bona_fide nor a species",
        );
        assert_finding(
            &set.findings,
            "species \"repla\" and \"replay\" differ by a letter",
        );
        assert_finding(
            &set.findings,
            "species \"Print\" and \"print\" differ by a letter",
        );
        assert!(set.presentations.iter().all(|p| p.species.is_some()));
    }

    #[test]
    fn csv_defects_are_told_with_their_line() {
        let tree = Tree::new();
        tree.file("a.jpg", b"x");
        tree.file("b.jpg", b"x");
        tree.file(
            "presentations.csv",
            b"path,label,species,set,reference\n\
              a.jpg,bona_fide,,one,\nb.jpg,attack,print,one,a.jpg\n\
              a.jpg,attack,print,one,\nb.jpg,atack,print,one,\nb.jpg,attack,,one,\n\
              c.jpg,attack,print,one,\nb.jpg,bona_fide,print,one,\nb.jpg,attack,print,one,z.jpg\n",
        );
        let set = read(tree.path(), Layout::Csv, None);
        assert_eq!(
            summary(&set),
            [("a.jpg", "-", "one"), ("b.jpg", "print", "one")]
        );
        assert!(set.presentations[1].reference.is_some());
        for expected in [
            "presentations.csv:4: ",
            "presentations.csv:5: label \"atack\", expected bona_fide or attack",
            "presentations.csv:6: an attack without a species",
            "presentations.csv:7: names a file that is missing",
            "presentations.csv:8: bona_fide with the species",
            "presentations.csv:9: names a reference that is missing",
        ] {
            assert_finding(&set.findings, expected);
        }
    }

    fn reader(tree: &Tree) -> Reader {
        Reader {
            root: tree.path().to_owned(),
            presentations: Vec::new(),
            findings: Findings::default(),
            seen: BTreeSet::new(),
        }
    }

    #[test]
    fn oulu_npu_names_and_protocols_are_checked() {
        let tree = Tree::new();
        for kind in 1..=5 {
            tree.file(&format!("Train_files/1_1_01_{kind}.avi"), b"x");
        }
        tree.file(
            "Protocols/Protocol_1/Train.txt",
            b"+1,1_1_01_1\n-1,1_1_01_2\n-2,1_1_01_4\n",
        );
        let mut good = reader(&tree);
        good.oulu_npu(&[("Train", 1, 4)]);
        assert_eq!(good.findings.0, []);
        let species: Vec<_> = good
            .presentations
            .iter()
            .map(|p| p.species.clone())
            .collect();
        assert_eq!(species[0], None);
        assert_eq!(species[4].as_deref(), Some("replay_2"));

        tree.file(
            "Protocols/Protocol_1/Train.txt",
            b"-1,1_1_01_1\n+1,9_9_99_1\n",
        );
        std::fs::remove_file(tree.path().join("Train_files/1_1_01_5.avi")).unwrap();
        let mut broken = reader(&tree);
        broken.oulu_npu(&[("Train", 1, 4)]);
        assert_finding(
            &broken.findings,
            "Train.txt:1: label \"-1\" contradicts the name",
        );
        assert_finding(
            &broken.findings,
            "Train.txt:2: names an unknown clip \"9_9_99_1\"",
        );
        assert_finding(
            &broken.findings,
            "Train: 3 attack presentations, expected 4",
        );
    }

    #[test]
    fn celeba_spoof_species_come_from_attribute_40() {
        let attributes = |kind: i64, spoof: i64| {
            let mut row = vec![0; 40];
            row.extend([kind, 0, 0, spoof]);
            row
        };
        let tree = Tree::new();
        tree.file("Data/train/1/live/1.jpg", b"x");
        tree.file("Data/test/1/spoof/1.png", b"x");
        let json = |rows: &[(&str, Vec<i64>)]| {
            let rows: BTreeMap<_, _> = rows.iter().cloned().collect();
            serde_json::to_vec(&rows).unwrap()
        };
        tree.file(
            "metas/intra_test/train_label.json",
            &json(&[("Data/train/1/live/1.jpg", attributes(0, 0))]),
        );
        tree.file(
            "metas/intra_test/test_label.json",
            &json(&[("Data/test/1/spoof/1.png", attributes(9, 1))]),
        );
        let mut good = reader(&tree);
        good.celeba_spoof(2);
        assert_eq!(good.findings.0, []);
        assert_eq!(good.presentations[1].species.as_deref(), Some("phone"));

        tree.file(
            "metas/intra_test/train_label.json",
            &json(&[("Data/train/1/live/1.jpg", attributes(3, 1))]),
        );
        let mut broken = reader(&tree);
        broken.celeba_spoof(2);
        assert_finding(
            &broken.findings,
            "spoof type 3 and label 1 contradict the folder",
        );
        assert_finding(&broken.findings, "1 images, expected 2");
    }

    #[test]
    fn replay_attack_species_come_from_the_file_name() {
        let tree = Tree::new();
        tree.file(
            "train/real/client001_session01_webcam_authenticate_adverse_1.mov",
            b"x",
        );
        tree.file(
            "train/attack/hand/attack_mobile_client001_session01_mobile_video_adverse.mov",
            b"x",
        );
        tree.file(
            "train/attack/fixed/attack_print_client001_session01_highdef_photo_adverse.mov",
            b"x",
        );
        let mut good = reader(&tree);
        good.replay_attack(&[("train", 1, 2)]);
        assert_eq!(good.findings.0, []);
        let species: Vec<_> = good
            .presentations
            .iter()
            .map(|p| p.species.clone())
            .collect();
        assert_eq!(
            species,
            [
                None,
                Some("print_photo_fixed".into()),
                Some("mobile_video_hand".into())
            ]
        );
        tree.file("train/attack/hand/attack_fax_client001.mov", b"x");
        let mut broken = reader(&tree);
        broken.replay_attack(&[("train", 1, 3)]);
        assert_finding(&broken.findings, "expected attack_<print|mobile|highdef>");
        assert_finding(&broken.findings, "2 attack presentations, expected 3");
    }
}
