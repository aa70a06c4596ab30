//! What stands in the cells of a line.

use super::band::Line;
use super::grey::{Affine, Grey};
use crate::error::Result;
use crate::geometry::Point;
use crate::network::{Loader, Viewer};

const ID: &str = "vultus-mrz-cell";

/// A strip: columns from one character's centre to the next, rows, how tall capitals are, cells of
/// paper before the first character, and cells in all.
pub(super) const PITCH: usize = 16;
const ROWS: usize = 32;
const CAPITAL: f32 = 15.0;
const MARGIN: usize = 2;
const CELLS: usize = 48;
/// Columns from one output of the network to the next.
pub(super) const FRAME: usize = 4;
const FRAMES: usize = CELLS * PITCH / FRAME;
/// Where a strip's first cell begins, so that centres lie in the middle of a frame.
pub(super) const LEFT: f32 = (MARGIN * PITCH) as f32 + FRAME as f32 / 2.0;

/// Fillers, digits, letters.
pub(super) const CLASSES: usize = 37;
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

/// The network that reads strips.
pub(super) struct Cells {
    viewer: Viewer,
}

/// Where the characters of a line stand, and what they may be.
#[derive(Clone)]
pub(super) struct Aligned {
    /// The mean over cells of the log-likelihood, in nats.
    pub(super) score: f32,
    /// The frame of each centre.
    pub(super) places: Vec<usize>,
    /// Log-likelihoods of the classes in each cell.
    pub(super) cells: Vec<[f32; CLASSES]>,
    /// Whether paper is before the first cell and after the last one, and no further character.
    pub(super) is_bounded: bool,
}

impl Cells {
    pub(super) fn load(loader: &Loader<'_>) -> Result<Option<Cells>> {
        if !loader.pack.has(ID) {
            return Ok(None);
        }
        let viewer = Viewer::load(loader, ID, CELLS * PITCH, ROWS, &[(BLANK + 1) * FRAMES])?;
        Ok(Some(Cells { viewer }))
    }

    /// Cuts the line out so that `count` cells lie a pitch apart, and finds their characters.
    pub(super) fn align(&self, grey: &Grey<'_>, line: &Line, count: usize) -> Result<Aligned> {
        let step = (count * PITCH) as f32;
        let across = Point::new(
            (line.end.x - line.start.x) / step,
            (line.end.y - line.start.y) / step,
        );
        let tall = line.capital / CAPITAL;
        let down = Point::new(line.down.x * tall, line.down.y * tall);
        let map = Affine::through(across, down, [LEFT, ROWS as f32 / 2.0], line.start);
        self.viewer.run(
            |form, input| {
                let plane = form.width * form.height;
                let (first, rest) = input.split_at_mut(plane);
                grey.sample(&map, form.width, first);
                normalise(first);
                rest.chunks_exact_mut(plane)
                    .for_each(|other| other.copy_from_slice(first));
            },
            |outputs| best_places(&log_likelihoods(outputs[0]), count),
        )
    }
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
    (0..FRAMES)
        .map(|frame| {
            let own: [f32; CLASSES + 1] =
                std::array::from_fn(|class| logits[class * FRAMES + frame]);
            less_total(own)
        })
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
    let mut score = vec![[f32::NEG_INFINITY; FRAMES]; count];
    let mut back = vec![[0u8; FRAMES]; count];
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
