//! Where the lines of a zone are.

use super::cells::Stand;
use super::grey::{Affine, Grey, stretch};
use crate::error::Result;
use crate::geometry::Point;
use crate::network::{Loader, Viewer};

const ID: &str = "vultus-mrz-band";

/// The whole picture, as the network sees it first.
const SIDE: usize = 384;
/// Columns and rows of its second look, along the strongest line.
const VIEW: [usize; 2] = [512, 160];
/// The second look is as long as the line and this much more: 50 cells of the widest zone's 44.
const VIEW_MARGIN: f32 = 50.0 / 44.0;
/// A pixel of the network's planes, in pixels of what it looks at.
const UNIT: usize = 4;
const PLANES: usize = 5;

/// A square whose mask is below it speaks against a line.
const FLOOR: f32 = 0.3;
/// The sum of the mask along a line, less the floor, from which on it is looked at.
const LEAST_STRENGTH: f32 = 2.0;
/// Lines of the second look that are weaker than this share of the strongest are left out.
const LEAST_SHARE: f32 = 0.35;
/// How many lines are looked at.
const MOST_LOOKS: usize = 3;
const MOST_LINES: usize = 5;

/// The network that finds lines, for both sizes of what it sees.
pub(super) struct Lines {
    whole: Viewer,
    view: Viewer,
}

/// What is to be looked at along: the middle of a line in the picture, the direction in which it is
/// read, and its length in pixels.
pub(super) struct Look {
    middle: Point,
    along: Point,
    length: f32,
}

/// A line in the picture: where its first cell begins and its last ends, on the middle of the
/// capitals; the direction down from it, of length 1; the width of a cell and the height of a
/// capital in pixels; the mask's sum along it.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) start: Point,
    pub(super) end: Point,
    pub(super) down: Point,
    pub(super) pitch: f32,
    pub(super) capital: f32,
    pub(super) strength: f32,
}

fn plus(p: Point, q: Point, times: f32) -> Point {
    Point::new(p.x + q.x * times, p.y + q.y * times)
}

fn dot(p: Point, q: Point) -> f32 {
    p.x * q.x + p.y * q.y
}

fn towards(from: Point, to: Point) -> Point {
    let length = from.distance(to).max(1e-6);
    Point::new((to.x - from.x) / length, (to.y - from.y) / length)
}

/// To the right of what is read, seen by the reader: down.
fn down_of(along: Point) -> Point {
    Point::new(-along.y, along.x)
}

impl Line {
    pub(super) fn length(&self) -> f32 {
        self.start.distance(self.end)
    }

    pub(super) fn along(&self) -> Point {
        towards(self.start, self.end)
    }

    pub(super) fn middle(&self) -> Point {
        Point::mean([self.start, self.end])
    }

    /// The same line, read from its other end.
    pub(super) fn turned(&self) -> Line {
        Line {
            start: self.end,
            end: self.start,
            down: Point::new(-self.down.x, -self.down.y),
            ..self.clone()
        }
    }

    /// Moved along by so many cells.
    pub(super) fn shifted(&self, cells: f32) -> Line {
        let (along, by) = (self.along(), self.pitch * cells);
        Line {
            start: plus(self.start, along, by),
            end: plus(self.end, along, by),
            ..self.clone()
        }
    }

    /// Moved down by `shift` capitals, which are taken as `height` times as tall.
    pub(super) fn moved(&self, shift: f32, height: f32) -> Line {
        let by = self.capital * shift;
        Line {
            start: plus(self.start, self.down, by),
            end: plus(self.end, self.down, by),
            capital: self.capital * height,
            ..self.clone()
        }
    }

    /// The line where its characters stand.
    pub(super) fn straightened(&self, stand: Stand) -> Line {
        let [first, last] = stand.below.map(|below| below * self.capital);
        Line {
            start: plus(self.start, self.down, first),
            end: plus(self.end, self.down, last),
            capital: self.capital * stand.tall,
            ..self.clone()
        }
    }

