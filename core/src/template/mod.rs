//! Features kept for later: opaque, versioned bytes that say which weights made them.
//!
//! Layout, all integers little-endian: `VULT`, version u16, precision u8, role u8, unified quality
//! u8, embedders u8, two zero bytes; for each embedder the first 16 bytes of its weight's SHA-256,
//! a length u16 and that many f32; at the end the first 8 bytes of the SHA-256 of all before.

use crate::embed::{Embedder, Features};
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::Role;
use sha2::{Digest, Sha256};
use vultus_nn::Precision;
use zeroize::Zeroizing;

const MAGIC: &[u8; 4] = b"VULT";
const VERSION: u16 = 1;
const HEADER: usize = 12;
const MODEL: usize = 16;
const CHECKSUM: usize = 8;

/// The weights that a template's features came from, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lineage(pub(crate) Vec<Embedder>);

/// A stored reference. It holds biometric data: encrypt it at rest. Wiped when dropped, never
/// printed.
#[derive(Clone, PartialEq)]
pub struct Template {
    role: Role,
    precision: Precision,
    quality: u8,
    features: Vec<Features>,
    bytes: Zeroizing<Vec<u8>>,
}

impl Template {
    pub(crate) fn new(
        role: Role,
        precision: Precision,
        quality: u8,
        features: Vec<Features>,
        lineage: &Lineage,
    ) -> Template {
        let mut bytes = Zeroizing::new(Vec::new());
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([
            precision_code(precision),
            role_code(role),
            quality,
            features.len() as u8,
            0,
            0,
        ]);
        for (feature, embedder) in features.iter().zip(&lineage.0) {
            debug_assert_eq!(
                feature.embedder, *embedder,
                "features come in the order of the lineage"
            );
            bytes.extend(embedder.fingerprint);
            bytes.extend((feature.values.len() as u16).to_le_bytes());
            feature
                .values
                .iter()
                .for_each(|v| bytes.extend(v.to_le_bytes()));
        }
        let checksum = Sha256::digest(&bytes[..]);
        bytes.extend(&checksum[..CHECKSUM]);
        Template {
            role,
            precision,
            quality,
            features,
            bytes,
        }
    }

