//! Template protection (ISO/IEC 24745): features turned by a secret rotation.
//!
//! A rotation keeps every angle, so features protected by one key compare as plain ones do. Under
//! two keys the same person's features are as far apart as two strangers' are, so that a template
//! that leaked cannot be linked to one of another key, and is renewed by turning it under a new
//! key. What it does not do: templates of one key can be compared with each other without the key;
//! whoever holds the key turns features back; and so does who knows, of one key, the plain features
//! of as many templates as features have values. Keep it apart from the templates.

use crate::embed::{Embedder, Features};
use crate::error::{Error, Kind, Result, Stage};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// Length of a key in bytes.
const KEY: usize = 32;

/// A secret of the caller that protects templates. Wiped when dropped, never printed. A clone is
/// another handle to the same key.
#[derive(Clone)]
pub struct TemplateKey(Arc<Secret>);

/// What a template says of the key that protects it, and nothing else of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyId(pub(crate) [u8; 8]);

struct Secret {
    bytes: Zeroizing<[u8; KEY]>,
    id: KeyId,
    /// The rotation of each embedder's features, made when it is first needed.
    rotations: Mutex<BTreeMap<[u8; 16], Arc<Rotation>>>,
}

impl TemplateKey {
    /// Makes a key of 32 bytes of a cryptographic random generator. `Kind::Usage` for another
    /// length and for one byte over and over, which is a placeholder.
    pub fn new(bytes: &[u8]) -> Result<TemplateKey> {
        let usage = |message: String| Error::new(Stage::Template, Kind::Usage, message);
        let found = bytes.len();
        let Ok(key) = <[u8; KEY]>::try_from(bytes).map(Zeroizing::new) else {
            return Err(usage(format!(
                "a template key has {KEY} random bytes, this one has {found}"
            )));
        };
        if key.iter().all(|byte| *byte == key[0]) {
            let message = "the template key is one byte repeated; it must be random";
            return Err(usage(message.to_owned()));
        }
        let mut id = [0; 8];
        id.copy_from_slice(&derive(&key[..], b"id", &[])[..8]);
        Ok(TemplateKey(Arc::new(Secret {
            bytes: key,
            id: KeyId(id),
            rotations: Mutex::default(),
        })))
    }

    pub(crate) fn id(&self) -> KeyId {
        self.0.id
    }

    /// Returns the features turned under this key.
    pub(crate) fn protect(&self, features: &Features) -> Features {
        self.turned(features, Rotation::apply)
    }

    /// Returns the features that [`TemplateKey::protect`] was given, but for rounding.
    pub(crate) fn reveal(&self, features: &Features) -> Features {
        self.turned(features, Rotation::undo)
    }

    fn turned(&self, features: &Features, turn: fn(&Rotation, &mut [f64])) -> Features {
        let values = features.values.iter().map(|value| f64::from(*value));
        let mut wide = Zeroizing::new(values.collect::<Vec<f64>>());
        turn(&self.rotation(&features.embedder), &mut wide);
        Features {
            embedder: features.embedder.clone(),
            values: Zeroizing::new(wide.iter().map(|value| *value as f32).collect()),
        }
    }

    /// Hides `data`, or shows it again; `salt` makes the stream of each template its own.
    pub(crate) fn mask(&self, salt: &[u8], data: &mut [u8]) {
        let mut stream = Stream::new(&self.0.bytes, b"findings", salt);
        data.iter_mut().for_each(|byte| *byte ^= stream.byte());
    }

    /// Returns what only who holds the key can make of `body`.
    pub(crate) fn tag(&self, body: &[u8]) -> Zeroizing<[u8; 32]> {
        derive(&self.0.bytes[..], b"tag", body)
    }

    fn rotation(&self, embedder: &Embedder) -> Arc<Rotation> {
        let mut rotations = self
            .0
            .rotations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let draw = || {
            let stream = Stream::new(&self.0.bytes, b"rotation", &embedder.fingerprint);
            Arc::new(Rotation::draw(embedder.dimension, stream))
        };
        let rotation = rotations.entry(embedder.fingerprint).or_insert_with(draw);
        rotation.clone()
    }
}

impl std::fmt::Debug for TemplateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TemplateKey")
    }
}

