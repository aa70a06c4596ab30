//! The structure of a JPEG, read from its markers. The pixels are decoded elsewhere; here is what
//! a decoder does not tell: whether every block is there, what decoding costs, and the metadata.

mod entropy;
mod scan;

use super::metadata;
use crate::error::{Error, Kind, Result, Stage};
use entropy::Tables;
use scan::Progress;

/// Scans of one picture at the most. Encoders use 1 to 30; each costs a pass over the picture.
const MOST_SCANS: usize = 64;

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// A marker with what belongs to it.
struct Segment<'a> {
    marker: u8,
    body: &'a [u8],
    /// Where the next segment, or the entropy-coded data of a scan, begins.
    after: usize,
}

/// The segments of a JPEG in their order. Fill bytes (ITU-T T.81 B.1.1.2) and stray bytes between
/// segments are passed over, as every decoder does.
struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Segments<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        // After the start-of-image marker, which made this a JPEG.
        Segments { bytes, at: 2 }
    }

    /// Goes on behind the entropy-coded data of a scan.
    fn resume(&mut self, at: usize) {
        self.at = at;
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let marker = loop {
            let rest = self.bytes.get(self.at..)?;
            self.at += rest.iter().position(|&byte| byte == 0xff)?;
            match self.bytes.get(self.at + 1)? {
                0xff => self.at += 1,
                0x00 => self.at += 2,
                &marker => break marker,
            }
        };
        self.at += 2;
        let stands_alone = matches!(marker, 0x01 | 0xd0..=0xd9);
        let body: &[u8] = if stands_alone {
            &[]
        } else {
            let length = self.bytes.get(self.at..self.at + 2)?;
            let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
            self.bytes.get(self.at + 2..self.at + length.max(2))?
        };
        if !stands_alone {
            self.at += 2 + body.len();
        }
        Some(Segment {
            marker,
            body,
            after: self.at,
        })
    }
}

/// How the coefficients are ordered in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Process {
    Sequential,
    Progressive,
}

/// A colour component, as the frame header describes it.
#[derive(Clone, Copy, Debug)]
struct Component {
    id: u8,
    horizontal: usize,
    vertical: usize,
}

/// What a frame header says.
#[derive(Debug)]
struct Frame {
    process: Process,
    width: usize,
    height: usize,
    components: Vec<Component>,
}

/// What the headers of a JPEG say, up to its first scan.
pub(super) struct Jpeg<'a> {
    bytes: &'a [u8],
    frame: Frame,
    luminance: Option<[u16; 64]>,
    orientation: Option<u8>,
}

impl<'a> Jpeg<'a> {
    /// Reads the headers. `Kind::Unsupported` for arithmetic coding, 12 bits a sample, lossless
    /// and hierarchical JPEG.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Jpeg<'a>> {
        let (mut frame, mut luminance) = (None, None);
        let (mut exif, mut xmp, mut ends) = (None, None, false);
        for segment in Segments::new(bytes) {
            match segment.marker {
                0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                    if frame.is_some() {
                        return Err(damaged("it has two frame headers"));
                    }
                    frame = Some(Frame::read(segment.marker, segment.body)?);
                }
                0xdb => luminance = luminance.or_else(|| first_table(segment.body)),
                0xe1 => {
                    if let Some(tiff) = segment.body.strip_prefix(EXIF) {
                        exif = exif.or_else(|| metadata::exif_orientation(tiff));
                    } else if let Some(text) = segment.body.strip_prefix(XMP) {
                        xmp = xmp.or_else(|| metadata::xmp_orientation(text));
                    }
                }
                0xd9 | 0xda => {
                    ends = true;
                    break;
                }
                _ => {}
            }
        }
        Ok(Jpeg {
            bytes,
            frame: frame.ok_or_else(|| match ends {
                true => damaged("it has no frame header"),
                false => cut("it ends before its frame header"),
            })?,
            luminance,
            orientation: exif.or(xmp),
        })
    }

    pub(super) fn size(&self) -> (u32, u32) {
        (self.frame.width as u32, self.frame.height as u32)
    }

    /// Returns the orientation of Exif, or else of XMP, 1..=8.
    pub(super) fn orientation(&self) -> Option<u8> {
        self.orientation
    }

    /// Returns the quality setting (1..=100) that the luminance table corresponds to.
    pub(super) fn quality(&self) -> Option<u8> {
        self.luminance.map(quality_of_table)
    }

    /// Walks the entropy-coded data and refuses a picture in which a block is missing: decoders
    /// fill what is not there with grey and tell nobody.
    ///
    /// Returns the bytes that decoding takes for coefficients beside the picture.
    pub(super) fn check_scans(&self) -> Result<usize> {
        let (mut tables, mut progress) = (Tables::default(), Progress::new(&self.frame));
        let (mut segments, mut scans) = (Segments::new(self.bytes), 0);
        let mut closed = false;
        while let Some(segment) = segments.next() {
            match segment.marker {
                0xc4 => tables.define(segment.body)?,
                0xdd => tables.restart_interval(segment.body)?,
                0xe0 if segment.body.starts_with(b"AVI1\0") => tables.assume_standard(),
                0xda => {
                    scans += 1;
                    if scans > MOST_SCANS {
                        return Err(Error::new(
                            Stage::Image,
                            Kind::Limit,
                            format!("the JPEG has more than {MOST_SCANS} scans"),
                        ));
                    }
                    let data = &self.bytes[segment.after..];
                    let length = progress.walk(segment.body, data, &tables)?;
                    segments.resume(segment.after + length);
                }
                0xd9 => {
                    closed = true;
                    break;
                }
                _ => {}
            }
        }
        if !closed {
            return Err(cut("it has no end-of-image marker"));
        }
        progress.finish()?;
        Ok(progress.coefficient_bytes())
    }
}

