//! Weights in the order in which the kernels read them.

use crate::kernel::{F32s, I16s, LANES, Layout, MAX_ACTIVATION};
use crate::plan::{Conv, ConvPart, Reads};

/// Returns one value a channel, in blocks.
pub(crate) fn channels(values: &[f32]) -> Vec<F32s> {
    values
        .chunks(LANES)
        .map(|chunk| {
            let mut block = F32s::ZERO;
            block.0[..chunk.len()].copy_from_slice(chunk);
            block
        })
        .collect()
}

/// Returns `[block][tap]` from `[channel][tap]`.
pub(crate) fn depthwise(weights: &[f32], channels: usize, taps: usize) -> Vec<F32s> {
    let mut packed = vec![F32s::ZERO; channels.div_ceil(LANES) * taps];
    for channel in 0..channels {
        for tap in 0..taps {
            packed[channel / LANES * taps + tap].0[channel % LANES] = weights[channel * taps + tap];
        }
    }
    packed
}

/// Returns what a convolution reads of a blocked map, and for every value that it sums the index in
/// the weights of one output channel.
pub(crate) fn blocked_reads(
    channels: usize,
    [kh, kw]: [usize; 2],
    stride: [usize; 2],
) -> (Reads, Vec<usize>) {
    let (mut places, mut order) = (Vec::new(), Vec::new());
    for block in 0..channels.div_ceil(LANES) {
        for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
            places.push([block, ky, kx]);
            order.extend(
                (block * LANES..channels.min((block + 1) * LANES)).map(|c| (c * kh + ky) * kw + kx),
            );
        }
    }
    let tail_run = channels % LANES;
    let reads = Reads {
        places,
        run: LANES,
        tail: if tail_run > 0 { kh * kw } else { 0 },
        tail_run,
        stride,
    };
    (reads, order)
}

/// The same for planes of floats, where the columns of the kernel are a run.
pub(crate) fn planar_reads(
    channels: usize,
    [kh, kw]: [usize; 2],
    stride: [usize; 2],
) -> (Reads, Vec<usize>) {
    let places = (0..channels).flat_map(|c| (0..kh).map(move |ky| [c, ky, 0]));
    let reads = Reads {
        places: places.collect(),
        run: kw,
        tail: 0,
        tail_run: 0,
        stride,
    };
    (reads, (0..channels * kh * kw).collect())
}

/// Packs `[output][...]` weights for units in `order`.
pub(crate) fn part(layout: Layout, weights: &[f32], outputs: usize, order: &[usize]) -> ConvPart {
    let each = weights.len() / outputs;
    let mut floats = vec![F32s::ZERO; outputs.div_ceil(LANES) * order.len()];
    for output in 0..outputs {
        for (unit, &index) in order.iter().enumerate() {
            floats[output / LANES * order.len() + unit].0[output % LANES] =
                weights[output * each + index];
        }
    }
    ConvPart {
        layout,
        floats,
        ints: Vec::new(),
        scale: channels(&vec![0.0; outputs]),
    }
}

/// Turns a convolution of a blocked map to integers: an input of magnitude `range` becomes
/// [`MAX_ACTIVATION`], and the weights of an output channel are scaled so that no sum of products
/// can leave 32 bits.
pub(crate) fn to_integers(conv: &mut Conv, range: f32) {
    let length = conv.reads.length();
    let runs: Vec<usize> = conv.reads.runs().collect();
    let input_scale = f64::from(MAX_ACTIVATION / range);
    for part in &mut conv.parts {
        part.ints.clear();
        for (block, floats) in part.floats.chunks_exact(length).enumerate() {
            let mut scales = [0.0; LANES];
            for (lane, scale) in scales.iter_mut().enumerate() {
                let magnitudes = || floats.iter().map(|w| f64::from(w.0[lane].abs()));
                let (total, largest) =
                    (magnitudes().sum::<f64>(), magnitudes().fold(0.0, f64::max));
                if largest > 0.0 {
                    let roundings = length as f64;
                    *scale = ((f64::from(i32::MAX) / f64::from(MAX_ACTIVATION) - roundings)
                        / total)
                        .min(f64::from(i16::MAX) / largest);
                    part.scale[block].0[lane] = (1.0 / (*scale * input_scale)) as f32;
                }
            }
            let quantised = |unit: usize, lane: usize| {
                (f64::from(floats[unit].0[lane]) * scales[lane]).round() as i16
            };
            let mut start = 0;
            for &run in &runs {
                for pair in (0..run).step_by(2) {
                    let mut both = [0; 2 * LANES];
                    for lane in 0..LANES {
                        both[2 * lane] = quantised(start + pair, lane);
                        both[2 * lane + 1] = if pair + 1 < run {
                            quantised(start + pair + 1, lane)
                        } else {
                            0
                        };
                    }
                    let (low, high) = both.split_at(LANES);
                    let block = |half: &[i16]| I16s(half.try_into().expect("half of 32 is 16"));
                    part.ints.push([block(low), block(high)]);
                }
                start += run;
            }
        }
        part.floats = Vec::new();
    }
    conv.integer = true;
}