    /// The line with `count` cells where they were read: `places` are frames of its strip.
    pub(super) fn refit(&self, count: usize, places: &[usize]) -> Line {
        use super::cells::{FRAME, LEFT, PITCH};
        // The straight line of least squares through the centres of the cells.
        let n = places.len() as f32;
        let mean_i = (n - 1.0) / 2.0;
        let centre = |place: usize| (place as f32 + 0.5) * FRAME as f32;
        let mean = places.iter().map(|&place| centre(place)).sum::<f32>() / n;
        let (mut both, mut own) = (0.0, 0.0);
        for (i, &place) in places.iter().enumerate() {
            let off = i as f32 - mean_i;
            both += off * (centre(place) - mean);
            own += off * off;
        }
        let slope = both / own.max(1.0);
        let first = mean - slope * mean_i;
        let step = Point::new(
            (self.end.x - self.start.x) / (count * PITCH) as f32,
            (self.end.y - self.start.y) / (count * PITCH) as f32,
        );
        let start = plus(self.start, step, first - slope / 2.0 - LEFT);
        Line {
            start,
            end: plus(start, step, slope * count as f32),
            ..self.clone()
        }
    }

    /// `other` with the beginning, the end and the height of this line, moved across.
    pub(super) fn over(&self, other: &Line) -> Line {
        let along = self.along();
        let own = Point::new(other.end.x - other.start.x, other.end.y - other.start.y);
        let across = |point: Point| {
            let off = Point::new(point.x - other.start.x, point.y - other.start.y);
            let length = dot(along, own);
            let share = if length.abs() > 1e-6 {
                dot(along, off) / length
            } else {
                0.0
            };
            plus(other.start, own, share)
        };
        Line {
            start: across(self.start),
            end: across(self.end),
            capital: self.capital,
            ..other.clone()
        }
    }
}

impl Lines {
    pub(super) fn load(loader: &Loader<'_>) -> Result<Option<Lines>> {
        if !loader.pack.has(ID) {
            return Ok(None);
        }
        let load = |width: usize, height: usize| {
            let planes = PLANES * (width / UNIT) * (height / UNIT);
            Viewer::load(loader, ID, width, height, &[planes])
        };
        Ok(Some(Lines {
            whole: load(SIDE, SIDE)?,
            view: load(VIEW[0], VIEW[1])?,
        }))
    }

    fn see(&self, viewer: &Viewer, grey: &Grey<'_>, map: &Affine) -> Result<Planes> {
        let [width, height] = grey.size();
        let fill = |form: &crate::image::Planar, input: &mut [f32]| {
            let plane = form.width * form.height;
            let (first, rest) = input.split_at_mut(plane);
            grey.sample(map, form.width, first);
            // Beside the whole picture is nothing.
            if std::ptr::eq(viewer, &self.whole) {
                for (i, level) in first.iter_mut().enumerate() {
                    let at = map.apply((i % form.width) as f32, (i / form.width) as f32);
                    if at.x >= width || at.y >= height {
                        *level = 0.0;
                    }
                }
            }
            stretch(first);
            rest.chunks_exact_mut(plane)
                .for_each(|other| other.copy_from_slice(first));
        };
        let columns = viewer.width() / UNIT;
        viewer.run(fill, |outputs| Planes {
            columns,
            rows: outputs[0].len() / PLANES / columns,
            values: outputs[0].to_vec(),
        })
    }

    /// What to look at along: each line that the whole picture may show, the strongest first.
    pub(super) fn looks(&self, grey: &Grey<'_>) -> Result<Vec<Look>> {
        let [width, height] = grey.size();
        let scale = width.max(height) / SIDE as f32;
        let map = Affine {
            origin: Point::default(),
            across: Point::new(scale, 0.0),
            down: Point::new(0.0, scale),
        };
        let planes = self.see(&self.whole, grey, &map)?;
        let angles: Vec<f32> = (0..120).map(|i| i as f32 * 1.5).collect();
        let unit = scale * UNIT as f32;
        let mut looks = Vec::new();
        for run in planes.runs(&angles, MOST_LOOKS, 3.0) {
            if run.strength < LEAST_STRENGTH {
                continue;
            }
            let votes = planes.along(&run);
            let along = towards(run.start, run.end);
            let is_forward = votes[1] * along.x + votes[2] * along.y >= 0.0;
            let along = if is_forward {
                along
            } else {
                plus(along, along, -2.0)
            };
            let middle = Point::mean([run.start, run.end]);
            let middle = Point::new(middle.x * unit, middle.y * unit);
            let length = run.start.distance(run.end).max(8.0) * unit;
            looks.push(Look {
                middle,
                along,
                length,
            });
        }
        Ok(looks)
    }

