//! Runs a plan: every step is one kernel.

use std::ops::Range;

use crate::kernel::{
    Activation, Combine, Conv, Depthwise, Epilogue, F32, F32s, I16, I16s, Kernels, LANES, Layout,
    Picture, Pool, Resize, Target, floats, floats_mut,
};
use crate::memory::Memory;
use crate::plan::{self, Export, Map, MapId, Op, Piece, Plan, RowTaps, Step};

/// The buffers of a run.
pub(crate) struct Buffers {
    floats: Vec<Vec<F32s>>,
    ints: Vec<Vec<I16s>>,
}

impl Buffers {
    pub(crate) fn new(memory: &Memory) -> Buffers {
        Buffers {
            floats: memory
                .float_buffers
                .iter()
                .map(|&length| vec![F32s::ZERO; length])
                .collect(),
            ints: memory
                .int_buffers
                .iter()
                .map(|&length| vec![I16s::ZERO; length])
                .collect(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.floats
            .iter()
            .map(|b| size_of_val(&b[..]))
            .sum::<usize>()
            + self.ints.iter().map(|b| size_of_val(&b[..])).sum::<usize>()
    }
}

/// A plan at work on one input.
pub(crate) struct Run<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) memory: &'a Memory,
    pub(crate) kernels: Kernels,
    pub(crate) buffers: &'a mut Buffers,
}

impl Run<'_> {
    /// Runs one piece; `seen` is told the map that it makes, with the new floats of every channel
    /// block if it has any.
    pub(crate) fn advance(
        &mut self,
        piece: &Piece,
        picture: &[f32],
        seen: &mut impl FnMut(MapId, &[F32s]),
    ) {
        let step = &self.plan.steps[piece.step];
        let output = &self.plan.maps[step.output];
        let float_buffer = self.memory.floats[step.output];
        let int_buffer = self.memory.ints[step.output];
        // The buffers of the output leave the others, so that the step may borrow both.
        let mut float_map =
            float_buffer.map(|buffer| std::mem::take(&mut self.buffers.floats[buffer]));
        let mut int_map =
            int_buffer.map(|ints| std::mem::take(&mut self.buffers.ints[ints.buffer]));
        let (width, first) = (
            output.size[1],
            (piece.rows.start - piece.output_row) * output.size[1],
        );
        let mut target = Target {
            floats: float_map.as_mut().map(|map| &mut map[..output.len()]),
            ints: int_map
                .as_mut()
                .zip(int_buffer)
                .map(|(map, ints)| (&mut map[..output.len()], ints.scale)),
            plane: output.held(),
            first,
        };
        if !piece.keep.is_empty() {
            let pixels = piece.keep.start * width..piece.keep.end * width;
            target
                .floats
                .iter_mut()
                .for_each(|map| slide(map, output.held(), &pixels));
            target
                .ints
                .iter_mut()
                .for_each(|(map, _)| slide(map, output.held(), &pixels));
        }
        self.step(step, piece, picture, target);
        match &float_map {
            None => seen(step.output, &[]),
            Some(map) if output.planar => seen(step.output, &map[..output.len()]),
            Some(map) => {
                let blocks = map[..output.len()].chunks_exact(output.held());
                blocks.for_each(|block| {
                    seen(step.output, &block[first..first + piece.rows.len() * width])
                });
            }
        }
        if let (Some(buffer), Some(map)) = (float_buffer, float_map) {
            self.buffers.floats[buffer] = map;
        }
        if let (Some(ints), Some(map)) = (int_buffer, int_map) {
            self.buffers.ints[ints.buffer] = map;
        }
    }

    /// Writes the outputs after the last step.
    pub(crate) fn finish(&self, outputs: &mut [Vec<f32>]) {
        for (exports, output) in self.plan.outputs.iter().zip(outputs) {
            let mut rest = output.as_mut_slice();
            for export in exports {
                let map = &self.plan.maps[export.map];
                let (part, after) = rest.split_at_mut(map.channels * map.plane());
                write_out(export, map, self.floats(export.map), part);
                rest = after;
            }
        }
    }

    fn floats(&self, map: MapId) -> &[F32s] {
        self.memory.floats[map].map_or(&[], |buffer| {
            &self.buffers.floats[buffer][..self.plan.maps[map].len()]
        })
    }

    fn ints(&self, map: MapId) -> &[I16s] {
        self.memory.ints[map].map_or(&[], |ints| {
            &self.buffers.ints[ints.buffer][..self.plan.maps[map].len()]
        })
    }

    fn step(&self, step: &Step, piece: &Piece, picture: &[f32], target: Target<'_>) {
        let output = &self.plan.maps[step.output];
        let epilogue = Epilogue {
            before: step.before.map(|map| self.floats(map)),
            activation: match &step.activation {
                plan::Activation::None => Activation::None,
                &plan::Activation::Clip { low, high } => Activation::Clip { low, high },
                plan::Activation::Slope(slopes) => Activation::Slope(slopes),
            },
            after: step.after.map(|map| self.floats(map)),
        };
        // The picture has no map to read, and its own is being written.
        let input = if matches!(step.op, Op::Picture { .. }) {
            &[]
        } else {
            self.floats(step.input)
        };
        let output_size = output.size;
        let input_size = self.plan.maps[step.input].size;
        match &step.op {
            Op::Picture {
                affine,
                size,
                padding,
            } => {
                if let Some(map) = target.floats {
                    self.kernels.run(Picture {
                        input: picture,
                        affine,
                        input_size: *size,
                        output_size,
                        padding: *padding,
                        output: floats_mut(map),
                    });
                }
            }
            Op::Conv(conv) => self.conv(conv, step, piece, epilogue, target),
            &Op::Depthwise {
                kernel,
                stride,
                padding,
                ref weights,
                ref bias,
            } => {
                let rows = RowTaps {
                    kernel: kernel[0],
                    stride: stride[0],
                    padding: padding[0],
                }
                .read(&piece.rows, input_size[0]);
                // Rows of nothing but padding read none, and what the buffer holds may end before.
                let first = if rows.is_empty() {
                    0
                } else {
                    rows.start - piece.input_row
                };
                self.kernels.run(Depthwise {
                    input: &input[first * input_size[1]..],
                    input_plane: self.plan.maps[step.input].held(),
                    input_size: [rows.len(), input_size[1]],
                    output_size: [piece.rows.len(), output_size[1]],
                    kernel,
                    stride,
                    padding: [
                        padding[0] + rows.start - piece.rows.start * stride[0],
                        padding[1],
                    ],
                    weights,
                    bias,
                    epilogue,
                    target,
                });
            }
            Op::Pool {
                kind,
                window,
                stride,
                padding,
            } => self.kernels.run(Pool {
                kind: *kind,
                input,
                input_size,
                output_size,
                window: *window,
                stride: *stride,
                padding: *padding,
                epilogue,
                target,
            }),
            Op::Resize { rows, columns } => self.kernels.run(Resize {
                input,
                input_size,
                rows,
                columns,
                epilogue,
                target,
            }),
            Op::Pad(padding) => {
                if let Some(map) = target.floats {
                    surround(input, F32s::ZERO, input_size, *padding, output_size, map);
                }
                if let Some((map, _)) = target.ints {
                    surround(
                        self.ints(step.input),
                        I16s::ZERO,
                        input_size,
                        *padding,
                        output_size,
                        map,
                    );
                }
            }
            Op::Combine { factors } => {
                self.kernels.run(Combine {
                    input,
                    factors: factors.map(|map| self.floats(map)),
                    epilogue,
                    target,
                });
            }
            Op::Sigmoid => {
                if let Some(map) = target.floats {
                    for (at, (to, from)) in map.iter_mut().zip(input).enumerate() {
                        let channels =
                            output.channels - (at / output.plane() * LANES).min(output.channels);
                        for (to, from) in to.0[..channels.min(LANES)].iter_mut().zip(&from.0) {
                            *to = sigmoid(*from);
                        }
                        to.0[channels.min(LANES)..].fill(0.0);
                    }
                }
            }
        }
    }

    fn conv(
        &self,
        conv: &plan::Conv,
        step: &Step,
        piece: &Piece,
        epilogue: Epilogue<'_>,
        target: Target<'_>,
    ) {
        let Target {
            mut floats,
            mut ints,
            plane,
            first,
        } = target;
        let [height, width] = self.plan.maps[step.output].size;
        let offset = (piece.rows.start * conv.rows.stride - piece.input_row)
            * (conv.taps.row_step / conv.rows.stride);
        for part in &conv.parts {
            let target = Target {
                floats: floats.as_deref_mut(),
                ints: ints.as_mut().map(|(map, scale)| (&mut **map, *scale)),
                plane,
                first,
            };
            let (taps, bias, scale) = (&conv.taps, &conv.bias[..], &part.scale[..]);
            let layout = match (piece.rows.len(), part.layout.rows) {
                (rows, _) if rows == height => part.layout,
                (rows, 1) => Layout {
                    columns: rows * width,
                    ..part.layout
                },
                (rows, _) => Layout {
                    rows,
                    ..part.layout
                },
            };
            if conv.integer {
                let input = self.ints(step.input);
                self.kernels.run(Conv::<I16> {
                    input,
                    offset,
                    taps,
                    layout,
                    weights: &part.ints,
                    bias,
                    scale,
                    epilogue,
                    target,
                });
            } else {
                self.kernels.run(Conv::<F32> {
                    input: self.floats(step.input),
                    offset,
                    taps,
                    layout,
                    weights: &part.floats,
                    bias,
                    scale,
                    epilogue,
                    target,
                });
            }
        }
    }
}

