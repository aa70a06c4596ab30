//! Images to features: all cores, cached by content, resumable.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::{ParallelProgressIterator, ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::findings::Findings;
use crate::protocol::{Sample, Source};

/// What an engine makes of one image.
pub trait Extractor: Sync {
    /// Returns a text that changes whenever the same image could give other features: model ids
    /// with their hashes, precision, settings. It keys the cache.
    fn key(&self) -> String;

    /// Extracts from the encoded bytes of an image.
    fn extract(&self, encoded: &[u8]) -> Outcome;
}

/// The outcome of one extraction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Features of unit length by model id, and the unified quality score, 0..100.
    Acquired {
        /// Unit vectors by model id.
        features: BTreeMap<String, Vec<f32>>,
        /// ISO/IEC 29794-5 unified quality score.
        quality: Option<f32>,
        /// The raw values of its components by name; empty for a sample of several images.
        #[serde(default)]
        components: BTreeMap<String, f32>,
    },
    /// Failure to acquire: a sound image without a usable face.
    NotAcquired(
        /// The reason, as the engine gives it.
        String,
    ),
    /// The file is no image that can be decoded: a defect of the set.
    Unreadable(
        /// The decoder's message.
        String,
    ),
}

/// The outcome of a sample, which may have several images.
#[derive(Clone, Debug)]
pub struct Extracted {
    /// Features averaged over the images that were acquired, unit length again.
    pub outcome: Outcome,
    /// Seconds that extraction took when it was done, cached or not; none where unknown.
    pub seconds: f64,
    /// Whether every image came from the cache.
    pub cached: bool,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    outcome: Outcome,
    seconds: f64,
}

/// Features kept on disk: one file an image and key, written atomically, so that an interrupted run
/// goes on where it stopped. They are biometric data: the folder is readable by its owner only.
#[derive(Clone, Debug)]
pub struct Cache(PathBuf);

impl Cache {
    /// Opens or makes the cache for one extractor below `folder`.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(folder: &Path, extractor: &dyn Extractor) -> std::io::Result<Self> {
        let folder = folder.join(&hex(&Sha256::digest(extractor.key()))[..16]);
        std::fs::create_dir_all(&folder)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
        }
        std::fs::write(folder.join("key.txt"), extractor.key())?;
        Ok(Self(folder))
    }

    fn path(&self, content: &[u8]) -> PathBuf {
        let hash = hex(&Sha256::digest(content));
        self.0.join(&hash[..2]).join(format!("{hash}.json"))
    }

    fn get(&self, path: &Path) -> Option<Entry> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    fn put(&self, path: &Path, entry: &Entry) -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(&self.0);
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(entry)?)?;
        file.persist(path)?;
        Ok(())
    }
}

/// Returns lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a progress bar with the time left.
pub fn progress(length: usize, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta} left",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64)
        .with_style(style)
        .with_message(what.to_owned())
}

/// Extracts every sample on all cores. Unreadable images are added to `findings`.
pub fn extract_all(
    samples: &[Sample],
    extractor: &dyn Extractor,
    cache: Option<&Cache>,
    findings: &mut Findings,
) -> Vec<Extracted> {
    let bar = progress(samples.len(), "features");
    let extracted: Vec<Extracted> = samples
        .par_iter()
        .with_max_len(1)
        .progress_with(bar)
        .map(|sample| extract_sample(sample, extractor, cache))
        .collect();
    for (sample, extracted) in samples.iter().zip(&extracted) {
        if let Outcome::Unreadable(reason) = &extracted.outcome {
            findings.add(&sample.name, format!("unreadable image: {reason}"));
        }
    }
    extracted
}

fn extract_sample(sample: &Sample, extractor: &dyn Extractor, cache: Option<&Cache>) -> Extracted {
    let mut entries = Vec::new();
    let mut cached = true;
    for image in &sample.images {
        let (entry, from_cache) = extract_image(image, extractor, cache);
        cached &= from_cache;
        entries.push(entry);
    }
    let seconds = entries.iter().map(|entry| entry.seconds).sum();
    Extracted {
        outcome: average(entries.into_iter().map(|entry| entry.outcome).collect()),
        seconds,
        cached,
    }
}

fn extract_image(
    image: &Source,
    extractor: &dyn Extractor,
    cache: Option<&Cache>,
) -> (Entry, bool) {
    let content = match image.read() {
        Ok(content) => content,
        Err(error) => {
            let outcome = Outcome::Unreadable(error.to_string());
            return (
                Entry {
                    outcome,
                    seconds: 0.0,
                },
                false,
            );
        }
    };
    let path = cache.map(|cache| (cache, cache.path(&content)));
    if let Some(entry) = path.as_ref().and_then(|(cache, path)| cache.get(path)) {
        return (entry, true);
    }
    let start = Instant::now();
    let outcome = extractor.extract(&content);
    let entry = Entry {
        outcome,
        seconds: start.elapsed().as_secs_f64(),
    };
    if let Some((cache, path)) = path
        && let Err(error) = cache.put(&path, &entry)
    {
        eprintln!("warning: {} is not cached: {error}", path.display());
    }
    (entry, false)
}

