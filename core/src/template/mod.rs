//! Features kept for later: opaque, versioned bytes that say which weights made them, with what a
//! policy weighs of their picture.
//!
//! Layout, all integers little-endian: `VULT`, version u16, precision u8, role u8, embedders u8, 1
//! where a key protects it or else 0, the length u16 of the findings, 8 bytes that name the key (0
//! for none), the findings (hidden under the key); for each embedder the first 16 bytes of its
//! weight's SHA-256, a length u16 and that many f32; at the end the first 8 bytes of the SHA-256 of
//! all before, or of their HMAC under the key.

mod findings;
mod key;

pub(crate) use key::KeyId;
pub use key::TemplateKey;

use crate::embed::{Embedder, Features};
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{Findings, Role};
use sha2::{Digest, Sha256};
use vultus_nn::Precision;
use zeroize::Zeroizing;

const MAGIC: &[u8; 4] = b"VULT";
const VERSION: u16 = 2;
const HEADER: usize = 20;
const KEY_NAME: std::ops::Range<usize> = 12..HEADER;
const MODEL: usize = 16;
const CHECKSUM: usize = 8;

/// The weights that a template's features came from, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lineage(pub(crate) Vec<Embedder>);

/// A stored reference. It holds biometric data: encrypt it at rest, and protect it by a
/// [`TemplateKey`]. Wiped when dropped, never printed.
#[derive(Clone, PartialEq)]
pub struct Template {
    role: Role,
    precision: Precision,
    key: Option<KeyId>,
    features: Vec<Features>,
    findings: Findings,
    bytes: Zeroizing<Vec<u8>>,
}

