//! A plain CSV protocol: `probe,reference,mated[,group]`, paths relative to the root.

use std::collections::HashMap;
use std::path::Path;

use crate::findings::file_name;
use crate::protocol::{Builder, Protocol};

/// Reads the protocol in `csv`, whose images lie below `root`.
///
/// `mated` is `1` or `0`. Optional further columns: `group` (reported apart), `fold` (from 0),
/// `probe_identity` and `reference_identity`; without these the folder of an image is its identity.
pub fn read(csv: &Path, root: &Path) -> Protocol {
    let file = file_name(csv);
    let mut builder = Builder::new(&file);
    let text = builder.findings.read_text(csv);
    let mut folds = 0;
    let table = Table::parse(&text, &["probe", "reference", "mated"]);
    for problem in &table.problems {
        builder.findings.add(&file, problem);
    }
    for (line, row) in &table.rows {
        let place = format!("{file}:{line}");
        let row = match row {
            Ok(row) => row,
            Err(problem) => {
                builder.findings.add(place, problem);
                continue;
            }
        };
        let mated = match row["mated"] {
            "1" => true,
            "0" => false,
            other => {
                builder
                    .findings
                    .add(place, format!("mated is {other:?}, expected 1 or 0"));
                continue;
            }
        };
        let fold = match row.get("fold").map_or(Ok(0), |fold| fold.parse::<u32>()) {
            Ok(fold) if fold < 1000 => fold,
            _ => {
                builder.findings.add(
                    place,
                    format!("fold is {:?}, expected 0 to 999", row["fold"]),
                );
                continue;
            }
        };
        folds = folds.max(fold + 1);
        let [probe_identity, reference_identity] = ["probe", "reference"].map(|column| {
            let given = row.get(format!("{column}_identity").as_str()).copied();
            given.filter(|name| !name.is_empty()).map_or_else(
                || {
                    Path::new(row[column])
                        .parent()
                        .map(|folder| folder.display().to_string())
                        .unwrap_or_default()
                },
                str::to_owned,
            )
        });
        let probe = builder.file_sample(
            &place,
            row["probe"],
            &probe_identity,
            root.join(row["probe"]),
        );
        let reference = builder.file_sample(
            &place,
            row["reference"],
            &reference_identity,
            root.join(row["reference"]),
        );
        let group = row.get("group").copied().filter(|group| !group.is_empty());
        builder.compare(place, probe, reference, mated, fold, group);
    }
    builder.finish(if folds > 1 { folds } else { 0 })
}

type Row<'a> = HashMap<&'a str, &'a str>;

/// A comma-separated table with a header; quotes are not part of the format.
pub(crate) struct Table<'a> {
    pub(crate) problems: Vec<String>,
    pub(crate) rows: Vec<(usize, Result<Row<'a>, String>)>,
}

impl<'a> Table<'a> {
    pub(crate) fn parse(text: &'a str, required: &[&str]) -> Self {
        let mut lines = text
            .trim_start_matches('\u{feff}')
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty());
        let columns: Vec<&str> = lines
            .next()
            .map(|(_, line)| line.split(',').map(str::trim).collect())
            .unwrap_or_default();
        let problems: Vec<String> = required
            .iter()
            .filter(|column| !columns.contains(column))
            .map(|column| {
                format!(
                    "the header has no column {column:?}: {:?}",
                    columns.join(",")
                )
            })
            .collect();
        let rows = if problems.is_empty() {
            lines
                .map(|(index, line)| {
                    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
                    let row = if fields.len() == columns.len() {
                        Ok(columns.iter().copied().zip(fields).collect())
                    } else {
                        Err(format!(
                            "{} fields, expected {}",
                            fields.len(),
                            columns.len()
                        ))
                    };
                    (index + 1, row)
                })
                .collect()
        } else {
            Vec::new()
        };
        Self { problems, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Pairs;
    use crate::readers::test_tree::{Tree, assert_finding};

    fn read_csv(csv: &str) -> Protocol {
        let tree = Tree::new();
        for image in ["a/1.jpg", "a/2.jpg", "b/1.jpg"] {
            tree.file(image, b"x");
        }
        tree.file("pairs.csv", csv.as_bytes());
        read(&tree.path().join("pairs.csv"), tree.path())
    }

    #[test]
    fn groups_folds_and_identities_are_read() {
        let protocol = read_csv(
            "probe,reference,mated,group,fold\na/1.jpg,a/2.jpg,1,dark,0\na/1.jpg,b/1.jpg,0,,1\n",
        );
        assert_eq!(protocol.findings.0, []);
        assert_eq!(protocol.groups, ["dark"]);
        assert_eq!(protocol.folds, 2);
        assert_eq!(protocol.identities, ["a", "b"]);
        let Pairs::Listed(pairs) = &protocol.pairs else {
            panic!("listed pairs expected");
        };
        assert_eq!((pairs[0].group, pairs[1].group), (Some(0), None));
    }

    #[test]
    fn defects_are_told_with_their_line() {
        let head = "probe,reference,mated\n";
        let cases = [
            (
                "probe,mated\n",
                "pairs.csv: the header has no column \"reference\"",
            ),
            (
                &format!("{head}a/1.jpg,a/2.jpg,mated\n"),
                "pairs.csv:2: mated is \"mated\", expected 1 or 0",
            ),
            (
                &format!("{head}a/1.jpg,a/2.jpg\n"),
                "pairs.csv:2: 2 fields, expected 3",
            ),
            (
                &format!("{head}a/1.jpg,c/2.jpg,0\n"),
                "pairs.csv:2: names an image that is missing",
            ),
            (
                &format!("{head}a/1.jpg,a/2.jpg,1\na/2.jpg,a/1.jpg,1\n"),
                "pairs.csv:3: duplicate pair",
            ),
        ];
        for (csv, expected) in cases {
            assert_finding(&read_csv(csv).findings, expected);
        }
    }
}
