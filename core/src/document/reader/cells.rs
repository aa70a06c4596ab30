//! What stands in the cells of a line.

use super::SHAPES;
use super::band::Line;
use super::grey::{Affine, Grey};
use crate::error::Result;
use crate::geometry::Point;
use crate::network::{Loader, Viewer};

const ID: &str = "vultus-mrz-cell";

/// A strip: columns from one character's centre to the next, rows, how tall capitals are, cells of
/// paper before the first character, and of paper in all.
pub(super) const PITCH: usize = 16;
const ROWS: usize = 32;
const CAPITAL: f32 = 15.0;
const MARGIN: usize = 2;
const PAPER: usize = 4;
/// Columns from one output of the network to the next.
pub(super) const FRAME: usize = 4;
/// Where a strip's first cell begins, so that centres lie in the middle of a frame.
pub(super) const LEFT: f32 = (MARGIN * PITCH) as f32 + FRAME as f32 / 2.0;

/// Fillers, digits, letters.
pub(super) const CLASSES: usize = 37;
/// Log-likelihoods of the classes in a cell.
pub(super) type Cell = [f32; CLASSES];
/// The network's last class: no character has its centre here.
const BLANK: usize = 37;

/// Frames from one centre to the next, and what each costs.
const STEPS: [(usize, f32); 3] = [(3, -1.0), (4, 0.0), (5, -1.0)];
/// Frames by which the first centre may be off.
const SLACK: usize = 7;
const LEAST_BLANK: f32 = -3.0;
const LEAST_BEST: f32 = -12.0;
/// The log-likelihood of "no centre" from which on there is paper beside a line.
const LEAST_EDGE: f32 = -1.0;

/// The network that reads strips, for the lines of every shape.
pub(super) struct Cells {
    viewers: [Viewer; SHAPES.len()],
}

/// Where the characters of a line stand, and what they may be.
#[derive(Clone)]
pub(super) struct Aligned {
    /// The mean over cells of the log-likelihood, in nats.
    pub(super) score: f32,
    /// The frame of each centre.
    pub(super) places: Vec<usize>,
    /// Log-likelihoods of the classes in each cell.
    pub(super) cells: Vec<Cell>,
    /// How the characters stand in the strip; `None` where too few do.
    pub(super) stand: Option<Stand>,
    /// Whether paper is before the first cell and after the last one, and no further character.
    pub(super) is_bounded: bool,
}

impl Cells {
    pub(super) fn load(loader: &Loader<'_>) -> Result<Option<Cells>> {
        if !loader.pack.has(ID) {
            return Ok(None);
        }
        let load = |count: usize| {
            let width = (count + PAPER) * PITCH;
            Viewer::load(loader, ID, width, ROWS, &[(BLANK + 1) * width / FRAME])
        };
        let [(a, _), (b, _), (c, _)] = SHAPES;
        let viewers = [load(a)?, load(b)?, load(c)?];
        Ok(Some(Cells { viewers }))
    }

    /// Cuts the line out so that `count` cells, those of a shape, lie a pitch apart, and finds
    /// their characters.
    pub(super) fn align(&self, grey: &Grey<'_>, line: &Line, count: usize) -> Result<Aligned> {
        let step = (count * PITCH) as f32;
        let across = Point::new(
            (line.end.x - line.start.x) / step,
            (line.end.y - line.start.y) / step,
        );
        let tall = line.capital / CAPITAL;
        let down = Point::new(line.down.x * tall, line.down.y * tall);
        let map = Affine::through(across, down, [LEFT, ROWS as f32 / 2.0], line.start);
        let width = (count + PAPER) * PITCH;
        let is_wide = |viewer: &&Viewer| viewer.width() == width;
        let [widest, ..] = &self.viewers;
        let viewer = self.viewers.iter().find(is_wide).unwrap_or(widest);
        let mut strip = Vec::with_capacity(ROWS * width);
        let mut aligned = viewer.run(
            |form, input| {
                let plane = form.width * form.height;
                let (first, rest) = input.split_at_mut(plane);
                grey.sample(&map, form.width, first);
                normalise(first);
                strip.extend_from_slice(first);
                rest.chunks_exact_mut(plane)
                    .for_each(|other| other.copy_from_slice(first));
            },
            |outputs| best_places(&log_likelihoods(outputs[0]), count),
        )?;
        aligned.stand = Stand::of(&strip, width, &aligned);
        Ok(aligned)
    }
}

/// How characters stand in a strip, in heights of capitals that it was cut for.
#[derive(Clone, Copy)]
pub(super) struct Stand {
    /// How far below the strip's middle their middles are, where the first cell begins and where
    /// the last one ends.
    pub(super) below: [f32; 2],
    /// How tall capitals are.
    pub(super) tall: f32,
}

