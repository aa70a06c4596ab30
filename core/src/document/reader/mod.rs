//! Reading a zone off a picture: where its lines are, what stands in their cells, and which
//! characters these are.
//!
//! Two networks of ours look: one at the whole picture and then along each likely line, any way up
//! ([`band`]); one at every line, cut out so that its cells stand under each other ([`cells`]).
//! What they saw is weighed with what Doc 9303 lets stand where ([`decode`]).

mod band;
mod cells;
mod decode;
mod grey;

use super::report::LeastMargins;
use crate::error::Result;
use crate::evidence::{DocumentReport, Mrz};
use crate::geometry::Point;
use crate::image::Pyramid;
use crate::network::Loader;
use band::{Line, Lines};
use cells::{Aligned, Cell, Cells};
use decode::Reading;
use grey::Grey;
use zeroize::Zeroizing;

/// The shapes of a zone: characters in a line, and lines.
const SHAPES: [(usize, usize); 3] = [(44, 2), (36, 2), (30, 3)];

/// The mean score of a cell, in nats, below which a picture shows no zone.
const LEAST_SCORE: f32 = -1.6;
/// The mean score from which on the characters stand in their cells beyond doubt.
const CLEAR_SCORE: f32 = -0.8;
/// The score of a line from which on no other place is tried for it.
const WELL: f32 = -0.35;
/// How often a line is moved to where its characters stand.
const STRAIGHTENINGS: usize = 3;
/// What a line costs beside which further characters stand.
const UNBOUNDED: f32 = 0.3;
/// The score of a line from which on a look is read before others are taken.
const PROMISING: f32 = -0.8;
/// The score of the best line below which a look is given up before it is refined.
const HOPELESS: f32 = -2.4;
/// The margins, in nats, from which on a character is beyond doubt. Names have no check digit.
const LEAST: LeastMargins = LeastMargins {
    any: 1.5,
    name: 2.0,
};

/// What it costs when cells are not as wide as the band network says, which says a tenth too
/// little.
const WIDTH_COST: f32 = 0.5;
const USUAL_WIDTH: f32 = 1.1;

/// What the height of capitals is tried as, in its estimates.
const HEIGHTS: [f32; 3] = [0.8, 1.0, 1.25];
/// How far a line is moved up and down, in heights of capitals.
const SHIFTS: [f32; 3] = [-0.16, 0.0, 0.16];

/// Where a line is read beside its place: down and its height in heights of capitals, along in
/// cells.
const BESIDE: [(f32, f32, f32); 4] = [
    (-0.06, 0.94, -0.08),
    (0.06, 1.06, 0.08),
    (-0.06, 1.06, 0.08),
    (0.06, 0.94, -0.08),
];
/// By how much a line may score less beside its place and still count.
const FAR: f32 = 0.5;

const UNREADABLE: &str =
    "lines of print are there, but none is a machine-readable zone that can be read";

/// Reads the zone of a picture.
pub(crate) struct Reader {
    lines: Lines,
    cells: Cells,
}

/// A line that was tried as one of a zone.
#[derive(Clone)]
struct Tried {
    line: Line,
    aligned: Aligned,
}

/// Lines from top to bottom, as one of both ways up has them.
struct Way {
    lines: Vec<Line>,
    /// The best score of a line.
    promise: f32,
    /// Lines that were tried, and in how many cells.
    known: Vec<(usize, usize, Tried)>,
}

impl Way {
    fn new(lines: Vec<Line>) -> Way {
        Way {
            lines,
            promise: f32::NEG_INFINITY,
            known: Vec::new(),
        }
    }

    fn known(&self, at: usize, count: usize) -> Option<&Tried> {
        let mut known = self.known.iter();
        let found = known.find(|(line, cells, _)| (*line, *cells) == (at, count));
        found.map(|(_, _, tried)| tried)
    }
}

/// A zone with the lines that it was read off.
struct Found {
    reading: Reading,
    /// The mean score of a cell without its check digits.
    score: f32,
    lines: Vec<Tried>,
    /// Whether its lines end where the shape says.
    is_bounded: bool,
}

