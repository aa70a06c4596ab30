//! How alike two sets of features are, and what that is worth: score to false match rate by the
//! pack's calibration.

mod gallery;

pub(crate) use gallery::gallery_threshold;
pub use gallery::{Candidate, Gallery};

use crate::embed::{Embedder, Features};
use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{Comparator, Comparison, OperatingPoint};
use serde::Deserialize;
use std::sync::Arc;
use vultus_nn::Precision;

/// What a comparator adds up in a pack.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) comparator: Comparator,
    pub(crate) parts: Arc<[Part]>,
}

/// An embedder and the share of its cosine in a score; the shares of a recipe sum to 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) embedder: Embedder,
    pub(crate) share: f32,
}

impl Recipe {
    /// Returns the recipe of `comparator` in a pack whose fused score has these parts.
    pub(crate) fn new(comparator: Comparator, fused: &[Part]) -> Recipe {
        let parts = match comparator {
            Comparator::Single => fused[..1]
                .iter()
                .map(|part| Part {
                    share: 1.0,
                    ..part.clone()
                })
                .collect(),
            Comparator::Fused => fused.into(),
        };
        Recipe { comparator, parts }
    }

    /// Returns the features that the recipe compares, in its order. `Kind::Usage` where one is
    /// missing or another weight made it.
    fn select<'f>(
        &self,
        features: &'f [Features],
    ) -> Result<impl Iterator<Item = (&'f Features, f32)>> {
        let of = |part: &Part| {
            features
                .iter()
                .find(|f| f.embedder == part.embedder)
                .map(|f| (f, part.share))
        };
        if let Some(missing) = self.parts.iter().find(|part| of(part).is_none()) {
            let message = format!(
                "the {} comparator needs features of {}, by the weight of this pack",
                self.comparator.name(),
                missing.embedder.id
            );
            return Err(Error::new(Stage::Compare, Kind::Usage, message));
        }
        Ok(self.parts.iter().filter_map(of))
    }
}

/// Returns how alike two sets of features are, in -1..=1; larger means more alike. Both must hold
/// the embedders of `recipe`.
pub(crate) fn score(recipe: &Recipe, probe: &[Features], reference: &[Features]) -> Result<f32> {
    let pairs = recipe.select(probe)?.zip(recipe.select(reference)?);
    let sum: f32 = pairs.map(|((p, share), (r, _))| share * p.cosine(r)).sum();
    Ok(sum.clamp(-1.0, 1.0))
}

/// A point of the error curve, observed on the calibration set.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
struct CurvePoint {
    fmr: f64,
    threshold: f32,
    fmr_low: f64,
    fmr_high: f64,
}

#[derive(Clone, Debug, Deserialize)]
struct Table {
    comparator: Comparator,
    precision: Precision,
    set: String,
    non_mated: u64,
    points: Vec<CurvePoint>,
}

/// The error curves of a pack.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Calibration {
    #[serde(default)]
    tables: Vec<Table>,
}

impl Calibration {
    pub(crate) fn read(value: &serde_json::Value) -> Result<Self> {
        let fault = |message: &str| {
            Error::new(
                Stage::Compare,
                Kind::Model,
                format!("the pack's calibration: {message}"),
            )
        };
        if value.is_null() {
            return Ok(Calibration::default());
        }
        let mut read: Calibration =
            Calibration::deserialize(value).map_err(|e| fault("cannot be read").because(e))?;
        for table in &mut read.tables {
            table.points.sort_by(|a, b| b.fmr.total_cmp(&a.fmr));
            if table.points.len() < 2
                || !table
                    .points
                    .windows(2)
                    .all(|w| w[0].threshold < w[1].threshold && w[0].fmr > w[1].fmr)
            {
                return Err(fault(
                    "a table needs two points at least, with thresholds that grow as the rate \
                    falls",
                ));
            }
        }
        Ok(read)
    }