    /// Reads what [`Template::to_bytes`] gave. `Kind::Input` when damaged, `Kind::Unsupported` for
    /// another version, `Kind::Usage` when other weights or another precision made it.
    pub(crate) fn from_bytes(
        bytes: &[u8],
        lineage: &Lineage,
        precision: Precision,
    ) -> Result<Template> {
        let damaged = |what: &str| fault(Kind::Input, format!("the template is damaged: {what}"));
        if bytes.len() < HEADER + CHECKSUM || &bytes[..4] != MAGIC {
            return Err(fault(Kind::Input, "these bytes are no template".to_owned()));
        }
        let version = u16::from_le_bytes([bytes[4], bytes[5]]);
        if version != VERSION {
            return Err(fault(
                Kind::Unsupported,
                format!("the template has version {version}, this engine reads version {VERSION}"),
            ));
        }
        let (body, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
        if Sha256::digest(body)[..CHECKSUM] != *checksum {
            return Err(damaged("its checksum is wrong"));
        }
        if body[6] != precision_code(precision) {
            return Err(fault(
                Kind::Usage,
                "the template was made in another precision than this engine runs in; enrol again"
                    .to_owned(),
            ));
        }
        let role = match body[7] {
            0 => Role::Selfie,
            1 => Role::Document,
            _ => return Err(damaged("its role is unknown")),
        };
        if body[10..HEADER] != [0, 0] {
            return Err(damaged("its reserved bytes are not zero"));
        }
        let quality = body[8];
        if quality > 100 || usize::from(body[9]) != lineage.0.len() {
            let what = format!(
                "the template holds the features of {} models, this engine uses {}",
                body[9],
                lineage.0.len()
            );
            return Err(if quality > 100 {
                damaged("its quality is above 100")
            } else {
                fault(Kind::Usage, what)
            });
        }
        let (mut features, mut rest) = (Vec::new(), &body[HEADER..]);
        for embedder in &lineage.0 {
            let dimension = embedder.dimension;
            let (block, after) = rest
                .split_at_checked(MODEL + 2 + 4 * dimension)
                .ok_or_else(|| damaged("it is cut short"))?;
            if block[..MODEL] != embedder.fingerprint {
                let message = format!(
                    "the template was made with other weights than this engine's {}; enrol again",
                    embedder.id
                );
                return Err(fault(Kind::Usage, message));
            }
            if usize::from(u16::from_le_bytes([block[MODEL], block[MODEL + 1]])) != dimension {
                return Err(damaged("a feature vector has the wrong length"));
            }
            let values: Zeroizing<Vec<f32>> = Zeroizing::new(
                block[MODEL + 2..]
                    .chunks_exact(4)
                    .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                    .collect(),
            );
            let norm: f32 = values.iter().map(|v| v * v).sum();
            if !(0.99..=1.01).contains(&norm) {
                return Err(damaged("a feature vector is not of unit length"));
            }
            features.push(Features {
                embedder: embedder.clone(),
                values,
            });
            rest = after;
        }
        if !rest.is_empty() {
            return Err(damaged("it is longer than its header says"));
        }
        Ok(Template {
            role,
            precision,
            quality,
            features,
            bytes: Zeroizing::new(bytes.to_vec()),
        })
    }

    /// Returns the bytes to store.
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns what the picture was that it came from.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns the precision of the networks that made it.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Returns the unified quality score of the sample, 0..=100.
    pub fn quality(&self) -> u8 {
        self.quality
    }

    /// Returns the unit vector of the embedder with that model id, for evaluation on public
    /// datasets. It is biometric data.
    pub fn values(&self, model: &str) -> Option<&[f32]> {
        self.features
            .iter()
            .find(|f| &*f.embedder.id == model)
            .map(|f| &f.values[..])
    }

    pub(crate) fn features(&self) -> &[Features] {
        &self.features
    }
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Template({:?}, quality {}, {} bytes)",
            self.role,
            self.quality,
            self.bytes.len()
        )
    }
}

fn precision_code(precision: Precision) -> u8 {
    match precision {
        Precision::Exact => 0,
        Precision::Fast => 1,
    }
}

fn role_code(role: Role) -> u8 {
    match role {
        Role::Selfie => 0,
        Role::Document => 1,
    }
}

