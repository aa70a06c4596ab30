//! InsightFace `.bin` packs: a pickle of (encoded images, same-person flags), two images a pair.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Visitor};
use sha2::{Digest, Sha256};

use crate::findings::{Findings, file_name};
use crate::protocol::{Builder, Protocol, Source};

/// Pairs, mated and non-mated alike, of the packs that InsightFace gives out.
const KNOWN: &[(&str, usize)] = &[
    ("lfw.bin", 6_000),
    ("cfp_ff.bin", 7_000),
    ("cfp_fp.bin", 7_000),
    ("agedb_30.bin", 6_000),
    ("calfw.bin", 6_000),
    ("cplfw.bin", 6_000),
];

/// Encoded bytes as Python 2 (`str`) or Python 3 (`bytes`) wrote them.
struct Encoded(Arc<[u8]>);

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Encoded;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the bytes of an encoded image")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Encoded, E> {
                if bytes.is_empty() {
                    return Err(E::custom("an empty image"));
                }
                Ok(Encoded(bytes.into()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// A flag written as a bool or as 0 and 1.
struct Flag(bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Truth;
        impl Visitor<'_> for Truth {
            type Value = Flag;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a same-person flag: true, false, 1 or 0")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(value))
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Flag, E> {
                match value {
                    0 => Ok(Flag(false)),
                    1 => Ok(Flag(true)),
                    other => Err(E::custom(format!("flag {other}, expected 0 or 1"))),
                }
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Flag, E> {
                i64::try_from(value)
                    .map_err(E::custom)
                    .and_then(|value| self.visit_i64(value))
            }
        }
        deserializer
            .deserialize_any(Truth)
            .map_err(D::Error::custom)
    }
}

/// Reads a pack: ten folds in order of the pairs, images named `<file>#<index>`.
///
/// A pack names no persons: images that are equal or joined by mated pairs count as one identity.
pub fn read(path: &Path) -> Protocol {
    let name = file_name(path);
    let mut builder = Builder::new(&name);
    let (images, flags) = match unpack(path, &mut builder.findings) {
        Some(pack) => pack,
        None => return builder.finish(0),
    };
    if images.len() != 2 * flags.len() {
        builder.findings.add(
            path.display(),
            format!(
                "{} images for {} flags, expected two images a flag: nothing is compared",
                images.len(),
                flags.len()
            ),
        );
        return builder.finish(0);
    }
    if let Some(&(_, pairs)) = KNOWN.iter().find(|(known, _)| *known == name) {
        builder
            .findings
            .expect_count(path.display(), "pairs", pairs, flags.len());
    }
    let identities = identities(&images, &flags);
    let per_fold = flags.len().div_ceil(10).max(1);
    for (pair, &Flag(mated)) in flags.iter().enumerate() {
        let place = format!("{name}#pair {pair}");
        let [probe, reference] = [2 * pair, 2 * pair + 1].map(|index| {
            let (identity, first) = identities[index];
            let source = Source::Bytes(images[first].0.clone());
            Some(builder.sample(
                &format!("{name}#{first}"),
                &format!("{name}@{identity}"),
                vec![source],
            ))
        });
        if !mated && identities[2 * pair].0 == identities[2 * pair + 1].0 {
            builder
                .findings
                .add(&place, "a non-mated pair of images that mated pairs join");
        }
        let fold = (pair / per_fold) as u32;
        builder.compare(place, probe, reference, mated, fold, None);
    }
    builder.finish(10)
}

fn unpack(path: &Path, findings: &mut Findings) -> Option<(Vec<Encoded>, Vec<Flag>)> {
    let bytes = std::fs::read(path)
        .map_err(|error| findings.add(path.display(), format!("cannot be read: {error}")))
        .ok()?;
    serde_pickle::from_slice(&bytes, serde_pickle::DeOptions::new())
        .map_err(|error| {
            findings.add(
                path.display(),
                format!("not a pickle of (list of bytes, list of bool): {error}"),
            );
        })
        .ok()
}

/// Returns for each image the root of its identity and the first image of equal content.
fn identities(images: &[Encoded], flags: &[Flag]) -> Vec<(usize, usize)> {
    let mut by_content = HashMap::new();
    let first: Vec<usize> = images
        .iter()
        .enumerate()
        .map(|(index, image)| *by_content.entry(Sha256::digest(&image.0)).or_insert(index))
        .collect();
    let mut parent: Vec<usize> = (0..images.len()).collect();
    fn root(parent: &mut [usize], mut node: usize) -> usize {
        while parent[node] != node {
            parent[node] = parent[parent[node]];
            node = parent[node];
        }
        node
    }
    for (pair, &Flag(mated)) in flags.iter().enumerate() {
        if mated {
            let a = root(&mut parent, first[2 * pair]);
            let b = root(&mut parent, first[2 * pair + 1]);
            parent[a.max(b)] = a.min(b);
        }
    }
    first
        .iter()
        .map(|&image| (root(&mut parent, image), image))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Pairs;
    use crate::readers::test_tree::{Tree, assert_finding};

    /// `pickle.dumps(([b"a", b"b", b"a", b"c"], [True, False]), protocol)` as CPython writes it.
    const PROTOCOL_3: &[u8] =
        b"\x80\x03]q\x00(C\x01aq\x01C\x01bq\x02h\x01C\x01cq\x03e]q\x04(\x88\x89e\x86q\x05.";
    const PROTOCOL_4: &[u8] =
        b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00]\x94(C\x01a\x94C\x01b\x94h\x01C\x01c\x94e\
        ]\x94(\x88\x89e\x86\x94.";
    /// The same from Python 2, whose `str` is bytes.
    const PROTOCOL_2: &[u8] =
        b"\x80\x02]q\x00(U\x01aq\x01U\x01bq\x02h\x01U\x01cq\x03e]q\x04(\x88\x89e\x86q\x05.";

    fn read_bytes(bytes: &[u8]) -> Protocol {
        let tree = Tree::new();
        tree.file("small.bin", bytes);
        read(&tree.path().join("small.bin"))
    }

    #[test]
    fn packs_of_every_python_give_the_same_pairs() {
        for bytes in [PROTOCOL_2, PROTOCOL_3, PROTOCOL_4] {
            let protocol = read_bytes(bytes);
            assert_eq!(protocol.findings.0, []);
            assert_eq!(protocol.samples.len(), 3);
            assert_eq!(&*protocol.samples[0].images[0].read().unwrap(), b"a");
            let Pairs::Listed(pairs) = &protocol.pairs else {
                panic!("listed pairs expected");
            };
            let seen: Vec<_> = pairs
                .iter()
                .map(|pair| (pair.probe, pair.reference, pair.mated))
                .collect();
            assert_eq!(seen, [(0, 1, true), (0, 2, false)]);
            assert_eq!(protocol.samples[0].identity, protocol.samples[1].identity);
            assert_ne!(protocol.samples[0].identity, protocol.samples[2].identity);
        }
    }

    #[test]
    fn a_pack_of_anything_else_is_refused_with_the_reason() {
        let cases: [(&[u8], &str); 5] = [
            (b"", "not a pickle of"),
            (&PROTOCOL_3[..20], "not a pickle of"),
            (b"\x80\x03cos\nsystem\nq\x00.", "not a pickle of"),
            (
                b"\x80\x03]q\x00(C\x01aq\x01e]q\x04(\x88\x89e\x86q\x05.",
                "1 images for 2 flags",
            ),
            (
                b"\x80\x03]q\x00(C\x01aq\x01C\x01bq\x02e]q\x04K\x07a\x86q\x05.",
                "flag 7, expected 0 or 1",
            ),
        ];
        for (bytes, expected) in cases {
            assert_finding(&read_bytes(bytes).findings, expected);
        }
    }

    #[test]
    fn a_length_beyond_the_file_allocates_nothing_and_is_refused() {
        let mut bytes = b"\x80\x04]\x94(\x8e".to_vec();
        bytes.extend(u64::to_le_bytes(1 << 40));
        bytes.extend(b"abc");
        assert_finding(&read_bytes(&bytes).findings, "not a pickle of");
    }

    #[test]
    fn a_known_pack_with_another_count_is_a_finding() {
        let tree = Tree::new();
        tree.file("agedb_30.bin", PROTOCOL_3);
        let protocol = read(&tree.path().join("agedb_30.bin"));
        assert_finding(&protocol.findings, "2 pairs, expected 6000");
    }
}
