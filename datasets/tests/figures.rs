//! The tables of the READMEs are those of the records.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use vultus_datasets::record::{Record, replace, summary, tables};

/// The JSON files of a folder, by name.
fn records(folder: &Path) -> Vec<Record> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
    paths.sort();
    assert!(!paths.is_empty(), "{} holds no record", folder.display());
    paths
        .iter()
        .map(|path| Record::read(path).unwrap())
        .collect()
}

fn check(readme: &str, folder: &str, make: fn(&[Record]) -> String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join(readme)).unwrap();
    let made = replace(&text, &make(&records(&root.join(folder)))).unwrap();
    assert!(
        made == text,
        "{readme} differs from {folder}: run `vultus-datasets table --readme FILE RECORDS`"
    );
}

#[test]
fn the_figures_are_those_of_the_records() {
    check("../docs/figures.md", "records", tables);
}

#[test]
fn the_readme_sums_them_up() {
    check("../README.md", "records", summary);
}

#[test]
fn the_workbench_shows_the_checks_of_its_calibration() {
    check("README.md", "records/calibration", tables);
}

#[test]
fn a_record_holds_no_name_of_a_sample_and_no_place_on_a_machine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("records");
    for record in [records(&root), records(&root.join("calibration"))].concat() {
        let text = serde_json::to_string(&record).unwrap();
        assert!(
            !text.contains(".jpg")
                && !record
                    .origin
                    .command
                    .iter()
                    .any(|word| word.starts_with('/')),
            "{}",
            record.file_name()
        );
    }
}
