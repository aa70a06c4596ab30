//! What a pack holds, and whether it is whole.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use vultus::{LicenceUse, Pack};

/// Writes a line for each weight: id, task, licence and its class of use.
pub(crate) fn list(
    folder: &Path,
    accepted: &[String],
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let pack = Pack::open(folder, accepted)?;
    writeln!(
        out,
        "pack {} {}, id {}",
        pack.name(),
        pack.version(),
        pack.id()
    )?;
    for model in pack.models() {
        let usage = match model.licence.usage {
            LicenceUse::Permissive => "permissive",
            LicenceUse::NonCommercial => "non-commercial",
            LicenceUse::Unknown => "unknown",
        };
        writeln!(
            out,
            "{:<16} {:<12} {:<12} {usage}",
            model.id, model.task, model.licence.spdx
        )?;
    }
    Ok(())
}

/// Reads every weight, which checks its hash, and writes a line for each.
pub(crate) fn verify(
    folder: &Path,
    accepted: &[String],
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let pack = Pack::open(folder, accepted)?;
    for model in pack.models() {
        let bytes = pack.read(&model.id)?;
        writeln!(
            out,
            "{:<16} {:>9} bytes, sha256 {}",
            model.id,
            bytes.len(),
            model.sha256
        )?;
    }
    writeln!(out, "{} models verified", pack.models().len())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A pack with one weight, the file of which holds `weight`; its hash is that of "weights".
    fn pack(usage: &str, weight: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let manifest = format!(
            r#"{{"format":1,"name":"small","version":"1","models":[{{
            "id":"one","task":"embed","file":"one.onnx",
            "sha256":"9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c",
            "licence":{{"spdx":"MIT","use":"{usage}"}},
            "training_data":"none","input":{{"colour":"rgb","scale":1.0,"offset":0.0}}}}]}}"#
        );
        fs::write(folder.path().join("pack.json"), manifest).unwrap();
        fs::write(folder.path().join("one.onnx"), weight).unwrap();
        folder
    }

    fn text(
        run: impl FnOnce(&mut Vec<u8>) -> Result<(), Box<dyn Error>>,
    ) -> Result<String, String> {
        let mut out = Vec::new();
        run(&mut out).map_err(|e| e.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_pack_is_listed() {
        let folder = pack("permissive", b"weights");
        let listed = text(|out| list(folder.path(), &[], out)).unwrap();
        let lines: Vec<&str> = listed.lines().collect();
        assert!(lines[0].starts_with("pack small 1, id "));
        assert_eq!(
            lines[1],
            "one              embed        MIT          permissive"
        );
    }

    #[test]
    fn a_licence_is_accepted_by_name() {
        let folder = pack("non-commercial", b"weights");
        assert!(
            text(|out| list(folder.path(), &[], out))
                .unwrap_err()
                .contains("non-commercial")
        );
        assert!(
            text(|out| list(folder.path(), &["one".into()], out))
                .unwrap()
                .contains("non-commercial")
        );
    }

    #[test]
    fn a_whole_pack_is_verified() {
        let folder = pack("permissive", b"weights");
        let verified = text(|out| verify(folder.path(), &[], out)).unwrap();
        assert!(verified.ends_with("1 models verified\n") && verified.contains("7 bytes"));
    }

    #[test]
    fn a_flipped_byte_fails() {
        let folder = pack("permissive", b"weightS");
        assert!(
            text(|out| verify(folder.path(), &[], out))
                .unwrap_err()
                .contains("was changed after the pack was built")
        );
    }
}
