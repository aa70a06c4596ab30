//! Certificates (X.509, RFC 5280) as far as Doc 9303-12 needs them.

use crate::fault::{Parsed, broken};
use crate::key::{PublicKey, Scheme};
use crate::oid::{self, Algorithm};
use crate::time::{self, Seconds};
use crate::tlv::{
    Element, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, SET, context,
    context_primitive, only,
};

const BOOLEAN: u32 = 0x01;
const BIT_STRING: u32 = 0x03;

/// A certificate.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// All of it, as it was given.
    pub(crate) bytes: Vec<u8>,
    signed: std::ops::Range<usize>,
    signature: Vec<u8>,
    scheme: Parsed<Scheme>,
    pub(crate) serial: Vec<u8>,
    pub(crate) issuer: Name,
    pub(crate) subject: Name,
    pub(crate) not_before: Seconds,
    pub(crate) not_after: Seconds,
    /// Why there is none stays known until a signature is to be verified with it.
    pub(crate) key: Parsed<PublicKey>,
    pub(crate) subject_key_id: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    is_authority: bool,
    /// Whether its key may sign certificates; `None` where the certificate does not say.
    signs_certificates: Option<bool>,
}

impl Certificate {
    pub(crate) fn read(element: &Element<'_>) -> Parsed<Certificate> {
        let mut outer = element.open();
        let signed = outer.expect(SEQUENCE, "the signed part of a certificate")?;
        let algorithm = Algorithm::read(&mut outer)?;
        let signature = outer.next()?.bits()?.to_vec();
        outer.end("a certificate")?;

        let mut inside = signed.open();
        inside.optional(context(0))?;
        let serial = inside.expect(INTEGER, "a serial number")?.content.to_vec();
        if !Algorithm::read(&mut inside)?.is_same(&algorithm) {
            return broken("a certificate names two algorithms for its signature");
        }
        let issuer = Name::read(&inside.expect(SEQUENCE, "an issuer")?)?;
        let mut validity = inside.expect(SEQUENCE, "a validity")?.open();
        let not_before = time::seconds(&validity.next()?)?;
        let not_after = time::seconds(&validity.next()?)?;
        let subject = Name::read(&inside.expect(SEQUENCE, "a subject")?)?;
        let key = PublicKey::read(&inside.expect(SEQUENCE, "a public key")?);
        inside.optional(context_primitive(1))?;
        inside.optional(context_primitive(2))?;
        let start = signed.whole.as_ptr() as usize - element.whole.as_ptr() as usize;
        let mut certificate = Certificate {
            bytes: element.whole.to_vec(),
            signed: start..start + signed.whole.len(),
            signature,
            scheme: Scheme::of(&algorithm, None),
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            key,
            subject_key_id: None,
            authority_key_id: None,
            is_authority: false,
            signs_certificates: None,
        };
        if let Some(extensions) = inside.optional(context(3))? {
            let mut extensions = only(extensions.content, SEQUENCE, "extensions")?.open();
            while !extensions.is_empty() {
                certificate.extension(&extensions.next()?)?;
            }
        }
        inside.end("a certificate")?;
        Ok(certificate)
    }

    fn extension(&mut self, extension: &Element<'_>) -> Parsed<()> {
        let mut inside = extension.open();
        let name = inside
            .expect(OBJECT_IDENTIFIER, "the name of an extension")?
            .content;
        inside.optional(BOOLEAN)?;
        let value = inside
            .expect(OCTET_STRING, "the value of an extension")?
            .content;
        let element = Reader::new(value).next()?;
        match name {
            oid::SUBJECT_KEY_ID => self.subject_key_id = Some(element.octets()?.into_owned()),
            oid::AUTHORITY_KEY_ID => {
                let id = element.open().optional(context_primitive(0))?;
                self.authority_key_id = id.map(|id| id.content.to_vec());
            }
            oid::BASIC_CONSTRAINTS => {
                let authority = element.open().optional(BOOLEAN)?;
                self.is_authority = authority.is_some_and(|e| e.content.iter().any(|b| *b != 0));
            }
            oid::KEY_USAGE if element.tag == BIT_STRING => {
                // Bit 5, counted from the highest of the first byte behind the unused ones.
                let first = element.content.get(1).copied().unwrap_or(0);
                self.signs_certificates = Some(first & 0b100 != 0);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether it is a certificate whose key may issue others.
    pub(crate) fn may_issue(&self) -> bool {
        self.is_authority && self.signs_certificates != Some(false)
    }

    /// Whether `issuer` is the one that it names: by key where both tell it, else by name.
    pub(crate) fn names(&self, issuer: &Certificate) -> bool {
        match (&self.authority_key_id, &issuer.subject_key_id) {
            (Some(asked), Some(id)) => asked == id,
            _ => self.issuer.is(&issuer.subject),
        }
    }

    /// Whether the key of `issuer` signed it.
    pub(crate) fn is_signed_by(&self, issuer: &Certificate) -> Parsed<bool> {
        let (scheme, key) = (
            self.scheme.clone()?,
            issuer.key.as_ref().map_err(Clone::clone)?,
        );
        Ok(scheme.verify(key, &self.bytes[self.signed.clone()], &self.signature))
    }

    pub(crate) fn is_valid_at(&self, moment: Seconds) -> bool {
        (self.not_before..=self.not_after).contains(&moment)
    }
}

/// A distinguished name, so far as names are compared: each attribute's type and folded text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// As it was given.
    pub(crate) bytes: Vec<u8>,
    attributes: Vec<(Vec<u8>, String)>,
    /// ISO 3166-1 alpha-2 in upper case, where it is stated.
    pub(crate) country: Option<String>,
}

impl Name {
    pub(crate) fn read(element: &Element<'_>) -> Parsed<Name> {
        let (mut attributes, mut country) = (Vec::new(), None);
        let mut parts = element.open();
        while !parts.is_empty() {
            let mut set = parts.expect(SET, "a part of a name")?.open();
            while !set.is_empty() {
                let mut pair = set.expect(SEQUENCE, "an attribute of a name")?.open();
                let kind = pair
                    .expect(OBJECT_IDENTIFIER, "the type of an attribute")?
                    .content;
                let text = String::from_utf8_lossy(pair.next()?.content).to_lowercase();
                let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                if kind == oid::COUNTRY {
                    country = Some(text.to_uppercase());
                }
                attributes.push((kind.to_vec(), text));
            }
        }
        Ok(Name {
            bytes: element.whole.to_vec(),
            attributes,
            country,
        })
    }

    /// Whether two name the same: issuers change case, spaces and the type of strings.
    pub(crate) fn is(&self, other: &Name) -> bool {
        self.attributes == other.attributes
    }
}
