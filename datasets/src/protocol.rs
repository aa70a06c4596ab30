//! What is compared with what, and what is known of the truth.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

use crate::findings::Findings;

/// Where the encoded bytes of one image are.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Bytes held in memory, as in a packed set.
    Bytes(Arc<[u8]>),
}

impl Source {
    /// Returns the encoded bytes.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self) -> std::io::Result<Arc<[u8]>> {
        match self {
            Source::File(path) => std::fs::read(path).map(Arc::from),
            Source::Bytes(bytes) => Ok(bytes.clone()),
        }
    }
}

/// One biometric sample: the images that give one feature vector (several for a clip).
#[derive(Clone, Debug)]
pub struct Sample {
    /// The name that reports use, unique in its protocol.
    pub name: String,
    /// Index into [`Protocol::identities`].
    pub identity: u32,
    /// The images; the features of several are averaged.
    pub images: Vec<Source>,
}

/// One listed comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Index of the probe in [`Protocol::samples`].
    pub probe: u32,
    /// Index of the reference in [`Protocol::samples`].
    pub reference: u32,
    /// True if both come from one person.
    pub mated: bool,
    /// Zero-based fold of the cross-validation.
    pub fold: u32,
    /// Index into [`Protocol::groups`].
    pub group: Option<u32>,
}

/// Which comparisons a protocol makes.
#[derive(Clone, Debug)]
pub enum Pairs {
    /// Those that the protocol lists.
    Listed(Vec<Comparison>),
    /// Every sample with every other, once.
    All,
}

/// A verification protocol over a set of samples.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// Name of the set and view, for reports.
    pub set: String,
    /// The samples.
    pub samples: Vec<Sample>,
    /// The names of the identities.
    pub identities: Vec<String>,
    /// The comparisons.
    pub pairs: Pairs,
    /// Number of cross-validation folds; 0 where the protocol has none.
    pub folds: u32,
    /// Names of demographic or other groups.
    pub groups: Vec<String>,
    /// What is wrong with the set.
    pub findings: Findings,
}

impl Protocol {
    /// Turns a listed protocol into all pairs of its samples.
    pub fn into_all_pairs(mut self) -> Self {
        self.set.push_str(", all pairs");
        self.pairs = Pairs::All;
        self.folds = 0;
        self
    }

    /// Returns the protocol of the samples whose identity `keep` holds, all pairs.
    pub fn restrict_identities(&self, name: &str, keep: impl Fn(&str) -> bool) -> Self {
        let mut builder = Builder::new(name);
        for sample in &self.samples {
            let identity = &self.identities[sample.identity as usize];
            if keep(identity) {
                builder.sample(&sample.name, identity, sample.images.clone());
            }
        }
        builder.finish(0).into_all_pairs()
    }
}

/// Collects samples and comparisons, and what is wrong with them.
pub(crate) struct Builder {
    protocol: Protocol,
    comparisons: Vec<Comparison>,
    sample_index: HashMap<String, u32>,
    identity_index: HashMap<String, u32>,
    group_index: HashMap<String, u32>,
    seen: HashSet<(u32, u32)>,
    absent: HashSet<String>,
    pub(crate) findings: Findings,
}

impl Builder {
    pub(crate) fn new(set: &str) -> Self {
        Self {
            protocol: Protocol {
                set: set.to_owned(),
                samples: Vec::new(),
                identities: Vec::new(),
                pairs: Pairs::All,
                folds: 0,
                groups: Vec::new(),
                findings: Findings::default(),
            },
            comparisons: Vec::new(),
            sample_index: HashMap::new(),
            identity_index: HashMap::new(),
            group_index: HashMap::new(),
            seen: HashSet::new(),
            absent: HashSet::new(),
            findings: Findings::default(),
        }
    }

    /// Returns the index of the sample of that name, which is added if it is new.
    pub(crate) fn sample(&mut self, name: &str, identity: &str, images: Vec<Source>) -> u32 {
        if let Some(&index) = self.sample_index.get(name) {
            return index;
        }
        let identity = intern(
            &mut self.identity_index,
            &mut self.protocol.identities,
            identity,
        );
        let index = self.protocol.samples.len() as u32;
        self.protocol.samples.push(Sample {
            name: name.to_owned(),
            identity,
            images,
        });
        self.sample_index.insert(name.to_owned(), index);
        index
    }

    /// As [`Builder::sample`] for one file, which must exist; a missing one is reported once.
    pub(crate) fn file_sample(
        &mut self,
        place: impl Display,
        name: &str,
        identity: &str,
        path: PathBuf,
    ) -> Option<u32> {
        if let Some(&index) = self.sample_index.get(name) {
            return Some(index);
        }
        if path.is_file() {
            return Some(self.sample(name, identity, vec![Source::File(path)]));
        }
        if self.absent.insert(name.to_owned()) {
            self.findings.add(
                place,
                format!("names an image that is missing: {}", path.display()),
            );
        }
        None
    }

    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.sample_index.get(name).copied()
    }

    /// Adds a comparison unless either sample is missing or the pair was seen before.
    pub(crate) fn compare(
        &mut self,
        place: impl Display,
        probe: Option<u32>,
        reference: Option<u32>,
        mated: bool,
        fold: u32,
        group: Option<&str>,
    ) {
        let (Some(probe), Some(reference)) = (probe, reference) else {
            return;
        };
        let name = |index: u32| &self.protocol.samples[index as usize].name;
        if probe == reference {
            self.findings
                .add(place, format!("compares {} with itself", name(probe)));
            return;
        }
        if !self
            .seen
            .insert((probe.min(reference), probe.max(reference)))
        {
            self.findings.add(
                place,
                format!(
                    "duplicate pair {}, {}: counted once",
                    name(probe),
                    name(reference)
                ),
            );
            return;
        }
        let group =
            group.map(|group| intern(&mut self.group_index, &mut self.protocol.groups, group));
        self.comparisons.push(Comparison {
            probe,
            reference,
            mated,
            fold,
            group,
        });
    }

    pub(crate) fn counts(&self) -> Counts {
        let mated = self.comparisons.iter().filter(|c| c.mated).count();
        Counts {
            samples: self.protocol.samples.len(),
            mated,
            non_mated: self.comparisons.len() - mated,
        }
    }

    pub(crate) fn finish(mut self, folds: u32) -> Protocol {
        self.protocol.folds = folds;
        self.protocol.pairs = Pairs::Listed(self.comparisons);
        self.protocol.findings = self.findings;
        self.protocol
    }
}

pub(crate) struct Counts {
    pub(crate) samples: usize,
    pub(crate) mated: usize,
    pub(crate) non_mated: usize,
}

fn intern(index: &mut HashMap<String, u32>, names: &mut Vec<String>, name: &str) -> u32 {
    *index.entry(name.to_owned()).or_insert_with(|| {
        names.push(name.to_owned());
        names.len() as u32 - 1
    })
}
