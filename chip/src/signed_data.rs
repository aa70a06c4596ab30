//! Signed content (CMS, RFC 5652): one content, its certificates, and the first signature of it.

use crate::certificate::{Certificate, Name};
use crate::digest::Digest;
use crate::fault::{Parsed, broken};
use crate::key::Scheme;
use crate::oid::{self, Algorithm};
use crate::time::{self, Seconds};
use crate::tlv::{
    Element, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, context, context_primitive,
    only,
};

/// Certificates that a file may bring along.
const MOST_CERTIFICATES: usize = 16;

/// A SignedData with one signer.
#[derive(Debug)]
pub(crate) struct SignedData {
    pub(crate) content: Vec<u8>,
    content_type: Vec<u8>,
    pub(crate) certificates: Vec<Certificate>,
    signer: Signer,
}

#[derive(Debug)]
struct Signer {
    id: SignerId,
    digest: Parsed<Digest>,
    scheme: Parsed<Scheme>,
    /// The signed attributes as they are signed: a SET with definite lengths.
    attributes: Option<Attributes>,
    signature: Vec<u8>,
}

#[derive(Debug)]
enum SignerId {
    IssuerAndSerial(Name, Vec<u8>),
    SubjectKeyId(Vec<u8>),
}

#[derive(Debug)]
struct Attributes {
    signed: Vec<u8>,
    content_type: Option<Vec<u8>>,
    message_digest: Option<Vec<u8>>,
    signing_time: Option<Seconds>,
}

impl SignedData {
    /// Reads a ContentInfo whose content is one of `types`.
    pub(crate) fn read(bytes: &[u8], types: &[&oid::Oid]) -> Parsed<SignedData> {
        let mut info = only(bytes, SEQUENCE, "a ContentInfo")?.open();
        if info.expect(OBJECT_IDENTIFIER, "a content type")?.content != oid::SIGNED_DATA {
            return broken("the content is not SignedData");
        }
        let wrapped = info.expect(context(0), "SignedData")?;
        info.end("the ContentInfo")?;
        let mut inside = only(wrapped.content, SEQUENCE, "SignedData")?.open();
        inside.expect(INTEGER, "the version of SignedData")?;
        inside.expect(SET, "the digests of SignedData")?;

        let mut encapsulated = inside.expect(SEQUENCE, "the signed content")?.open();
        let content_type = encapsulated
            .expect(OBJECT_IDENTIFIER, "a content type")?
            .content;
        if !types.contains(&content_type) {
            return broken("the signed content is of another type than the file's");
        }
        let Some(content) = encapsulated.optional(context(0))? else {
            return broken("the signed content is not in the file");
        };
        let mut octets = content.open();
        let content = octets.next()?.octets()?.into_owned();
        octets.end("the signed content")?;

        let certificates = match inside.optional(context(0))? {
            Some(set) => certificates(&set, MOST_CERTIFICATES)?,
            None => Vec::new(),
        };
        inside.optional(context(1))?;
        let mut signers = inside.expect(SET, "the signers")?.open();
        inside.end("SignedData")?;
        if signers.is_empty() {
            return broken("nobody signed the content");
        }
        let signer = Signer::read(&signers.expect(SEQUENCE, "a signer")?)?;
        Ok(SignedData {
            content,
            content_type: content_type.to_vec(),
            certificates,
            signer,
        })
    }

    /// The certificate that the signer names, of those in the file and of `others`; where it names
    /// none of them, the only one in the file, since what counts is whose key the signature fits.
    pub(crate) fn signer<'a>(&'a self, others: &'a [Certificate]) -> Option<&'a Certificate> {
        let only = match &self.certificates[..] {
            [certificate] => Some(certificate),
            _ => None,
        };
        let is_named = |certificate: &&Certificate| match &self.signer.id {
            SignerId::IssuerAndSerial(issuer, serial) => {
                certificate.issuer.is(issuer) && certificate.serial == *serial
            }
            SignerId::SubjectKeyId(id) => certificate.subject_key_id.as_ref() == Some(id),
        };
        let mut all = self.certificates.iter().chain(others);
        all.find(is_named).or(only)
    }

