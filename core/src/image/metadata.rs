//! How a picture is to be turned, as its metadata says: Exif, or else XMP, as viewers read them.

/// The Exif tag "Orientation".
const ORIENTATION: u16 = 0x0112;

/// Entries of a directory that are looked at; Exif has some dozens.
const MOST_ENTRIES: usize = 1000;

/// Returns the orientation, 1..=8, of the first directory of a TIFF structure.
pub(super) fn exif_orientation(tiff: &[u8]) -> Option<u8> {
    // Some writers put the name of the segment in once more.
    let tiff = tiff.strip_prefix(b"Exif\0\0").unwrap_or(tiff);
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let number = |at: usize, bytes: usize| -> Option<u32> {
        let part = tiff.get(at..at.checked_add(bytes)?)?;
        let add = |sum, byte: &u8| sum << 8 | u32::from(*byte);
        Some(if little {
            part.iter().rev().fold(0, add)
        } else {
            part.iter().fold(0, add)
        })
    };
    let directory = number(4, 4)? as usize;
    let entries = number(directory, 2)? as usize;
    let first = directory.checked_add(2)?;
    for entry in 0..entries.min(MOST_ENTRIES) {
        let at = first.checked_add(12 * entry)?;
        if number(at, 2)? != u32::from(ORIENTATION) {
            continue;
        }
        // BYTE, SHORT, LONG and their signed kin; a single value stands in the entry itself.
        let bytes = match number(at + 2, 2)? {
            1 | 6 => 1,
            3 | 8 => 2,
            4 | 9 => 4,
            _ => return None,
        };
        if number(at + 4, 4)? != 1 {
            return None;
        }
        return lawful(number(at + 8, bytes)?);
    }
    None
}

/// Returns the orientation, 1..=8, of an XMP packet: the property `tiff:Orientation`, as an
/// attribute or as an element.
pub(super) fn xmp_orientation(packet: &[u8]) -> Option<u8> {
    const NAME: &[u8] = b"tiff:Orientation";
    let mut rest = packet;
    loop {
        let at = rest.windows(NAME.len()).position(|window| window == NAME)?;
        rest = &rest[at + NAME.len()..];
        let value = rest.trim_ascii_start();
        let value = match value.strip_prefix(b">") {
            Some(element) => element.trim_ascii_start(),
            None => match value.strip_prefix(b"=").map(<[u8]>::trim_ascii_start) {
                Some([b'"' | b'\'', quoted @ ..]) => quoted.trim_ascii_start(),
                _ => continue,
            },
        };
        if let [digit @ b'1'..=b'8', after, ..] = value
            && !after.is_ascii_digit()
        {
            return Some(digit - b'0');
        }
    }
}

/// Returns the bytes of a "Raw profile type", the text in which ImageMagick keeps binary metadata:
/// a name, a length, and hexadecimal digits.
pub(super) fn raw_profile(text: &[u8]) -> Option<Vec<u8>> {
    let mut lines = text.trim_ascii_start().splitn(3, |&byte| byte == b'\n');
    let (_name, length, digits) = (lines.next()?, lines.next()?, lines.next()?);
    let length: usize = std::str::from_utf8(length).ok()?.trim().parse().ok()?;
    if length > digits.len() / 2 {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let digits: Vec<u8> = digits
        .iter()
        .filter_map(digit)
        .map(|digit| digit as u8)
        .collect();
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    (bytes.len() >= length).then_some(bytes)
}

fn lawful(orientation: u32) -> Option<u8> {
    (1..=8).contains(&orientation).then_some(orientation as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiff(kind: u16, little: bool) -> Vec<u8> {
        let short = |v: u16| {
            if little {
                v.to_le_bytes()
            } else {
                v.to_be_bytes()
            }
        };
        let long = |v: u32| {
            if little {
                v.to_le_bytes()
            } else {
                v.to_be_bytes()
            }
        };
        let mut out = if little {
            b"II*\0".to_vec()
        } else {
            b"MM\0*".to_vec()
        };
        out.extend(long(8));
        out.extend(short(2));
        for (tag, kind, value) in [(0x0100, 4, 640), (ORIENTATION, kind, 6)] {
            out.extend(short(tag));
            out.extend(short(kind));
            out.extend(long(1));
            match kind {
                1 => out.extend([value as u8, 0, 0, 0]),
                3 => out.extend([short(value as u16), [0, 0]].concat()),
                _ => out.extend(long(value)),
            }
        }
        out.extend([0; 4]);
        out
    }

    #[test]
    fn exif_says_it_in_any_integer_and_byte_order() {
        for little in [true, false] {
            for kind in [1, 3, 4, 9] {
                let bytes = tiff(kind, little);
                assert_eq!(
                    exif_orientation(&bytes),
                    Some(6),
                    "type {kind}, little {little}"
                );
                for end in 0..bytes.len() - 8 {
                    exif_orientation(&bytes[..end]);
                }
            }
            assert_eq!(exif_orientation(&tiff(5, little)), None, "a RATIONAL");
        }
        assert_eq!(exif_orientation(b"MM\0*\xff\xff\xff\xff"), None);
    }

    #[test]
    fn xmp_says_it_as_attribute_or_element() {
        for (packet, expected) in [
            (r#"<x tiff:Orientation="6"/>"#, Some(6)),
            ("<x tiff:Orientation = '8' />", Some(8)),
            ("<tiff:Orientation>3</tiff:Orientation>", Some(3)),
            (r#"<x tiff:Orientation="9"/>"#, None),
            (r#"<x tiff:Orientation="66"/>"#, None),
            (r#"<x tiff:OrientationX="6"/>"#, None),
            ("tiff:Orientation", None),
            (
                r#"<x tiff:Orientation="?" tiff:Orientation="2" />"#,
                Some(2),
            ),
        ] {
            assert_eq!(xmp_orientation(packet.as_bytes()), expected, "{packet}");
        }
    }

    #[test]
    fn raw_profiles_are_digits_after_a_length() {
        assert_eq!(
            raw_profile(b"\nexif\n       3\n4a4b\n4C\n"),
            Some(b"JKL".to_vec())
        );
        assert_eq!(raw_profile(b"\nexif\n 9\n4a4b4c\n"), None);
        assert_eq!(raw_profile(b"\nexif\n99999999999999999999\n4a"), None);
        assert_eq!(raw_profile(b"exif"), None);
    }
}
