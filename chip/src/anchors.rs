//! Trust anchors: the certificates of issuing states (CSCA) that an operator trusts.

use crate::certificate::Certificate;
use crate::fault::{Malformed, Parsed, broken};
use crate::oid;
use crate::signed_data::SignedData;
use crate::time::{self, Seconds};
use crate::tlv::{INTEGER, SEQUENCE, SET, only};

/// Bytes that a master list may have; the German one has 0.9 MB.
const MOST_BYTES: usize = 32 << 20;
const MOST_CERTIFICATES: usize = 20_000;
const MOST_BYTES_OF_ONE: usize = 64 << 10;

/// Certificates of issuing states, as an operator chose to trust them. None is shipped: whom to
/// trust is the operator's decision, and no list promises to be whole.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    certificates: Vec<Certificate>,
    signers: Vec<Certificate>,
    lists: Vec<ListInfo>,
}

/// Where some anchors came from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ListInfo {
    /// Country of who signed the list, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// When its signer says that it was signed, as a date.
    pub signed: Option<String>,
    /// How many certificates it brought that could be read.
    pub certificates: usize,
    /// How many could not, and are not trusted.
    pub unreadable: usize,
}

impl Anchors {
    /// Returns a set without any anchor.
    pub fn new() -> Anchors {
        Anchors::default()
    }

    /// Adds one certificate, DER, that the operator trusts as it is. Its signature on itself must
    /// hold.
    pub fn add_certificate(&mut self, der: &[u8]) -> Result<(), Malformed> {
        let certificate = certificate(der).map_err(|fault| fault.of("certificate"))?;
        self.insert(certificate);
        Ok(())
    }

    /// Adds the certificates of a master list (Doc 9303-12, 9), whose own signature must chain to
    /// `root`: the certificate, DER, of the state that publishes it, which the operator got by
    /// another way.
    pub fn add_master_list(&mut self, list: &[u8], root: &[u8]) -> Result<ListInfo, Malformed> {
        let root = certificate(root).map_err(|fault| fault.of("root of the master list"))?;
        let read = read_list(list, &root).map_err(|fault| fault.of("master list"))?;
        let (certificates, info) = read;
        for certificate in certificates {
            self.insert(certificate);
        }
        self.lists.push(info.clone());
        Ok(info)
    }

    /// Adds the certificate, DER, of a document signer, for documents that do not bring it along.
    /// It is trusted for nothing by itself: an anchor must have issued it.
    pub fn add_signer(&mut self, der: &[u8]) -> Result<(), Malformed> {
        self.signers
            .push(parse(der).map_err(|fault| fault.of("certificate"))?);
        Ok(())
    }

    fn insert(&mut self, certificate: Certificate) {
        if !self
            .certificates
            .iter()
            .any(|known| known.bytes == certificate.bytes)
        {
            self.certificates.push(certificate);
        }
    }

    /// How many different certificates are trusted.
    pub fn len(&self) -> usize {
        self.certificates.len()
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    /// The lists that were added.
    pub fn lists(&self) -> &[ListInfo] {
        &self.lists
    }

    pub(crate) fn signers(&self) -> &[Certificate] {
        &self.signers
    }

    /// The anchor whose key signed `certificate`, if there is one.
    pub(crate) fn issuer(&self, certificate: &Certificate) -> Option<&Certificate> {
        self.certificates.iter().find(|anchor| {
            anchor.may_issue()
                && certificate.names(anchor)
                && certificate.is_signed_by(anchor) == Ok(true)
        })
    }
}

fn parse(der: &[u8]) -> Parsed<Certificate> {
    if der.len() > MOST_BYTES_OF_ONE {
        return broken(format!(
            "has {} bytes, {MOST_BYTES_OF_ONE} at most are allowed",
            der.len()
        ));
    }
    Certificate::read(&only(der, SEQUENCE, "a certificate")?)
}

fn certificate(der: &[u8]) -> Parsed<Certificate> {
    let certificate = parse(der)?;
    match certificate.is_signed_by(&certificate)? {
        true => Ok(certificate),
        false => broken("its signature on itself does not hold"),
    }
}

fn read_list(list: &[u8], root: &Certificate) -> Parsed<(Vec<Certificate>, ListInfo)> {
    if list.len() > MOST_BYTES {
        return broken(format!(
            "has {} bytes, {MOST_BYTES} at most are allowed",
            list.len()
        ));
    }
    let signed = SignedData::read(list, &[oid::CSCA_MASTER_LIST])?;
    let roots = [root.clone()];
    let Some(signer) = signed.signer(&roots) else {
        return broken("does not hold the certificate of its signer");
    };
    if !signed.is_signed_by(signer)? {
        return broken("its signature does not hold");
    }
    if signer.bytes != root.bytes && !(root.may_issue() && signer.is_signed_by(root)?) {
        return broken("its signer's certificate is not signed by the root that was given");
    }
    let time: Option<Seconds> = signed.signing_time();
    if time.is_some_and(|at| !signer.is_valid_at(at)) {
        return broken("was signed when its signer's certificate was not valid");
    }
    let mut inside = only(&signed.content, SEQUENCE, "the list")?.open();
    inside.expect(INTEGER, "the version of the list")?;
    let set = inside.expect(SET, "the certificates of the list")?;
    inside.end("the list")?;
    let (mut read, mut unreadable, mut each) = (Vec::new(), 0, set.open());
    while !each.is_empty() {
        if read.len() + unreadable == MOST_CERTIFICATES {
            return broken(format!("has more than {MOST_CERTIFICATES} certificates"));
        }
        // One certificate that nobody can use must not cost all the others.
        match Certificate::read(&each.expect(SEQUENCE, "a certificate")?) {
            Ok(certificate) if certificate.key.is_ok() => read.push(certificate),
            _ => unreadable += 1,
        }
    }
    let info = ListInfo {
        country: signer.issuer.country.clone(),
        signed: time.map(time::date),
        certificates: read.len(),
        unreadable,
    };
    Ok((read, info))
}
