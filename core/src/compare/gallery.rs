//! One probe against many references (1:N): a scan in 8-bit integers that proves which references
//! need a look in floats.

use super::{Calibration, Recipe, score};
use crate::embed::Features;
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{Comparator, OperatingPoint};
use crate::template::{KeyId, Template};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use vultus_nn::Pool;
use vultus_nn::Precision;
use vultus_nn::kernel::{Kernels, SCAN_STEP, Scan};
use zeroize::Zeroizing;

/// References that one thread scans at a time. Blocks never move, so that growing leaves no copies
/// of features behind.
const BLOCK: usize = 4096;

/// References by id, searched for the most alike. Holds biometric data, wiped when removed or
/// dropped; never printed.
///
/// Share one between threads that search; an answer depends on what it holds, not on the order in
/// which that came.
pub struct Gallery {
    recipe: Recipe,
    precision: Precision,
    key: Option<KeyId>,
    kernels: Kernels,
    /// The threads that a search is spread over; without, it stays on the caller's.
    pool: Option<Arc<Pool>>,
    blocks: Vec<Block>,
    places: HashMap<u64, usize>,
}

/// One reference that a search found.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Candidate {
    /// The id that it was inserted under.
    pub id: u64,
    /// How alike it is to the probe, in -1..=1; larger means more alike. What
    /// [`Engine::score`](crate::Engine::score) gives, to the bit.
    pub score: f32,
}

struct Block {
    entries: Vec<Entry>,
    /// The codes of the entries, one after another.
    codes: Zeroizing<Vec<i8>>,
}

struct Entry {
    id: u64,
    features: Vec<Features>,
    step: f32,
    error: f32,
}

/// A vector as multiples of `step`, at most `error` away from it (Euclidean).
struct Quantised {
    codes: Zeroizing<Vec<i16>>,
    step: f32,
    error: f32,
}

