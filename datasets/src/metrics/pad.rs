//! Presentation attack detection rates after ISO/IEC 30107-3.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::interval::{Interval, clopper_pearson};
use super::verification::{CONFIDENCE, ratio};

/// One presentation and what the detector said of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PadTrial {
    /// Name of the presentation.
    pub name: String,
    /// Species of the attack; none for a bona fide presentation.
    pub species: Option<String>,
    /// Capture set; empty where the data has none.
    pub set: String,
    /// Detector's score, larger is more bona fide; none when it gave no answer.
    pub score: Option<f32>,
    /// Whether the whole system accepted the presentation, where that was tried.
    pub accepted: Option<bool>,
}

/// A share of presentations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Presentations with the outcome.
    pub count: u64,
    /// Presentations made.
    pub of: u64,
    /// The share.
    pub rate: f64,
    /// Clopper-Pearson interval.
    pub interval: Interval,
}

impl Share {
    /// Returns the share of `count` in `of`.
    pub fn new(count: u64, of: u64) -> Self {
        Self {
            count,
            of,
            rate: ratio(count, of),
            interval: clopper_pearson(count, of, CONFIDENCE),
        }
    }
}

/// The rates of one attack species.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Species {
    /// Its name.
    pub name: String,
    /// Attacks classified as bona fide, of those with an answer.
    pub apcer: Share,
    /// Attacks without an answer.
    pub apnrr: Share,
    /// Attacks that the whole system accepted, where that was tried.
    pub iapar: Option<Share>,
}

/// PAD rates at one threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PadRates {
    /// Scores of this and above are classified as bona fide.
    pub threshold: f32,
    /// Rates per species; the standard allows no average over them.
    pub species: Vec<Species>,
    /// The highest APCER of all species.
    pub apcer_worst: f64,
    /// Bona fide presentations classified as attacks, of those with an answer.
    pub bpcer: Share,
    /// Bona fide presentations without an answer.
    pub bpnrr: Share,
}

/// Returns the rates at `threshold`. A presentation without a score counts as non-response only.
pub fn rates(trials: &[PadTrial], threshold: f32) -> PadRates {
    let mut by_species: BTreeMap<&str, Vec<&PadTrial>> = BTreeMap::new();
    let mut bona_fide = Vec::new();
    for trial in trials {
        match &trial.species {
            Some(name) => by_species.entry(name).or_default().push(trial),
            None => bona_fide.push(trial),
        }
    }
    let passed = |trials: &[&PadTrial]| {
        let passes = |t: &&&PadTrial| t.score.is_some_and(|score| score >= threshold);
        trials.iter().filter(passes).count() as u64
    };
    let answered =
        |trials: &[&PadTrial]| trials.iter().filter(|t| t.score.is_some()).count() as u64;
    let species: Vec<Species> = by_species
        .into_iter()
        .map(|(name, trials)| {
            let all = trials.len() as u64;
            let tried: Vec<bool> = trials.iter().filter_map(|t| t.accepted).collect();
            let accepted = tried.iter().filter(|&&accepted| accepted).count() as u64;
            Species {
                name: name.to_owned(),
                apcer: Share::new(passed(&trials), answered(&trials)),
                apnrr: Share::new(all - answered(&trials), all),
                iapar: (!tried.is_empty()).then(|| Share::new(accepted, tried.len() as u64)),
            }
        })
        .collect();
    let all = bona_fide.len() as u64;
    let seen = answered(&bona_fide);
    PadRates {
        threshold,
        apcer_worst: species.iter().map(|s| s.apcer.rate).fold(0.0, f64::max),
        species,
        bpcer: Share::new(seen - passed(&bona_fide), seen),
        bpnrr: Share::new(all - seen, all),
    }
}

/// Returns the highest threshold whose BPCER does not exceed `bpcer`; none without bona fide
/// scores.
pub fn threshold_at_bpcer(trials: &[PadTrial], bpcer: f64) -> Option<f32> {
    let mut scores: Vec<f32> = trials
        .iter()
        .filter(|trial| trial.species.is_none())
        .filter_map(|trial| trial.score)
        .collect();
    scores.sort_by(f32::total_cmp);
    let allowed = super::verification::allowed_false_matches(bpcer, scores.len() as u64);
    scores.get(allowed as usize).or(scores.last()).copied()
}

