//! Active authentication (Doc 9303-11, 6.1): whether the chip answers with a key that only it
//! holds.
//!
//! The session with the chip is the host's: it sends eight bytes that it drew, and hands over what
//! came back. That proves no copy only when DG15 is among the data groups that passive
//! authentication found as signed, and when the challenge was drawn for this session.

use crate::digest::Digest;
use crate::fault::{Malformed, Parsed};
use crate::key::{PublicKey, Scheme};
use crate::oid::{self, Algorithm};
use crate::tlv::{INTEGER, OBJECT_IDENTIFIER, SEQUENCE, SET, only};
use rsa::BoxedUint;
use rsa::traits::PublicKeyParts as _;

const DG14: u32 = 0x6e;
const DG15: u32 = 0x6f;

/// Returns whether `response` is the chip's signature of `challenge`.
///
/// `dg15` is the file with the chip's key. A key of an elliptic curve signs with the digest that
/// `dg14` names (ActiveAuthenticationInfo); without it, with the SHA-2 of the curve's length.
pub fn active_authentication(
    dg15: &[u8],
    dg14: Option<&[u8]>,
    challenge: &[u8; 8],
    response: &[u8],
) -> Result<bool, Malformed> {
    let key = key(dg15).map_err(|fault| fault.of("DG15"))?;
    let stated = dg14
        .map(scheme)
        .transpose()
        .map_err(|fault| fault.of("DG14"))?
        .flatten();
    Ok(match &key {
        PublicKey::Rsa(key) => recovers(key, challenge, response),
        PublicKey::Ec(curve, _) => {
            let of_length = match curve.length() {
                ..=28 => Digest::Sha224,
                29..=40 => Digest::Sha256,
                41..=48 => Digest::Sha384,
                _ => Digest::Sha512,
            };
            let scheme = stated.unwrap_or(Scheme::PlainEcdsa(of_length));
            scheme.verify(&key, challenge, response)
        }
    })
}

fn key(dg15: &[u8]) -> Parsed<PublicKey> {
    let mut inside = only(dg15, DG15, "DG15")?.open();
    let key = PublicKey::read(&inside.expect(SEQUENCE, "a public key")?)?;
    inside.end("DG15")?;
    Ok(key)
}

/// The signature algorithm of ActiveAuthenticationInfo among the SecurityInfos of DG14.
fn scheme(dg14: &[u8]) -> Parsed<Option<Scheme>> {
    let mut infos = only(dg14, DG14, "DG14")?
        .open()
        .expect(SET, "security infos")?
        .open();
    while !infos.is_empty() {
        let mut info = infos.expect(SEQUENCE, "a security info")?.open();
        if info.expect(OBJECT_IDENTIFIER, "a protocol")?.content == oid::ACTIVE_AUTHENTICATION {
            info.expect(INTEGER, "a version")?;
            let oid = info
                .expect(OBJECT_IDENTIFIER, "a signature algorithm")?
                .content;
            return Scheme::of(
                &Algorithm {
                    oid,
                    parameters: None,
                },
                None,
            )
            .map(Some);
        }
    }
    Ok(None)
}

/// ISO/IEC 9796-2, scheme 1: the signature holds part of the message, the digest of all of it, and
/// a trailer that names the digest.
fn recovers(key: &rsa::PublicKey, challenge: &[u8; 8], response: &[u8]) -> bool {
    let length = key.size();
    if response.len() != length {
        return false;
    }
    let signature = BoxedUint::from_be_slice_vartime(response);
    let Ok(opened) = rsa::hazmat::rsa_encrypt(key, &signature) else {
        return false;
    };
    let opened = opened.to_be_bytes();
    let opened = &opened[opened.len().saturating_sub(length)..];
    // The signer may have taken n - s, whichever is smaller, of a representative that ends in 0xC.
    [opened.to_vec(), negated(key, opened)]
        .iter()
        .any(|opened| holds(opened, challenge))
}

/// n - m.
fn negated(key: &rsa::PublicKey, opened: &[u8]) -> Vec<u8> {
    let modulus = key.n().as_ref().to_be_bytes();
    let modulus = &modulus[modulus.len() - opened.len()..];
    let mut difference = vec![0; opened.len()];
    let mut borrow = 0i16;
    for i in (0..opened.len()).rev() {
        let digit = i16::from(modulus[i]) - i16::from(opened[i]) - borrow;
        borrow = i16::from(digit < 0);
        difference[i] = digit.rem_euclid(256) as u8;
    }
    difference
}

fn holds(opened: &[u8], challenge: &[u8; 8]) -> bool {
    let (digest, trailer) = match opened {
        [.., 0xbc] => (Digest::Sha1, 1),
        [.., 0x33, 0xcc] => (Digest::Sha1, 2),
        [.., 0x38, 0xcc] => (Digest::Sha224, 2),
        [.., 0x34, 0xcc] => (Digest::Sha256, 2),
        [.., 0x36, 0xcc] => (Digest::Sha384, 2),
        [.., 0x35, 0xcc] => (Digest::Sha512, 2),
        _ => return false,
    };
    let end = opened.len() - trailer;
    match (opened.first(), end.checked_sub(digest.length())) {
        (Some(0x6a), Some(start)) if start >= 1 => {
            let message = [&opened[1..start], challenge].concat();
            digest.hash(&message) == opened[start..end]
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovered_message_must_be_whole() {
        let challenge = [1, 2, 3, 4, 5, 6, 7, 8];
        let part = [9; 70];
        let digest = Digest::Sha256.hash(&[&part[..], &challenge].concat());
        let opened = [&[0x6a], &part[..], &digest, &[0x34, 0xcc]].concat();
        assert!(holds(&opened, &challenge));
        assert!(!holds(&opened, &[0; 8]));
        for i in 0..opened.len() {
            let mut changed = opened.clone();
            changed[i] ^= 1;
            assert!(!holds(&changed, &challenge), "byte {i}");
        }
        assert!(!holds(&[0x6a, 0xbc], &challenge) && !holds(&[], &challenge));
    }
}