    /// When it says that it was signed: a claim of the signer's, covered by the signature.
    pub(crate) fn signing_time(&self) -> Option<Seconds> {
        self.signer.attributes.as_ref()?.signing_time
    }

    /// Whether the key of `certificate` signed the content.
    pub(crate) fn is_signed_by(&self, certificate: &Certificate) -> Parsed<bool> {
        let signer = &self.signer;
        let (digest, scheme) = (signer.digest.clone()?, signer.scheme.clone()?);
        let key = certificate.key.as_ref().map_err(Clone::clone)?;
        // RFC 5652, 5.4, has the signer's digest decide where its signature algorithm states
        // another.
        let holds = |message: &[u8]| {
            scheme.verify(key, message, &signer.signature)
                || scheme.digest() != digest
                    && scheme.with(digest).verify(key, message, &signer.signature)
        };
        let Some(attributes) = &signer.attributes else {
            return Ok(holds(&self.content));
        };
        let of_content = digest.hash(&self.content);
        Ok(attributes.content_type.as_ref() == Some(&self.content_type)
            && attributes.message_digest.as_ref() == Some(&of_content)
            && holds(&attributes.signed))
    }
}

/// The certificates of a set, up to `most` of them.
pub(crate) fn certificates(set: &Element<'_>, most: usize) -> Parsed<Vec<Certificate>> {
    let (mut read, mut inside) = (Vec::new(), set.open());
    while !inside.is_empty() {
        if read.len() == most {
            return broken(format!("there are more than {most} certificates"));
        }
        read.push(Certificate::read(
            &inside.expect(SEQUENCE, "a certificate")?,
        )?);
    }
    Ok(read)
}

impl Signer {
    fn read(element: &Element<'_>) -> Parsed<Signer> {
        let mut inside = element.open();
        inside.expect(INTEGER, "the version of a signer")?;
        let id = match inside.next()? {
            id if id.tag == SEQUENCE => {
                let mut pair = id.open();
                let issuer = Name::read(&pair.expect(SEQUENCE, "an issuer")?)?;
                let serial = pair.expect(INTEGER, "a serial number")?.content.to_vec();
                SignerId::IssuerAndSerial(issuer, serial)
            }
            id if id.tag == context_primitive(0) => SignerId::SubjectKeyId(id.content.to_vec()),
            _ => return broken("a signer is not named as CMS allows"),
        };
        let digest = Digest::of(&Algorithm::read(&mut inside)?);
        let attributes = match inside.optional(context(0))? {
            Some(set) => Some(Attributes::read(&set)?),
            None => None,
        };
        let algorithm = Algorithm::read(&mut inside)?;
        let scheme = Scheme::of(&algorithm, digest.clone().ok());
        let signature = inside.next()?.octets()?.into_owned();
        inside.optional(context(1))?;
        inside.end("a signer")?;
        Ok(Signer {
            id,
            digest,
            scheme,
            attributes,
            signature,
        })
    }
}

impl Attributes {
    fn read(set: &Element<'_>) -> Parsed<Attributes> {
        let mut attributes = Attributes {
            signed: set.to_definite(SET)?,
            content_type: None,
            message_digest: None,
            signing_time: None,
        };
        let mut inside = set.open();
        while !inside.is_empty() {
            let mut attribute = inside.expect(SEQUENCE, "an attribute")?.open();
            let name = attribute
                .expect(OBJECT_IDENTIFIER, "the name of an attribute")?
                .content;
            let mut values = attribute.expect(SET, "the values of an attribute")?.open();
            let value = values.next()?;
            let is_new = match name {
                oid::CONTENT_TYPE if value.tag == OBJECT_IDENTIFIER => attributes
                    .content_type
                    .replace(value.content.to_vec())
                    .is_none(),
                oid::MESSAGE_DIGEST if value.tag == OCTET_STRING => attributes
                    .message_digest
                    .replace(value.content.to_vec())
                    .is_none(),
                oid::SIGNING_TIME => attributes
                    .signing_time
                    .replace(time::seconds(&value)?)
                    .is_none(),
                _ => true,
            };
            if !is_new {
                return broken("a signed attribute stands twice");
            }
        }
        Ok(attributes)
    }
}
