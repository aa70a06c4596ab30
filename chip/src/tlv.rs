//! Reading of tag, length and value, as ISO/IEC 7816-4 files and ASN.1 (X.690) write them: DER, and
//! of BER what real passports use, which is indefinite lengths and octet strings in segments.

use crate::fault::{Parsed, broken};
use std::borrow::Cow;

/// Values nest no deeper than this in any structure that is read here.
const DEEPEST: u8 = 24;

/// A tag with its class and the constructed bit, as its bytes read as one number: 0x30, 0x7F61.
pub(crate) type Tag = u32;

pub(crate) const INTEGER: Tag = 0x02;
pub(crate) const BIT_STRING: Tag = 0x03;
pub(crate) const OCTET_STRING: Tag = 0x04;
pub(crate) const OBJECT_IDENTIFIER: Tag = 0x06;
pub(crate) const UTC_TIME: Tag = 0x17;
pub(crate) const GENERALIZED_TIME: Tag = 0x18;
pub(crate) const SEQUENCE: Tag = 0x30;
pub(crate) const SET: Tag = 0x31;

const CONSTRUCTED_OCTET_STRING: Tag = 0x24;

/// The context-specific constructed tag `[number]`, for numbers below 31.
pub(crate) const fn context(number: u8) -> Tag {
    0xa0 | number as Tag
}

/// The context-specific primitive tag `[number]`, for numbers below 31.
pub(crate) const fn context_primitive(number: u8) -> Tag {
    0x80 | number as Tag
}

/// One value with its tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: Tag,
    /// Without the end of an indefinite length.
    pub(crate) content: &'a [u8],
    /// Tag, length, content, and the end where there is one.
    pub(crate) whole: &'a [u8],
    depth: u8,
}

impl<'a> Element<'a> {
    fn constructed(&self) -> bool {
        let first = self.whole[0];
        first & 0x20 != 0
    }

    /// Reads what is inside.
    pub(crate) fn open(&self) -> Reader<'a> {
        Reader {
            rest: self.content,
            depth: self.depth + 1,
        }
    }

    /// The content of an octet string, its segments joined.
    pub(crate) fn octets(&self) -> Parsed<Cow<'a, [u8]>> {
        match self.tag {
            OCTET_STRING => Ok(Cow::Borrowed(self.content)),
            CONSTRUCTED_OCTET_STRING => {
                let (mut joined, mut inside) = (Vec::new(), self.open());
                while !inside.is_empty() {
                    joined.extend_from_slice(&inside.next()?.octets()?);
                }
                Ok(Cow::Owned(joined))
            }
            _ => broken("an octet string was expected"),
        }
    }

    /// The bits of a bit string of whole bytes.
    pub(crate) fn bits(&self) -> Parsed<&'a [u8]> {
        match (self.tag, self.content) {
            (BIT_STRING, [0, bits @ ..]) => Ok(bits),
            _ => broken("a bit string of whole bytes was expected"),
        }
    }

    /// The magnitude of an integer that is not negative, without leading zeros.
    pub(crate) fn unsigned(&self) -> Parsed<&'a [u8]> {
        match self.content {
            _ if self.tag != INTEGER => broken("an integer was expected"),
            [] => broken("an integer has no content"),
            [first, ..] if first & 0x80 != 0 => broken("an integer is negative"),
            content => {
                let zeros = content.iter().take_while(|byte| **byte == 0).count();
                Ok(&content[zeros..])
            }
        }
    }

    pub(crate) fn small(&self) -> Parsed<u32> {
        match self.unsigned()? {
            bytes if bytes.len() <= 4 => Ok(bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u32::from(*byte))),
            _ => broken("an integer is too large"),
        }
    }

    /// Writes the element with definite lengths throughout; what is DER stays as it is. `tag`
    /// stands in the place of its own, as a signature over `[0] IMPLICIT` attributes demands.
    pub(crate) fn to_definite(self, tag: Tag) -> Parsed<Vec<u8>> {
        let content = if self.constructed() {
            let (mut joined, mut inside) = (Vec::new(), self.open());
            while !inside.is_empty() {
                let element = inside.next()?;
                joined.extend(element.to_definite(element.tag)?);
            }
            Cow::Owned(joined)
        } else {
            Cow::Borrowed(self.content)
        };
        Ok(encode(tag, &content))
    }
}

/// Writes a tag, the shortest length, and the content.
pub(crate) fn encode(tag: Tag, content: &[u8]) -> Vec<u8> {
    let significant = |number: u32| {
        number
            .to_be_bytes()
            .into_iter()
            .skip_while(|byte| *byte == 0)
    };
    let mut written: Vec<u8> = significant(tag).collect();
    let length = content.len() as u32;
    if length < 0x80 {
        written.push(length as u8);
    } else {
        let bytes: Vec<u8> = significant(length).collect();
        written.push(0x80 | bytes.len() as u8);
        written.extend(bytes);
    }
    written.extend_from_slice(content);
    written
}

