//! Celebrities in Frontal-Profile: 500 persons, ten frontal and four profile images each.

use std::collections::HashMap;
use std::path::Path;

use crate::protocol::{Builder, Protocol};

/// Which of the two protocols of CFP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Experiment {
    /// Frontal against frontal.
    FrontalFrontal,
    /// Frontal against profile.
    FrontalProfile,
}

const FOLDS: u32 = 10;
const PER_FOLD: usize = 350;

/// Reads CFP at `root` (the folder that holds `Data` and `Protocol`): ten folds of 350 mated and
/// 350 non-mated pairs.
pub fn read(root: &Path, experiment: Experiment) -> Protocol {
    read_folds(root, experiment, FOLDS, PER_FOLD)
}

fn read_folds(root: &Path, experiment: Experiment, folds: u32, per_fold: usize) -> Protocol {
    let (set, split, second) = match experiment {
        Experiment::FrontalFrontal => ("CFP-FF", "FF", "F"),
        Experiment::FrontalProfile => ("CFP-FP", "FP", "P"),
    };
    let mut builder = Builder::new(set);
    let protocol = root.join("Protocol");
    let lists = ["F", second].map(|kind| image_list(&mut builder, &protocol, kind));
    for fold in 0..folds {
        for (file, mated) in [("same.txt", true), ("diff.txt", false)] {
            let relative = format!("Split/{split}/{:02}/{file}", fold + 1);
            let text = builder.findings.read_text(&protocol.join(&relative));
            let mut pairs = 0;
            for (index, line) in text
                .lines()
                .enumerate()
                .filter(|(_, l)| !l.trim().is_empty())
            {
                pairs += 1;
                let place = format!("{relative}:{}", index + 1);
                let fields: Vec<&str> = line.trim().split(',').map(str::trim).collect();
                let [first, second] = fields[..] else {
                    builder
                        .findings
                        .add(place, format!("{} fields, expected 2", fields.len()));
                    continue;
                };
                let mut sample = |list: &HashMap<String, String>, number: &str| {
                    let Some(image) = list.get(number) else {
                        builder
                            .findings
                            .add(&place, format!("names image {number:?}, which no list has"));
                        return None;
                    };
                    let identity = image.split('/').rev().nth(2).unwrap_or(image);
                    builder.file_sample(&place, image, identity, root.join(image))
                };
                let probe = sample(&lists[0], first);
                let reference = sample(&lists[1], second);
                builder.compare(place, probe, reference, mated, fold, None);
            }
            builder
                .findings
                .expect_count(&relative, "pairs", per_fold, pairs);
        }
    }
    builder.finish(folds)
}

/// Reads `Pair_list_<kind>.txt`: number and path relative to the list, as `../Data/Images/...`.
fn image_list(builder: &mut Builder, protocol: &Path, kind: &str) -> HashMap<String, String> {
    let file = format!("Pair_list_{kind}.txt");
    let text = builder.findings.read_text(&protocol.join(&file));
    let mut list = HashMap::new();
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, l)| !l.trim().is_empty())
    {
        let place = format!("{file}:{}", index + 1);
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [number, path] => {
                let path = path.trim_start_matches("../").to_owned();
                if list.insert(number.to_owned(), path).is_some() {
                    builder
                        .findings
                        .add(place, format!("image number {number} is given twice"));
                }
            }
            _ => builder.findings.add(place, "expected a number and a path"),
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Pairs;
    use crate::readers::test_tree::{Tree, assert_finding};

    fn tree() -> Tree {
        let tree = Tree::new();
        let (mut frontal, mut profile) = (String::new(), String::new());
        for person in 1..=2 {
            for (kind, list) in [("frontal", &mut frontal), ("profile", &mut profile)] {
                let image = format!("Data/Images/{person:03}/{kind}/01.jpg");
                tree.file(&image, b"x");
                list.push_str(&format!("{person} ../{image}\n"));
            }
        }
        tree.file("Protocol/Pair_list_F.txt", frontal.as_bytes());
        tree.file("Protocol/Pair_list_P.txt", profile.as_bytes());
        tree.file("Protocol/Split/FP/01/same.txt", b"1,1\n2,2\n");
        tree.file("Protocol/Split/FP/01/diff.txt", b"1,2\n2,1\n");
        tree
    }

    #[test]
    fn frontal_profile_pairs_come_from_both_lists() {
        let protocol = read_folds(tree().path(), Experiment::FrontalProfile, 1, 2);
        assert_eq!(protocol.findings.0, []);
        assert_eq!(protocol.identities, ["001", "002"]);
        let Pairs::Listed(pairs) = &protocol.pairs else {
            panic!("listed pairs expected");
        };
        assert_eq!(pairs.len(), 4);
        for pair in pairs {
            let [probe, reference] =
                [pair.probe, pair.reference].map(|index| &protocol.samples[index as usize]);
            assert!(probe.name.contains("frontal") && reference.name.contains("profile"));
            assert_eq!(pair.mated, probe.identity == reference.identity);
        }
    }

    #[test]
    fn defects_are_told_with_their_line() {
        let tree = tree();
        tree.file("Protocol/Split/FP/01/same.txt", b"1,1\n7,2\n1\n");
        std::fs::remove_file(tree.path().join("Data/Images/002/profile/01.jpg")).unwrap();
        let findings = read_folds(tree.path(), Experiment::FrontalProfile, 1, 2).findings;
        assert_finding(
            &findings,
            "Split/FP/01/same.txt:2: names image \"7\", which no list has",
        );
        assert_finding(&findings, "Split/FP/01/same.txt:3: 1 fields, expected 2");
        assert_finding(&findings, "Split/FP/01/same.txt: 3 pairs, expected 2");
        assert_finding(&findings, "names an image that is missing");
    }
}