    /// The lines about a look, seen along it, from top to bottom.
    pub(super) fn along(&self, grey: &Grey<'_>, look: &Look) -> Result<Vec<Line>> {
        let scale = look.length / VIEW[0] as f32 * VIEW_MARGIN;
        let down = down_of(look.along);
        let times = |p: Point| Point::new(p.x * scale, p.y * scale);
        let middle = [VIEW[0] as f32 / 2.0, VIEW[1] as f32 / 2.0];
        let map = Affine::through(times(look.along), times(down), middle, look.middle);
        let planes = self.see(&self.view, grey, &map)?;
        let angles: Vec<f32> = (-8..=8).map(|i| i as f32).collect();
        let runs = planes.runs(&angles, MOST_LINES, 1.7);
        let strongest = runs.iter().map(|run| run.strength).fold(0.0, f32::max);
        let unit = UNIT as f32;
        let mut lines: Vec<Line> = runs
            .iter()
            .filter(|run| run.strength >= LEAST_SHARE * strongest)
            .map(|run| {
                let values = planes.along(run);
                let (mut start, mut end) = (run.start, run.end);
                if end.x < start.x {
                    (start, end) = (end, start);
                }
                let seen = towards(start, end);
                // The mask ends half a square before the print does.
                let (start, end) = (plus(start, seen, -0.5), plus(end, seen, 0.5));
                let place = |p: Point| map.apply(p.x * unit, p.y * unit);
                let across = down_of(seen);
                let down = Point::new(
                    (map.across.x * across.x + map.down.x * across.y) / scale,
                    (map.across.y * across.x + map.down.y * across.y) / scale,
                );
                Line {
                    start: place(start),
                    end: place(end),
                    down,
                    pitch: libm::exp2f(values[3]) * scale,
                    capital: libm::exp2f(values[4]) * scale,
                    strength: run.strength,
                }
            })
            .collect();
        lines.sort_by(|a, b| dot(a.middle(), down).total_cmp(&dot(b.middle(), down)));
        Ok(lines)
    }
}

/// What the network says, a square of `UNIT` pixels each: the logit of "line of a zone", the
/// reading direction, the base-2 logarithms of pitch and of the height of capitals in pixels.
struct Planes {
    columns: usize,
    rows: usize,
    values: Vec<f32>,
}

/// A straight run of "line of a zone", in squares.
#[derive(Clone)]
struct Run {
    start: Point,
    end: Point,
    strength: f32,
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}

impl Planes {
    fn mask(&self) -> Vec<f32> {
        let squares = &self.values[..self.columns * self.rows];
        squares.iter().map(|&logit| sigmoid(logit)).collect()
    }

    /// The mean of every plane along a run, weighted by the mask.
    fn along(&self, run: &Run) -> [f32; PLANES] {
        let count = (run.start.distance(run.end) as usize + 1).max(2);
        let mut sums = [0.0; PLANES];
        let mut weights = 0.0;
        for i in 0..count {
            let share = i as f32 / (count - 1) as f32;
            let x = run.start.x + share * (run.end.x - run.start.x);
            let y = run.start.y + share * (run.end.y - run.start.y);
            let x = (x.max(0.0) as usize).min(self.columns - 1);
            let y = (y.max(0.0) as usize).min(self.rows - 1);
            let value = |plane: usize| self.values[(plane * self.rows + y) * self.columns + x];
            let weight = sigmoid(value(0));
            for (plane, sum) in sums.iter_mut().enumerate() {
                *sum += weight * value(plane);
            }
            weights += weight;
        }
        sums.map(|sum| sum / f32::max(weights, 1e-6))
    }

