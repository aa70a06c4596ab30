//! Which buffer holds which map when: a buffer is used again once its map has been read for the
//! last time.

use crate::kernel::MAX_ACTIVATION;
use crate::plan::{MapId, Op, Plan};
use crate::ranges::Ranges;

/// An integer form of a map: its buffer, and what a float is multiplied by.
#[derive(Clone, Copy)]
pub(crate) struct Integers {
    pub(crate) buffer: usize,
    pub(crate) scale: f32,
}

/// The buffers of a plan.
pub(crate) struct Memory {
    /// By map.
    pub(crate) floats: Vec<Option<usize>>,
    pub(crate) ints: Vec<Option<Integers>>,
    /// Lengths of the buffers.
    pub(crate) float_buffers: Vec<usize>,
    pub(crate) int_buffers: Vec<usize>,
}

impl Plan {
    /// Returns the map whose values `map` holds, padding aside.
    pub(crate) fn unpadded(&self, map: MapId) -> MapId {
        match self.steps.iter().find(|step| step.output == map) {
            Some(step) if matches!(step.op, Op::Pad(_)) => self.unpadded(step.input),
            _ => map,
        }
    }

    /// Returns the name under which the range of a map is kept.
    pub(crate) fn range_name(&self, map: MapId) -> &str {
        &self.maps[self.unpadded(map)].name
    }
}

impl Memory {
    pub(crate) fn plan(plan: &Plan, ranges: &Ranges) -> Memory {
        let count = plan.maps.len();
        let (mut as_floats, mut as_ints, mut last) =
            (vec![false; count], vec![false; count], vec![0; count]);
        for export in plan.outputs.iter().flatten() {
            as_floats[export.map] = true;
            last[export.map] = usize::MAX;
        }
        for (at, piece) in plan.pieces.iter().enumerate() {
            for map in plan.steps[piece.step].reads() {
                last[map] = last[map].max(at);
            }
        }
        for step in plan.steps.iter().rev() {
            let input = step.input;
            match &step.op {
                Op::Picture { .. } => {}
                Op::Conv(conv) if conv.integer => as_ints[input] = true,
                Op::Pad(_) => {
                    as_floats[input] |= as_floats[step.output];
                    as_ints[input] |= as_ints[step.output];
                }
                _ => as_floats[input] = true,
            }
            for map in step
                .reads()
                .skip(usize::from(!matches!(step.op, Op::Picture { .. })))
            {
                as_floats[map] = true;
            }
        }
        let mut memory = Memory {
            floats: vec![None; count],
            ints: vec![None; count],
            float_buffers: vec![],
            int_buffers: vec![],
        };
        let (mut free_floats, mut free_ints) = (Vec::new(), Vec::new());
        for (at, piece) in plan.pieces.iter().enumerate() {
            let step = &plan.steps[piece.step];
            let (map, length) = (step.output, plan.maps[step.output].len());
            if as_floats[map] && memory.floats[map].is_none() {
                memory.floats[map] =
                    Some(take(&mut free_floats, &mut memory.float_buffers, length));
            }
            if as_ints[map] && memory.ints[map].is_none() {
                let range = ranges.get(plan.range_name(map)).copied().unwrap_or(1.0);
                let buffer = take(&mut free_ints, &mut memory.int_buffers, length);
                memory.ints[map] = Some(Integers {
                    buffer,
                    scale: MAX_ACTIVATION / range,
                });
            }
            let mut done: Vec<MapId> = step.reads().filter(|&map| last[map] == at).collect();
            done.sort_unstable();
            done.dedup();
            free_floats.extend(done.iter().filter_map(|&map| memory.floats[map]));
            free_ints.extend(
                done.iter()
                    .filter_map(|&map| memory.ints[map].map(|ints| ints.buffer)),
            );
        }
        memory
    }
}

/// Takes the free buffer that fits best, growing the largest or adding one if none does.
fn take(free: &mut Vec<usize>, lengths: &mut Vec<usize>, length: usize) -> usize {
    let fits = free
        .iter()
        .enumerate()
        .filter(|&(_, &buffer)| lengths[buffer] >= length)
        .min_by_key(|&(_, &buffer)| lengths[buffer]);
    let chosen = fits
        .or_else(|| {
            free.iter()
                .enumerate()
                .max_by_key(|&(_, &buffer)| lengths[buffer])
        })
        .map(|(at, _)| at);
    let buffer = match chosen {
        Some(at) => free.swap_remove(at),
        None => {
            lengths.push(0);
            lengths.len() - 1
        }
    };
    lengths[buffer] = lengths[buffer].max(length);
    buffer
}