fn fault(kind: Kind, message: String) -> Error {
    Error::new(Stage::Template, kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage() -> Lineage {
        let embedder = |id: &str, dimension, byte| Embedder {
            id: id.into(),
            dimension,
            fingerprint: [byte; MODEL],
            kernels: vultus_nn::kernel::Kernels::best(),
        };
        Lineage(vec![embedder("one", 128, 7), embedder("other", 192, 9)])
    }

    fn template() -> Template {
        let features = lineage().0.into_iter().map(|embedder| {
            let mut values = vec![0.0; embedder.dimension];
            values[3] = 1.0;
            Features {
                embedder,
                values: values.into(),
            }
        });
        Template::new(
            Role::Document,
            Precision::Exact,
            77,
            features.collect(),
            &lineage(),
        )
    }

    fn read(bytes: &[u8]) -> Result<Template> {
        Template::from_bytes(bytes, &lineage(), Precision::Exact)
    }

    #[test]
    fn bytes_round_trip() {
        assert!(read(template().to_bytes()).unwrap() == template());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let bytes = template().to_bytes().to_vec();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                assert!(read(&damaged).is_err(), "bit {bit} of byte {at}");
            }
            assert!(read(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn foreign_templates_are_told_apart() {
        let bytes = template().to_bytes().to_vec();
        let mut other = lineage();
        other.0[1].fingerprint = [8; MODEL];
        let error = Template::from_bytes(&bytes, &other, Precision::Exact).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().contains("other")),
            (Kind::Usage, true)
        );
        assert_eq!(
            Template::from_bytes(&bytes, &lineage(), Precision::Fast)
                .unwrap_err()
                .kind(),
            Kind::Usage
        );
        let single = Lineage(lineage().0[..1].to_vec());
        assert_eq!(
            Template::from_bytes(&bytes, &single, Precision::Exact)
                .unwrap_err()
                .kind(),
            Kind::Usage
        );
        let mut newer = bytes;
        newer[4] = 2;
        assert_eq!(read(&newer).unwrap_err().kind(), Kind::Unsupported);
    }

    /// With the checksum of what comes before it, so that only the other checks are left.
    fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
        let end = bytes.len() - CHECKSUM;
        let checksum = Sha256::digest(&bytes[..end]);
        bytes[end..].copy_from_slice(&checksum[..CHECKSUM]);
        bytes
    }

    #[test]
    fn a_right_checksum_does_not_make_a_template() {
        let first = HEADER + MODEL + 2;
        for (what, at, values, kind) in [
            ("magic", 0, &b"WULT"[..], Kind::Input),
            ("version 0", 4, &[0, 0], Kind::Unsupported),
            ("version 257", 4, &[1, 1], Kind::Unsupported),
            ("precision", 6, &[1], Kind::Usage),
            ("unknown precision", 6, &[9], Kind::Usage),
            ("role", 7, &[2], Kind::Input),
            ("quality", 8, &[101], Kind::Input),
            ("no embedder", 9, &[0], Kind::Usage),
            ("a third embedder", 9, &[3], Kind::Usage),
            ("reserved", 11, &[1], Kind::Input),
            ("weights", HEADER + MODEL - 1, &[0], Kind::Usage),
            ("dimension", HEADER + MODEL, &[1], Kind::Input),
            ("a NaN", first, &[0, 0, 0xc0, 0x7f], Kind::Input),
            ("an infinity", first, &[0, 0, 0x80, 0x7f], Kind::Input),
            (
                "twice the length",
                first + 12,
                &2f32.to_le_bytes(),
                Kind::Input,
            ),
            ("no length", first + 12, &[0; 4], Kind::Input),
        ] {
            let mut bytes = template().to_bytes().to_vec();
            bytes[at..at + values.len()].copy_from_slice(values);
            assert_eq!(
                read(&sealed(bytes)).map(|_| ()).map_err(|e| e.kind()),
                Err(kind),
                "{what}"
            );
        }
        for length in [
            HEADER + CHECKSUM,
            template().to_bytes().len() - 4,
            template().to_bytes().len() + 4,
        ] {
            let mut bytes = template().to_bytes().to_vec();
            bytes.resize(length, 0);
            assert_eq!(
                read(&sealed(bytes)).unwrap_err().kind(),
                Kind::Input,
                "{length} bytes"
            );
        }
    }

    #[test]
    fn mutated_bytes_are_an_error_or_the_template_that_they_say() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        let whole = template().to_bytes().to_vec();
        let mut read_again = 0;
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..=random(4) {
                let (at, count) = (random(bytes.len()), random(9));
                match random(4) {
                    0 => bytes[at] = random(256) as u8,
                    1 => bytes[at] ^= 1 << random(8),
                    2 => drop(bytes.drain(at..(at + count).min(bytes.len()))),
                    _ => drop(bytes.splice(at..at, std::iter::repeat_n(random(256) as u8, count))),
                }
                bytes.resize(bytes.len().max(CHECKSUM + 1), 0);
            }
            let bytes = sealed(bytes);
            if let Ok(template) = read(&bytes) {
                read_again += 1;
                assert_eq!(template.to_bytes(), bytes);
                for features in template.features() {
                    let norm: f32 = features.values.iter().map(|v| v * v).sum();
                    assert!((0.99..=1.01).contains(&norm), "norm {norm}");
                }
            }
        }
        assert!((1..20_000).contains(&read_again), "{read_again} were read");
    }
}