impl Frame {
    fn read(marker: u8, body: &[u8]) -> Result<Frame> {
        let process = match marker {
            0xc0 | 0xc1 => Process::Sequential,
            0xc2 => Process::Progressive,
            0xc3 => return Err(unsupported("a lossless JPEG")),
            0xc5..=0xc7 => return Err(unsupported("a hierarchical JPEG")),
            _ => return Err(unsupported("a JPEG with arithmetic coding")),
        };
        let [precision, h1, h0, w1, w0, count, rest @ ..] = body else {
            return Err(damaged("its frame header is cut short"));
        };
        if *precision != 8 {
            return Err(unsupported(&format!(
                "a JPEG of {precision} bits a sample (8 are read)"
            )));
        }
        let components: Vec<Component> = rest
            .chunks_exact(3)
            .map(|part| Component {
                id: part[0],
                horizontal: usize::from(part[1] >> 4),
                vertical: usize::from(part[1] & 15),
            })
            .collect();
        let sampled =
            |c: &Component| (1..=4).contains(&c.horizontal) && (1..=4).contains(&c.vertical);
        if components.len() != usize::from(*count)
            || !matches!(components.len(), 1 | 3 | 4)
            || !components.iter().all(sampled)
        {
            return Err(damaged("its frame header names no usable components"));
        }
        let same = |i: usize| components[..i].iter().any(|c| c.id == components[i].id);
        if (0..components.len()).any(same) {
            return Err(damaged("two of its components have one name"));
        }
        Ok(Frame {
            process,
            width: usize::from(u16::from_be_bytes([*w1, *w0])),
            height: usize::from(u16::from_be_bytes([*h1, *h0])),
            components,
        })
    }

    /// The largest sampling factors, across and down.
    fn sampling(&self) -> (usize, usize) {
        let most = |of: fn(&Component) -> usize| self.components.iter().map(of).max().unwrap_or(1);
        (most(|c| c.horizontal), most(|c| c.vertical))
    }
}

/// The 64 entries of quantisation table 0, which every encoder uses for luminance.
fn first_table(mut tables: &[u8]) -> Option<[u16; 64]> {
    while let [head, rest @ ..] = tables {
        let wide = head >> 4 == 1;
        let (table, after) = rest.split_at_checked(if wide { 128 } else { 64 })?;
        if head & 15 == 0 {
            return Some(std::array::from_fn(|i| {
                if wide {
                    u16::from_be_bytes([table[2 * i], table[2 * i + 1]])
                } else {
                    u16::from(table[i])
                }
            }));
        }
        tables = after;
    }
    None
}

/// Inverts the scaling of the Independent JPEG Group, on the mean over the table (the mean of Annex
/// K's is 57.625).
fn quality_of_table(table: [u16; 64]) -> u8 {
    let mean = table.iter().map(|&q| f32::from(q)).sum::<f32>() / 64.0;
    let scale = mean * 100.0 / 57.625;
    let quality = if scale <= 100.0 {
        (200.0 - scale) / 2.0
    } else {
        5000.0 / scale
    };
    quality.round().clamp(1.0, 100.0) as u8
}

fn damaged(what: &str) -> Error {
    Error::new(
        Stage::Image,
        Kind::Input,
        format!("the JPEG file is damaged: {what}"),
    )
}

fn cut(what: &str) -> Error {
    Error::new(
        Stage::Image,
        Kind::Input,
        format!("the JPEG is cut short: {what}"),
    )
}

fn unsupported(what: &str) -> Error {
    Error::new(
        Stage::Image,
        Kind::Unsupported,
        format!("{what} is not read; save it as a baseline or progressive JPEG"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_inverts_the_standard_scaling() {
        assert_eq!(quality_of_table([1; 64]), 99);
        let annex_k_mean = std::array::from_fn(|i| if i % 8 == 0 { 59 } else { 57 });
        assert_eq!(quality_of_table(annex_k_mean), 50);
    }

    #[test]
    fn segments_pass_over_fill_and_stray_bytes() {
        let bytes = [
            &[0xff, 0xd8][..],
            &[0xff, 0xff, 0xff, 0xfe, 0, 4, 1, 2],
            &[0, 7, 0, 0xff, 0x01, 0xff, 0xdd, 0, 4, 0, 9, 0xff, 0xd9],
        ]
        .concat();
        let found: Vec<(u8, &[u8])> = Segments::new(&bytes).map(|s| (s.marker, s.body)).collect();
        let expected: [(u8, &[u8]); 4] =
            [(0xfe, &[1, 2]), (0x01, &[]), (0xdd, &[0, 9]), (0xd9, &[])];
        assert_eq!(found, expected);
        for end in 0..bytes.len() {
            Segments::new(&bytes[..end]).for_each(drop);
        }
    }
}
