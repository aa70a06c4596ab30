//! The plan: what a graph is lowered to, as plain data.

use std::ops::Range;

use crate::kernel::{F32s, I16s, Interpolation, LANES, Layout, PoolKind, Taps};

/// A feature map of the plan, blocked by 16 channels; the lanes beyond `channels` are zero.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    /// The ONNX name of the value.
    pub(crate) name: String,
    pub(crate) channels: usize,
    /// Height and width.
    pub(crate) size: [usize; 2],
    /// The picture itself: planes of floats with its padding, not blocked.
    pub(crate) planar: bool,
    /// How many rows its buffer holds at a time: all, unless steps run band by band.
    pub(crate) window: usize,
}

impl Map {
    pub(crate) fn plane(&self) -> usize {
        self.size[0] * self.size[1]
    }

    pub(crate) fn blocks(&self) -> usize {
        self.channels.div_ceil(LANES)
    }

    /// Returns how many pixels of a channel block its buffer holds.
    pub(crate) fn held(&self) -> usize {
        self.window * self.size[1]
    }

    /// Returns how many groups of 16 values its buffer holds.
    pub(crate) fn len(&self) -> usize {
        if self.planar {
            (self.channels * self.plane()).div_ceil(LANES)
        } else {
            self.blocks() * self.held()
        }
    }
}

/// Index of a map in [`Plan::maps`].
pub(crate) type MapId = usize;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Activation {
    None,
    Clip { low: f32, high: f32 },
    Slope(Vec<F32s>),
}

/// One fused step.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) input: MapId,
    pub(crate) before: Option<MapId>,
    pub(crate) activation: Activation,
    pub(crate) after: Option<MapId>,
    pub(crate) output: MapId,
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// The picture of `size`, `x * scale + offset` a channel, with zeros around it: top, left.
    Picture {
        affine: Vec<[f32; 2]>,
        size: [usize; 2],
        padding: [usize; 2],
    },
    Conv(Conv),
    Depthwise {
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        weights: Vec<F32s>,
        bias: Vec<F32s>,
    },
    Pool {
        kind: PoolKind,
        window: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    },
    Resize {
        rows: Vec<Interpolation>,
        columns: Vec<Interpolation>,
    },
    /// Zeros around a map: top, left.
    Pad([usize; 2]),
    /// Nothing but the epilogue, after a multiplication with one factor a channel if there is one.
    Combine {
        factors: Option<MapId>,
    },
    Sigmoid,
}

/// A convolution that mixes channels, one part for each phase of the output (a transposed
/// convolution has several).
#[derive(Clone, Debug)]
pub(crate) struct Conv {
    pub(crate) reads: Reads,
    /// The addresses of `reads`, once it is known how many rows the input's buffer holds.
    pub(crate) taps: Taps,
    pub(crate) rows: RowTaps,
    pub(crate) parts: Vec<ConvPart>,
    pub(crate) bias: Vec<F32s>,
    /// Multiply-adds of the layer as the graph states it.
    pub(crate) macs: u64,
    /// Set when the layer runs in integers.
    pub(crate) integer: bool,
}

/// What a convolution sums for a pixel, by its place in the input map.
#[derive(Clone, Debug)]
pub(crate) struct Reads {
    /// Where each run of values begins, from the first row and column that the pixel reads: block
    /// of channels (of a planar map, plane), row, column.
    pub(crate) places: Vec<[usize; 3]>,
    /// Values of a run: the channels of a block, or neighbours in a row of a planar map.
    pub(crate) run: usize,
    /// How many runs at the end hold `tail_run` values instead: those of the last block, when it is
    /// not full.
    pub(crate) tail: usize,
    pub(crate) tail_run: usize,
    /// Rows and columns from one pixel to the next.
    pub(crate) stride: [usize; 2],
}

impl Reads {
    /// Returns the number of values of every run.
    pub(crate) fn runs(&self) -> impl Iterator<Item = usize> {
        let whole = self.places.len() - self.tail;
        let last = std::iter::repeat_n(self.tail_run, self.tail);
        std::iter::repeat_n(self.run, whole).chain(last)
    }

