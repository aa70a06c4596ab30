//! Runs as self-contained HTML pages, and two runs side by side.

pub mod compare;
pub mod svg;

use std::collections::HashMap;
use std::fmt::{Display, Write};

use crate::metrics::interval::Interval;
use crate::run::{NamedTrial, Run};
use svg::{Axis, Scale, Series, Shape, escape, plot};

const STYLE: &str = "
:root{--ink:#1d2733;--soft:#5b6875;--rule:#d9dfe5;--c0:#0b6e99;--c1:#c2410c;\
--c2:#4d7c0f;--bad:#b42318}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);\
max-width:1180px;margin:2rem auto;padding:0 1.2rem}
h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.sub{color:var(--soft);margin:0 0 1rem}
.grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:1rem 2rem}
figure{margin:0;min-width:0;break-inside:avoid}figcaption{font-weight:600;margin:.4rem 0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
th,td{text-align:left;padding:.28rem .6rem;border-bottom:1px solid var(--rule);vertical-align:top}
th{color:var(--soft);font-weight:600}td{overflow-wrap:anywhere}\
td.n,th.n{text-align:right}td.n{white-space:nowrap}
code{font:12.5px ui-monospace,monospace;overflow-wrap:anywhere}
.cards{display:flex;flex-wrap:wrap;gap:.8rem;margin:1rem 0}
.card{border:1px solid var(--rule);border-radius:8px;padding:.6rem 1rem;min-width:150px}
.card b{display:block;font-size:1.35rem}.card span{color:var(--soft);font-size:13px}
.bad{border-left:4px solid var(--bad);padding:.4rem .8rem;background:#fdf3f2}
.pair{display:inline-block;margin:.4rem;color:var(--soft);font-size:13px;break-inside:avoid}\
.pair img{width:90px;height:90px;object-fit:cover}
svg{width:100%;height:auto}svg text{font:11.5px system-ui,sans-serif;fill:var(--soft)}
svg .label{fill:var(--ink)}.grid{stroke:var(--rule)}
.line{fill:none;stroke-width:2}.area{opacity:.45}
.line.c0{stroke:var(--c0)}.line.c1{stroke:var(--c1)}.line.c2{stroke:var(--c2)}
.area.c0,.dot.c0,.key.c0{fill:var(--c0)}\
.area.c1,.dot.c1,.key.c1{fill:var(--c1)}\
.area.c2,.dot.c2,.key.c2{fill:var(--c2)}
@media print{body{margin:0;max-width:none;font-size:10px}h2{margin-top:1rem}\
h2,h3{break-after:avoid}.grid2{grid-template-columns:1fr 1fr}tr{break-inside:avoid}
table{font-size:9px}td{overflow-wrap:normal}td:last-child,.grid2 td{overflow-wrap:anywhere}}
";

/// Returns a page with a title and a body.
pub(crate) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
        content=\"width=device-width\">\
         <title>{}</title><style>{STYLE}</style></head><body>\n{body}</body></html>\n",
        escape(title)
    )
}

/// A table; columns whose head starts with `#` hold numbers.
pub(crate) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let class = |column: &str| {
        if column.starts_with('#') {
            " class=\"n\""
        } else {
            ""
        }
    };
    let mut html = String::from("<table><tr>");
    for column in head {
        let _ = write!(
            html,
            "<th{}>{}</th>",
            class(column),
            escape(column.trim_start_matches('#'))
        );
    }
    html.push_str("</tr>");
    for row in rows {
        html.push_str("<tr>");
        for (column, cell) in head.iter().zip(row) {
            let _ = write!(html, "<td{}>{}</td>", class(column), escape(&cell));
        }
        html.push_str("</tr>");
    }
    html.push_str("</table>");
    html
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:.3} %", 100.0 * share)
}

fn range(interval: Interval) -> String {
    format!("{} to {}", percent(interval.low), percent(interval.high))
}

/// An interval of a rate that may be far below a percent.
fn small_range(interval: Interval) -> String {
    format!("{:.2e} to {:.2e}", interval.low, interval.high)
}