/// A source that counts for a threshold counts as this many presentations at the most, so that one
/// with many pictures of a few people does not outweigh the others.
pub const MOST_OF_A_SOURCE: usize = 10;

/// Returns the highest threshold whose BPCER over the sources does not exceed `bpcer`, each source
/// counted as [`MOST_OF_A_SOURCE`] presentations at the most; none without bona fide scores.
pub fn threshold_over_sources(trials: &[PadTrial], bpcer: f64) -> Option<f32> {
    let bona_fide = || {
        trials
            .iter()
            .filter(|t| t.species.is_none())
            .filter_map(|t| t.score.map(|score| (score, t.set.as_str())))
    };
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, set) in bona_fide() {
        *sizes.entry(set).or_default() += 1;
    }
    let weight = |set: &str| MOST_OF_A_SOURCE.min(sizes[set]) as f64 / sizes[set] as f64;
    let mut scores: Vec<(f32, f64)> = bona_fide()
        .map(|(score, set)| (score, weight(set)))
        .collect();
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let allowed = bpcer * scores.iter().map(|(_, weight)| weight).sum::<f64>();
    let mut refused = 0.0;
    for &(score, weight) in &scores {
        refused += weight;
        if refused > allowed + 1e-9 {
            return Some(score);
        }
    }
    scores.last().map(|(score, _)| *score)
}

/// Rates of a source at a threshold that comes from all other sources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The source.
    pub source: String,
    /// Its rates at that threshold.
    pub rates: PadRates,
}

/// What leaving each source out in turn gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeaveOneOut {
    /// The BPCER that each threshold was taken at.
    pub bpcer: f64,
    /// One a source, by name.
    pub sources: Vec<LeftOut>,
    /// Bona fide presentations of all sources classified as attacks, each at its own threshold.
    pub refused: Share,
    /// Attacks of all sources classified as bona fide, each at its own threshold.
    pub passed: Share,
}

/// Leaves each source out in turn; none where fewer than two sources hold bona fide scores.
pub fn leave_one_out(trials: &[PadTrial], bpcer: f64) -> Option<LeaveOneOut> {
    let sources: BTreeSet<&str> = trials.iter().map(|t| t.set.as_str()).collect();
    let mut left_out = Vec::new();
    for source in sources {
        let (own, others): (Vec<_>, Vec<_>) = trials.iter().cloned().partition(|t| t.set == source);
        left_out.push(LeftOut {
            source: source.to_owned(),
            rates: rates(&own, threshold_over_sources(&others, bpcer)?),
        });
    }
    let sum = |share: &dyn Fn(&PadRates) -> (u64, u64)| {
        let all = left_out.iter().map(|source| share(&source.rates));
        let (count, of) = all.fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
        Share::new(count, of)
    };
    let (refused, passed) = (
        sum(&|rates| (rates.bpcer.count, rates.bpcer.of)),
        sum(&|rates| {
            let species = rates.species.iter();
            species.fold((0, 0), |(a, b), s| (a + s.apcer.count, b + s.apcer.of))
        }),
    );
    Some(LeaveOneOut {
        bpcer,
        sources: left_out,
        refused,
        passed,
    })
}