    /// Returns how many values are summed.
    pub(crate) fn length(&self) -> usize {
        self.runs().sum()
    }

    /// Returns the addresses in the buffer of `map`. Floats are units of their own; integers lie in
    /// pairs.
    pub(crate) fn taps(&self, map: &Map, integer: bool) -> Taps {
        let pairs = if integer { 2 } else { 1 };
        let pixel = if map.planar { 1 } else { LANES / pairs };
        let (rows, width) = (map.window, map.size[1]);
        let address =
            |&[block, row, column]: &[usize; 3]| ((block * rows + row) * width + column) * pixel;
        Taps {
            offsets: self
                .places
                .iter()
                .map(|place| address(place) as u32)
                .collect(),
            run: self.run / pairs,
            tail: self.tail,
            tail_run: self.tail_run.div_ceil(pairs),
            pixel_step: self.stride[1] * pixel,
            row_step: self.stride[0] * width * pixel,
        }
    }
}

/// Which rows of the input an output row is made of: `kernel` of them, `stride` further for the
/// next, `padding` of them before the first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowTaps {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

impl RowTaps {
    /// Returns the rows of an input of `height` that the output rows `rows` are made of.
    pub(crate) fn read(self, rows: &Range<usize>, height: usize) -> Range<usize> {
        let end = (rows.end * self.stride + self.kernel)
            .saturating_sub(self.stride + self.padding)
            .min(height);
        (rows.start * self.stride)
            .saturating_sub(self.padding)
            .min(end)..end
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ConvPart {
    pub(crate) layout: Layout,
    pub(crate) floats: Vec<F32s>,
    pub(crate) ints: Vec<[I16s; 2]>,
    /// What an integer sum is multiplied by.
    pub(crate) scale: Vec<F32s>,
}

/// A stretch of an output: a map written out.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    pub(crate) map: MapId,
    /// Channels last, as detection heads are read; otherwise planes.
    pub(crate) channels_last: bool,
    pub(crate) sigmoid: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) maps: Vec<Map>,
    pub(crate) steps: Vec<Step>,
    pub(crate) outputs: Vec<Vec<Export>>,
    /// What runs, in this order.
    pub(crate) pieces: Vec<Piece>,
}

/// Some output rows of a step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    /// Index in [`Plan::steps`].
    pub(crate) step: usize,
    pub(crate) rows: Range<usize>,
    /// The rows of the map that the buffers of input and output begin with.
    pub(crate) input_row: usize,
    pub(crate) output_row: usize,
    /// The rows in the output's buffer that are moved to its start before.
    pub(crate) keep: Range<usize>,
}

impl Op {
    pub(crate) fn weight_bytes(&self) -> usize {
        match self {
            Op::Conv(conv) => conv
                .parts
                .iter()
                .map(|part| size_of_val(&part.floats[..]) + size_of_val(&part.ints[..]))
                .sum(),
            Op::Depthwise { weights, .. } => size_of_val(&weights[..]),
            _ => 0,
        }
    }

    /// Returns which input rows an output row is made of, for steps that may run band by band.
    pub(crate) fn rows(&self) -> Option<RowTaps> {
        match self {
            Op::Conv(conv) if conv.parts.len() == 1 => Some(conv.rows),
            &Op::Depthwise {
                kernel: [kernel, _],
                stride: [stride, _],
                padding: [padding, _],
                ..
            } => Some(RowTaps {
                kernel,
                stride,
                padding,
            }),
            _ => None,
        }
    }
}

impl Step {
    /// Returns the maps that the step reads.
    pub(crate) fn reads(&self) -> impl Iterator<Item = MapId> {
        let factors = if let Op::Combine { factors } = self.op {
            factors
        } else {
            None
        };
        let input = (!matches!(self.op, Op::Picture { .. })).then_some(self.input);
        [input, self.before, self.after, factors]
            .into_iter()
            .flatten()
    }
}
