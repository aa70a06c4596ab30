//! Two runs over the same trials: what got better, and whether that is more than chance.

use std::collections::HashMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::{page, percent, table};
use crate::metrics::mcnemar::{McNemar, mcnemar};
use crate::run::Run;

/// One question on which two runs are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// What is compared.
    pub what: String,
    /// Error rate of the first run.
    pub first: f64,
    /// Error rate of the second run.
    pub second: f64,
    /// The discordant trials.
    pub test: McNemar,
}

impl Contrast {
    /// Returns the verdict at the 5 % level.
    pub fn verdict(&self) -> &'static str {
        match () {
            () if self.test.p_value > 0.05 => "no significant difference",
            () if self.test.only_second_right > self.test.only_first_right => {
                "the second is better"
            }
            () => "the first is better",
        }
    }
}

/// Compares two runs, each at its own thresholds: cross-validated decisions, and mated decisions at
/// each FMR that both have.
///
/// # Errors
/// The runs are not over the same trials.
pub fn compare(first: &Run, second: &Run) -> Result<Vec<Contrast>, String> {
    let (a, b) = (trials(first), trials(second));
    if a.len() != b.len() || a.keys().any(|key| !b.contains_key(key)) {
        let missing = a.keys().filter(|key| !b.contains_key(*key)).count()
            + b.keys().filter(|key| !a.contains_key(*key)).count();
        return Err(format!(
            "the runs are not over the same trials: {missing} are in one only"
        ));
    }
    let contrast = |what: String, right: &dyn Fn(&Run, &Trial) -> Option<bool>| {
        let (mut only, mut wrong, mut all) = ([0, 0], [0_u64, 0], 0_u64);
        for (key, x) in &a {
            let (Some(x), Some(y)) = (right(first, x), right(second, &b[key])) else {
                continue;
            };
            all += 1;
            wrong[0] += u64::from(!x);
            wrong[1] += u64::from(!y);
            only[0] += u64::from(x && !y);
            only[1] += u64::from(y && !x);
        }
        let rate = |errors: u64| errors as f64 / all.max(1) as f64;
        Contrast {
            what,
            first: rate(wrong[0]),
            second: rate(wrong[1]),
            test: mcnemar(only[0], only[1]),
        }
    };
    let mut contrasts = Vec::new();
    if first.tenfold.is_some() && second.tenfold.is_some() {
        contrasts.push(contrast(
            "cross-validated error".to_owned(),
            &|run, trial| {
                let threshold = run.tenfold.as_ref()?.thresholds.get(trial.fold as usize)?;
                Some((f64::from(trial.score) >= *threshold) == trial.mated)
            },
        ));
    }
    for point in &first.operating_points {
        if second
            .operating_points
            .iter()
            .any(|other| other.fmr == point.fmr)
        {
            contrasts.push(contrast(
                format!("FNMR at FMR {:.0e}", point.fmr),
                &|run, trial| {
                    let own = run
                        .operating_points
                        .iter()
                        .find(|other| other.fmr == point.fmr)?;
                    trial.mated.then_some(trial.score >= own.threshold)
                },
            ));
        }
    }
    Ok(contrasts)
}

struct Trial {
    mated: bool,
    fold: u32,
    score: f32,
}

fn trials(run: &Run) -> HashMap<(&str, &str), Trial> {
    let name = |index: u32| run.samples[index as usize].as_str();
    run.trials
        .iter()
        .map(|row| {
            (
                (name(row.0), name(row.1)),
                Trial {
                    mated: row.2,
                    fold: row.3,
                    score: row.score(),
                },
            )
        })
        .collect()
}

/// Returns the page of a comparison.
pub fn html(first: &Run, second: &Run, contrasts: &[Contrast]) -> String {
    let mut body = format!(
        "<h1>{}</h1><p class=\"sub\">Two runs over the same trials, each at its own \
        thresholds.</p>",
        super::svg::escape(&first.set)
    );
    let describe = |run: &Run| {
        vec![
            run.origin.date.clone(),
            run.pack.name.clone(),
            format!("{}, {}", run.comparator, run.precision),
            run.origin.command.join(" "),
        ]
    };
    body.push_str(&table(
        &["Run", "Pack", "Comparator", "Command"],
        [describe(first), describe(second)],
    ));
    body.push_str("<h2>Errors</h2>");
    body.push_str(&table(
        &[
            "",
            "#first",
            "#second",
            "#only first right",
            "#only second right",
            "#p (McNemar, exact)",
            "Verdict at 5 %",
        ],
        contrasts.iter().map(|c| {
            vec![
                c.what.clone(),
                percent(c.first),
                percent(c.second),
                c.test.only_first_right.to_string(),
                c.test.only_second_right.to_string(),
                format!("{:.3}", c.test.p_value),
                c.verdict().to_owned(),
            ]
        }),
    ));
    page(&format!("{}: two runs", first.set), &body)
}

/// Returns the comparison as text.
pub fn text(contrasts: &[Contrast]) -> String {
    let mut text = String::new();
    for c in contrasts {
        let _ = writeln!(
            text,
            "{}: {} -> {}; only first right {}, only second right {}, p {:.3}: {}",
            c.what,
            percent(c.first),
            percent(c.second),
            c.test.only_first_right,
            c.test.only_second_right,
            c.test.p_value,
            c.verdict()
        );
    }
    text
}
