//! Features as `.npy` files, so that an independent script can recompute every rate.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Result, Write};
use std::path::Path;

use crate::extract::{Extracted, Outcome};
use crate::protocol::Protocol;
use crate::score::Shares;

/// Writes one `<model>.npy` (float32, a row a sample, zeros where not acquired), `samples.csv`
/// (name, identity, acquired, the unified quality score and the raw values of its components) and
/// `shares.json` (model to share of the score) into `folder`.
///
/// # Errors
/// A file cannot be written.
pub fn features(
    folder: &Path,
    protocol: &Protocol,
    extracted: &[Extracted],
    shares: &Shares,
) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let shares: BTreeMap<&str, f32> = shares
        .iter()
        .map(|(model, share)| (model.as_str(), *share))
        .collect();
    for model in shares.keys() {
        let vectors: Vec<Option<&[f32]>> = extracted
            .iter()
            .map(|e| match &e.outcome {
                Outcome::Acquired { features, .. } => features.get(*model).map(Vec::as_slice),
                _ => None,
            })
            .collect();
        npy(&folder.join(format!("{model}.npy")), &vectors)?;
    }
    std::fs::write(folder.join("shares.json"), serde_json::to_vec(&shares)?)?;
    let mut csv = BufWriter::new(std::fs::File::create(folder.join("samples.csv"))?);
    let names: BTreeSet<&str> = extracted
        .iter()
        .filter_map(|e| {
            if let Outcome::Acquired { components, .. } = &e.outcome {
                Some(components.keys())
            } else {
                None
            }
        })
        .flatten()
        .map(String::as_str)
        .collect();
    write!(csv, "name,identity,acquired,quality")?;
    names.iter().try_for_each(|name| write!(csv, ",{name}"))?;
    writeln!(csv)?;
    for (sample, extracted) in protocol.samples.iter().zip(extracted) {
        let quoted = [&sample.name, &protocol.identities[sample.identity as usize]]
            .map(|text| text.replace('"', "\"\""));
        write!(csv, "\"{}\",\"{}\"", quoted[0], quoted[1])?;
        if let Outcome::Acquired {
            quality,
            components,
            ..
        } = &extracted.outcome
        {
            write!(
                csv,
                ",1,{}",
                quality.map_or(String::new(), |q| q.to_string())
            )?;
            for name in &names {
                write!(
                    csv,
                    ",{}",
                    components.get(*name).map_or(String::new(), f32::to_string)
                )?;
            }
            writeln!(csv)?;
        } else {
            writeln!(csv, ",0{}", ",".repeat(1 + names.len()))?;
        }
    }
    csv.flush()
}

/// Writes rows of float32 in NumPy's format 1.0; a missing row is zeros.
fn npy(path: &Path, rows: &[Option<&[f32]>]) -> Result<()> {
    let width = rows
        .iter()
        .flatten()
        .map(|row| row.len())
        .next()
        .unwrap_or(0);
    let mut header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {width}), }}",
        rows.len()
    );
    // Magic, version and length take 10 bytes; the data starts at a multiple of 64.
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&(header.len() as u16).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    let missing = vec![0.0; width];
    for row in rows {
        for value in row.unwrap_or(&missing) {
            file.write_all(&value.to_le_bytes())?;
        }
    }
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_what_numpy_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        npy(&path, &[Some(&[1.0, 2.0]), None]).unwrap();
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(bytes.len(), 128 + 16);
        assert!(bytes.starts_with(
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"
        ));
        assert_eq!(bytes[127], b'\n');
        assert_eq!(&bytes[128..136], &[0, 0, 128, 63, 0, 0, 0, 64]);
    }
}
