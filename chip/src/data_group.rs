//! The data groups that are compared: DG1, the machine-readable zone, and DG2, the portrait.

use crate::fault::{Malformed, Parsed, broken};
use crate::tlv::{Element, INTEGER, Reader, SEQUENCE, context, context_primitive, only};
use serde::Serialize;
use zeroize::Zeroizing;

/// Bytes that DG2 may have; portraits of real passports have 12 to 40 kB.
const MOST_BYTES: usize = 1 << 20;

const MRZ_DATA: u32 = 0x5f1f;
const BIOMETRIC_GROUP: u32 = 0x7f61;
const BIOMETRIC_TEMPLATE: u32 = 0x7f60;
const DATA_BLOCK: u32 = 0x5f2e;
const DATA_BLOCK_CONSTRUCTED: u32 = 0x7f2e;

/// How a portrait is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coding {
    /// JPEG.
    Jpeg,
    /// JPEG 2000, as a file (JP2) or a code stream.
    Jpeg2000,
}

/// The portrait of DG2, coded. Wiped when dropped.
#[derive(Clone)]
pub struct Portrait {
    /// How it is coded.
    pub coding: Coding,
    /// The picture.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Portrait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Portrait({:?}, {} bytes)", self.coding, self.bytes.len())
    }
}

/// Returns the lines of DG1 joined, 88 characters of a passport, 90 or 72 of a card.
pub(crate) fn mrz(dg1: &[u8]) -> Result<Zeroizing<String>, Malformed> {
    let read = || -> Parsed<Zeroizing<String>> {
        let mut inside = only(dg1, 0x61, "DG1")?.open();
        let text = inside
            .expect(MRZ_DATA, "the machine-readable zone")?
            .content;
        inside.end("DG1")?;
        let allowed = |c: &u8| matches!(c, b'A'..=b'Z' | b'0'..=b'9' | b'<');
        if !matches!(text.len(), 72 | 88 | 90) || !text.iter().all(allowed) {
            return broken("the machine-readable zone is not 72, 88 or 90 of A to Z, 0 to 9, <");
        }
        Ok(Zeroizing::new(String::from_utf8_lossy(text).into_owned()))
    };
    read().map_err(|fault| fault.of("DG1"))
}

/// Returns the first portrait of DG2, after ISO/IEC 19794-5 or 39794-5.
pub(crate) fn portrait(dg2: &[u8]) -> Result<Portrait, Malformed> {
    let read = || -> Parsed<Portrait> {
        if dg2.len() > MOST_BYTES {
            return broken(format!(
                "has {} bytes, {MOST_BYTES} at most are allowed",
                dg2.len()
            ));
        }
        let mut outer = only(dg2, 0x75, "DG2")?.open();
        let mut group = outer
            .expect(BIOMETRIC_GROUP, "the group of templates")?
            .open();
        outer.end("DG2")?;
        if group.expect(INTEGER, "the count of templates")?.small()? == 0 {
            return broken("holds no template");
        }
        let mut template = group.expect(BIOMETRIC_TEMPLATE, "a template")?.open();
        template.optional(context(1))?;
        let block = template.next()?;
        let picture = match block.tag {
            DATA_BLOCK => record_19794(block.content)?,
            DATA_BLOCK_CONSTRUCTED if block.content.starts_with(b"FAC\0") => {
                record_19794(block.content)?
            }
            DATA_BLOCK_CONSTRUCTED => record_39794(&block)?,
            _ => return broken("a template holds no data block"),
        };
        let coding = match picture {
            [0xff, 0xd8, 0xff, ..] => Coding::Jpeg,
            [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => {
                Coding::Jpeg2000
            }
            _ => return broken("the portrait is neither JPEG nor JPEG 2000"),
        };
        Ok(Portrait {
            coding,
            bytes: Zeroizing::new(picture.to_vec()),
        })
    };
    read().map_err(|fault| fault.of("DG2"))
}

/// The picture of the first facial record of ISO/IEC 19794-5:2005: a header of 14 bytes, then 20 of
/// the face, 8 for each feature point, and 12 of the picture.
fn record_19794(bytes: &[u8]) -> Parsed<&[u8]> {
    let number = |at: usize, length: usize| -> Parsed<usize> {
        match bytes.get(at..at + length) {
            Some(digits) => Ok(digits.iter().fold(0, |sum, b| sum << 8 | usize::from(*b))),
            None => broken("a record of a face is cut"),
        }
    };
    if !bytes.starts_with(b"FAC\x00010\x00") {
        return broken("a record of a face is not of ISO/IEC 19794-5, version 010");
    }
    if number(12, 2)? == 0 {
        return broken("holds no face");
    }
    let (length, points) = (number(14, 4)?, number(18, 2)?);
    let start = 14 + 20 + 8 * points + 12;
    match bytes.get(start..14 + length) {
        Some(picture) if !picture.is_empty() => Ok(picture),
        _ => broken("a record of a face states another length than it has"),
    }
}

/// The picture of the first representation of ISO/IEC 39794-5: FaceImageDataBlock, tags automatic.
fn record_39794<'a>(block: &Element<'a>) -> Parsed<&'a [u8]> {
    // [1] { [APPLICATION 5] { [0] version, [1] SEQUENCE OF representation } }
    let mut inside = block.open();
    let mut block = inside.expect(context(1), "a biometric data block")?.open();
    let mut face = block.expect(0x65, "a block of face images")?.open();
    face.expect(context(0), "the version of a block of face images")?;
    let mut representations: Reader<'a> = face.expect(context(1), "representations")?.open();
    let mut representation = representations.expect(SEQUENCE, "a representation")?.open();
    // { [0] representation id, [1] image representation, ... }
    representation.expect(context_primitive(0), "the id of a representation")?;
    let image = representation.expect(context(1), "an image")?;
    // CHOICE { [0] base { [0] { [0] two-dimensional image { [0] data, [1] information } } } }
    let mut at = image.open();
    for _ in 0..4 {
        let next = at.next()?;
        match next.tag {
            tag if tag == context(0) => at = next.open(),
            tag if tag == context_primitive(0) => return Ok(next.content),
            _ => break,
        }
    }
    broken("an image of a face is not in two dimensions")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_portraits_of_39794_are_found() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../shared/datasets/documents/chip/iso39794");
        for name in [
            "ICAO_39794_5_AP_DG2_MandFields.dat",
            "ICAO_39794_5_AP_DG2_AllFields.dat",
        ] {
            let Ok(dg2) = std::fs::read(folder.join(name)) else {
                println!("not here, so not looked at: {name}");
                continue;
            };
            let found = portrait(&dg2);
            println!("{name}: {found:?}");
            assert!(found.is_ok());
        }
    }
}