    fn table(&self, comparator: Comparator, precision: Precision) -> Result<&Table> {
        self.tables
            .iter()
            .find(|t| t.comparator == comparator && t.precision == precision)
            .ok_or_else(|| {
                let message = format!(
                    "the pack holds no calibration for the {} comparator in this precision",
                    comparator.name()
                );
                Error::new(Stage::Compare, Kind::Usage, message)
            })
    }

    /// Returns the threshold for a false match rate. Between observed points log(rate) is taken as
    /// linear in the score; beyond them the call is `Kind::Usage`, with how many comparisons such a
    /// claim takes.
    pub(crate) fn at(
        &self,
        comparator: Comparator,
        precision: Precision,
        fmr: f64,
    ) -> Result<OperatingPoint> {
        let table = self.table(comparator, precision)?;
        let (loosest, strictest) = (
            table.points[0].fmr,
            table.points[table.points.len() - 1].fmr,
        );
        let usage = |message: String| Err(Error::new(Stage::Compare, Kind::Usage, message));
        if !(fmr > 0.0 && fmr < 1.0) {
            return usage(format!("fmr is {fmr}, a rate lies between 0 and 1"));
        }
        // Rates are written in decimal by people: a part in a million apart is the same rate.
        if fmr > loosest * (1.0 + 1e-6) {
            return usage(format!(
                "fmr {fmr} is looser than {loosest}, the loosest calibrated point"
            ));
        }
        if fmr < strictest * (1.0 - 1e-6) {
            return usage(format!(
                "fmr {fmr} is not supported by the calibration: {} has {} non-mated comparisons, \
                which reach {strictest}; it takes {:.0} to see ten false matches",
                table.set,
                table.non_mated,
                10.0 / fmr
            ));
        }
        let above = table
            .points
            .iter()
            .rposition(|p| p.fmr >= fmr * (1.0 - 1e-6))
            .unwrap_or(0);
        let (p, q) = (
            table.points[above],
            table.points[(above + 1).min(table.points.len() - 1)],
        );
        let share = if p.fmr > q.fmr {
            ((libm::log(p.fmr) - libm::log(fmr)) / (libm::log(p.fmr) - libm::log(q.fmr))).max(0.0)
        } else {
            0.0
        };
        let between = |a: f64, b: f64| {
            if share == 0.0 {
                a
            } else {
                libm::exp(libm::log(a) + (libm::log(b) - libm::log(a)) * share)
            }
        };
        Ok(OperatingPoint {
            fmr,
            fmr_interval: [
                between(p.fmr_low, q.fmr_low),
                between(p.fmr_high, q.fmr_high),
            ],
            threshold: p.threshold + (q.threshold - p.threshold) * share as f32,
            non_mated: table.non_mated,
            set: table.set.clone(),
        })
    }

    /// Returns the false match rate at which `score` would be the threshold; `None` outside the
    /// observed range.
    pub(crate) fn fmr_of(
        &self,
        comparator: Comparator,
        precision: Precision,
        score: f32,
    ) -> Option<f64> {
        let points = &self.table(comparator, precision).ok()?.points;
        let pair = points
            .windows(2)
            .find(|w| w[0].threshold <= score && score <= w[1].threshold)?;
        let share =
            f64::from((score - pair[0].threshold) / (pair[1].threshold - pair[0].threshold));
        Some(libm::exp(
            libm::log(pair[0].fmr) * (1.0 - share) + libm::log(pair[1].fmr) * share,
        ))
    }
}

