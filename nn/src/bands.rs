//! Which steps run together, a band of rows at a time, so that what one makes is still in the cache
//! when the next reads it.
//!
//! A chain is a run of steps in which each alone reads what the one before makes. Its last step is
//! asked for a band of rows, and each step asks the one before for the rows that it then lacks. So
//! a map between two steps is never whole: its buffer is a window of rows that slides down.
//!
//! Two 3x3 convolutions that read 10 rows, hand 8 on and make 6, in bands of two rows:
//!
//! | band | the second makes | and reads | so the first makes | kept from before |
//! |---|---|---|---|---|
//! | 0 | 0..2 | 0..4 | 0..4 | |
//! | 1 | 2..4 | 2..6 | 4..6 | 2..4, moved from the third row of the window to its first |
//! | 2 | 4..6 | 4..8 | 6..8 | 4..6, likewise |
//!
//! The window holds four rows instead of eight. No row is made twice. Each line is two
//! [pieces](Piece), run in this order, the first step's before the second's.

use crate::kernel::F32s;
use crate::plan::{MapId, Op, Piece, Plan};
use std::ops::Range;

/// What the maps between the steps of a chain may take while a band is at work.
const CACHE_BYTES: usize = 1 << 20;

/// A way to run a chain of steps.
pub(crate) struct Choice {
    /// How many rows of the last map make a band.
    pub(crate) height: usize,
    /// The bytes that need not go through memory.
    pub(crate) saved: usize,
}

/// Chooses for a chain; `None` for one that had better run step by step.
pub(crate) type Chooser = fn(&Plan, &Range<usize>) -> Option<Choice>;

/// Fills `plan.pieces`, the windows of the maps that are never whole, and the addresses at which
/// convolutions read.
pub(crate) fn schedule(plan: &mut Plan, choose: Chooser) {
    let mut at = 0;
    while at < plan.steps.len() {
        let ends = at + 2..=chain(plan, at).end;
        let choices = ends.filter_map(|end| choose(plan, &(at..end)).map(|choice| (end, choice)));
        at = match choices.max_by_key(|(_, choice)| choice.saved) {
            Some((end, Choice { height, .. })) => {
                split(plan, at..end, height);
                end
            }
            None => {
                let rows = 0..plan.maps[plan.steps[at].output].size[0];
                plan.pieces.push(Piece {
                    step: at,
                    rows,
                    input_row: 0,
                    output_row: 0,
                    keep: 0..0,
                });
                at + 1
            }
        };
    }
    for step in &mut plan.steps {
        if let Op::Conv(conv) = &mut step.op {
            conv.taps = conv.reads.taps(&plan.maps[step.input], conv.integer);
        }
    }
}

/// Returns the longest run of steps from `first` on in which each alone reads what the one before
/// makes.
fn chain(plan: &Plan, first: usize) -> Range<usize> {
    let readers = |map: MapId| {
        plan.steps
            .iter()
            .flat_map(|step| step.reads())
            .filter(|&read| read == map)
            .count()
    };
    let exported = |map: MapId| {
        plan.outputs
            .iter()
            .flatten()
            .any(|export| export.map == map)
    };
    let mut end = first + 1;
    while let [before, next] = &plan.steps[end - 1..(end + 1).min(plan.steps.len())]
        && before.op.rows().is_some()
        && next.op.rows().is_some()
        && before.before.is_none()
        && before.after.is_none()
        && next.input == before.output
        && readers(before.output) == 1
        && !exported(before.output)
    {
        end += 1;
    }
    first..end
}

/// As many rows as the cache takes; `None` when it takes the maps whole, or when reading the
/// weights once a band costs more than it saves.
pub(crate) fn fitting(plan: &Plan, chain: &Range<usize>) -> Option<Choice> {
    let bytes = |map: MapId, rows: usize| {
        plan.maps[map].blocks() * rows * plan.maps[map].size[1] * size_of::<F32s>()
    };
    let between: Vec<MapId> = chain
        .clone()
        .map(|step| plan.steps[step].output)
        .take(chain.len() - 1)
        .collect();
    let whole: usize = between
        .iter()
        .map(|&map| bytes(map, plan.maps[map].size[0]))
        .sum();
    if whole <= CACHE_BYTES {
        return None;
    }
    let rows = plan.maps[plan.steps[chain.end - 1].output].size[0];
    let taken = |height: usize| {
        let bands = bands(plan, chain, height);
        let window = |at: usize| {
            bands
                .iter()
                .map(|band| band[at].held.len())
                .max()
                .unwrap_or(0)
        };
        between
            .iter()
            .enumerate()
            .map(|(at, &map)| bytes(map, window(at)))
            .sum::<usize>()
    };
    let height = (1..rows)
        .rev()
        .find(|&height| taken(height) <= CACHE_BYTES)?;
    let weights: usize = chain
        .clone()
        .map(|step| plan.steps[step].op.weight_bytes())
        .sum();
    let saved = whole.checked_sub((rows.div_ceil(height) - 1) * weights)?;
    Some(Choice { height, saved })
}