impl Stand {
    /// Fewer characters than this say nothing of how a line stands.
    const LEAST: usize = 6;

    fn of(strip: &[f32], width: usize, aligned: &Aligned) -> Option<Stand> {
        let count = aligned.cells.len();
        // Fillers are lower than capitals, and stand lower.
        let is_filler = |cell: &[f32; CLASSES]| cell[1..].iter().all(|v| *v < cell[0]);
        let mut seen: Vec<(f32, f32, f32)> = aligned
            .places
            .iter()
            .zip(&aligned.cells)
            .filter(|(_, cell)| !is_filler(cell))
            .filter_map(|(&place, _)| {
                let x = place * FRAME + FRAME / 2;
                let columns = x.saturating_sub(6)..(x + 7).min(width);
                let (top, bottom) = ink(strip, width, columns)?;
                let along = (x as f32 - LEFT) / (count * PITCH) as f32;
                Some((along, (top + bottom) / 2.0, bottom - top))
            })
            .collect();
        if seen.len() < Self::LEAST {
            return None;
        }
        let tall = super::middle(seen.iter().map(|(_, _, tall)| *tall))?;
        seen.retain(|(_, _, own)| (0.8 * tall..1.25 * tall).contains(own));
        if seen.len() < Self::LEAST {
            return None;
        }
        let (level, slope) = straight(&mut seen)?;
        let below = |along: f32| (level + slope * along - ROWS as f32 / 2.0) / CAPITAL;
        Some(Stand {
            below: [below(0.0), below(1.0)],
            tall: tall / CAPITAL,
        })
    }
}

/// Upper and lower end of the ink in some columns of a strip, about its middle.
fn ink(strip: &[f32], width: usize, columns: std::ops::Range<usize>) -> Option<(f32, f32)> {
    let darkest: Vec<f32> = (0..ROWS)
        .map(|y| {
            let row = &strip[y * width..][columns.clone()];
            row.iter().copied().fold(f32::INFINITY, f32::min)
        })
        .collect();
    let dark = darkest.iter().copied().fold(f32::INFINITY, f32::min);
    let light = darkest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let edge = (dark + light) / 2.0;
    let is_ink = |y: usize| darkest[y] < edge;
    let middle = (ROWS / 2 - 4..ROWS / 2 + 4).find(|&y| is_ink(y))?;
    let top = (0..=middle).rev().take_while(|&y| is_ink(y)).last()?;
    let bottom = (middle..ROWS).take_while(|&y| is_ink(y)).last()?;
    // The ink ends between the last dark row and the next.
    let between = |inside: usize, outside: Option<usize>| {
        let outside = outside.and_then(|y| darkest.get(y))?;
        Some((edge - darkest[inside]) / (outside - darkest[inside]).max(1e-6))
    };
    let above = between(top, top.checked_sub(1))?;
    let below = between(bottom, Some(bottom + 1))?;
    Some((top as f32 + 0.5 - above, bottom as f32 + 0.5 + below))
}

/// Level and slope of a straight line through places (along, at, _), those far off it left out.
fn straight(seen: &mut Vec<(f32, f32, f32)>) -> Option<(f32, f32)> {
    const FAR_PX: f32 = 1.5;
    let fit = |seen: &[(f32, f32, f32)]| {
        let n = seen.len() as f32;
        let mean_x = seen.iter().map(|(x, _, _)| x).sum::<f32>() / n;
        let mean_y = seen.iter().map(|(_, y, _)| y).sum::<f32>() / n;
        let (mut both, mut own) = (0.0, 1e-6);
        for (x, y, _) in seen {
            both += (x - mean_x) * (y - mean_y);
            own += (x - mean_x) * (x - mean_x);
        }
        // Few characters at one end do not tell the slope.
        let slope = if own / n < 0.005 { 0.0 } else { both / own };
        (mean_y - slope * mean_x, slope)
    };
    let (level, slope) = fit(seen);
    seen.retain(|(x, y, _)| (y - level - slope * x).abs() < FAR_PX);
    (seen.len() >= Stand::LEAST).then(|| fit(seen))
}

/// Mean 0 and deviation near 1.
fn normalise(levels: &mut [f32]) {
    let n = levels.len() as f32;
    let mean = levels.iter().sum::<f32>() / n;
    let spread = levels.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / n;
    let gain = 1.0 / (spread.sqrt() + 4.0);
    levels
        .iter_mut()
        .for_each(|level| *level = (*level - mean) * gain);
}

/// By frame: of every class, and of "no centre".
fn log_likelihoods(logits: &[f32]) -> Vec<[f32; CLASSES + 1]> {
    let frames = logits.len() / (CLASSES + 1);
    (0..frames)
        .map(|frame| {
            let own: [f32; CLASSES + 1] =
                std::array::from_fn(|class| logits[class * frames + frame]);
            less_total(own)
        })
        .collect()
}