impl Template {
    /// Makes a template of plain features, protected by `key` where one is given.
    pub(crate) fn new(
        role: Role,
        precision: Precision,
        findings: Findings,
        features: Vec<Features>,
        key: Option<&TemplateKey>,
    ) -> Template {
        let features = match key {
            Some(key) => features.iter().map(|plain| key.protect(plain)).collect(),
            None => features,
        };
        let mut found = findings.to_bytes();
        let block = |features: &Features| MODEL + 2 + 4 * features.values.len();
        let length = HEADER + found.len() + features.iter().map(block).sum::<usize>() + CHECKSUM;
        // Of its full length at once: growing would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([
            precision_code(precision),
            role_code(role),
            features.len() as u8,
            u8::from(key.is_some()),
        ]);
        bytes.extend((found.len() as u16).to_le_bytes());
        bytes.extend(key.map_or([0; 8], |key| key.id().0));
        let place = bytes.len();
        bytes.resize(place + found.len(), 0);
        for features in &features {
            bytes.extend(features.embedder.fingerprint);
            bytes.extend((features.values.len() as u16).to_le_bytes());
            let values = features.values.iter();
            values.for_each(|value| bytes.extend(value.to_le_bytes()));
        }
        if let Some(key) = key {
            key.mask(&Sha256::digest(&bytes[..]), &mut found);
        }
        bytes[place..place + found.len()].copy_from_slice(&found);
        let checksum = checksum(&bytes, key);
        bytes.extend(checksum);
        Template {
            role,
            precision,
            key: key.map(TemplateKey::id),
            features,
            findings,
            bytes,
        }
    }

    /// Reads what [`Template::to_bytes`] gave. `Kind::Input` when damaged, `Kind::Unsupported` for
    /// another version, `Kind::Usage` when weights of none of `lineages`, another precision or
    /// another key made it.
    pub(crate) fn from_bytes<'l>(
        bytes: &[u8],
        lineages: impl Iterator<Item = &'l Lineage> + Clone,
        precision: Precision,
        key: Option<&TemplateKey>,
    ) -> Result<Template> {
        let damaged = |what: &str| fault(Kind::Input, format!("the template is damaged: {what}"));
        if bytes.len() < HEADER + CHECKSUM || &bytes[..4] != MAGIC {
            return Err(fault(Kind::Input, "these bytes are no template".to_owned()));
        }
        let version = u16_at(bytes, 4);
        if version != VERSION {
            let message = format!(
                "the template has version {version}, this engine reads version {VERSION}; enrol \
                again"
            );
            return Err(fault(Kind::Unsupported, message));
        }
        let (body, sum) = bytes.split_at(bytes.len() - CHECKSUM);
        let usage = |message: &str| Err(fault(Kind::Usage, message.to_owned()));
        match (body[9], key) {
            (0, Some(_)) => {
                return usage(
                    "the template is not protected, and this engine has a template key; rekey it \
                    with an engine that has none",
                );
            }
            (1, None) => {
                return usage("the template is protected, and this engine has no template key");
            }
            (1, Some(key)) if body[KEY_NAME] != key.id().0 => {
                return usage("the template is protected by another template key");
            }
            _ => {}
        }
        if checksum(body, key) != *sum {
            return Err(damaged("its checksum is wrong"));
        }
        if body[9] > 1 || (key.is_none() && body[KEY_NAME] != [0; 8]) {
            return Err(damaged("its reserved bytes are not zero"));
        }
        if body[6] != precision_code(precision) {
            return usage(
                "the template was made in another precision than this engine runs in; enrol again",
            );
        }
        let role = match body[7] {
            0 => Role::Selfie,
            1 => Role::Document,
            _ => return Err(damaged("its role is unknown")),
        };
        let cut = || damaged("it is cut short");
        let (found, mut rest) = body[HEADER..]
            .split_at_checked(usize::from(u16_at(body, 10)))
            .ok_or_else(cut)?;
        let mut found = Zeroizing::new(found.to_vec());
        if let Some(key) = key {
            let mut salted = Sha256::new();
            salted.update(&body[..HEADER]);
            found.iter().for_each(|_| salted.update([0]));
            salted.update(rest);
            key.mask(&salted.finalize(), &mut found);
        }
        let findings =
            Findings::from_bytes(&found).ok_or_else(|| damaged("its findings cannot be read"))?;
        let mut blocks = Vec::new();
        for _ in 0..body[8] {
            let (head, after) = rest.split_at_checked(MODEL + 2).ok_or_else(cut)?;
            let length = 4 * usize::from(u16_at(head, MODEL));
            let (values, after) = after.split_at_checked(length).ok_or_else(cut)?;
            blocks.push((&head[..MODEL], values));
            rest = after;
        }
        if !rest.is_empty() {
            return Err(damaged("it is longer than its header says"));
        }
        let made_by = |lineage: &&Lineage| {
            let fingerprints = lineage.0.iter().map(|embedder| &embedder.fingerprint[..]);
            fingerprints.eq(blocks.iter().map(|(fingerprint, _)| *fingerprint))
        };
        let Some(lineage) = lineages.clone().find(made_by) else {
            let ids = lineages.flat_map(|lineage| &lineage.0);
            let ids: Vec<&str> = ids.map(|embedder| &*embedder.id).collect();
            let message = format!(
                "the template was made with other weights than this engine's {}; open the engine \
                with the pack that made it as an earlier pack, or enrol again",
                ids.join(", ")
            );
            return Err(fault(Kind::Usage, message));
        };
        let read = |(embedder, (_, block)): (&Embedder, &(&[u8], &[u8]))| {
            if block.len() != 4 * embedder.dimension {
                return Err(damaged("a feature vector has the wrong length"));
            }
            let (values, _) = block.as_chunks::<4>();
            let values: Zeroizing<Vec<f32>> =
                Zeroizing::new(values.iter().map(|b| f32::from_le_bytes(*b)).collect());
            let norm: f32 = values.iter().map(|v| v * v).sum();
            if !(0.99..=1.01).contains(&norm) {
                return Err(damaged("a feature vector is not of unit length"));
            }
            Ok(Features {
                embedder: embedder.clone(),
                values,
            })
        };
        Ok(Template {
            role,
            precision,
            key: key.map(TemplateKey::id),
            features: lineage
                .0
                .iter()
                .zip(&blocks)
                .map(read)
                .collect::<Result<_>>()?,
            findings,
            bytes: Zeroizing::new(bytes.to_vec()),
        })
    }

    /// Returns the template under another key, or under none. `from` is the key that protects it.
    pub(crate) fn rekeyed(&self, from: Option<&TemplateKey>, to: Option<&TemplateKey>) -> Template {
        debug_assert_eq!(self.key, from.map(TemplateKey::id));
        let plain = self.features.iter().map(|features| match from {
            Some(key) => key.reveal(features),
            None => features.clone(),
        });
        let features = plain.collect();
        Template::new(self.role, self.precision, self.findings, features, to)
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
        self.findings.unified
    }

    /// Whether a [`TemplateKey`] protects it.
    pub fn is_protected(&self) -> bool {
        self.key.is_some()
    }

    /// Returns the unit vector of the embedder with that model id, turned by the key where one
    /// protects it, for evaluation on public datasets. It is biometric data.
    pub fn values(&self, model: &str) -> Option<&[f32]> {
        self.features
            .iter()
            .find(|f| &*f.embedder.id == model)
            .map(|f| &f.values[..])
    }

    /// What was found in the picture.
    pub(crate) fn findings(&self) -> &Findings {
        &self.findings
    }

    /// The features, as `key` protects them. `Kind::Usage` where another key does, or none.
    pub(crate) fn features(&self, key: Option<KeyId>) -> Result<&[Features]> {
        if self.key == key {
            return Ok(&self.features);
        }
        let message = match (self.key, key) {
            (Some(_), None) => "the template is protected, and this engine has no template key",
            (None, Some(_)) => "the template is not protected, and this engine has a template key",
            (_, _) => "the template is protected by another template key",
        };
        Err(fault(Kind::Usage, message.to_owned()))
    }
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (role, quality, length) = (self.role, self.quality(), self.bytes.len());
        write!(f, "Template({role:?}, quality {quality}, {length} bytes)")
    }
}