    /// The strongest runs at angles in degrees, none nearer than `apart` to a stronger one that it
    /// overlaps.
    fn runs(&self, angles: &[f32], most: usize, apart: f32) -> Vec<Run> {
        /// Places that are looked at for each angle, and in all.
        const BY_ANGLE: usize = 24;
        const IN_ALL: usize = 400;
        let mask = self.mask();
        let (width, height) = (self.columns as f32, self.rows as f32);
        let spots: Vec<(f32, f32, f32)> = mask
            .iter()
            .enumerate()
            .filter(|(_, weight)| **weight > FLOOR)
            .map(|(i, &weight)| {
                let (x, y) = ((i % self.columns) as f32, (i / self.columns) as f32);
                (x + 0.5 - width / 2.0, y + 0.5 - height / 2.0, weight)
            })
            .collect();
        let half = (self.columns + self.rows) / 2;
        let mut places: Vec<(f32, f32, f32)> = Vec::new();
        for &angle in angles {
            let (sin, cos) = (
                libm::sinf(angle.to_radians()),
                libm::cosf(angle.to_radians()),
            );
            let mut bins = vec![0.0f32; 4 * half + 1];
            for (x, y, weight) in &spots {
                let offset = y * cos - x * sin;
                let at = libm::roundf(offset * 2.0) as i32 + 2 * half as i32;
                if let Some(bin) = usize::try_from(at).ok().and_then(|at| bins.get_mut(at)) {
                    *bin += weight;
                }
            }
            let mut order: Vec<usize> = (0..bins.len()).filter(|&at| bins[at] > 0.0).collect();
            order.sort_by(|&a, &b| bins[b].total_cmp(&bins[a]).then(a.cmp(&b)));
            places.extend(order.iter().take(BY_ANGLE).map(|&at| {
                let offset = (at as f32 - 2.0 * half as f32) / 2.0;
                (bins[at], angle, offset)
            }));
        }
        places.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut found: Vec<Run> = places
            .iter()
            .take(IN_ALL)
            .filter_map(|&(_, angle, offset)| self.trace(&mask, angle, offset))
            .collect();
        found.sort_by(|a, b| b.strength.total_cmp(&a.strength));
        let mut kept: Vec<Run> = Vec::new();
        for run in found {
            let middle = Point::mean([run.start, run.end]);
            let is_apart = |other: &Run| {
                let along = towards(other.start, other.end);
                let off = Point::new(middle.x - other.start.x, middle.y - other.start.y);
                let at = dot(along, off);
                let away = (along.x * off.y - along.y * off.x).abs();
                away > apart || at < 0.0 || at > other.start.distance(other.end)
            };
            if kept.iter().all(is_apart) {
                kept.push(run);
                if kept.len() == most {
                    break;
                }
            }
        }
        kept
    }

    /// The run of the greatest sum of the mask less the floor along a straight line.
    fn trace(&self, mask: &[f32], angle: f32, offset: f32) -> Option<Run> {
        let (sin, cos) = (
            libm::sinf(angle.to_radians()),
            libm::cosf(angle.to_radians()),
        );
        let (width, height) = (self.columns as f32, self.rows as f32);
        let reach = self.columns + self.rows;
        let point = |i: usize| {
            let along = i as f32 - reach as f32 / 2.0;
            Point::new(
                width / 2.0 - offset * sin + along * cos,
                height / 2.0 + offset * cos + along * sin,
            )
        };
        let (mut best, mut total, mut first) = (0.0, 0.0f32, 0);
        let mut span = None;
        for i in 0..reach {
            let at = point(i);
            let is_inside = at.x >= 0.0 && at.y >= 0.0 && at.x < width && at.y < height;
            let gain = if is_inside {
                mask[at.y as usize * self.columns + at.x as usize] - FLOOR
            } else {
                -1.0
            };
            if total <= 0.0 {
                (total, first) = (0.0, i);
            }
            total += gain;
            if total > best {
                (best, span) = (total, Some((first, i)));
            }
        }
        span.map(|(first, last)| Run {
            start: point(first),
            end: point(last),
            strength: best,
        })
    }
}