/// What a band needs of a step: the rows that are made, and those that its buffer then holds.
#[derive(Clone)]
struct Lines {
    made: Range<usize>,
    held: Range<usize>,
}

/// Returns for each band what every step of the chain makes.
fn bands(plan: &Plan, chain: &Range<usize>, height: usize) -> Vec<Vec<Lines>> {
    let rows = plan.maps[plan.steps[chain.end - 1].output].size[0];
    let mut state = vec![
        Lines {
            made: 0..0,
            held: 0..0
        };
        chain.len()
    ];
    let tops = (0..rows).step_by(height);
    tops.map(|top| {
        let mut needed = Some(top..(top + height).min(rows));
        for (step, lines) in chain.clone().zip(&mut state).rev() {
            let done = lines.made.end;
            lines.made = done..done;
            if let Some(held) = needed.take_if(|rows| rows.end > done) {
                let step = &plan.steps[step];
                let made = done.max(held.start)..held.end;
                needed = step
                    .op
                    .rows()
                    .map(|taps| taps.read(&made, plan.maps[step.input].size[0]));
                *lines = Lines { made, held };
            }
        }
        state.clone()
    })
    .collect()
}

/// Adds the pieces of a chain that runs in bands of `height` rows.
fn split(plan: &mut Plan, chain: Range<usize>, height: usize) {
    let bands = bands(plan, &chain, height);
    let last = chain.len() - 1;
    for (at, step) in chain.clone().enumerate().skip(1) {
        let map = plan.steps[step].input;
        plan.maps[map].window = bands
            .iter()
            .map(|band| band[at - 1].held.len())
            .max()
            .unwrap_or(0);
    }
    let mut first = vec![0; chain.len()];
    for band in &bands {
        for (at, lines) in band
            .iter()
            .enumerate()
            .filter(|(_, lines)| !lines.made.is_empty())
        {
            let (mut output_row, mut keep) = (0, 0..0);
            if at < last {
                output_row = lines.held.start;
                if lines.made.start > output_row {
                    keep = output_row - first[at]..lines.made.start - first[at];
                }
                first[at] = output_row;
            }
            let input_row = if at == 0 { 0 } else { first[at - 1] };
            plan.pieces.push(Piece {
                step: chain.start + at,
                rows: lines.made.clone(),
                input_row,
                output_row,
                keep,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Activation, Map, Step};

    /// The example at the top of this file.
    #[test]
    fn two_convolutions_in_bands_of_two_rows() {
        let map = |rows: usize| Map {
            name: rows.to_string(),
            channels: 16,
            size: [rows, 5],
            planar: false,
            window: rows,
        };
        let step = |input: MapId| Step {
            op: Op::Depthwise {
                kernel: [3, 3],
                stride: [1, 1],
                padding: [0, 0],
                weights: Vec::new(),
                bias: Vec::new(),
            },
            input,
            before: None,
            activation: Activation::None,
            after: None,
            output: input + 1,
        };
        let mut plan = Plan {
            maps: vec![map(10), map(8), map(6)],
            steps: vec![step(0), step(1)],
            ..Plan::default()
        };
        schedule(&mut plan, |_, _| {
            Some(Choice {
                height: 2,
                saved: 1,
            })
        });
        let piece = |step, rows, input_row, output_row, keep| Piece {
            step,
            rows,
            input_row,
            output_row,
            keep,
        };
        let expected = [
            piece(0, 0..4, 0, 0, 0..0),
            piece(1, 0..2, 0, 0, 0..0),
            piece(0, 4..6, 0, 2, 2..4),
            piece(1, 2..4, 2, 0, 0..0),
            piece(0, 6..8, 0, 4, 2..4),
            piece(1, 4..6, 4, 0, 0..0),
        ];
        assert_eq!(plan.pieces, expected);
        let windows: Vec<usize> = plan.maps.iter().map(|map| map.window).collect();
        assert_eq!(windows, [10, 4, 6]);
    }
}
