//! The digests of Doc 9303-11 and of older documents.

use crate::fault::{Parsed, broken};
use crate::oid::{self, Algorithm};
use serde::Serialize;
use sha2::Digest as _;

/// A digest algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Digest {
    /// SHA-1, of documents before 2011; collisions have been made since 2017.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    pub(crate) fn of(algorithm: &Algorithm<'_>) -> Parsed<Digest> {
        Ok(match algorithm.oid {
            oid::SHA_1 => Digest::Sha1,
            oid::SHA_224 => Digest::Sha224,
            oid::SHA_256 => Digest::Sha256,
            oid::SHA_384 => Digest::Sha384,
            oid::SHA_512 => Digest::Sha512,
            _ => return broken("the digest algorithm is not one of SHA-1, -224, -256, -384, -512"),
        })
    }

    pub(crate) fn hash(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Digest::Sha1 => sha1::Sha1::digest(bytes).to_vec(),
            Digest::Sha224 => sha2::Sha224::digest(bytes).to_vec(),
            Digest::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
            Digest::Sha384 => sha2::Sha384::digest(bytes).to_vec(),
            Digest::Sha512 => sha2::Sha512::digest(bytes).to_vec(),
        }
    }

    /// Length in bytes.
    pub(crate) fn length(self) -> usize {
        match self {
            Digest::Sha1 => 20,
            Digest::Sha224 => 28,
            Digest::Sha256 => 32,
            Digest::Sha384 => 48,
            Digest::Sha512 => 64,
        }
    }
}