impl Reader {
    /// `None` when the pack does not hold both networks.
    pub(crate) fn load(loader: &Loader<'_>) -> Result<Option<Reader>> {
        let (Some(lines), Some(cells)) = (Lines::load(loader)?, Cells::load(loader)?) else {
            return Ok(None);
        };
        Ok(Some(Reader { lines, cells }))
    }

    /// Reads the zone, any way up.
    pub(crate) fn read(&self, pyramid: &Pyramid<'_>) -> Result<DocumentReport> {
        let grey = Grey::of(pyramid);
        let mut best: Option<Found> = None;
        let mut waiting = Vec::new();
        let mut seen_lines = false;
        for look in self.lines.looks(&grey)? {
            let lines = self.lines.along(&grey, &look)?;
            seen_lines |= !lines.is_empty();
            // The network is often wrong about the way up: the cells tell.
            let [first, second] = self.ways(&grey, lines)?;
            waiting.push(second);
            if first.promise < PROMISING {
                waiting.push(first);
                continue;
            }
            better(&mut best, self.zone(&grey, &first)?);
            if best.as_ref().is_some_and(Found::is_settled) {
                break;
            }
        }
        if !best.as_ref().is_some_and(Found::is_settled) {
            waiting.sort_by(|a, b| b.promise.total_cmp(&a.promise));
            for way in waiting.iter().take_while(|way| way.promise >= HOPELESS) {
                better(&mut best, self.zone(&grey, way)?);
                if best.as_ref().is_some_and(Found::is_settled) {
                    break;
                }
            }
        }
        if let Some(found) = &mut best
            && !found.reading.is_clear()
        {
            self.look_again(&grey, found)?;
        }
        Ok(match best {
            Some(found) => found.report(),
            None if seen_lines => DocumentReport::without_zone(UNREADABLE.to_owned()),
            None => DocumentReport::without_zone(
                "no machine-readable zone is in the picture".to_owned(),
            ),
        })
    }

    /// Lines read from both ends, the likelier way up first: by the strongest line that can be
    /// read, in the shape whose width it has.
    fn ways(&self, grey: &Grey<'_>, lines: Vec<Line>) -> Result<[Way; 2]> {
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by(|&a, &b| lines[b].strength.total_cmp(&lines[a].strength));
        let last = lines.len().saturating_sub(1);
        let back = lines.iter().rev().map(Line::turned).collect();
        let mut ways = [Way::new(lines), Way::new(back)];
        for at in order {
            for (way, at) in ways.iter_mut().zip([at, last - at]) {
                let line = &way.lines[at];
                let count = nearest_shapes(line)[0].0;
                let tried = self.tried(grey, line.clone(), count)?;
                way.promise = way.promise.max(tried.aligned.score);
                way.known.push((at, count, tried));
            }
            if ways.iter().any(|way| way.promise >= PROMISING) {
                break;
            }
        }
        if ways[1].promise > ways[0].promise {
            ways.swap(0, 1);
        }
        Ok(ways)
    }