pub(crate) fn compare(
    calibration: &Calibration,
    recipe: &Recipe,
    precision: Precision,
    fmr: f64,
    probe: &[Features],
    reference: &[Features],
) -> Result<Comparison> {
    let comparator = recipe.comparator;
    let operating_point = calibration.at(comparator, precision, fmr)?;
    let score = score(recipe, probe, reference)?;
    let fmr_at_score = calibration.fmr_of(comparator, precision, score);
    Ok(Comparison {
        comparator,
        score,
        fmr_at_score,
        is_match: score >= operating_point.threshold,
        operating_point,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn calibration() -> Calibration {
        Calibration::read(&serde_json::json!({"tables": [{
            "comparator": "single", "precision": "exact", "set": "S", "non_mated": 1_000_000,
            "points": [
                {"fmr": 1e-4, "threshold": 0.5, "fmr_low": 0.8e-4, "fmr_high": 1.2e-4},
                {"fmr": 1e-2, "threshold": 0.3, "fmr_low": 0.9e-2, "fmr_high": 1.1e-2}]}]}))
        .unwrap()
    }

    fn at(fmr: f64) -> Result<OperatingPoint> {
        calibration().at(Comparator::Single, Precision::Exact, fmr)
    }

    #[test]
    fn observed_points_are_exact_and_between_is_log_linear() {
        assert_eq!(at(1e-4).unwrap().threshold, 0.5);
        assert_eq!(at(1e-2).unwrap().threshold, 0.3);
        let middle = at(1e-3).unwrap();
        assert_relative_eq!(middle.threshold, 0.4, epsilon = 1e-6);
        assert_relative_eq!(
            middle.fmr_interval[1],
            (1.2e-4f64 * 1.1e-2).sqrt(),
            epsilon = 1e-9
        );
    }

    #[test]
    fn what_the_data_cannot_support_is_refused() {
        let message = at(1e-6).unwrap_err().to_string();
        assert!(
            message.contains("it takes 10000000 to see ten false matches"),
            "{message}"
        );
        assert!(at(0.5).is_err());
        for nonsense in [0.0, 1.0, -1.0, f64::NAN] {
            assert_eq!(at(nonsense).unwrap_err().kind(), Kind::Usage);
        }
        assert!(
            calibration()
                .at(Comparator::Fused, Precision::Exact, 1e-3)
                .is_err()
        );
    }

    #[test]
    fn score_and_rate_are_inverse() {
        let calibration = calibration();
        let rate = calibration
            .fmr_of(Comparator::Single, Precision::Exact, 0.4)
            .unwrap();
        assert_relative_eq!(rate, 1e-3, epsilon = 1e-7);
        assert_eq!(
            calibration.fmr_of(Comparator::Single, Precision::Exact, 0.6),
            None
        );
    }

    #[test]
    fn a_missing_embedder_is_the_callers_fault() {
        let embedder = |id: &str, byte| Embedder {
            id: id.into(),
            dimension: 1,
            fingerprint: [byte; 16],
            kernels: vultus_nn::kernel::Kernels::best(),
        };
        let features = |embedder| {
            vec![Features {
                embedder,
                values: vec![1.0].into(),
            }]
        };
        let parts = ["one", "other"].map(|id| Part {
            embedder: embedder(id, 1),
            share: 0.5,
        });
        let (single, fused) = (
            Recipe::new(Comparator::Single, &parts),
            Recipe::new(Comparator::Fused, &parts),
        );
        let (one, foreign) = (features(embedder("one", 1)), features(embedder("one", 2)));
        assert_eq!(score(&single, &one, &one).unwrap(), 1.0);
        let told = |recipe: &Recipe, reference: &[Features]| {
            score(recipe, &one, reference).unwrap_err().to_string()
        };
        assert_eq!(
            told(&fused, &one),
            "the fused comparator needs features of other, by the weight of this pack"
        );
        assert_eq!(
            told(&single, &foreign),
            "the single comparator needs features of one, by the weight of this pack"
        );
    }

    #[test]
    fn a_table_that_is_not_monotone_is_refused() {
        let bad = serde_json::json!({"tables": [{
            "comparator": "fused", "precision": "exact", "set": "S", "non_mated": 1,
            "points": [
                {"fmr": 0.1, "threshold": 0.5, "fmr_low": 0.0, "fmr_high": 1.0},
                {"fmr": 0.01, "threshold": 0.4, "fmr_low": 0.0, "fmr_high": 1.0}]}]});
        assert!(Calibration::read(&bad).is_err());
    }
}
