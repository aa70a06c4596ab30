//! WIDER FACE validation set: boxes, and which of them each official setting counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::findings::Findings;
use crate::readers::listed::Table;

/// One annotated face.
#[derive(Clone, Debug, PartialEq)]
pub struct Face {
    /// x, y, width, height in pixels.
    pub xywh: [f32; 4],
    /// Per setting of [`Wider::settings`]: true if it counts there, false if it is to be ignored.
    pub counts: Vec<bool>,
}

/// One annotated image.
#[derive(Clone, Debug)]
pub struct Image {
    /// `<event>/<file>`.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Every annotated face.
    pub faces: Vec<Face>,
}

/// A detection set.
#[derive(Clone, Debug)]
pub struct Wider {
    /// Name of the set for reports.
    pub set: String,
    /// Names of the settings: easy, medium, hard; or `valid` where only the text split is at hand.
    pub settings: Vec<String>,
    /// The images.
    pub images: Vec<Image>,
    /// What is wrong with the set.
    pub findings: Findings,
}

/// Official validation set: images and annotated faces.
const VAL_IMAGES: usize = 3_226;
const VAL_FACES: usize = 39_708;

/// Reads WIDER FACE at `root`.
///
/// With `ground_truth.csv` (image, x, y, width, height, easy, medium, hard) the three official
/// settings are known; `tools/wider_ground_truth.py` writes it from the official `.mat` files.
/// Otherwise `wider_face_split/wider_face_val_bbx_gt.txt` gives the one setting `valid`: all boxes
/// that are not marked invalid.
pub fn read(root: &Path) -> Wider {
    let csv = root.join("ground_truth.csv");
    if csv.is_file() {
        read_csv(root, &csv)
    } else {
        read_split(root, VAL_IMAGES, VAL_FACES)
    }
}

fn image_folder(root: &Path) -> PathBuf {
    ["WIDER_val/images", "images"]
        .iter()
        .map(|folder| root.join(folder))
        .find(|folder| folder.is_dir())
        .unwrap_or_else(|| root.to_owned())
}

fn read_csv(root: &Path, csv: &Path) -> Wider {
    const SETTINGS: [&str; 3] = ["easy", "medium", "hard"];
    let mut findings = Findings::default();
    let text = findings.read_text(csv);
    let mut required = vec!["image", "x", "y", "width", "height"];
    required.extend(SETTINGS);
    let table = Table::parse(&text, &required);
    for problem in &table.problems {
        findings.add("ground_truth.csv", problem);
    }
    let folder = image_folder(root);
    let mut images: BTreeMap<String, Vec<Face>> = BTreeMap::new();
    for (line, row) in &table.rows {
        let place = format!("ground_truth.csv:{line}");
        let face = row.as_ref().map_err(Clone::clone).and_then(|row| {
            let counts = SETTINGS.map(|setting| match row[setting] {
                "1" => Ok(true),
                "0" => Ok(false),
                other => Err(format!("{setting} is {other:?}, expected 0 or 1")),
            });
            Ok(Face {
                xywh: parse_box(["x", "y", "width", "height"].map(|column| row[column]))?,
                counts: counts.into_iter().collect::<Result<_, _>>()?,
            })
        });
        match (row, face) {
            (Ok(row), Ok(face)) => {
                let faces = images.entry(row["image"].to_owned()).or_default();
                if faces.iter().any(|other| other.xywh == face.xywh) {
                    findings.add(place, format!("box given twice for {}", row["image"]));
                }
                faces.push(face);
            }
            (_, Err(problem)) => findings.add(place, problem),
            (Err(problem), _) => findings.add(place, problem),
        }
    }
    finish("WIDER FACE", &SETTINGS, &folder, images, findings)
}

fn read_split(root: &Path, expected_images: usize, expected_faces: usize) -> Wider {
    const FILE: &str = "wider_face_split/wider_face_val_bbx_gt.txt";
    let mut findings = Findings::default();
    let text = findings.read_text(&root.join(FILE));
    let folder = image_folder(root);
    let mut images: BTreeMap<String, Vec<Face>> = BTreeMap::new();
    let mut total = 0;
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, name)) = lines.next() {
        if name.trim().is_empty() {
            continue;
        }
        let place = |index: usize| format!("{FILE}:{}", index + 1);
        if !name.contains('/') {
            findings.add(place(index), format!("{name:?} where an image name is due"));
            continue;
        }
        let count = match lines.next().map(|(_, line)| line.trim().parse::<usize>()) {
            Some(Ok(count)) => count,
            _ => {
                findings.add(place(index + 1), "expected the number of faces");
                continue;
            }
        };
        let mut faces = Vec::new();
        // An image without faces is followed by one row of zeros.
        for _ in 0..count.max(1) {
            let Some((row, line)) = lines.next_if(|(_, line)| !line.contains('/')) else {
                if count > 0 {
                    findings.add(
                        place(index),
                        format!("{} boxes, expected {count}", faces.len()),
                    );
                }
                break;
            };
            let fields: Vec<&str> = line.split_whitespace().collect();
            if count == 0 {
                continue;
            }
            match fields[..] {
                [x, y, width, height, _, _, _, invalid @ ("0" | "1"), _, _] => {
                    match parse_box([x, y, width, height]) {
                        Ok(xywh) => faces.push(Face {
                            xywh,
                            counts: vec![invalid == "0"],
                        }),
                        Err(problem) => findings.add(place(row), problem),
                    }
                }
                _ => findings.add(
                    place(row),
                    "expected x y w h blur expression illumination invalid occlusion pose",
                ),
            }
        }
        total += faces.len();
        if images.insert(name.trim().to_owned(), faces).is_some() {
            findings.add(place(index), format!("{name} is given twice"));
        }
    }
    findings.expect_count(FILE, "images", expected_images, images.len());
    findings.expect_count(FILE, "faces", expected_faces, total);
    finish("WIDER FACE val", &["valid"], &folder, images, findings)
}