/// The chance that a bona fide presentation scores above an attack, half for equal scores; none
/// where either is missing.
pub fn area_under_curve(trials: &[PadTrial]) -> Option<f64> {
    let scores = |is_attack: bool| -> Vec<f32> {
        let of_kind = trials.iter().filter(|t| t.species.is_some() == is_attack);
        of_kind.filter_map(|t| t.score).collect()
    };
    let (bona_fide, attacks) = (scores(false), scores(true));
    let pairs = (bona_fide.len() * attacks.len()) as f64;
    let above = |b: f32| -> f64 {
        let halves = attacks.iter().map(|&a| match b.total_cmp(&a) {
            std::cmp::Ordering::Greater => 2,
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Less => 0,
        });
        f64::from(halves.sum::<u32>()) / 2.0
    };
    (pairs > 0.0).then(|| bona_fide.iter().map(|&b| above(b)).sum::<f64>() / pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(species: Option<&str>, score: Option<f32>, accepted: Option<bool>) -> PadTrial {
        PadTrial {
            name: String::new(),
            species: species.map(str::to_owned),
            set: String::new(),
            score,
            accepted,
        }
    }

    fn trials() -> Vec<PadTrial> {
        let mut trials = Vec::new();
        for score in [0.2, 0.6, 0.7, 0.8, 0.9] {
            trials.push(trial(None, Some(score), None));
        }
        trials.push(trial(None, None, None));
        for score in [0.1, 0.65] {
            trials.push(trial(Some("print"), Some(score), Some(score > 0.5)));
        }
        for score in [0.1, 0.2, 0.3, 0.65] {
            trials.push(trial(Some("replay"), Some(score), None));
        }
        trials.push(trial(Some("replay"), None, None));
        trials
    }

    #[test]
    fn rates_by_hand_and_the_worst_species_counts() {
        let rates = rates(&trials(), 0.5);
        assert_eq!(
            (rates.bpcer.count, rates.bpcer.of, rates.bpcer.rate),
            (1, 5, 0.2)
        );
        assert_eq!((rates.bpnrr.count, rates.bpnrr.of), (1, 6));
        let names: Vec<_> = rates
            .species
            .iter()
            .map(|s| (s.name.as_str(), s.apcer.rate))
            .collect();
        assert_eq!(names, [("print", 0.5), ("replay", 0.25)]);
        assert_eq!(rates.apcer_worst, 0.5);
        assert_eq!(
            (rates.species[1].apnrr.count, rates.species[1].apnrr.of),
            (1, 5)
        );
        assert_eq!(rates.species[0].iapar.unwrap().rate, 0.5);
        assert_eq!(rates.species[1].iapar, None);
    }

    fn of(set: &str, species: Option<&str>, scores: &[f32]) -> Vec<PadTrial> {
        let trial = |&score: &f32| PadTrial {
            set: set.to_owned(),
            ..trial(species, Some(score), None)
        };
        scores.iter().map(trial).collect()
    }

    #[test]
    fn a_large_source_does_not_outweigh_the_others() {
        let large: Vec<f32> = (0..100).map(|i| i as f32).collect();
        let mut trials = of("large", None, &large);
        trials.extend(of("small", None, &[200.0; 10]));
        // 20 presentations count, of which one may fail: ten of the large source's hundred.
        assert_eq!(threshold_over_sources(&trials, 0.05), Some(10.0));
        assert_eq!(threshold_over_sources(&trials[..100], 0.05), Some(5.0));
        assert_eq!(
            threshold_over_sources(&of("a", Some("print"), &[1.0]), 0.05),
            None
        );
    }

    #[test]
    fn a_source_is_judged_by_the_others_alone() {
        let mut trials = of("a", None, &[1.0, 2.0]);
        trials.extend(of("b", None, &[5.0, 6.0]));
        trials.extend(of("a", Some("print"), &[0.5, 5.5]));
        let loo = leave_one_out(&trials, 0.05).unwrap();
        let seen: Vec<_> = loo
            .sources
            .iter()
            .map(|s| (s.source.as_str(), s.rates.threshold, s.rates.bpcer.count))
            .collect();
        assert_eq!(seen, [("a", 5.0, 2), ("b", 1.0, 0)]);
        assert_eq!((loo.refused.count, loo.refused.of), (2, 4));
        assert_eq!((loo.passed.count, loo.passed.of), (1, 2));
        assert_eq!(leave_one_out(&trials[..2], 0.05), None);
    }

    #[test]
    fn the_area_by_hand() {
        let mut trials = of("a", None, &[1.0, 3.0]);
        assert_eq!(area_under_curve(&trials), None);
        trials.extend(of("a", Some("print"), &[0.0, 1.0]));
        assert_eq!(area_under_curve(&trials), Some(3.5 / 4.0));
    }

    #[test]
    fn apcer_at_bpcer_by_hand() {
        let trials = trials();
        // None of five may fail: the lowest bona fide score is the threshold.
        assert_eq!(threshold_at_bpcer(&trials, 0.1), Some(0.2));
        // One of five may fail.
        let threshold = threshold_at_bpcer(&trials, 0.2).unwrap();
        assert_eq!(threshold, 0.6);
        assert_eq!(rates(&trials, threshold).apcer_worst, 0.5);
        assert_eq!(threshold_at_bpcer(&trials[6..], 0.1), None);
    }
}