/// HMAC-SHA-256 (RFC 2104) of a label and data; the label's length keeps two of them apart.
fn derive(key: &[u8], label: &[u8], data: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(b"vultus template key 1");
    mac.update(&[label.len() as u8]);
    mac.update(label);
    mac.update(data);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// Secret numbers: HMAC-SHA-256 in counter mode (NIST SP 800-108) under a seed that the key gives.
struct Stream {
    seed: Zeroizing<[u8; 32]>,
    block: Zeroizing<[u8; 32]>,
    counter: u64,
    used: usize,
}

impl Stream {
    fn new(key: &[u8; KEY], label: &[u8], data: &[u8]) -> Stream {
        Stream {
            seed: derive(&key[..], label, data),
            block: Zeroizing::new([0; 32]),
            counter: 0,
            used: 32,
        }
    }

    fn byte(&mut self) -> u8 {
        if self.used == self.block.len() {
            self.block = derive(&self.seed[..], b"block", &self.counter.to_le_bytes());
            self.counter += 1;
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    /// In 0..1, both ends left out.
    fn share(&mut self) -> f64 {
        let bits = (0..6).fold(0u64, |bits, _| bits << 8 | u64::from(self.byte()));
        (bits as f64 + 0.5) / (1u64 << 48) as f64
    }

    /// Two independent normal numbers (Box and Muller 1958).
    fn normals(&mut self) -> [f64; 2] {
        let radius = libm::sqrt(-2.0 * libm::log(self.share()));
        let angle = std::f64::consts::TAU * self.share();
        [radius * libm::cos(angle), radius * libm::sin(angle)]
    }
}

/// An orthogonal matrix, uniform over all of them (Stewart 1980): reflections that take normal
/// vectors of falling length to an axis, and signs.
struct Rotation {
    dimension: usize,
    /// Unit normals of the planes, of `dimension`, `dimension - 1`, … 2 values, one after another.
    normals: Zeroizing<Vec<f64>>,
    signs: Zeroizing<Vec<f64>>,
}

impl Rotation {
    fn draw(dimension: usize, mut stream: Stream) -> Rotation {
        let mut normals = Zeroizing::new(Vec::with_capacity(dimension * (dimension + 1) / 2));
        let mut signs = Zeroizing::new(Vec::with_capacity(dimension));
        for length in (2..=dimension).rev() {
            let start = normals.len();
            while normals.len() < start + length {
                let left = start + length - normals.len();
                normals.extend(stream.normals().into_iter().take(left));
            }
            let v = &mut normals[start..];
            let sign = if v[0] < 0.0 { -1.0 } else { 1.0 };
            v[0] += sign * libm::sqrt(v.iter().map(|x| x * x).sum());
            let unit = 1.0 / libm::sqrt(v.iter().map(|x| x * x).sum());
            v.iter_mut().for_each(|x| *x *= unit);
            signs.push(-sign);
        }
        signs.push(if stream.byte() & 1 == 0 { 1.0 } else { -1.0 });
        Rotation {
            dimension,
            normals,
            signs,
        }
    }

    /// The reflections, each with the first value that it touches.
    fn planes(&self) -> impl DoubleEndedIterator<Item = (usize, &[f64])> {
        (0..self.dimension.saturating_sub(1)).map(|i| {
            let start = i * self.dimension - i * i.saturating_sub(1) / 2;
            (i, &self.normals[start..start + self.dimension - i])
        })
    }

    fn apply(&self, values: &mut [f64]) {
        self.sign(values);
        self.planes().rev().for_each(|plane| reflect(plane, values));
    }

    fn undo(&self, values: &mut [f64]) {
        self.planes().for_each(|plane| reflect(plane, values));
        self.sign(values);
    }

    fn sign(&self, values: &mut [f64]) {
        let both = values.iter_mut().zip(&self.signs[..]);
        both.for_each(|(value, sign)| *value *= sign);
    }
}

fn reflect((first, normal): (usize, &[f64]), values: &mut [f64]) {
    let values = &mut values[first..];
    let along: f64 = values.iter().zip(normal).map(|(v, n)| v * n).sum();
    let both = values.iter_mut().zip(normal);
    both.for_each(|(v, n)| *v -= 2.0 * along * n);
}

#[cfg(test)]
mod tests {
    use super::*;
    use vultus_nn::kernel::Kernels;

    fn key(seed: u8) -> TemplateKey {
        let bytes: Vec<u8> = (0..32)
            .map(|i| seed.wrapping_mul(31).wrapping_add(i))
            .collect();
        TemplateKey::new(&bytes).unwrap()
    }

    fn features(seed: u8) -> Features {
        let embedder = Embedder {
            id: "one".into(),
            dimension: 128,
            fingerprint: [7; 16],
            kernels: Kernels::best(),
        };
        let mut stream = Stream::new(&[seed; 32], b"test", &[]);
        let mut values: Vec<f64> = (0..64).flat_map(|_| stream.normals()).collect();
        let unit = 1.0 / libm::sqrt(values.iter().map(|v| v * v).sum());
        values.iter_mut().for_each(|v| *v *= unit);
        Features {
            embedder,
            values: Zeroizing::new(values.iter().map(|v| *v as f32).collect()),
        }
    }

    /// Features of another capture of the person of `seed`: a cosine of about 0.7.
    fn another(seed: u8) -> Features {
        let noise = features(seed ^ 0x80);
        let mut mate = features(seed);
        let both = mate.values.iter_mut().zip(&noise.values[..]);
        both.for_each(|(v, n)| *v = 0.7 * *v + 0.714 * n);
        mate
    }

    #[test]
    fn angles_stay_and_the_key_turns_back() {
        let (a, b, key) = (features(1), features(2), key(3));
        let (pa, pb) = (key.protect(&a), key.protect(&b));
        assert!((a.cosine(&b) - pa.cosine(&pb)).abs() < 1e-6);
        assert!((pa.cosine(&pa) - 1.0).abs() < 1e-6);
        let back = key.reveal(&pa);
        let mut pairs = a.values.iter().zip(&back.values[..]);
        assert!(pairs.all(|(x, y)| (x - y).abs() < 1e-6));
        assert!(
            a.cosine(&pa).abs() < 0.5,
            "a protected vector says nothing of the plain one"
        );
    }

    #[test]
    fn rotations_are_uniform() {
        // The image of one vector is uniform on the sphere: each coordinate has the mean 0 and the
        // mean square 1/128.
        let plain = features(1);
        let (mut sum, mut squares) = ([0.0f64; 128], [0.0f64; 128]);
        for seed in 0..200 {
            let turned = key(seed).protect(&plain);
            for (i, v) in turned.values.iter().enumerate() {
                sum[i] += f64::from(*v);
                squares[i] += f64::from(v * v);
            }
        }
        for i in 0..128 {
            let bound = 4.5 * (1.0 / (128.0 * 200.0f64)).sqrt();
            assert!((sum[i] / 200.0).abs() < bound, "{i}");
            let square = squares[i] / 200.0 * 128.0;
            assert!((0.5..1.6).contains(&square), "{i}: {square}");
        }
    }

    #[test]
    fn across_keys_a_mated_pair_scores_as_strangers_do() {
        let (mut mated, mut non_mated) = (Vec::new(), Vec::new());
        for seed in 0..120 {
            let (one, other) = (key(2 * seed), key(2 * seed + 1));
            let protected = one.protect(&features(seed));
            mated.push(protected.cosine(&other.protect(&another(seed))));
            non_mated.push(protected.cosine(&other.protect(&features(seed + 1))));
            let mate = one.protect(&another(seed));
            assert!(protected.cosine(&mate) > 0.5, "of one key they match");
        }
        for scores in [&mated, &non_mated] {
            // Of unit vectors in random directions: the mean 0, the deviation 1/sqrt(128) = 0.088.
            let mean = scores.iter().sum::<f32>() / 120.0;
            let square = scores.iter().map(|s| s * s).sum::<f32>() / 120.0;
            assert!(mean.abs() < 0.03, "{mean}");
            assert!((0.06..0.12).contains(&square.sqrt()), "{}", square.sqrt());
        }
        // The largest distance between the two distributions (Kolmogorov and Smirnov), and the
        // bound that equal ones keep 999 times in 1,000.
        let below = |scores: &[f32], at: f32| {
            scores.iter().filter(|score| **score <= at).count() as f32 / scores.len() as f32
        };
        let all = mated.iter().chain(&non_mated);
        let apart = all
            .map(|at| (below(&mated, *at) - below(&non_mated, *at)).abs())
            .fold(0.0, f32::max);
        assert!(apart < 1.95 * (2.0f32 / 120.0).sqrt(), "{apart}");
    }

    #[test]
    fn a_mask_is_its_own_inverse_and_another_keys_is_not() {
        let mut data = *b"what was found";
        key(1).mask(b"salt", &mut data);
        let hidden = data;
        assert_ne!(&data, b"what was found");
        key(2).mask(b"salt", &mut data);
        assert_ne!(&data, b"what was found");
        data = hidden;
        key(1).mask(b"salt", &mut data);
        assert_eq!(&data, b"what was found");
    }

    #[test]
    fn short_long_and_constant_keys_are_refused() {
        for bad in [&[][..], &[1; 31], &[1; 33], &[0; 32], &[9; 32]] {
            assert_eq!(TemplateKey::new(bad).unwrap_err().kind(), Kind::Usage);
        }
        assert!(!format!("{:?}", key(1)).contains("31"));
    }
}
