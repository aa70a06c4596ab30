//! Public keys and signatures: what a certificate states, and whether it holds.

use crate::curve::Curve;
use crate::digest::Digest;
use crate::fault::{Parsed, broken};
use crate::oid::{self, Algorithm};
use crate::tlv::{Element, INTEGER, Reader, SEQUENCE, context, only};
use crate::{ecdsa, tlv};
use rsa::{BoxedUint, Pkcs1v15Sign, Pss};

/// Moduli of RSA in bits. Doc 9303-12 asks for 2048 (DS) and 3072 (CSCA); older documents have
/// less.
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=8192;

/// A public key of a certificate.
#[derive(Clone, Debug)]
pub(crate) enum PublicKey {
    Rsa(rsa::PublicKey),
    /// x and y, one after the other.
    Ec(&'static Curve, Vec<u8>),
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo.
    pub(crate) fn read(element: &Element<'_>) -> Parsed<PublicKey> {
        let mut inside = element.open();
        let algorithm = Algorithm::read(&mut inside)?;
        let bits = inside.next()?.bits()?;
        inside.end("a public key")?;
        match algorithm.oid {
            oid::RSA | oid::RSA_PSS => {
                let mut numbers = only(bits, SEQUENCE, "an RSA key")?.open();
                let n = numbers.expect(INTEGER, "a modulus")?.unsigned()?;
                let e = numbers.expect(INTEGER, "an exponent")?.unsigned()?;
                numbers.end("an RSA key")?;
                let [n, e] = [n, e].map(BoxedUint::from_be_slice_vartime);
                match rsa::PublicKey::new_with_size_limits(n, e, RSA_BITS) {
                    Ok(key) => Ok(PublicKey::Rsa(key)),
                    Err(_) => broken("an RSA key is not one of 1024 to 8192 bits"),
                }
            }
            oid::EC => {
                let curve = Curve::of(&algorithm)?;
                match bits {
                    [4, point @ ..] if point.len() == 2 * curve.length() && curve.has(point) => {
                        Ok(PublicKey::Ec(curve, point.to_vec()))
                    }
                    _ => broken("a public key is not a point of its curve, in uncompressed form"),
                }
            }
            _ => broken("a public key is neither of RSA nor of an elliptic curve"),
        }
    }

    /// The algorithm and its strength, in words.
    pub(crate) fn name(&self) -> String {
        use rsa::traits::PublicKeyParts as _;
        match self {
            PublicKey::Rsa(key) => format!("RSA {}", key.n().bit_width_vartime()),
            PublicKey::Ec(curve, _) => curve.name.to_owned(),
        }
    }
}

/// How a message is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// PKCS #1 v1.5 (RFC 8017, 8.2).
    Pkcs1(Digest),
    /// PSS (RFC 8017, 8.1), with the length of its salt.
    Pss(Digest, usize),
    /// ECDSA, the signature as SEQUENCE of r and s.
    Ecdsa(Digest),
    /// ECDSA, r and s one after the other (BSI TR-03111), as in active authentication.
    PlainEcdsa(Digest),
}

impl Scheme {
    /// Reads a signature algorithm. Where it names no digest, as `rsaEncryption` in a SignerInfo,
    /// it is `digest`.
    pub(crate) fn of(algorithm: &Algorithm<'_>, digest: Option<Digest>) -> Parsed<Scheme> {
        Ok(match algorithm.oid {
            oid::RSA => match digest {
                Some(digest) => Scheme::Pkcs1(digest),
                None => return broken("a signature names no digest"),
            },
            oid::RSA_SHA_1 => Scheme::Pkcs1(Digest::Sha1),
            oid::RSA_SHA_224 => Scheme::Pkcs1(Digest::Sha224),
            oid::RSA_SHA_256 => Scheme::Pkcs1(Digest::Sha256),
            oid::RSA_SHA_384 => Scheme::Pkcs1(Digest::Sha384),
            oid::RSA_SHA_512 => Scheme::Pkcs1(Digest::Sha512),
            oid::RSA_PSS => pss(algorithm)?,
            oid::ECDSA_SHA_1 => Scheme::Ecdsa(Digest::Sha1),
            oid::ECDSA_SHA_224 => Scheme::Ecdsa(Digest::Sha224),
            oid::ECDSA_SHA_256 => Scheme::Ecdsa(Digest::Sha256),
            oid::ECDSA_SHA_384 => Scheme::Ecdsa(Digest::Sha384),
            oid::ECDSA_SHA_512 => Scheme::Ecdsa(Digest::Sha512),
            oid::PLAIN_ECDSA_SHA_1 => Scheme::PlainEcdsa(Digest::Sha1),
            oid::PLAIN_ECDSA_SHA_224 => Scheme::PlainEcdsa(Digest::Sha224),
            oid::PLAIN_ECDSA_SHA_256 => Scheme::PlainEcdsa(Digest::Sha256),
            oid::PLAIN_ECDSA_SHA_384 => Scheme::PlainEcdsa(Digest::Sha384),
            oid::PLAIN_ECDSA_SHA_512 => Scheme::PlainEcdsa(Digest::Sha512),
            // Some signers state the key's algorithm in the place of the signature's.
            oid::EC => match digest {
                Some(digest) => Scheme::Ecdsa(digest),
                None => return broken("a signature names no digest"),
            },
            _ => return broken("the signature algorithm is not RSA or ECDSA with SHA-1 or SHA-2"),
        })
    }