fn rate(fmr: f64) -> String {
    format!("{fmr:.0e}")
}

fn figure(caption: &str, svg: String) -> String {
    format!(
        "<figure><figcaption>{}</figcaption>{svg}</figure>",
        escape(caption)
    )
}

fn card(value: impl Display, what: &str) -> String {
    format!(
        "<div class=\"card\"><b>{value}</b><span>{}</span></div>",
        escape(what)
    )
}

fn share_axis(label: &str, range: [f64; 2], scale: Scale) -> Axis {
    Axis {
        label: label.to_owned(),
        range,
        scale,
        percent: true,
    }
}

/// Pictures that a page shows: sample name to `data:` address. Empty for a page that shows no face.
pub type Faces = HashMap<String, String>;

/// Returns the page of a verification run. It names files, and shows no face but those of the worst
/// pairs that `faces` holds.
pub fn html(run: &Run, faces: &Faces) -> String {
    let mut body = format!(
        "<h1>{}</h1><p class=\"sub\">{} comparator, {} precision. {} samples of {} identities; {} \
        mated and {} non-mated comparisons. {}</p>",
        escape(&run.set),
        run.comparator,
        run.precision,
        run.samples.len(),
        run.identities,
        run.mated,
        run.non_mated,
        run.origin.date
    );
    if !run.findings.is_empty() {
        let _ = write!(
            body,
            "<div class=\"bad\"><b>{} findings: the set is not whole, and the rates are those of \
            what is there.</b>",
            run.findings.0.len()
        );
        let lines = run
            .findings
            .0
            .iter()
            .take(200)
            .map(|finding| vec![finding.place.clone(), finding.problem.clone()]);
        body.push_str(&table(&["Place", "Problem"], lines));
        body.push_str("</div>");
    }
    body.push_str("<div class=\"cards\">");
    if let Some(tenfold) = &run.tenfold {
        body.push_str(&card(
            percent(tenfold.accuracy),
            &format!(
                "accuracy over {} folds, ± {}",
                tenfold.folds.len(),
                percent(tenfold.deviation)
            ),
        ));
    }
    for point in &run.operating_points {
        body.push_str(&card(
            percent(point.fnmr),
            &format!("FNMR at FMR {}", rate(point.fmr)),
        ));
    }
    body.push_str(&card(
        format!("{} of {}", run.failures.len(), run.samples.len()),
        "failures to acquire",
    ));
    body.push_str("</div>");
    body.push_str("<h2>Operating points</h2>");
    body.push_str(&table(
        &[
            "#FMR",
            "#threshold",
            "#false matches",
            "FMR, 95 %",
            "#false non-matches",
            "#FNMR",
            "FNMR, 95 % (Clopper-Pearson)",
            "FNMR, 95 % (identities resampled)",
        ],
        run.operating_points.iter().map(|p| {
            vec![
                rate(p.fmr),
                format!("{:.4}", p.threshold),
                p.false_matches.to_string(),
                small_range(p.fmr_interval),
                format!("{} of {}", p.false_non_matches, run.mated),
                percent(p.fnmr),
                range(p.fnmr_interval),
                p.fnmr_by_identity.map(range).unwrap_or_default(),
            ]
        }),
    ));
    for refused in &run.refused {
        let _ = write!(
            body,
            "<p>FMR {} is refused: it takes {} non-mated comparisons, the set has {}.</p>",
            rate(refused.fmr),
            refused.non_mated_needed,
            refused.non_mated
        );
    }
    body.push_str(
        "<p class=\"sub\">A failure to acquire counts as a false non-match on a mated and as no \
        match on a non-mated comparison.</p>",
    );
    if let Some(check) = &run.calibrated {
        body.push_str("<h2>The pack's own thresholds on these comparisons</h2>");
        let rows = check.points.iter().map(|p| {
            let interval = Interval {
                low: p.fmr_low,
                high: p.fmr_high,
            };
            let verdict = if p.holds {
                "the intervals meet"
            } else {
                "the intervals do not meet"
            };
            vec![
                rate(p.fmr),
                format!("{:.4}", p.threshold),
                format!("{:.2e}", p.fmr_observed),
                small_range(interval),
                percent(p.fnmr),
                verdict.to_owned(),
            ]
        });
        body.push_str(&table(
            &[
                "#FMR promised",
                "#threshold",
                "#FMR seen",
                "FMR, 95 %",
                "#FNMR",
                "Calibration",
            ],
            rows,
        ));
    }
    plots(run, &mut body);
    if !run.groups.is_empty() {
        body.push_str("<h2>Groups, at the strictest operating point</h2>");
        let rows = run.groups.iter().flat_map(|group| {
            [("FMR", &group.fmr), ("FNMR", &group.fnmr)].map(|(what, r)| {
                let verdict = format!("{:?}", r.verdict).to_lowercase();
                let interval = small_range(r.interval);
                vec![
                    group.name.clone(),
                    what.into(),
                    format!("{} of {}", r.errors, r.trials),
                    format!("{:.2e}", r.rate),
                    interval,
                    verdict,
                ]
            })
        });
        body.push_str(&table(
            &[
                "Group",
                "Rate",
                "#errors",
                "#rate",
                "95 %",
                "at most 25 % worse",
            ],
            rows,
        ));
    }
    body.push_str("<h2>Worst pairs</h2><div class=\"grid2\">");
    body.push_str(&worst("Mated, lowest scores", &run.worst_mated, faces));
    body.push_str(&worst(
        "Non-mated, highest scores",
        &run.worst_non_mated,
        faces,
    ));
    body.push_str("</div>");
    if !run.failures.is_empty() {
        body.push_str("<h2>Failures to acquire</h2>");
        body.push_str(&table(
            &["Sample", "Reason"],
            run.failures
                .iter()
                .map(|f| vec![f.sample.clone(), f.reason.clone()]),
        ));
    }
    means(run, &mut body);
    page(&run.set, &body)
}