/// Averages the features of a sample's images; one unreadable image makes the sample unreadable.
fn average(mut outcomes: Vec<Outcome>) -> Outcome {
    if outcomes.len() == 1 {
        return outcomes.remove(0);
    }
    let mut sums: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    let mut qualities = Vec::new();
    let mut failure = None;
    for outcome in outcomes {
        match outcome {
            Outcome::Unreadable(reason) => return Outcome::Unreadable(reason),
            Outcome::NotAcquired(reason) => failure = Some(reason),
            Outcome::Acquired {
                features, quality, ..
            } => {
                qualities.extend(quality);
                for (model, vector) in features {
                    let sum = sums.entry(model).or_insert_with(|| vec![0.0; vector.len()]);
                    for (sum, value) in sum.iter_mut().zip(vector) {
                        *sum += value;
                    }
                }
            }
        }
    }
    if sums.is_empty() {
        return Outcome::NotAcquired(failure.unwrap_or_else(|| "no image".to_owned()));
    }
    for vector in sums.values_mut() {
        let norm = vector
            .iter()
            .map(|v| v * v)
            .sum::<f32>()
            .sqrt()
            .max(f32::MIN_POSITIVE);
        vector.iter_mut().for_each(|v| *v /= norm);
    }
    let mean = qualities.iter().sum::<f32>() / qualities.len().max(1) as f32;
    Outcome::Acquired {
        features: sums,
        quality: (!qualities.is_empty()).then_some(mean),
        components: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Counting(AtomicUsize);

    impl Extractor for Counting {
        fn key(&self) -> String {
            "counting".to_owned()
        }

        fn extract(&self, encoded: &[u8]) -> Outcome {
            self.0.fetch_add(1, Ordering::Relaxed);
            match encoded {
                b"noface" => Outcome::NotAcquired("no_face".to_owned()),
                b"broken" => Outcome::Unreadable("not an image".to_owned()),
                [first, ..] => Outcome::Acquired {
                    features: BTreeMap::from([(
                        "m".to_owned(),
                        if *first == b'x' {
                            vec![1.0, 0.0]
                        } else {
                            vec![0.0, 1.0]
                        },
                    )]),
                    quality: Some(50.0),
                    components: BTreeMap::new(),
                },
                [] => Outcome::Unreadable("empty".to_owned()),
            }
        }
    }

    fn sample(name: &str, images: &[&[u8]]) -> Sample {
        Sample {
            name: name.to_owned(),
            identity: 0,
            images: images.iter().map(|&i| Source::Bytes(i.into())).collect(),
        }
    }

    #[test]
    fn a_second_run_extracts_nothing_and_gives_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let extractor = Counting(AtomicUsize::new(0));
        let cache = Cache::open(folder.path(), &extractor).unwrap();
        let samples = [
            sample("a", &[b"x1"]),
            sample("b", &[b"noface"]),
            sample("c", &[b"broken"]),
        ];
        let mut findings = Findings::default();
        let first = extract_all(&samples, &extractor, Some(&cache), &mut findings);
        assert_eq!(findings.0.len(), 1);
        assert!(findings.0[0].to_string().starts_with("c: unreadable image"));
        let second = extract_all(&samples, &extractor, Some(&cache), &mut Findings::default());
        assert_eq!(extractor.0.load(Ordering::Relaxed), 3);
        for (a, b) in first.iter().zip(&second) {
            assert_eq!(a.outcome, b.outcome);
            assert!(!a.cached && b.cached);
        }
    }

    #[test]
    fn a_damaged_cache_file_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let extractor = Counting(AtomicUsize::new(0));
        let cache = Cache::open(folder.path(), &extractor).unwrap();
        let samples = [sample("a", &[b"x1"])];
        extract_all(&samples, &extractor, Some(&cache), &mut Findings::default());
        std::fs::write(cache.path(b"x1"), b"{\"outc").unwrap();
        let again = extract_all(&samples, &extractor, Some(&cache), &mut Findings::default());
        assert!(matches!(again[0].outcome, Outcome::Acquired { .. }));
        assert_eq!(extractor.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn frames_are_averaged_to_unit_length_and_missing_faces_are_skipped() {
        let clip = sample("clip", &[b"x", b"y", b"noface"]);
        let extractor = Counting(AtomicUsize::new(0));
        let Outcome::Acquired { features, .. } = extract_sample(&clip, &extractor, None).outcome
        else {
            panic!("acquired expected");
        };
        let half = std::f32::consts::FRAC_1_SQRT_2;
        assert!((features["m"][0] - half).abs() < 1e-6 && (features["m"][1] - half).abs() < 1e-6);
        let none = sample("none", &[b"noface", b"noface"]);
        let outcome = extract_sample(&none, &extractor, None).outcome;
        assert_eq!(outcome, Outcome::NotAcquired("no_face".to_owned()));
    }
}
