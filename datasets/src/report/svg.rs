//! Plots as inline SVG: axes, grid, lines, steps.

use std::fmt::Write;

/// How values are placed along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// In proportion.
    Linear,
    /// By their decimal logarithm; values at or below zero are placed at the low end.
    Log,
}

/// One axis.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What it shows, with its unit.
    pub label: String,
    /// Lowest and highest value shown.
    pub range: [f64; 2],
    /// Placement.
    pub scale: Scale,
    /// Whether values are shares to be written in percent.
    pub percent: bool,
}

impl Axis {
    /// Returns the place of a value, 0 at the low and 1 at the high end.
    fn place(&self, value: f64) -> f64 {
        let [low, high] = self.range;
        let place = match self.scale {
            Scale::Linear => (value - low) / (high - low),
            Scale::Log if value <= 0.0 => 0.0,
            Scale::Log => (value / low).ln() / (high / low).ln(),
        };
        place.clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        let [low, high] = self.range;
        match self.scale {
            Scale::Log => {
                let first = low.log10().round() as i32;
                let last = high.log10().floor() as i32;
                (first..=last)
                    .map(|exponent| 10_f64.powi(exponent))
                    .collect()
            }
            Scale::Linear => {
                let rough = (high - low) / 5.0;
                let unit = 10_f64.powf(rough.log10().floor());
                let step = [1.0, 2.0, 5.0, 10.0]
                    .into_iter()
                    .map(|m| m * unit)
                    .find(|&s| s >= rough * 0.999)
                    .unwrap_or(rough);
                let first = (low / step).ceil() as i64;
                let last = (high / step + 1e-9).floor() as i64;
                (first..=last).map(|i| i as f64 * step).collect()
            }
        }
    }

    fn text(&self, value: f64) -> String {
        if self.percent && value >= 1e-3 {
            let percent = (value * 1e5).round() / 1e3;
            return format!("{percent} %");
        }
        match self.scale {
            Scale::Log if value < 1e-2 => format!("1e{}", value.log10().round()),
            _ => format!("{}", (value * 1e6).round() / 1e6),
        }
    }
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// A line through the points.
    Line,
    /// A filled area under the points.
    Area,
    /// Dots.
    Dots,
}

/// One named series of points.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// The points.
    pub points: Vec<[f64; 2]>,
    /// The drawing.
    pub shape: Shape,
    /// Index of its colour class.
    pub colour: usize,
}

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 28.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 48.0;

/// Returns a plot as an `svg` element; colours come from the classes `c0`, `c1`, ... of the page.
pub fn plot(x: &Axis, y: &Axis, series: &[Series]) -> String {
    let across = |value: f64| LEFT + x.place(value) * (WIDTH - LEFT - RIGHT);
    let up = |value: f64| HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{} over {}\">",
        escape(&y.label),
        escape(&x.label)
    );
    let mut put = |element: String| svg.push_str(&element);
    for tick in x.ticks() {
        let at = across(tick);
        put(format!(
            "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{}\"/>",
            HEIGHT - BOTTOM
        ));
        put(format!(
            "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - BOTTOM + 16.0,
            x.text(tick)
        ));
    }
    for tick in y.ticks() {
        let at = up(tick);
        put(format!(
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>",
            WIDTH - RIGHT
        ));
        put(format!(
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            at + 4.0,
            y.text(tick)
        ));
    }
    for line in series.iter().filter(|line| !line.points.is_empty()) {
        let mut path = String::new();
        for (index, [a, b]) in line.points.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{:.1} {:.1}", across(*a), up(*b));
        }
        match line.shape {
            Shape::Line => put(format!(
                "<path class=\"line c{}\" d=\"{path}\"/>",
                line.colour
            )),
            Shape::Area => {
                let ends = [line.points[0][0], line.points[line.points.len() - 1][0]].map(across);
                let base = HEIGHT - BOTTOM;
                put(format!(
                    "<path class=\"area c{}\" d=\"M{:.1} {base}{}L{:.1} {base}Z\"/>",
                    line.colour,
                    ends[0],
                    path.replacen('M', "L", 1),
                    ends[1]
                ));
            }
            Shape::Dots => {
                for [a, b] in &line.points {
                    put(format!(
                        "<circle class=\"dot c{}\" r=\"3.5\" cx=\"{:.1}\" cy=\"{:.1}\"/>",
                        line.colour,
                        across(*a),
                        up(*b)
                    ));
                }
            }
        }
    }
    let names = series.iter().filter(|line| !line.name.is_empty());
    for (index, line) in names.enumerate() {
        let at = TOP + 16.0 + 16.0 * index as f64;
        put(format!(
            "<rect class=\"key c{}\" x=\"{}\" y=\"{}\" width=\"10\" height=\"10\"/>",
            line.colour,
            WIDTH - RIGHT - 150.0,
            at - 9.0
        ));
        put(format!(
            "<text x=\"{}\" y=\"{at}\">{}</text>",
            WIDTH - RIGHT - 134.0,
            escape(&line.name)
        ));
    }
    put(format!(
        "<text class=\"label\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        (WIDTH + LEFT) / 2.0,
        HEIGHT - 10.0,
        escape(&x.label)
    ));
    let middle = (HEIGHT - BOTTOM) / 2.0;
    put(format!(
        "<text class=\"label\" x=\"14\" y=\"{middle}\" text-anchor=\"middle\" \
        transform=\"rotate(-90 14 {middle})\">{}</text>",
        escape(&y.label)
    ));
    svg.push_str("</svg>");
    svg
}

/// Returns text that is safe inside an element or a quoted attribute.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(scale: Scale, range: [f64; 2]) -> Axis {
        Axis {
            label: "a<b".into(),
            range,
            scale,
            percent: false,
        }
    }

    #[test]
    fn values_are_placed_by_their_scale() {
        assert_eq!(axis(Scale::Linear, [0.0, 2.0]).place(1.0), 0.5);
        assert!((axis(Scale::Log, [1e-4, 1.0]).place(1e-2) - 0.5).abs() < 1e-12);
        assert_eq!(axis(Scale::Log, [1e-4, 1.0]).place(0.0), 0.0);
        assert_eq!(axis(Scale::Log, [1e-3, 1.0]).ticks().len(), 4);
        assert_eq!(axis(Scale::Linear, [0.0, 1.0]).ticks().len(), 6);
    }

    #[test]
    fn a_plot_holds_its_series_and_no_raw_markup() {
        let line = Series {
            name: "n&m".into(),
            points: vec![[0.0, 0.0], [1.0, 1.0]],
            shape: Shape::Line,
            colour: 0,
        };
        let svg = plot(
            &axis(Scale::Linear, [0.0, 1.0]),
            &axis(Scale::Linear, [0.0, 1.0]),
            &[line],
        );
        assert!(svg.contains("n&amp;m") && svg.contains("a&lt;b") && !svg.contains("a<b"));
        assert!(svg.contains("M64.0 292.0L532.0 14.0"));
    }
}
