//! Labeled Faces in the Wild: View 1 (development), View 2 (ten folds).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::protocol::{Builder, Protocol};

/// Which lists of LFW make the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// `pairsDevTrain.txt` and `pairsDevTest.txt`: choose and calibrate on these.
    One,
    /// `pairs.txt`, ten folds of 300 mated and 300 non-mated pairs: report on these.
    Two,
    /// Every image that either view names.
    Both,
}

struct List {
    file: &'static str,
    folds: u32,
    per_fold: usize,
}

const DEV_TRAIN: List = List {
    file: "pairsDevTrain.txt",
    folds: 1,
    per_fold: 1100,
};
const DEV_TEST: List = List {
    file: "pairsDevTest.txt",
    folds: 1,
    per_fold: 500,
};
const VIEW_2: List = List {
    file: "pairs.txt",
    folds: 10,
    per_fold: 300,
};

/// Reads LFW at `root`: the pair lists, and the images in `images/`, `lfw/` or beside them.
///
/// View 1 names 4,992 images and 3,200 pairs, View 2 7,701 images and 6,000 pairs; other counts are
/// findings.
pub fn read(root: &Path, view: View) -> Protocol {
    let (name, lists, samples): (_, &[List], _) = match view {
        View::One => ("LFW View 1", &[DEV_TRAIN, DEV_TEST], 4_992),
        View::Two => ("LFW View 2", &[VIEW_2], 7_701),
        View::Both => ("LFW Views 1 and 2", &[DEV_TRAIN, DEV_TEST, VIEW_2], 9_056),
    };
    read_lists(root, name, lists, samples, view == View::Both)
}

fn read_lists(
    root: &Path,
    name: &str,
    lists: &[List],
    samples: usize,
    views_overlap: bool,
) -> Protocol {
    let mut builder = Builder::new(name);
    let images = image_folder(root);
    let mut expected = 0;
    for list in lists {
        read_list(&mut builder, root, &images, list, views_overlap);
        expected += list.folds as usize * list.per_fold;
    }
    let counts = builder.counts();
    let place = root.display();
    builder
        .findings
        .expect_count(&place, "images named by the lists", samples, counts.samples);
    if !views_overlap {
        builder
            .findings
            .expect_count(&place, "mated pairs", expected, counts.mated);
        builder
            .findings
            .expect_count(&place, "non-mated pairs", expected, counts.non_mated);
    }
    let folds = if lists.len() == 1 { lists[0].folds } else { 0 };
    builder.finish(folds)
}

fn image_folder(root: &Path) -> PathBuf {
    ["images", "lfw"]
        .iter()
        .map(|folder| root.join(folder))
        .find(|folder| folder.is_dir())
        .unwrap_or_else(|| root.to_owned())
}

