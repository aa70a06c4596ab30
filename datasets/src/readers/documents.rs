//! Identity documents: the MIDV layout, and a plain folder of scans.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::findings::{Findings, file_name};

/// One image of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The name that reports use.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The kind of document (MIDV's folder), empty for a plain folder.
    pub kind: String,
    /// The capture condition (MIDV's `CA`, `TS`, ...), empty for a plain folder.
    pub condition: String,
    /// The document's corners in pixels, where the set gives them.
    pub corners: Option<[[f32; 2]; 4]>,
}

/// A set of documents.
#[derive(Clone, Debug)]
pub struct DocumentSet {
    /// Name of the set for reports.
    pub set: String,
    /// The images.
    pub documents: Vec<Document>,
    /// What is wrong with the set.
    pub findings: Findings,
}

#[derive(Deserialize)]
struct Quad {
    quad: Option<[[f32; 2]; 4]>,
}

/// Reads a document set at `root`: `<document>/images/<condition>/*` with
/// `<document>/ground_truth/<condition>/*.json` as MIDV-500 has it, or a plain folder of images.
pub fn read(root: &Path) -> DocumentSet {
    let mut findings = Findings::default();
    let mut documents = Vec::new();
    let mut midv = false;
    for entry in findings.list(root) {
        if is_image(&entry) {
            documents.push(Document {
                name: file_name(&entry),
                path: entry,
                kind: String::new(),
                condition: String::new(),
                corners: None,
            });
        } else if entry.join("images").is_dir() {
            midv = true;
            midv_document(&entry, &mut documents, &mut findings);
        }
    }
    if documents.is_empty() {
        findings.add(root.display(), "no document image found");
    }
    DocumentSet {
        set: if midv {
            "MIDV".to_owned()
        } else {
            file_name(root)
        },
        documents,
        findings,
    }
}

fn is_image(path: &Path) -> bool {
    path.is_file()
        && [".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"]
            .iter()
            .any(|end| file_name(path).to_lowercase().ends_with(end))
}

fn midv_document(folder: &Path, documents: &mut Vec<Document>, findings: &mut Findings) {
    let kind = file_name(folder);
    for condition in findings.list(&folder.join("images")) {
        if !condition.is_dir() {
            continue;
        }
        let name = file_name(&condition);
        for path in findings
            .list(&condition)
            .into_iter()
            .filter(|path| is_image(path))
        {
            let truth = folder
                .join("ground_truth")
                .join(&name)
                .join(file_name(&path.with_extension("json")));
            let text = findings.read_text(&truth);
            let corners = match serde_json::from_str::<Quad>(&text) {
                Ok(Quad { quad }) => quad,
                Err(error) => {
                    if !text.is_empty() {
                        findings.add(truth.display(), format!("not {{\"quad\": ...}}: {error}"));
                    }
                    continue;
                }
            };
            documents.push(Document {
                name: format!("{kind}/{name}/{}", file_name(&path)),
                path,
                kind: kind.clone(),
                condition: name.clone(),
                corners,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::test_tree::{Tree, assert_finding};

    #[test]
    fn midv_images_need_their_ground_truth() {
        let tree = Tree::new();
        tree.file("01_alb_id/images/CA/CA01_01.tif", b"x");
        tree.file(
            "01_alb_id/ground_truth/CA/CA01_01.json",
            b"{\"quad\":[[1,2],[3,2],[3,4],[1,4]]}",
        );
        let set = read(tree.path());
        assert_eq!(set.findings.0, []);
        assert_eq!(set.documents[0].name, "01_alb_id/CA/CA01_01.tif");
        assert_eq!(set.documents[0].corners.unwrap()[2], [3.0, 4.0]);
        tree.file("01_alb_id/images/CA/CA01_02.tif", b"x");
        tree.file("01_alb_id/images/CA/CA01_03.tif", b"x");
        tree.file("01_alb_id/ground_truth/CA/CA01_03.json", b"{\"quad\":[1]}");
        let set = read(tree.path());
        assert_finding(&set.findings, "CA01_02.json: cannot be read");
        assert_finding(&set.findings, "CA01_03.json: not {\"quad\"");
        assert_eq!(set.documents.len(), 1);
    }

    #[test]
    fn a_plain_folder_is_a_set_and_an_empty_one_is_a_finding() {
        let tree = Tree::new();
        assert_finding(&read(tree.path()).findings, "no document image found");
        tree.file("pass.jpg", b"x");
        tree.file("notes.txt", b"x");
        assert_eq!(read(tree.path()).documents.len(), 1);
    }
}
