//! EF.SOD (Doc 9303-10, 4.6.2): the digests of the data groups, signed by the issuing state.

use crate::digest::Digest;
use crate::fault::{Malformed, Parsed, broken};
use crate::oid::{self, Algorithm};
use crate::signed_data::SignedData;
use crate::tlv::{INTEGER, OCTET_STRING, SEQUENCE, only};

/// Bytes that EF.SOD may have; the largest of real passports seen has 2.7 kB.
const MOST_BYTES: usize = 64 << 10;
const FILE: &str = "EF.SOD";
const APPLICATION_23: u32 = 0x77;

/// Number and digest of a data group.
type Listed = (u8, Vec<u8>);

/// What EF.SOD holds.
#[derive(Debug)]
pub(crate) struct SecurityObject {
    pub(crate) signed: SignedData,
    pub(crate) digest: Digest,
    /// Number and digest of each data group.
    pub(crate) digests: Vec<Listed>,
}

impl SecurityObject {
    /// Reads EF.SOD, with its tag 0x77.
    pub(crate) fn read(bytes: &[u8]) -> Result<SecurityObject, Malformed> {
        read(bytes).map_err(|fault| fault.of(FILE))
    }
}

fn read(bytes: &[u8]) -> Parsed<SecurityObject> {
    if bytes.len() > MOST_BYTES {
        return broken(format!(
            "has {} bytes, {MOST_BYTES} at most are allowed",
            bytes.len()
        ));
    }
    let outer = only(bytes, APPLICATION_23, "EF.SOD")?;
    let types = [oid::LDS_SECURITY_OBJECT, oid::LDS_SECURITY_OBJECT_2004];
    let signed = SignedData::read(outer.content, &types)?;
    let (digest, digests) = digests(&signed.content)?;
    Ok(SecurityObject {
        signed,
        digest,
        digests,
    })
}

/// LDSSecurityObject.
fn digests(bytes: &[u8]) -> Parsed<(Digest, Vec<Listed>)> {
    let mut inside = only(bytes, SEQUENCE, "the security object")?.open();
    inside.expect(INTEGER, "the version of the security object")?;
    let digest = Digest::of(&Algorithm::read(&mut inside)?)?;
    let mut listed = inside
        .expect(SEQUENCE, "the digests of data groups")?
        .open();
    let mut digests: Vec<Listed> = Vec::new();
    while !listed.is_empty() {
        let mut pair = listed
            .expect(SEQUENCE, "the digest of a data group")?
            .open();
        let number = pair
            .expect(INTEGER, "the number of a data group")?
            .small()?;
        let value = pair
            .expect(OCTET_STRING, "the digest of a data group")?
            .content
            .to_vec();
        pair.end("the digest of a data group")?;
        let Some(number) = u8::try_from(number).ok().filter(|n| (1..=16).contains(n)) else {
            return broken("a data group is not numbered from 1 to 16");
        };
        if digests.iter().any(|(other, _)| *other == number) {
            return broken(format!("data group {number} is listed twice"));
        }
        digests.push((number, value));
    }
    inside.optional(SEQUENCE)?;
    inside.end("the security object")?;
    Ok((digest, digests))
}

/// Reads EF.CardSecurity of an identity card: signed in the same way, over keys and not over data.
pub(crate) fn card_security(bytes: &[u8]) -> Result<SignedData, Malformed> {
    if bytes.len() > MOST_BYTES {
        let what = format!(
            "has {} bytes, {MOST_BYTES} at most are allowed",
            bytes.len()
        );
        return Err(Malformed {
            file: "EF.CardSecurity",
            what,
        });
    }
    SignedData::read(bytes, &[oid::SECURITY_INFOS]).map_err(|fault| fault.of("EF.CardSecurity"))
}