fn worst(caption: &str, trials: &[NamedTrial], faces: &Faces) -> String {
    let score = |trial: &NamedTrial| {
        trial
            .score
            .map_or("not acquired".to_owned(), |score| format!("{score:.4}"))
    };
    let mut html = figure(
        caption,
        table(
            &["Probe", "Reference", "#score"],
            trials
                .iter()
                .map(|t| vec![t.probe.clone(), t.reference.clone(), score(t)]),
        ),
    );
    let shown = trials
        .iter()
        .filter(|t| faces.contains_key(&t.probe) && faces.contains_key(&t.reference));
    for trial in shown {
        let image = |name: &str| format!("<img src=\"{}\" alt=\"{}\">", faces[name], escape(name));
        let _ = write!(
            html,
            "<span class=\"pair\">{}{}<br>{}</span>",
            image(&trial.probe),
            image(&trial.reference),
            score(trial)
        );
    }
    format!("<div>{html}</div>")
}

fn plots(run: &Run, body: &mut String) {
    let strict = (1.0 / run.non_mated.max(10) as f64).log10().floor();
    let low = 10_f64.powf(strict);
    let miss_low = 10_f64.powf((1.0 / run.mated.max(10) as f64).log10().floor());
    let line = |points: Vec<[f64; 2]>| Series {
        name: String::new(),
        points,
        shape: Shape::Line,
        colour: 0,
    };
    let marks = |of: fn(f64) -> f64| Series {
        name: String::new(),
        points: run
            .operating_points
            .iter()
            .map(|p| [p.fmr_observed, of(p.fnmr)])
            .collect(),
        shape: Shape::Dots,
        colour: 1,
    };
    body.push_str("<h2>Curves</h2><div class=\"grid2\">");
    body.push_str(&figure(
        "DET",
        plot(
            &share_axis("FMR", [low, 1.0], Scale::Log),
            &share_axis("FNMR", [miss_low, 1.0], Scale::Log),
            &[
                line(run.det.iter().map(|p| [p[0], p[1]]).collect()),
                marks(|fnmr| fnmr),
            ],
        ),
    ));
    let least = run
        .det
        .iter()
        .map(|p| 1.0 - p[1])
        .fold(1.0, f64::min)
        .clamp(0.0, 0.95);
    body.push_str(&figure(
        "ROC",
        plot(
            &share_axis("FMR", [low, 1.0], Scale::Log),
            &share_axis(
                "1 - FNMR",
                [(least * 20.0).floor() / 20.0, 1.0],
                Scale::Linear,
            ),
            &[
                line(run.det.iter().map(|p| [p[0], 1.0 - p[1]]).collect()),
                marks(|fnmr| 1.0 - fnmr),
            ],
        ),
    ));
    let density = |histogram: &crate::metrics::verification::Histogram| {
        let total = histogram.counts.iter().sum::<u64>().max(1) as f64;
        let width = f64::from(histogram.high - histogram.low) / histogram.counts.len() as f64;
        let place = |bin: usize| f64::from(histogram.low) + (bin as f64 + 0.5) * width;
        histogram
            .counts
            .iter()
            .enumerate()
            .map(|(bin, &count)| [place(bin), count as f64 / total])
            .collect::<Vec<_>>()
    };
    let (mated, non_mated) = (
        density(&run.mated_histogram),
        density(&run.non_mated_histogram),
    );
    let highest = mated
        .iter()
        .chain(&non_mated)
        .map(|p| p[1])
        .fold(1e-3, f64::max);
    let area = |name: &str, points, colour| Series {
        name: name.to_owned(),
        points,
        shape: Shape::Area,
        colour,
    };
    body.push_str(&figure(
        "Scores",
        plot(
            &Axis {
                label: "comparison score".into(),
                range: [-0.5, 1.0],
                scale: Scale::Linear,
                percent: false,
            },
            &share_axis(
                "share of comparisons a bin",
                [0.0, highest * 1.05],
                Scale::Linear,
            ),
            &[area("non-mated", non_mated, 1), area("mated", mated, 0)],
        ),
    ));
    let most = run.discard.iter().map(|p| p[1]).fold(1e-3, f64::max);
    body.push_str(&figure(
        "Error versus discard, threshold of the strictest point",
        plot(
            &share_axis(
                "mated comparisons of lowest quality left out",
                [0.0, 0.5],
                Scale::Linear,
            ),
            &share_axis("FNMR of the rest", [0.0, most * 1.1], Scale::Linear),
            &[line(run.discard.clone())],
        ),
    ));
    body.push_str("</div>");
}