    /// Chooses the lines and the shape that are read best.
    fn zone(&self, grey: &Grey<'_>, way: &Way) -> Result<Option<Found>> {
        let mut best: Option<Found> = None;
        let Some(strongest) = way
            .lines
            .iter()
            .max_by(|a, b| a.strength.total_cmp(&b.strength))
        else {
            return Ok(None);
        };
        for (count, rows) in nearest_shapes(strongest) {
            if best.as_ref().is_some_and(Found::is_settled) {
                break;
            }
            let fits: Vec<(usize, &Line)> = (0..)
                .zip(&way.lines)
                .filter(|(_, line)| {
                    let width = line.length() / (line.pitch * count as f32);
                    (0.6..1.7).contains(&width)
                })
                .collect();
            if fits.len() < rows {
                continue;
            }
            let mut tried = Vec::with_capacity(fits.len());
            for (at, line) in fits {
                tried.push(match way.known(at, count) {
                    Some(known) => known.clone(),
                    None => self.tried(grey, line.clone(), count)?,
                });
            }
            let Some(lead) = tried
                .iter()
                .max_by(|a, b| a.aligned.score.total_cmp(&b.aligned.score))
            else {
                continue;
            };
            if lead.aligned.score < HOPELESS {
                continue;
            }
            // Cells of all lines stand under each other, so the best read line places the others.
            let placed = lead.line.refit(count, &lead.aligned.places);
            let lead = self.settled(grey, &placed, count, &HEIGHTS)?;
            let mut again = Vec::with_capacity(tried.len());
            for old in tried {
                let new = lead.line.over(&old.line);
                let new = self.settled(grey, &new, count, &[1.0])?;
                let is_better = new.aligned.score > old.aligned.score;
                again.push(if is_better { new } else { old });
            }
            for chosen in combinations(again.len(), rows) {
                let chosen: Vec<&Tried> = chosen.iter().map(|&i| &again[i]).collect();
                if !are_even(&lead.line, &chosen) {
                    continue;
                }
                let mean = |value: &dyn Fn(&Tried) -> f32| {
                    chosen.iter().map(|tried| value(tried)).sum::<f32>() / rows as f32
                };
                let width = mean(&|tried| tried.line.length() / (tried.line.pitch * count as f32));
                let open = mean(&|tried| {
                    if tried.aligned.is_bounded {
                        0.0
                    } else {
                        UNBOUNDED
                    }
                });
                let score = mean(&|tried| tried.aligned.score)
                    - WIDTH_COST * libm::logf(width / USUAL_WIDTH).abs()
                    - open;
                let cells: Vec<&[Cell]> = chosen
                    .iter()
                    .map(|tried| &tried.aligned.cells[..])
                    .collect();
                let found = Found {
                    reading: decode::decode(&cells, score),
                    score,
                    lines: chosen.into_iter().cloned().collect(),
                    is_bounded: open == 0.0,
                };
                better(&mut best, Some(found));
            }
        }
        Ok(best.filter(|found| found.reading.score > LEAST_SCORE))
    }

    /// Reads the lines a little beside where they were found too, and takes the mean of what is
    /// seen.
    fn look_again(&self, grey: &Grey<'_>, found: &mut Found) -> Result<()> {
        let mut cells = Vec::with_capacity(found.lines.len());
        for own in &found.lines {
            let count = own.aligned.cells.len();
            let mut looks = vec![own.aligned.cells.clone()];
            for (down, height, along) in BESIDE {
                let line = own.line.moved(down, height).shifted(along);
                let look = self.cells.align(grey, &line, count)?;
                if look.score > own.aligned.score - FAR {
                    looks.push(look.cells);
                }
            }
            let looks: Vec<&[Cell]> = looks.iter().map(|look| &look[..]).collect();
            cells.push(cells::mean(&looks));
        }
        let cells: Vec<&[Cell]> = cells.iter().map(|line| &line[..]).collect();
        found.reading = decode::decode(&cells, found.score);
        Ok(())
    }

    fn tried(&self, grey: &Grey<'_>, line: Line, count: usize) -> Result<Tried> {
        let aligned = self.cells.align(grey, &line, count)?;
        Ok(Tried { line, aligned })
    }

    /// The line moved up or down, and its capitals taken as taller or lower, as it is read best.
    fn settled(
        &self,
        grey: &Grey<'_>,
        line: &Line,
        count: usize,
        heights: &[f32],
    ) -> Result<Tried> {
        let mut best = self.straightened(grey, self.tried(grey, line.clone(), count)?, count)?;
        if best.aligned.score > WELL {
            return Ok(best);
        }
        for shift in SHIFTS {
            for height in heights {
                if (shift, *height) == (0.0, 1.0) {
                    continue;
                }
                let tried = self.tried(grey, line.moved(shift, *height), count)?;
                if tried.aligned.score > best.aligned.score {
                    best = tried;
                }
            }
        }
        self.straightened(grey, best, count)
    }

