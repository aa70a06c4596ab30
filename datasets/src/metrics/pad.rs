//! Presentation attack detection rates after ISO/IEC 30107-3.

use std::collections::BTreeMap;

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