/// The mean of what several looks at the same cells say.
pub(super) fn mean(looks: &[&[Cell]]) -> Vec<Cell> {
    let Some((first, others)) = looks.split_first() else {
        return Vec::new();
    };
    let mut sums = first.to_vec();
    for (sum, cell) in others.iter().flat_map(|look| (0..).zip(*look)) {
        if let Some(sum) = sums.get_mut::<usize>(sum) {
            sum.iter_mut().zip(cell).for_each(|(to, v)| *to += v);
        }
    }
    let share = 1.0 / looks.len() as f32;
    sums.iter()
        .map(|sum| less_total(sum.map(|v| v * share)))
        .collect()
}

fn less_total<const N: usize>(logits: [f32; N]) -> [f32; N] {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f32 = logits.iter().map(|v| libm::expf(v - most)).sum();
    let total = most + libm::logf(total);
    logits.map(|v| v - total)
}

/// The places of `count` centres that are likeliest together.
fn best_places(log: &[[f32; CLASSES + 1]], count: usize) -> Aligned {
    let frames = log.len();
    let best: Vec<f32> = log
        .iter()
        .map(|own| own[..CLASSES].iter().copied().fold(LEAST_BEST, f32::max))
        .collect();
    // Sums of "no centre" before each frame.
    let mut before = vec![0.0f32; frames + 1];
    for (i, own) in log.iter().enumerate() {
        before[i + 1] = before[i] + own[BLANK].max(LEAST_BLANK);
    }
    let mut score = vec![vec![f32::NEG_INFINITY; frames]; count];
    let mut back = vec![vec![0u8; frames]; count];
    let first = MARGIN * PITCH / FRAME + PITCH / FRAME / 2;
    for f in first.saturating_sub(SLACK)..(first + SLACK + 1).min(frames) {
        score[0][f] = best[f] + before[f] - before[f.saturating_sub(4)];
    }
    for i in 1..count {
        let (done, rest) = score.split_at_mut(i);
        let last = &done[i - 1];
        for (step, cost) in STEPS {
            for f in step..frames {
                // Blank frames between the two centres.
                let gap = before[f] - before[f - step + 1];
                let value = last[f - step] + cost + gap + best[f];
                if value > rest[0][f] {
                    rest[0][f] = value;
                    back[i][f] = step as u8;
                }
            }
        }
    }
    let after = |f: usize| before[frames.min(f + 5)] - before[f + 1];
    let ends = |f: usize| score[count - 1][f] + after(f);
    let mut f = (0..frames)
        .max_by(|&a, &b| ends(a).total_cmp(&ends(b)))
        .unwrap_or(0);
    let total = ends(f) / count as f32;
    let mut places = vec![0; count];
    for i in (0..count).rev() {
        places[i] = f;
        f = f.saturating_sub(back[i][f].into());
    }
    let cell = |&place: &usize| {
        let own: [f32; CLASSES] = std::array::from_fn(|class| log[place][class]);
        less_total(own)
    };
    let is_blank = |frames: std::ops::Range<usize>| {
        let mut seen = log.get(frames).unwrap_or_default().iter();
        seen.all(|own| own[BLANK] > LEAST_EDGE)
    };
    let (first, last) = (places[0], places[count - 1]);
    Aligned {
        stand: None,
        is_bounded: is_blank(first.saturating_sub(6)..first.saturating_sub(2))
            && is_blank((last + 3).min(frames)..(last + 7).min(frames)),
        score: total,
        cells: places.iter().map(cell).collect(),
        places,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMES: usize = 136;

    #[test]
    fn places_follow_what_the_frames_show() {
        let mut log = vec![[-9.0f32; CLASSES + 1]; FRAMES];
        log.iter_mut().for_each(|own| own[BLANK] = -0.01);
        let centres: Vec<usize> = (0..30).map(|i| 11 + i * 4 + i / 10).collect();
        for (i, &centre) in centres.iter().enumerate() {
            log[centre][BLANK] = -6.0;
            log[centre][i % CLASSES] = -0.05;
        }
        let found = best_places(&log, 30);
        assert_eq!(found.places, centres);
        assert!(found.score > -0.3, "{}", found.score);
        for (i, cell) in found.cells.iter().enumerate() {
            let best = (0..CLASSES).max_by(|&a, &b| cell[a].total_cmp(&cell[b]));
            assert_eq!(best, Some(i % CLASSES));
        }
        // A line of nothing is read as nothing.
        let blank = vec![[-3.6f32; CLASSES + 1]; FRAMES];
        assert!(best_places(&blank, 30).score < super::super::HOPELESS);
    }
}