fn parse_box(fields: [&str; 4]) -> Result<[f32; 4], String> {
    let numbers = fields.map(|field| field.parse::<f32>().ok().filter(|v| v.is_finite()));
    match numbers {
        [Some(x), Some(y), Some(width), Some(height)] if width >= 0.0 && height >= 0.0 => {
            Ok([x, y, width, height])
        }
        _ => Err(format!(
            "{:?} is not a box x, y, width, height",
            fields.join(",")
        )),
    }
}

fn finish(
    set: &str,
    settings: &[&str],
    folder: &Path,
    images: BTreeMap<String, Vec<Face>>,
    mut findings: Findings,
) -> Wider {
    let images = images
        .into_iter()
        .filter_map(|(name, faces)| {
            let path = folder.join(&name);
            if !path.is_file() {
                findings.add(path.display(), "the image is missing");
                return None;
            }
            Some(Image { name, path, faces })
        })
        .collect();
    Wider {
        set: set.to_owned(),
        settings: settings.iter().map(|&s| s.to_owned()).collect(),
        images,
        findings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::test_tree::{Tree, assert_finding};

    const HEAD: &str = "image,x,y,width,height,easy,medium,hard\n";

    fn csv(rows: &str) -> Wider {
        let tree = Tree::new();
        tree.file("0--Parade/a.jpg", b"x");
        tree.file("ground_truth.csv", format!("{HEAD}{rows}").as_bytes());
        read(tree.path())
    }

    fn split(text: &str) -> Wider {
        let tree = Tree::new();
        tree.file("WIDER_val/images/0--Parade/a.jpg", b"x");
        tree.file("WIDER_val/images/0--Parade/b.jpg", b"x");
        tree.file(
            "wider_face_split/wider_face_val_bbx_gt.txt",
            text.as_bytes(),
        );
        read_split(tree.path(), 2, 2)
    }

    const SPLIT: &str = "0--Parade/a.jpg\n2\n1 2 3 4 0 0 0 0 0 0 \n5 6 7 8 0 0 0 1 0 0 \n\
                         0--Parade/b.jpg\n0\n0 0 0 0 0 0 0 0 0 0 \n";

    #[test]
    fn the_csv_gives_the_official_settings() {
        let wider = csv("0--Parade/a.jpg,1,2,3,4,0,1,1\n");
        assert_eq!(wider.findings.0, []);
        assert_eq!(wider.settings, ["easy", "medium", "hard"]);
        assert_eq!(wider.images[0].faces[0].counts, [false, true, true]);
    }

    #[test]
    fn the_text_split_counts_what_is_not_invalid() {
        let wider = split(SPLIT);
        assert_eq!(wider.findings.0, []);
        assert_eq!(wider.images.len(), 2);
        assert_eq!(wider.images[0].faces[0].counts, [true]);
        assert_eq!(wider.images[0].faces[1].counts, [false]);
        assert!(wider.images[1].faces.is_empty());
    }

    #[test]
    fn defects_are_told_with_their_line() {
        let row = "0--Parade/a.jpg,1,2,3,4,0,1,1\n";
        assert_finding(
            &csv(&row.replace(",4,", ",x,")).findings,
            "ground_truth.csv:2: \"1,2,3,x\"",
        );
        assert_finding(
            &csv(&row.replace(",0,1,1", ",0,yes,1")).findings,
            "medium is \"yes\"",
        );
        assert_finding(
            &csv(&row.replace("a.jpg", "z.jpg")).findings,
            "the image is missing",
        );
        assert_finding(
            &csv(&row.repeat(2)).findings,
            "ground_truth.csv:3: box given twice",
        );
        let short = SPLIT.replace("5 6 7 8 0 0 0 1 0 0 \n", "");
        assert_finding(&split(&short).findings, "_gt.txt:1: 1 boxes, expected 2");
        assert_finding(
            &split(&SPLIT.replace("5 6", "five 6")).findings,
            "_gt.txt:4: ",
        );
        assert_finding(
            &split(&SPLIT.replace("\n2\n", "\ntwo\n")).findings,
            "_gt.txt:2: expected the number",
        );
    }
}