impl Gallery {
    pub(crate) fn new(
        recipe: Recipe,
        precision: Precision,
        key: Option<KeyId>,
        kernels: Kernels,
        pool: Option<Arc<Pool>>,
    ) -> Gallery {
        Gallery {
            recipe,
            precision,
            key,
            kernels,
            pool,
            blocks: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Adds a reference. `Kind::Usage` when the id is taken, or the template was made in another
    /// precision, by another pack or under another template key.
    pub fn insert(&mut self, id: u64, template: &Template) -> Result<()> {
        if self.places.contains_key(&id) {
            return Err(fault(format!(
                "the gallery holds a reference with the id {id} already; remove it first"
            )));
        }
        let features = self.features(template)?;
        let Quantised { codes, step, error } = quantise(&self.recipe, features)?;
        let entry = Entry {
            id,
            features: features.to_vec(),
            step,
            error,
        };
        self.places.insert(id, self.len());
        if self
            .blocks
            .last()
            .is_none_or(|block| block.entries.len() == BLOCK)
        {
            let codes = Zeroizing::new(Vec::with_capacity(BLOCK * codes.len()));
            self.blocks.push(Block {
                entries: Vec::with_capacity(BLOCK),
                codes,
            });
        }
        let block = self
            .blocks
            .last_mut()
            .expect("a block with room was just made sure of");
        block.entries.push(entry);
        block.codes.extend(codes.iter().map(|&code| code as i8));
        Ok(())
    }

    /// Removes a reference; returns whether there was one.
    pub fn remove(&mut self, id: u64) -> bool {
        let Some(place) = self.places.remove(&id) else {
            return false;
        };
        let length = code_length(&self.recipe);
        let last = self.blocks.last_mut().expect("a place is in a block");
        let entry = last.entries.pop().expect("no block is empty");
        let start = last.codes.len() - length;
        let codes = Zeroizing::new(last.codes[start..].to_vec());
        last.codes[start..].fill(0);
        last.codes.truncate(start);
        if last.entries.is_empty() {
            self.blocks.pop();
        }
        if entry.id != id {
            self.places.insert(entry.id, place);
            let block = &mut self.blocks[place / BLOCK];
            block.codes[place % BLOCK * length..][..length].copy_from_slice(&codes);
            block.entries[place % BLOCK] = entry;
        }
        true
    }

    /// Returns the number of references.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether it holds no reference.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns the `count` references that are most alike to the probe (all, if it holds fewer),
    /// best first, equal scores by id. The answer is that of comparing the probe with every
    /// reference in floats.
    pub fn search(&self, probe: &Template, count: usize) -> Result<Vec<Candidate>> {
        let features = self.features(probe)?;
        let probe = quantise(&self.recipe, features)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let scan = |block: &Block| self.scan(block, &probe, count);
        let scanned: Vec<Scanned> = match &self.pool {
            Some(pool) => pool.map(&self.blocks, scan),
            None => self.blocks.iter().map(scan).collect(),
        };
        // At least `count` references score this much.
        let mut lowest: Vec<f32> = scanned
            .iter()
            .flat_map(|block| &block.lowest)
            .copied()
            .collect();
        lowest.sort_by(|a, b| b.total_cmp(a));
        let floor = lowest.get(count - 1).copied().unwrap_or(f32::NEG_INFINITY);
        let mut candidates = Vec::new();
        for (block, scanned) in self.blocks.iter().zip(&scanned) {
            for (entry, _) in block
                .entries
                .iter()
                .zip(&scanned.highest)
                .filter(|(_, highest)| **highest >= floor)
            {
                candidates.push(Candidate {
                    id: entry.id,
                    score: score(&self.recipe, features, &entry.features)?,
                });
            }
        }
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        candidates.truncate(count);
        Ok(candidates)
    }

    fn scan(&self, block: &Block, probe: &Quantised, count: usize) -> Scanned {
        let mut sums = vec![0; block.entries.len()];
        self.kernels.run(Scan {
            codes: &block.codes,
            probe: &probe.codes,
            sums: &mut sums,
        });
        let mut lowest: BinaryHeap<Reverse<Ordered>> = BinaryHeap::new();
        let highest = block.entries.iter().zip(sums).map(|(entry, sum)| {
            let score = sum as f32 * (entry.step * probe.step);
            // Cauchy-Schwarz on what the codes leave out of two unit vectors, and the rounding of
            // the arithmetic.
            let error = entry.error + probe.error + entry.error * probe.error + ROUNDING;
            let low = Reverse(Ordered(score - error));
            if lowest.len() < count {
                lowest.push(low);
            } else if lowest.peek().is_some_and(|least| low < *least) {
                lowest.pop();
                lowest.push(low);
            }
            score + error
        });
        let highest = highest.collect();
        Scanned {
            highest,
            lowest: lowest
                .into_iter()
                .map(|Reverse(Ordered(low))| low)
                .collect(),
        }
    }

    fn features<'t>(&self, template: &'t Template) -> Result<&'t [Features]> {
        if template.precision() != self.precision {
            return Err(fault(
                "the template was made in another precision than the gallery's; enrol again"
                    .to_owned(),
            ));
        }
        template.features(self.key)
    }
}

impl std::fmt::Debug for Gallery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gallery({} references)", self.len())
    }
}

/// What the scan of a block proves.
struct Scanned {
    /// No entry scores more than this, by its place.
    highest: Vec<f32>,
    /// The entries score at least this, the best `count` of them, in no order.
    lowest: Vec<f32>,
}

#[derive(Clone, Copy, PartialEq)]
struct Ordered(f32);

impl Eq for Ordered {}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// More than the rounding of every sum in f32 can amount to.
const ROUNDING: f32 = 1e-5;

fn code_length(recipe: &Recipe) -> usize {
    recipe
        .parts
        .iter()
        .map(|part| part.embedder.dimension)
        .sum::<usize>()
        .next_multiple_of(SCAN_STEP)
}

/// Returns the features of the recipe as one vector whose dot product is the score, in 127 steps to
/// either side.
fn quantise(recipe: &Recipe, features: &[Features]) -> Result<Quantised> {
    let mut values = Zeroizing::new(Vec::with_capacity(code_length(recipe)));
    for (features, share) in recipe.select(features)? {
        values.extend(features.values.iter().map(|value| value * share.sqrt()));
    }
    values.resize(code_length(recipe), 0.0f32);
    let step = values
        .iter()
        .fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()))
        / 127.0;
    let codes = Zeroizing::new(
        values
            .iter()
            .map(|value| (value / step).round_ties_even() as i16)
            .collect::<Vec<i16>>(),
    );
    let residual = values
        .iter()
        .zip(codes.iter())
        .map(|(value, &code)| f64::from(value - f32::from(code) * step));
    Ok(Quantised {
        step,
        error: residual.map(|r| r * r).sum::<f64>().sqrt() as f32,
        codes,
    })
}