/// Elements one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    depth: u8,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader {
            rest: bytes,
            depth: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next element; `None` at the end.
    pub(crate) fn peek(&self) -> Option<Tag> {
        read_tag(self.rest).ok().map(|(tag, _)| tag)
    }

    /// Takes the next element.
    pub(crate) fn next(&mut self) -> Parsed<Element<'a>> {
        let element = read(self.rest, self.depth)?;
        self.rest = &self.rest[element.whole.len()..];
        Ok(element)
    }

    /// Takes the next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: Tag, what: &str) -> Parsed<Element<'a>> {
        match self.next()? {
            element if element.tag == tag => Ok(element),
            element => broken(format!(
                "{what} was expected, tag {:x} is there",
                element.tag
            )),
        }
    }

    /// Takes the next element when it has this tag.
    pub(crate) fn optional(&mut self, tag: Tag) -> Parsed<Option<Element<'a>>> {
        if self.peek() == Some(tag) {
            self.next().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Refuses anything that is left.
    pub(crate) fn end(&self, what: &str) -> Parsed<()> {
        if self.is_empty() {
            Ok(())
        } else {
            broken(format!("bytes follow the end of {what}"))
        }
    }
}

/// The one element that `bytes` are, with nothing behind it.
pub(crate) fn only<'a>(bytes: &'a [u8], tag: Tag, what: &str) -> Parsed<Element<'a>> {
    let mut reader = Reader::new(bytes);
    let element = reader.expect(tag, what)?;
    reader.end(what)?;
    Ok(element)
}

fn read_tag(bytes: &[u8]) -> Parsed<(Tag, usize)> {
    let Some(&first) = bytes.first() else {
        return broken("a tag is missing");
    };
    if first & 0x1f != 0x1f {
        return Ok((Tag::from(first), 1));
    }
    let mut tag = Tag::from(first);
    for (i, &byte) in bytes[1..].iter().take(2).enumerate() {
        tag = tag << 8 | Tag::from(byte);
        if byte & 0x80 == 0 {
            return Ok((tag, i + 2));
        }
    }
    broken("a tag is cut or longer than three bytes")
}

fn read(bytes: &[u8], depth: u8) -> Parsed<Element<'_>> {
    if depth > DEEPEST {
        return broken(format!("values nest deeper than {DEEPEST}"));
    }
    let (tag, at) = read_tag(bytes)?;
    let Some(&first) = bytes.get(at) else {
        return broken("a length is missing");
    };
    let start = at + 1;
    if first == 0x80 {
        return read_indefinite(bytes, tag, start, depth);
    }
    let (length, start) = if first < 0x80 {
        (usize::from(first), start)
    } else {
        let count = usize::from(first & 0x7f);
        let stated = bytes.get(start..start + count).filter(|_| count <= 4);
        let Some(stated) = stated else {
            return broken("a length is cut or too large");
        };
        (
            stated
                .iter()
                .fold(0usize, |sum, byte| sum << 8 | usize::from(*byte)),
            start + count,
        )
    };
    match bytes.len().checked_sub(start) {
        Some(left) if left >= length => Ok(Element {
            tag,
            content: &bytes[start..start + length],
            whole: &bytes[..start + length],
            depth,
        }),
        _ => broken("a value is longer than what is there"),
    }
}

fn read_indefinite(bytes: &[u8], tag: Tag, start: usize, depth: u8) -> Parsed<Element<'_>> {
    if bytes[0] & 0x20 == 0 {
        return broken("a primitive value has an indefinite length");
    }
    let mut at = start;
    loop {
        match bytes.get(at..at + 2) {
            None => return broken("an indefinite length never ends"),
            Some([0, 0]) => {
                let (content, whole) = (&bytes[start..at], &bytes[..at + 2]);
                return Ok(Element {
                    tag,
                    content,
                    whole,
                    depth,
                });
            }
            Some(_) => at += read(&bytes[at..], depth + 1)?.whole.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definite_and_indefinite_lengths_read_alike() {
        let der = [0x30, 0x06, 0x02, 0x01, 0x05, 0x04, 0x01, 0xaa];
        let ber = [0x30, 0x80, 2, 1, 5, 0x24, 0x80, 4, 1, 0xaa, 0, 0, 0, 0];
        for bytes in [&der[..], &ber] {
            let mut inside = only(bytes, SEQUENCE, "it").unwrap().open();
            assert_eq!(inside.next().unwrap().small().unwrap(), 5);
            assert_eq!(&*inside.next().unwrap().octets().unwrap(), [0xaa]);
            inside.end("it").unwrap();
        }
        assert_eq!(
            only(&der, SEQUENCE, "it")
                .unwrap()
                .to_definite(SET)
                .unwrap()[0],
            0x31
        );
        assert_eq!(
            only(&der, SEQUENCE, "it")
                .unwrap()
                .to_definite(SEQUENCE)
                .unwrap(),
            der
        );
    }

    #[test]
    fn what_is_cut_too_deep_or_too_long_is_refused() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x05, 0],
            &[0x30, 0x80, 2, 1, 5],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x04, 0x80, 0, 0],
            &[0x7f, 0xff, 0xff, 0xff, 0],
            &[0x30, 0x00, 0x00],
        ] {
            assert!(only(bytes, SEQUENCE, "it").is_err(), "{bytes:x?}");
        }
        assert!(only(&[0x30, 0x80].repeat(4000), SEQUENCE, "it").is_err());
    }

    #[test]
    fn lengths_are_written_as_short_as_can_be() {
        assert_eq!(encode(0x30, &[0; 127])[..2], [0x30, 127]);
        assert_eq!(encode(0x7f61, &[0; 200])[..4], [0x7f, 0x61, 0x81, 200]);
        assert_eq!(encode(4, &[0; 300])[..4], [4, 0x82, 1, 44]);
    }
}