    /// The line moved to where its characters stand, as long as it is read better there.
    fn straightened(&self, grey: &Grey<'_>, mut best: Tried, count: usize) -> Result<Tried> {
        for _ in 0..STRAIGHTENINGS {
            let Some(stand) = best.aligned.stand else {
                break;
            };
            let placed = best.line.straightened(stand);
            let placed = placed.refit(count, &best.aligned.places);
            let next = self.tried(grey, placed, count)?;
            if next.aligned.score <= best.aligned.score {
                break;
            }
            best = next;
        }
        Ok(best)
    }
}

impl Found {
    /// Whether no other way up can be meant: every check digit holds.
    fn is_settled(&self) -> bool {
        self.is_bounded && self.reading.failing == 0 && self.reading.score > CLEAR_SCORE
    }

    fn report(self) -> DocumentReport {
        let lines: Vec<&Line> = self.lines.iter().map(|tried| &tried.line).collect();
        let corners = corners(&lines);
        match Mrz::parse(&Zeroizing::new(self.reading.lines.join("\n"))) {
            Ok(zone) => {
                let fault = match (self.is_bounded, self.reading.score > CLEAR_SCORE) {
                    (false, _) => Some("further characters stand beside its lines"),
                    (true, false) => Some("its characters do not stand in their cells"),
                    (true, true) => None,
                };
                DocumentReport::of_print(zone, &self.reading.margins, LEAST, fault, corners)
            }
            Err(_) => DocumentReport::without_zone(UNREADABLE.to_owned()),
        }
    }
}

/// Keeps the zone that is read better.
fn better(best: &mut Option<Found>, found: Option<Found>) {
    if let Some(found) = found
        && best
            .as_ref()
            .is_none_or(|best| found.reading.score > best.reading.score)
    {
        *best = Some(found);
    }
}

/// The shapes, that whose width the line has first.
fn nearest_shapes(line: &Line) -> [(usize, usize); 3] {
    let cells = line.length() / (line.pitch * USUAL_WIDTH).max(1e-6);
    let off = |count: usize| (cells / count as f32).max(count as f32 / cells);
    let mut shapes = SHAPES;
    shapes.sort_by(|a, b| off(a.0).total_cmp(&off(b.0)));
    shapes
}

/// The middle value, the upper of two.
fn middle(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.collect();
    values.sort_unstable_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The corners of the zone, in reading order: left and right end of its top, right and left end of
/// its bottom.
fn corners(lines: &[&Line]) -> [Point; 4] {
    let (Some(top), Some(bottom)) = (lines.first(), lines.last()) else {
        return [Point::default(); 4];
    };
    let edge = |point: Point, line: &Line, by: f32| {
        let half = line.capital * by;
        Point::new(point.x + line.down.x * half, point.y + line.down.y * half)
    };
    [
        edge(top.start, top, -0.75),
        edge(top.end, top, -0.75),
        edge(bottom.end, bottom, 0.75),
        edge(bottom.start, bottom, 0.75),
    ]
}

/// Whether lines lie apart as those of a zone do.
fn are_even(lead: &Line, chosen: &[&Tried]) -> bool {
    let along = lead.along();
    let at = |line: &Line| {
        let middle = line.middle();
        (-along.y * middle.x + along.x * middle.y) / lead.pitch
    };
    let gaps: Vec<f32> = chosen
        .windows(2)
        .map(|pair| at(&pair[1].line) - at(&pair[0].line))
        .collect();
    let least = gaps.iter().copied().fold(f32::INFINITY, f32::min);
    let most = gaps.iter().copied().fold(0.0, f32::max);
    least > 1.0 && most < 4.5 && most < 1.6 * least
}

/// Every choice of `rows`, two or three, of `count` things, in order.
fn combinations(count: usize, rows: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..rows {
        all = all
            .iter()
            .flat_map(|chosen| {
                let first = chosen.last().map_or(0, |last| last + 1);
                (first..count).map(move |next| {
                    let mut longer = chosen.clone();
                    longer.push(next);
                    longer
                })
            })
            .collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_made_once_and_in_order() {
        assert_eq!(combinations(3, 2), [[0, 1], [0, 2], [1, 2]]);
        assert_eq!(combinations(5, 3).len(), 10);
        assert!(combinations(1, 2).is_empty());
    }
}