/// Moves some pixels of every channel block of `plane` pixels to the block's start.
fn slide<T: Copy>(map: &mut [T], plane: usize, pixels: &Range<usize>) {
    map.chunks_exact_mut(plane)
        .for_each(|block| block.copy_within(pixels.clone(), 0));
}

/// Copies a map into a larger one between rows and columns of zeros.
fn surround<T: Copy>(
    from: &[T],
    zero: T,
    [rows, columns]: [usize; 2],
    [top, left]: [usize; 2],
    [height, width]: [usize; 2],
    to: &mut [T],
) {
    for (from, to) in from
        .chunks_exact(rows * columns)
        .zip(to.chunks_exact_mut(height * width))
    {
        to.fill(zero);
        for (from, to) in from
            .chunks_exact(columns)
            .zip(to[top * width..].chunks_exact_mut(width))
        {
            to[left..left + columns].copy_from_slice(from);
        }
    }
}

fn write_out(export: &Export, map: &Map, from: &[F32s], to: &mut [f32]) {
    let (values, plane, channels) = (floats(from), map.plane(), map.channels);
    for channel in 0..channels {
        let lanes = values[channel / LANES * plane * LANES + channel % LANES..]
            .iter()
            .step_by(LANES)
            .take(plane);
        if export.channels_last {
            to[channel..]
                .iter_mut()
                .step_by(channels)
                .zip(lanes)
                .for_each(|(to, from)| *to = *from);
        } else {
            to[channel * plane..][..plane]
                .iter_mut()
                .zip(lanes)
                .for_each(|(to, from)| *to = *from);
        }
    }
    if export.sigmoid {
        to.iter_mut().for_each(|value| *value = sigmoid(*value));
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}