    pub(crate) fn digest(self) -> Digest {
        match self {
            Scheme::Pkcs1(digest)
            | Scheme::Pss(digest, _)
            | Scheme::Ecdsa(digest)
            | Scheme::PlainEcdsa(digest) => digest,
        }
    }

    /// The same with another digest.
    pub(crate) fn with(self, digest: Digest) -> Scheme {
        match self {
            Scheme::Pkcs1(_) => Scheme::Pkcs1(digest),
            Scheme::Pss(_, salt) => Scheme::Pss(digest, salt),
            Scheme::Ecdsa(_) => Scheme::Ecdsa(digest),
            Scheme::PlainEcdsa(_) => Scheme::PlainEcdsa(digest),
        }
    }

    /// Whether `signature` is one of `message` for `key`.
    pub(crate) fn verify(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        let digest = self.digest().hash(message);
        macro_rules! by_digest {
            ($digest:expr, $scheme:ident) => {
                match $digest {
                    Digest::Sha1 => $scheme::<sha1::Sha1>(key, &digest, signature, self),
                    Digest::Sha224 => $scheme::<sha2::Sha224>(key, &digest, signature, self),
                    Digest::Sha256 => $scheme::<sha2::Sha256>(key, &digest, signature, self),
                    Digest::Sha384 => $scheme::<sha2::Sha384>(key, &digest, signature, self),
                    Digest::Sha512 => $scheme::<sha2::Sha512>(key, &digest, signature, self),
                }
            };
        }
        match (self, key) {
            (Scheme::Pkcs1(_) | Scheme::Pss(..), PublicKey::Rsa(_)) => {
                by_digest!(self.digest(), verify_rsa)
            }
            // Some signers write the plain form under the name of the other.
            (Scheme::Ecdsa(_) | Scheme::PlainEcdsa(_), PublicKey::Ec(curve, point)) => {
                let plain = || signature.split_at(signature.len() / 2);
                let (r, s) = match read_pair(signature) {
                    Ok(pair) if matches!(self, Scheme::Ecdsa(_)) => pair,
                    _ if signature.len() == 2 * curve.length() => plain(),
                    _ => return false,
                };
                ecdsa::verify(curve, point, &digest, r, s)
            }
            _ => false,
        }
    }
}

fn verify_rsa<D>(key: &PublicKey, digest: &[u8], signature: &[u8], scheme: Scheme) -> bool
where
    D: sha2::Digest + sha2::digest::const_oid::AssociatedOid + sha2::digest::FixedOutputReset,
{
    let PublicKey::Rsa(key) = key else {
        return false;
    };
    match scheme {
        Scheme::Pss(_, salt) => key
            .verify(Pss::<D>::new_with_salt(salt), digest, signature)
            .is_ok(),
        _ => key
            .verify(Pkcs1v15Sign::new::<D>(), digest, signature)
            .is_ok(),
    }
}

/// RSASSA-PSS-params of RFC 4055, 3.1; what is left out has its default.
fn pss(algorithm: &Algorithm<'_>) -> Parsed<Scheme> {
    let (mut digest, mut mask, mut salt) = (Digest::Sha1, Digest::Sha1, 20);
    if let Some(parameters) = algorithm.parameters.filter(|e| e.tag == SEQUENCE) {
        let mut inside = parameters.open();
        let algorithm_in = |element: Element<'_>| -> Parsed<Digest> {
            Digest::of(&Algorithm::read(&mut element.open())?)
        };
        if let Some(stated) = inside.optional(context(0))? {
            digest = algorithm_in(stated)?;
        }
        if let Some(stated) = inside.optional(context(1))? {
            let generator = Algorithm::read(&mut stated.open())?;
            match generator.parameters {
                Some(of) if generator.oid == oid::MGF1 => mask = Digest::of(&Algorithm::of(&of)?)?,
                _ => return broken("the mask of a PSS signature is not MGF1"),
            }
        }
        if let Some(stated) = inside.optional(context(2))? {
            salt = stated.open().next()?.small()? as usize;
        }
        if let Some(stated) = inside.optional(context(3))?
            && stated.open().next()?.small()? != 1
        {
            return broken("the trailer of a PSS signature is not 1");
        }
        inside.end("the parameters of PSS")?;
    }
    if digest != mask {
        return broken("a PSS signature masks with another digest than it signs with");
    }
    Ok(Scheme::Pss(digest, salt))
}

/// r and s of an ECDSA signature.
fn read_pair(signature: &[u8]) -> Parsed<(&[u8], &[u8])> {
    let mut pair: Reader<'_> = tlv::only(signature, SEQUENCE, "a signature")?.open();
    let (r, s) = (pair.next()?.unsigned()?, pair.next()?.unsigned()?);
    pair.end("a signature")?;
    Ok((r, s))
}