/// Returns the threshold for a false positive identification rate.
pub(crate) fn gallery_threshold(
    calibration: &Calibration,
    comparator: Comparator,
    precision: Precision,
    size: usize,
    fpir: f64,
) -> Result<OperatingPoint> {
    if size == 0 {
        return Err(fault(
            "a gallery of size 0 has no threshold; give the number of references".to_owned(),
        ));
    }
    if !(fpir > 0.0 && fpir < 1.0) {
        return Err(fault(format!(
            "fpir is {fpir}, a rate lies between 0 and 1"
        )));
    }
    calibration.at(
        comparator,
        precision,
        -libm::expm1(libm::log1p(-fpir) / size as f64),
    )
}

fn fault(message: String) -> Error {
    Error::new(Stage::Compare, Kind::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Part;
    use crate::embed::Embedder;
    use crate::evidence::{Findings, Role};
    use crate::template::TemplateKey;

    fn recipe(comparator: Comparator) -> Recipe {
        let part = |id: &str, dimension, share| Part {
            embedder: Embedder {
                id: id.into(),
                dimension,
                fingerprint: [0; 16],
                kernels: vultus_nn::kernel::Kernels::best(),
            },
            share,
        };
        Recipe::new(
            comparator,
            &[part("one", 128, 0.75), part("other", 192, 0.25)],
        )
    }

    struct Random(u64);

    impl Random {
        fn next(&mut self) -> f32 {
            self.0 = self
                .0
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
        }

        fn template(&mut self, near: Option<&Template>) -> Template {
            let parts = recipe(Comparator::Fused).parts;
            let features = parts.iter().map(|part| {
                let mut values: Vec<f32> =
                    (0..part.embedder.dimension).map(|_| self.next()).collect();
                if let Some(near) = near.and_then(|near| near.values(&part.embedder.id)) {
                    values
                        .iter_mut()
                        .zip(near)
                        .for_each(|(v, n)| *v = *v * 0.05 + n);
                }
                let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
                values.iter_mut().for_each(|v| *v /= norm);
                Features {
                    embedder: part.embedder.clone(),
                    values: values.into(),
                }
            });
            let features = features.collect();
            Template::new(
                Role::Document,
                Precision::Exact,
                Findings::even(80),
                features,
                None,
            )
        }
    }

    fn searched(recipe: Recipe, precision: Precision) -> Gallery {
        Gallery::new(
            recipe,
            precision,
            None,
            Kernels::best(),
            Some(Arc::new(Pool::new())),
        )
    }

    fn by_floats(gallery: &[(u64, Template)], probe: &Template, count: usize) -> Vec<Candidate> {
        let score = |t: &Template| {
            score(
                &recipe(Comparator::Fused),
                probe.features(None).unwrap(),
                t.features(None).unwrap(),
            )
            .unwrap()
        };
        let mut all: Vec<Candidate> = gallery
            .iter()
            .map(|(id, t)| Candidate {
                id: *id,
                score: score(t),
            })
            .collect();
        all.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        all.truncate(count);
        all
    }

    #[test]
    fn a_search_equals_comparing_with_all_in_floats() {
        let mut random = Random(7);
        let mut templates: Vec<(u64, Template)> = (0..2 * BLOCK as u64 + 100)
            .map(|i| (i * 31 % 65_537, random.template(None)))
            .collect();
        let probe = random.template(None);
        for (i, (_, template)) in templates
            .iter_mut()
            .enumerate()
            .filter(|(i, _)| i % 1000 == 3)
        {
            *template = random.template(if i % 3 == 0 { Some(&probe) } else { None });
        }
        let mut gallery = searched(recipe(Comparator::Fused), Precision::Exact);
        for (id, template) in &templates {
            gallery.insert(*id, template).unwrap();
        }
        // Twins have equal scores: the lower id comes first.
        gallery.insert(100_000, &templates[3].1).unwrap();
        templates.push((100_000, templates[3].1.clone()));
        for count in [0, 1, 5, 100] {
            assert_eq!(
                gallery.search(&probe, count).unwrap(),
                by_floats(&templates, &probe, count),
                "{count}"
            );
        }
        for gone in [0, 3, templates.len() - 5, 17] {
            let (id, _) = templates.swap_remove(gone);
            assert!(gallery.remove(id) && !gallery.remove(id));
        }
        assert_eq!(gallery.len(), templates.len());
        assert_eq!(
            gallery.search(&probe, 50).unwrap(),
            by_floats(&templates, &probe, 50)
        );
        let all = gallery.search(&probe, usize::MAX).unwrap();
        assert_eq!(all.len(), templates.len());
        for (id, _) in &templates {
            assert!(gallery.remove(*id));
        }
        assert!(
            gallery.is_empty()
                && gallery.blocks.is_empty()
                && gallery.search(&probe, 3).unwrap().is_empty()
        );
    }

    #[test]
    fn the_error_of_the_codes_is_bounded() {
        let (mut random, recipe) = (Random(1), recipe(Comparator::Fused));
        for _ in 0..200 {
            let (a, b) = (random.template(None), random.template(None));
            let (p, q) = (
                quantise(&recipe, a.features(None).unwrap()).unwrap(),
                quantise(&recipe, b.features(None).unwrap()).unwrap(),
            );
            let sum: i32 = p
                .codes
                .iter()
                .zip(q.codes.iter())
                .map(|(&a, &b)| i32::from(a) * i32::from(b))
                .sum();
            let exact = score(
                &recipe,
                a.features(None).unwrap(),
                b.features(None).unwrap(),
            )
            .unwrap();
            let bound = p.error + q.error + p.error * q.error + ROUNDING;
            assert!(
                (sum as f32 * p.step * q.step - exact).abs() <= bound && bound < 0.05,
                "{bound}"
            );
        }
    }

    #[test]
    fn a_threshold_for_many_is_that_of_a_rarer_false_match() {
        let calibration = Calibration::read(&serde_json::json!({"tables": [{
            "comparator": "single", "precision": "exact", "set": "S", "non_mated": 1_000_000,
            "points": [
                {"fmr": 1e-5, "threshold": 0.5, "fmr_low": 0.8e-5, "fmr_high": 1.2e-5},
                {"fmr": 1e-2, "threshold": 0.3, "fmr_low": 0.9e-2, "fmr_high": 1.1e-2}]}]}))
        .unwrap();
        let at = |size, fpir| {
            gallery_threshold(
                &calibration,
                Comparator::Single,
                Precision::Exact,
                size,
                fpir,
            )
        };
        assert_eq!(at(1, 1e-2).unwrap().threshold, 0.3);
        let found = at(1000, 0.01).unwrap();
        assert!((found.fmr - 1.00503e-5).abs() < 1e-9, "{}", found.fmr);
        assert!(found.threshold > 0.499 && found.threshold < 0.5);
        assert!(
            at(10_000, 0.01)
                .unwrap_err()
                .to_string()
                .contains("not supported by the calibration")
        );
        for (size, fpir) in [(0, 0.01), (10, 0.0), (10, 1.0), (10, f64::NAN)] {
            assert_eq!(
                at(size, fpir).unwrap_err().kind(),
                Kind::Usage,
                "{size} {fpir}"
            );
        }
    }

    #[test]
    fn misuse_is_told() {
        let template = Random(3).template(None);
        let mut gallery = searched(recipe(Comparator::Single), Precision::Exact);
        gallery.insert(5, &template).unwrap();
        let error = gallery.insert(5, &template).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the gallery holds a reference with the id 5 already; remove it first"
        );
        let mut fast = searched(recipe(Comparator::Single), Precision::Fast);
        assert_eq!(fast.insert(1, &template).unwrap_err().kind(), Kind::Usage);
        let key = TemplateKey::new(&(0..32).collect::<Vec<u8>>()).unwrap();
        let protected = template.rekeyed(None, Some(&key));
        let error = gallery.insert(1, &protected).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.to_string().contains("protected"), "{error}");
        assert_eq!(
            gallery.search(&protected, 9).unwrap_err().kind(),
            Kind::Usage
        );
        assert_eq!(gallery.search(&template, 9).unwrap().len(), 1);
    }
}
