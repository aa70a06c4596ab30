//! Cross-validated accuracy, as the LFW protocol reports it.

use serde::{Deserialize, Serialize};

/// One labelled score of a fold.
#[derive(Clone, Copy, Debug)]
pub struct Labelled {
    /// Comparison score; minus infinity for a failure to acquire.
    pub score: f32,
    /// True for a mated comparison.
    pub mated: bool,
    /// Zero-based fold.
    pub fold: u32,
}

/// Accuracy over folds, each judged by the threshold that is best on the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tenfold {
    /// Mean accuracy over the folds.
    pub accuracy: f64,
    /// Standard deviation over the folds (n - 1).
    pub deviation: f64,
    /// Accuracy of each fold.
    pub folds: Vec<f64>,
    /// Threshold of each fold, chosen on the others.
    pub thresholds: Vec<f64>,
}

/// Returns the cross-validated accuracy over `folds` folds.
pub fn tenfold(trials: &[Labelled], folds: u32) -> Tenfold {
    let mut sorted = trials.to_vec();
    sorted.sort_by(|a, b| a.score.total_cmp(&b.score));
    let (mut accuracies, mut thresholds) = (Vec::new(), Vec::new());
    for fold in 0..folds {
        let threshold = best_threshold(sorted.iter().filter(|trial| trial.fold != fold));
        let (mut right, mut all) = (0_u32, 0_u32);
        for trial in trials.iter().filter(|trial| trial.fold == fold) {
            right += u32::from((f64::from(trial.score) >= threshold) == trial.mated);
            all += 1;
        }
        accuracies.push(f64::from(right) / f64::from(all.max(1)));
        thresholds.push(threshold);
    }
    let n = accuracies.len() as f64;
    let accuracy = accuracies.iter().sum::<f64>() / n;
    let squares: f64 = accuracies.iter().map(|a| (a - accuracy).powi(2)).sum();
    Tenfold {
        accuracy,
        deviation: if n > 1.0 {
            (squares / (n - 1.0)).sqrt()
        } else {
            0.0
        },
        folds: accuracies,
        thresholds,
    }
}

/// Returns the threshold with the most right decisions on trials of rising score: among the
/// midpoints between neighbouring scores that tie, the one in the middle of their list.
fn best_threshold<'a>(rising: impl Iterator<Item = &'a Labelled>) -> f64 {
    let rising: Vec<&Labelled> = rising.filter(|t| t.score.is_finite()).collect();
    let mut right = rising.iter().filter(|trial| trial.mated).count() as i64;
    let (mut best, mut ties) = (i64::MIN, Vec::new());
    for pair in rising.windows(2) {
        right += if pair[0].mated { -1 } else { 1 };
        if pair[0].score == pair[1].score || right < best {
            continue;
        }
        if right > best {
            best = right;
            ties.clear();
        }
        ties.push(0.5 * (f64::from(pair[0].score) + f64::from(pair[1].score)));
    }
    ties.get(ties.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(fold: u32, non_mated: &[f32], mated: &[f32]) -> Vec<Labelled> {
        let label = |mated| move |&score: &f32| Labelled { score, mated, fold };
        let non_mated = non_mated.iter().map(label(false));
        non_mated.chain(mated.iter().map(label(true))).collect()
    }

    #[test]
    fn each_fold_is_judged_by_the_threshold_of_the_others() {
        let mut trials = fold(0, &[0.1, 0.2], &[0.6, 0.8]);
        trials.extend(fold(1, &[0.3, 0.5], &[0.45, 0.9]));
        let result = tenfold(&trials, 2);
        // Fold 0 by fold 1: three of four are right from 0.3 to 0.45 and from 0.5 to 0.9; of the
        // two midpoints the later one is taken: 0.6 fails, 0.8 passes. Fold 1 by 0.4 of fold 0: 0.5
        // is wrong.
        assert_eq!(result.thresholds.len(), 2);
        assert!((result.thresholds[0] - 0.7).abs() < 1e-6);
        assert!((result.thresholds[1] - 0.4).abs() < 1e-6);
        assert_eq!(result.folds[0], 0.75);
        assert_eq!(result.folds[1], 0.75);
        assert_eq!((result.accuracy, result.deviation), (0.75, 0.0));
    }

    #[test]
    fn a_failure_to_acquire_is_a_non_match() {
        let mut trials = fold(0, &[f32::NEG_INFINITY], &[f32::NEG_INFINITY]);
        trials.extend(fold(1, &[0.1], &[0.9]));
        assert_eq!(tenfold(&trials, 2).folds[0], 0.5);
    }
}