fn u16_at(bytes: &[u8], place: usize) -> u16 {
    u16::from_le_bytes([bytes[place], bytes[place + 1]])
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

/// Under a key it shows that nobody without it wrote the bytes.
fn checksum(body: &[u8], key: Option<&TemplateKey>) -> [u8; CHECKSUM] {
    let whole = match key {
        Some(key) => key.tag(body),
        None => Zeroizing::new(Sha256::digest(body).into()),
    };
    let mut first = [0; CHECKSUM];
    first.copy_from_slice(&whole[..CHECKSUM]);
    first
}

fn fault(kind: Kind, message: String) -> Error {
    Error::new(Stage::Template, kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Assessed, PadStatus};

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
        let features = features.collect();
        Template::new(Role::Document, Precision::Exact, findings(), features, None)
    }

    fn findings() -> Findings {
        Findings {
            scores: std::array::from_fn(|place| (place != 3).then_some(place as u8)),
            inter_eye_px: 41.25,
            yaw_deg: -3.1,
            rival_share: Some(0.9),
            pad: Assessed::Yes(PadStatus::Attack),
            ..Findings::even(77)
        }
    }

    fn key(seed: u8) -> TemplateKey {
        let bytes: Vec<u8> = (0..32).map(|i| seed ^ i).collect();
        TemplateKey::new(&bytes).unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Template> {
        read_with(bytes, &lineage(), None)
    }

    fn read_with(bytes: &[u8], lineage: &Lineage, key: Option<&TemplateKey>) -> Result<Template> {
        Template::from_bytes(bytes, [lineage].into_iter(), Precision::Exact, key)
    }

    #[test]
    fn bytes_round_trip() {
        let again = read(template().to_bytes()).unwrap();
        assert!(again == template() && *again.findings() == findings());
    }

    #[test]
    fn findings_of_fewer_components_are_read() {
        let found = findings().to_bytes();
        let mut fewer = found[..found.len() - 1].to_vec();
        fewer[3] -= 1;
        let read = Findings::from_bytes(&fewer).unwrap();
        assert_eq!(
            read.scores[..read.scores.len() - 1],
            findings().scores[..found.len() - 21]
        );
        assert_eq!(read.scores.last(), Some(&None));
        assert_eq!(Findings::from_bytes(&found[..found.len() - 1]), None);
    }

    #[test]
    fn a_key_protects_is_needed_and_is_changed() {
        let (one, other) = (key(1), key(2));
        let plain = template();
        let protected = plain.rekeyed(None, Some(&one));
        let again = read_with(protected.to_bytes(), &lineage(), Some(&one)).unwrap();
        assert!(again == protected && *again.findings() == findings());
        for (bytes, key, words) in [
            (protected.to_bytes(), None, "has no template key"),
            (protected.to_bytes(), Some(&other), "another template key"),
            (plain.to_bytes(), Some(&one), "is not protected"),
        ] {
            let error = read_with(bytes, &lineage(), key).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            assert!(error.to_string().contains(words), "{error}");
        }
        // Who does not hold the key can neither read findings nor write any.
        let found = findings().to_bytes();
        assert_ne!(
            protected.to_bytes()[HEADER..HEADER + found.len()],
            found[..]
        );
        for at in 0..protected.to_bytes().len() {
            let mut damaged = protected.to_bytes().to_vec();
            damaged[at] ^= 1;
            for damaged in [sealed(damaged.clone()), damaged] {
                assert!(
                    read_with(&damaged, &lineage(), Some(&one)).is_err(),
                    "byte {at}"
                );
            }
        }
        let changed = protected.rekeyed(Some(&one), Some(&other));
        assert!(read_with(changed.to_bytes(), &lineage(), Some(&other)).is_ok());
        let back = changed.rekeyed(Some(&other), None);
        for (a, b) in plain.features.iter().zip(&back.features) {
            let mut pairs = a.values.iter().zip(&b.values[..]);
            assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-6));
        }
    }

    #[test]
    fn the_lineage_is_that_of_the_weights() {
        let mut earlier = lineage();
        earlier.0[1].fingerprint = [8; MODEL];
        let bytes = template().to_bytes().to_vec();
        let both = [&earlier, &lineage()];
        let read = Template::from_bytes(&bytes, both.into_iter(), Precision::Exact, None).unwrap();
        assert!(read == template());
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
        let error = read_with(&bytes, &other, None).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().contains("earlier pack")),
            (Kind::Usage, true)
        );
        let fast = Template::from_bytes(&bytes, [&lineage()].into_iter(), Precision::Fast, None);
        assert_eq!(fast.unwrap_err().kind(), Kind::Usage);
        let single = Lineage(lineage().0[..1].to_vec());
        let error = read_with(&bytes, &single, None).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        let mut newer = bytes;
        for version in [1, 3] {
            newer[4] = version;
            assert_eq!(read(&newer).unwrap_err().kind(), Kind::Unsupported);
        }
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
        let blocks = HEADER + findings().to_bytes().len();
        let first = blocks + MODEL + 2;
        for (what, at, values, kind) in [
            ("magic", 0, &b"WULT"[..], Kind::Input),
            ("version 0", 4, &[0, 0], Kind::Unsupported),
            ("version 257", 4, &[1, 1], Kind::Unsupported),
            ("precision", 6, &[1], Kind::Usage),
            ("unknown precision", 6, &[9], Kind::Usage),
            ("role", 7, &[2], Kind::Input),
            ("no embedder", 8, &[0], Kind::Input),
            ("a third embedder", 8, &[3], Kind::Input),
            ("a key that is not there", 9, &[1], Kind::Usage),
            ("neither plain nor protected", 9, &[2], Kind::Input),
            ("no findings", 10, &[0], Kind::Input),
            ("the name of a key", 12, &[1], Kind::Input),
            ("quality", HEADER, &[101], Kind::Input),
            ("flags", HEADER + 1, &[4], Kind::Input),
            ("a share of nobody", HEADER + 1, &[1], Kind::Input),
            ("PAD", HEADER + 2, &[3], Kind::Input),
            ("components", HEADER + 3, &[1], Kind::Input),
            (
                "no distance of the eyes",
                HEADER + 4,
                &[0, 0, 0xc0, 0x7f],
                Kind::Input,
            ),
            ("a component", HEADER + 20, &[101], Kind::Input),
            ("weights", blocks + MODEL - 1, &[0], Kind::Usage),
            ("dimension", blocks + MODEL, &[1], Kind::Input),
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
                for features in &template.features {
                    let norm: f32 = features.values.iter().map(|v| v * v).sum();
                    assert!((0.99..=1.01).contains(&norm), "norm {norm}");
                }
            }
        }
        assert!((1..20_000).contains(&read_again), "{read_again} were read");
    }
}