fn read_list(builder: &mut Builder, root: &Path, images: &Path, list: &List, overlap: bool) {
    let path = root.join(list.file);
    let text = builder.findings.read_text(&path);
    if text.is_empty() {
        return;
    }
    let header: Vec<&str> = text
        .lines()
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let expected = match list.folds {
        1 => vec![list.per_fold.to_string()],
        folds => vec![folds.to_string(), list.per_fold.to_string()],
    };
    if header != expected {
        builder.findings.add(
            format!("{}:1", list.file),
            format!(
                "header {:?}, expected {:?}",
                header.join(" "),
                expected.join(" ")
            ),
        );
    }
    let mut seen = HashMap::new();
    let rows = text
        .lines()
        .enumerate()
        .skip(1)
        .filter(|(_, line)| !line.trim().is_empty());
    for (row, (index, line)) in rows.enumerate() {
        let place = format!("{}:{}", list.file, index + 1);
        let mated_expected = row % (2 * list.per_fold) < list.per_fold;
        let fold = (row / (2 * list.per_fold)) as u32;
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (first, second, mated) = match fields[..] {
            [name, a, b] => ((name, a), (name, b), true),
            [name_a, a, name_b, b] => ((name_a, a), (name_b, b), false),
            _ => {
                builder.findings.add(
                    &place,
                    format!(
                        "{} fields, expected 3 (mated) or 4 (non-mated)",
                        fields.len()
                    ),
                );
                continue;
            }
        };
        if fold >= list.folds {
            builder
                .findings
                .add(&place, "a pair beyond the number that the header gives");
            continue;
        }
        if mated != mated_expected {
            let kind = |mated| if mated { "mated" } else { "non-mated" };
            builder.findings.add(
                &place,
                format!(
                    "a {} pair where a {} one is due",
                    kind(mated),
                    kind(mated_expected)
                ),
            );
        }
        if !mated && first.0 == second.0 {
            builder.findings.add(
                &place,
                format!("a non-mated pair of one person, {}: left out", first.0),
            );
            continue;
        }
        let mut sample = |(name, number): (&str, &str)| match number.parse::<u32>() {
            Ok(number) => {
                let file = format!("{name}_{number:04}.jpg");
                builder.file_sample(&place, &file, name, images.join(name).join(&file))
            }
            Err(_) => {
                builder
                    .findings
                    .add(&place, format!("{number:?} is not an image number"));
                None
            }
        };
        let (probe, reference) = (sample(first), sample(second));
        if overlap {
            if let (Some(a), Some(b)) = (probe, reference)
                && let Some(line) = seen.insert((a.min(b), a.max(b)), index + 1)
            {
                builder
                    .findings
                    .add(&place, format!("duplicate of the pair in line {line}"));
            }
        } else {
            builder.compare(&place, probe, reference, mated, fold, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Pairs;
    use crate::readers::test_tree::Tree;

    const SMALL: List = List {
        file: "pairs.txt",
        folds: 2,
        per_fold: 1,
    };

    fn tree(pairs: &str) -> Tree {
        let tree = Tree::new();
        for (name, count) in [("Ann", 2), ("Bob", 2), ("Eve", 1)] {
            for number in 1..=count {
                tree.file(&format!("images/{name}/{name}_{number:04}.jpg"), b"x");
            }
        }
        tree.file("pairs.txt", pairs.as_bytes());
        tree
    }

    fn read_small(tree: &Tree, samples: usize) -> Protocol {
        read_lists(tree.path(), "small", &[SMALL], samples, false)
    }

    const GOOD: &str = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\nBob\t1\t2\nBob\t2\tEve\t1\n";

    #[test]
    fn a_whole_set_has_no_findings_and_the_folds_of_the_list() {
        let protocol = read_small(&tree(GOOD), 5);
        assert_eq!(protocol.findings.0, []);
        let Pairs::Listed(pairs) = &protocol.pairs else {
            panic!("listed pairs expected");
        };
        let seen: Vec<_> = pairs.iter().map(|pair| (pair.mated, pair.fold)).collect();
        assert_eq!(seen, [(true, 0), (false, 0), (true, 1), (false, 1)]);
        assert_eq!(protocol.samples[0].name, "Ann_0001.jpg");
        assert_eq!(protocol.identities, ["Ann", "Bob", "Eve"]);
    }

    #[test]
    fn each_defect_is_told_with_its_line() {
        let cases = [
            (
                GOOD.replace("2\t1\nA", "10\t300\nA"),
                "pairs.txt:1: header \"10 300\", expected \"2 1\"",
            ),
            (
                GOOD.replace("Bob\t1\t2", "Bob\t1\t9"),
                "pairs.txt:4: names an image that is missing: ",
            ),
            (
                GOOD.replace("Bob\t1\t2", "Rob\t1\t2"),
                "pairs.txt:4: names an image that is missing: ",
            ),
            (
                GOOD.replace("Bob\t1\t2", "Bob\tone\t2"),
                "pairs.txt:4: \"one\" is not an image number",
            ),
            (
                GOOD.replace("Bob\t1\t2", "Ann\t2\t1"),
                "pairs.txt:4: duplicate pair Ann_0002.jpg, Ann_0001.jpg",
            ),
            (
                GOOD.replace("Bob\t1\t2", "Bob\t1"),
                "pairs.txt:4: 2 fields, expected 3 (mated) or 4",
            ),
            (
                GOOD.replace("Bob\t1\t2", "Bob\t1\tEve\t1"),
                "pairs.txt:4: a non-mated pair where a mated one is due",
            ),
            (
                GOOD.replace("Eve\t1", "Bob\t1"),
                "pairs.txt:5: a non-mated pair of one person, Bob",
            ),
            (
                GOOD.replace("Bob\t1\t2", "Bob\t1\t1"),
                "pairs.txt:4: compares Bob_0001.jpg with itself",
            ),
            (GOOD.replace("Bob\t1\t2\n", ""), "mated pairs, expected 2"),
            (
                format!("{GOOD}Ann\t2\tEve\t1\n"),
                "pairs.txt:6: a pair beyond the number",
            ),
        ];
        for (pairs, expected) in cases {
            let protocol = read_small(&tree(&pairs), 5);
            let lines: Vec<_> = protocol
                .findings
                .0
                .iter()
                .map(ToString::to_string)
                .collect();
            assert!(
                lines.iter().any(|line| line.contains(expected)),
                "{expected:?} not in {lines:?}"
            );
        }
    }

    #[test]
    fn a_missing_list_is_one_finding_and_no_pair() {
        let tree = tree(GOOD);
        std::fs::remove_file(tree.path().join("pairs.txt")).unwrap();
        let protocol = read_small(&tree, 5);
        assert!(protocol.findings.0[0].problem.starts_with("cannot be read"));
        assert!(matches!(&protocol.pairs, Pairs::Listed(pairs) if pairs.is_empty()));
    }
}
