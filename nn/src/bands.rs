//! Which steps run together, a band of rows at a time, so that what one makes is still in the cache
//! when the next reads it.

use crate::kernel::{F32s, LANES};
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

/// Fills `plan.pieces`, and the windows of the maps that are never whole.
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
        let (plane, held) = (plan.maps[map].plane() as u32, plan.maps[map].held() as u32);
        if let Op::Conv(conv) = &mut plan.steps[step].op {
            let units = if conv.integer { LANES / 2 } else { LANES } as u32;
            conv.taps.offsets.iter_mut().for_each(|tap| {
                *tap = *tap / (plane * units) * held * units + *tap % (plane * units)
            });
        }
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