fn means(run: &Run, body: &mut String) {
    body.push_str("<h2>How</h2>");
    let t = &run.timing;
    let facts = [
        ("Command", run.origin.command.join(" ")),
        ("Machine", run.origin.machine.clone()),
        ("Program", format!("vultus-datasets {}", run.origin.version)),
        (
            "Extraction",
            format!(
                "{:.1} s, {} of {} samples from the cache",
                t.extraction_s,
                t.from_cache,
                run.samples.len()
            ),
        ),
        (
            "One sample on one core",
            format!("{:.0} ms (median)", 1e3 * t.median_sample_s),
        ),
        (
            "Scoring",
            format!(
                "{:.2} s for {} comparisons",
                t.scoring_s,
                run.mated + run.non_mated
            ),
        ),
        ("Pack", run.pack.name.clone()),
    ];
    body.push_str(&table(
        &["", ""],
        facts
            .into_iter()
            .map(|(what, value)| vec![what.to_owned(), value]),
    ));
    body.push_str("<h2>Weights</h2>");
    body.push_str(&table(
        &["Id", "Task", "Licence", "Use", "Training data", "SHA-256"],
        run.pack.models.iter().map(|m| {
            vec![
                m.id.clone(),
                m.task.clone(),
                m.licence.clone(),
                m.licence_use.clone(),
                m.training_data.clone(),
                m.sha256.clone(),
            ]
        }),
    ));
}
