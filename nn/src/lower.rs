//! Graph to plan: every ONNX node becomes a step, joins the step before it, or only names a view of
//! a map.

use std::collections::HashMap;

use crate::kernel::{Interpolation, Layout, PoolKind, Taps};
use crate::onnx::{Constant, Graph, Node};
use crate::pack;
use crate::plan::{Activation, Conv, Export, Map, MapId, Op, Plan, RowTaps, Step};

/// Why a graph cannot be lowered.
pub(crate) struct Refusal(pub(super) String);

type Lowered<T = ()> = Result<T, String>;

/// What an ONNX value is in the plan.
#[derive(Clone)]
enum Value {
    /// The input of the network, `x * scale + offset` a channel.
    Picture(Vec<[f32; 2]>),
    /// A feature map; channels that the map lacks are zero.
    Map { map: MapId, channels: usize },
    /// Maps written out one after another and given a shape.
    Flat {
        parts: Vec<Export>,
        shape: Vec<usize>,
    },
}

struct Lowering<'g> {
    graph: &'g Graph,
    input_size: [usize; 2],
    plan: Plan,
    values: HashMap<&'g str, Value>,
    /// How often a value is read, outputs of the network included.
    uses: HashMap<&'g str, usize>,
}

pub(crate) fn lower(graph: &Graph, input_shape: [usize; 4]) -> Result<Plan, Refusal> {
    let mut uses = HashMap::new();
    for name in graph
        .nodes
        .iter()
        .flat_map(|node| &node.inputs)
        .chain(&graph.outputs)
    {
        *uses.entry(name.as_str()).or_insert(0) += 1;
    }
    let [_, channels, height, width] = input_shape;
    let picture = Value::Picture(vec![[1.0, 0.0]; channels]);
    let values = HashMap::from([(graph.input.as_str(), picture)]);
    let mut lowering = Lowering {
        graph,
        input_size: [height, width],
        plan: Plan::default(),
        values,
        uses,
    };
    for node in &graph.nodes {
        lowering
            .node(node)
            .map_err(|why| Refusal(format!("{} {}: {why}", node.kind, node.name())))?;
    }
    for name in &graph.outputs {
        let parts = match lowering.values.get(name.as_str()) {
            Some(Value::Map { map, channels })
                if lowering.plan.maps[*map].channels == *channels =>
            {
                vec![planes(*map)]
            }
            Some(Value::Flat { parts, .. }) => parts.clone(),
            _ => {
                return Err(Refusal(format!(
                    "output {name} is not made by a node of the plan"
                )));
            }
        };
        lowering.plan.outputs.push(parts);
    }
    Ok(lowering.plan)
}

fn planes(map: MapId) -> Export {
    Export {
        map,
        channels_last: false,
        sigmoid: false,
    }
}

fn known(allowed: bool, what: &str) -> Lowered {
    if allowed {
        Ok(())
    } else {
        Err(format!("{what} is not lowered"))
    }
}

impl<'g> Lowering<'g> {
    fn node(&mut self, node: &'g Node) -> Lowered {
        let value = match node.kind.as_str() {
            "Identity" | "Dropout" => self.value(node, 0)?,
            "Conv" => self.conv(node)?,
            "ConvTranspose" => self.deconv(node)?,
            "Gemm" | "MatMul" => self.fully_connected(node)?,
            "BatchNormalization" => self.batch_norm(node)?,
            "Relu" => self.activate(
                node,
                Activation::Clip {
                    low: 0.0,
                    high: f32::INFINITY,
                },
            )?,
            "Clip" => self.clip(node)?,
            "PRelu" => self.prelu(node)?,
            "Sigmoid" => self.sigmoid(node)?,
            "Add" | "Sub" | "Mul" | "Div" => self.arithmetic(node)?,
            "MaxPool" => self.pool(node, PoolKind::Max)?,
            "AveragePool" => self.pool(node, PoolKind::Average)?,
            "GlobalAveragePool" => self.global_pool(node)?,
            "Resize" => self.resize(node)?,
            "Pad" => self.pad(node)?,
            "Reshape" | "Flatten" => self.reshape(node)?,
            "Transpose" => self.transpose(node)?,
            "Concat" => self.concat(node)?,
            _ => return Err("no such operator in the plan".into()),
        };
        self.values.insert(node.name(), value);
        Ok(())
    }

    // Operands

    fn value(&self, node: &Node, index: usize) -> Lowered<Value> {
        let name = node.inputs.get(index).ok_or("an operand is missing")?;
        self.values
            .get(name.as_str())
            .cloned()
            .ok_or_else(|| format!("operand {name} is not a value of the plan"))
    }

    fn constant(&self, node: &Node, index: usize) -> Option<&'g Constant> {
        self.graph.constants.get(node.inputs.get(index)?)
    }

    fn weights(&self, node: &Node, index: usize) -> Lowered<&'g Constant> {
        let constant = self
            .constant(node, index)
            .filter(|constant| !constant.floats.is_empty());
        constant.ok_or_else(|| format!("operand {index} is not a constant"))
    }

    /// Returns the feature map and its channels.
    fn map(&self, node: &Node, index: usize) -> Lowered<(MapId, usize)> {
        match self.value(node, index)? {
            Value::Map { map, channels } => Ok((map, channels)),
            _ => Err("the operand is not a feature map".into()),
        }
    }

    /// Returns the one map that a value is, whatever its shape.
    fn sole_map(&self, node: &Node, index: usize) -> Lowered<MapId> {
        match self.value(node, index)? {
            Value::Map { map, channels } if self.plan.maps[map].channels == channels => Ok(map),
            Value::Flat { parts, .. }
                if matches!(
                    parts[..],
                    [Export {
                        channels_last: false,
                        sigmoid: false,
                        ..
                    }]
                ) =>
            {
                Ok(parts[0].map)
            }
            _ => Err("the operand is not one map".into()),
        }
    }

    /// Returns `value` after its map was renamed to the output of `node`.
    fn rename(&mut self, node: &Node, index: usize, map: MapId) -> Lowered<Value> {
        self.plan.maps[map].name = node.name().into();
        self.value(node, index)
    }

    // Steps

    fn step(
        &mut self,
        node: &Node,
        op: Op,
        input: MapId,
        channels: usize,
        size: [usize; 2],
    ) -> MapId {
        let output = self.plan.maps.len();
        let planar = matches!(op, Op::Picture { .. });
        self.plan.maps.push(Map {
            name: node.name().into(),
            channels,
            size,
            planar,
            window: size[0],
        });
        self.plan.steps.push(Step {
            op,
            input,
            before: None,
            activation: Activation::None,
            after: None,
            output,
        });
        output
    }

    fn feature(
        &mut self,
        node: &Node,
        op: Op,
        input: MapId,
        channels: usize,
        size: [usize; 2],
    ) -> Value {
        Value::Map {
            map: self.step(node, op, input, channels, size),
            channels,
        }
    }

    /// Returns the step that makes operand `index`, if nothing else reads it: then more may be
    /// fused into the step.
    fn producer(&mut self, node: &Node, index: usize) -> Option<usize> {
        let name = node.inputs.get(index)?.as_str();
        let map = self.sole_map(node, index).ok()?;
        let sole = self.uses.get(name) == Some(&1) && self.plan.maps[map].name == name;
        self.plan
            .steps
            .iter()
            .position(|step| step.output == map && sole)
    }

    // Convolutions

    /// One bias a channel of the output; zeros where the node has none.
    fn bias(&self, node: &Node, outputs: usize) -> Lowered<Vec<f32>> {
        let bias = match node.inputs.get(2) {
            Some(_) => self.weights(node, 2)?.floats.clone(),
            None => vec![0.0; outputs],
        };
        known(bias.len() == outputs, "a bias that is not one a channel")?;
        Ok(bias)
    }

    fn conv(&mut self, node: &Node) -> Lowered<Value> {
        let weights = self.weights(node, 1)?;
        let &[outputs, group_inputs, kh, kw] = weights.shape.as_slice() else {
            return Err("only two-dimensional".into());
        };
        let bias = self.bias(node, outputs)?;
        known(
            matches!(node.text("auto_pad", "NOTSET").as_str(), "NOTSET" | ""),
            "automatic padding",
        )?;
        known(node.sizes("dilations", [1, 1]) == Some([1, 1]), "dilation")?;
        let [sh, sw] = node
            .sizes("strides", [1, 1])
            .filter(|s| !s.contains(&0))
            .ok_or("broken strides")?;
        let [top, left, bottom, right] = node.sizes("pads", [0; 4]).ok_or("broken pads")?;
        let groups = node.int("group", 1);
        let (size, channels) = match self.value(node, 0)? {
            Value::Picture(affine) => (self.input_size, affine.len()),
            Value::Map { map, channels } => (self.plan.maps[map].size, channels),
            Value::Flat { .. } => return Err("the operand is not a feature map".into()),
        };
        let padded = [size[0] + top + bottom, size[1] + left + right];
        if padded[0] < kh || padded[1] < kw || kh * kw == 0 {
            return Err("the kernel is larger than its input".into());
        }
        let output_size = [(padded[0] - kh) / sh + 1, (padded[1] - kw) / sw + 1];
        let macs = (output_size[0] * output_size[1] * weights.floats.len()) as u64;

        let groups = usize::try_from(groups)
            .ok()
            .filter(|&groups| groups > 0 && outputs % groups == 0)
            .ok_or("broken groups")?;
        if groups * group_inputs != channels {
            return Err(format!(
                "{groups} groups of {group_inputs} input channels in the weights, {channels} in \
                the operand"
            ));
        }
        if groups > 1 && [groups, outputs] == [channels; 2] {
            let (input, _) = self.map(node, 0)?;
            known(
                self.plan.maps[input].channels == channels,
                "a depthwise convolution of padded channels",
            )?;
            let (kernel, stride, padding) = ([kh, kw], [sh, sw], [top, left]);
            let weights = pack::depthwise(&weights.floats, channels, kh * kw);
            let op = Op::Depthwise {
                kernel,
                stride,
                padding,
                weights,
                bias: pack::channels(&bias),
            };
            return Ok(self.feature(node, op, input, channels, output_size));
        }
        // Other groups are zeros of a convolution over all channels.
        let mut all = vec![0.0; outputs * channels * kh * kw];
        let (rows, group) = (
            all.chunks_exact_mut(channels * kh * kw),
            group_inputs * kh * kw,
        );
        for (output, (row, own)) in rows.zip(weights.floats.chunks_exact(group)).enumerate() {
            row[output / (outputs / groups) * group..][..group].copy_from_slice(own);
        }
        let (rows, columns) = (output_size[0], output_size[1]);
        let (input, reads, order, layout);
        match self.value(node, 0)? {
            Value::Picture(affine) => {
                input = self.step(
                    node,
                    Op::Picture {
                        affine,
                        size,
                        padding: [top, left],
                    },
                    0,
                    channels,
                    padded,
                );
                (reads, order) = pack::planar_reads(channels, [kh, kw], [sh, sw]);
                layout = Layout {
                    rows,
                    columns,
                    origin: 0,
                    row_step: columns,
                    column_step: 1,
                };
            }
            _ => {
                let (source, _) = self.map(node, 0)?;
                input = self.padded(node, source, [top, left], padded);
                // Channels that the map lacks are zero: their weights are left out.
                let channels = self.plan.maps[source].channels.min(channels);
                (reads, order) = pack::blocked_reads(channels, [kh, kw], [sh, sw]);
                let flat = [kh, kw, sh, sw] == [1; 4];
                let (rows, columns) = if flat {
                    (1, rows * columns)
                } else {
                    (rows, columns)
                };
                layout = Layout {
                    rows,
                    columns,
                    origin: 0,
                    row_step: columns,
                    column_step: 1,
                };
            }
        }
        let part = pack::part(layout, &all, outputs, &order);
        let rows = RowTaps {
            kernel: kh,
            stride: sh,
            padding: 0,
        };
        let conv = Conv {
            reads,
            taps: Taps::default(),
            rows,
            parts: vec![part],
            bias: pack::channels(&bias),
            macs,
            integer: false,
        };
        Ok(self.feature(node, Op::Conv(conv), input, outputs, output_size))
    }

    /// Returns `map` with zeros around it.
    fn padded(&mut self, node: &Node, map: MapId, padding: [usize; 2], size: [usize; 2]) -> MapId {
        if self.plan.maps[map].size == size {
            return map;
        }
        let channels = self.plan.maps[map].channels;
        self.step(node, Op::Pad(padding), map, channels, size)
    }

    fn deconv(&mut self, node: &Node) -> Lowered<Value> {
        let weights = self.weights(node, 1)?;
        let &[inputs, outputs, kh, kw] = weights.shape.as_slice() else {
            return Err("only two-dimensional".into());
        };
        let (input, channels) = self.map(node, 0)?;
        let plain = node.sizes("pads", [0; 4]) == Some([0; 4])
            && node.sizes("output_padding", [0; 2]) == Some([0; 2])
            && node.sizes("dilations", [1; 2]) == Some([1; 2])
            && node.ints("output_shape").is_none();
        known(
            plain && node.int("group", 1) == 1 && node.sizes("strides", [1, 1]) == Some([kh, kw]),
            "a transposed convolution that overlaps or pads",
        )?;
        known(
            inputs == channels && self.plan.maps[input].channels == channels,
            "another number of channels",
        )?;
        let bias = self.bias(node, outputs)?;
        let size = self.plan.maps[input].size;
        let (reads, order) = pack::blocked_reads(channels, [1, 1], [1, 1]);
        let wide = size[1] * kw;
        let mut parts = Vec::new();
        for (dy, dx) in (0..kh).flat_map(|dy| (0..kw).map(move |dx| (dy, dx))) {
            let phase: Vec<f32> = (0..outputs)
                .flat_map(|o| (0..inputs).map(move |i| ((i * outputs + o) * kh + dy) * kw + dx))
                .map(|at| weights.floats[at])
                .collect();
            let layout = Layout {
                rows: size[0],
                columns: size[1],
                origin: dy * wide + dx,
                row_step: kh * wide,
                column_step: kw,
            };
            parts.push(pack::part(layout, &phase, outputs, &order));
        }
        let macs = (size[0] * size[1] * weights.floats.len()) as u64;
        let rows = RowTaps {
            kernel: 1,
            stride: 1,
            padding: 0,
        };
        let conv = Conv {
            reads,
            taps: Taps::default(),
            rows,
            parts,
            bias: pack::channels(&bias),
            macs,
            integer: false,
        };
        Ok(self.feature(node, Op::Conv(conv), input, outputs, [size[0] * kh, wide]))
    }

    /// A product with a constant matrix is a convolution whose kernel is as large as the map.
    fn fully_connected(&mut self, node: &Node) -> Lowered<Value> {
        let matrix = self.weights(node, 1)?;
        let &[rows, columns] = matrix.shape.as_slice() else {
            return Err("only a product with a matrix".into());
        };
        let gemm = node.kind == "Gemm";
        known(
            node.float("alpha", 1.0) == 1.0
                && node.float("beta", 1.0) == 1.0
                && node.int("transA", 0) == 0,
            "a scaled or transposed product",
        )?;
        let transposed = gemm && node.int("transB", 0) == 1;
        let (inputs, outputs) = if transposed {
            (columns, rows)
        } else {
            (rows, columns)
        };
        let weights: Vec<f32> = if transposed {
            matrix.floats.clone()
        } else {
            (0..outputs)
                .flat_map(|o| (0..inputs).map(move |i| i * outputs + o))
                .map(|at| matrix.floats[at])
                .collect()
        };
        let bias = self.bias(node, outputs)?;
        let input = self.sole_map(node, 0)?;
        let Map { channels, size, .. } = self.plan.maps[input];
        if channels * size[0] * size[1] != inputs {
            return Err(format!(
                "{inputs} rows for {} values",
                channels * size[0] * size[1]
            ));
        }
        let (reads, order) = pack::blocked_reads(channels, size, [1, 1]);
        let layout = Layout {
            rows: 1,
            columns: 1,
            origin: 0,
            row_step: 1,
            column_step: 1,
        };
        let part = pack::part(layout, &weights, outputs, &order);
        let rows = RowTaps {
            kernel: size[0],
            stride: 1,
            padding: 0,
        };
        let conv = Conv {
            reads,
            taps: Taps::default(),
            rows,
            parts: vec![part],
            bias: pack::channels(&bias),
            macs: weights.len() as u64,
            integer: false,
        };
        let map = self.step(node, Op::Conv(conv), input, outputs, [1, 1]);
        Ok(Value::Flat {
            parts: vec![planes(map)],
            shape: vec![1, outputs],
        })
    }

    // Fusion into the convolution before

    fn batch_norm(&mut self, node: &Node) -> Lowered<Value> {
        let [gamma, beta, mean, variance] =
            [1, 2, 3, 4].map(|i| self.weights(node, i).map(|c| &c.floats));
        let (gamma, beta, mean, variance) = (gamma?, beta?, mean?, variance?);
        let epsilon = node.float("epsilon", 1e-5);
        let scale: Vec<f32> = gamma
            .iter()
            .zip(variance)
            .map(|(g, v)| g / (v + epsilon).sqrt())
            .collect();
        let shift: Vec<f32> = beta
            .iter()
            .zip(mean)
            .zip(&scale)
            .map(|((b, m), s)| b - m * s)
            .collect();
        self.scale_and_shift(node, 0, &scale, &shift)
    }

    /// Multiplies and adds per channel: within the convolution that makes the map where that is
    /// possible, else as a depthwise 1 x 1.
    fn scale_and_shift(
        &mut self,
        node: &Node,
        index: usize,
        scale: &[f32],
        shift: &[f32],
    ) -> Lowered<Value> {
        let map = self.sole_map(node, index)?;
        let Map { channels, size, .. } = self.plan.maps[map];
        let spread = |values: &[f32]| match values {
            [one] => Ok(vec![*one; channels]),
            all if all.len() == channels => Ok(all.to_vec()),
            _ => Err("not one value a channel".to_string()),
        };
        let (scale, shift) = (spread(scale)?, spread(shift)?);
        let producer = self
            .producer(node, index)
            .map(|step| &mut self.plan.steps[step]);
        let open = producer.filter(|step| {
            step.before.is_none() && step.activation == Activation::None && step.after.is_none()
        });
        let (weights, bias): (Vec<&mut Vec<_>>, _) = match open.map(|step| &mut step.op) {
            Some(Op::Conv(conv)) => (
                conv.parts.iter_mut().map(|part| &mut part.floats).collect(),
                &mut conv.bias,
            ),
            Some(Op::Depthwise { weights, bias, .. }) => (vec![weights], bias),
            _ => {
                let (weights, bias) =
                    (pack::depthwise(&scale, channels, 1), pack::channels(&shift));
                let op = Op::Depthwise {
                    kernel: [1; 2],
                    stride: [1; 2],
                    padding: [0; 2],
                    weights,
                    bias,
                };
                return Ok(self.feature(node, op, map, channels, size));
            }
        };
        let (scale, shift) = (pack::channels(&scale), pack::channels(&shift));
        for weights in weights {
            let length = weights.len() / scale.len();
            for (block, scale) in weights.chunks_exact_mut(length).zip(&scale) {
                block
                    .iter_mut()
                    .for_each(|w| w.0.iter_mut().zip(&scale.0).for_each(|(w, s)| *w *= s));
            }
        }
        for ((bias, scale), shift) in bias.iter_mut().zip(&scale).zip(&shift) {
            bias.0
                .iter_mut()
                .zip(&scale.0)
                .zip(&shift.0)
                .for_each(|((b, s), t)| *b = *b * s + t);
        }
        self.rename(node, index, map)
    }

    fn activate(&mut self, node: &Node, activation: Activation) -> Lowered<Value> {
        let map = self.sole_map(node, 0)?;
        if let Some(index) = self.producer(node, 0) {
            let step = &mut self.plan.steps[index];
            let open = step.activation == Activation::None && step.after.is_none();
            if open && !matches!(step.op, Op::Picture { .. } | Op::Pad(_) | Op::Sigmoid) {
                step.activation = activation;
                return self.rename(node, 0, map);
            }
        }
        let (_, channels) = self.map(node, 0)?;
        let size = self.plan.maps[map].size;
        let value = self.feature(node, Op::Combine { factors: None }, map, channels, size);
        self.plan
            .steps
            .last_mut()
            .expect("a step was just added")
            .activation = activation;
        Ok(value)
    }

    fn clip(&mut self, node: &Node) -> Lowered<Value> {
        let bound = |index: usize, name: &str, default: f32| match node
            .inputs
            .get(index)
            .map(String::as_str)
        {
            Some("") | None => Ok(node.float(name, default)),
            Some(_) => self.weights(node, index).map(|constant| constant.floats[0]),
        };
        let (low, high) = (
            bound(1, "min", f32::NEG_INFINITY)?,
            bound(2, "max", f32::INFINITY)?,
        );
        // The lanes beyond the channels must stay zero.
        known(low <= 0.0 && high >= 0.0, "a clip that excludes zero")?;
        self.activate(node, Activation::Clip { low, high })
    }

    fn prelu(&mut self, node: &Node) -> Lowered<Value> {
        let channels = self.plan.maps[self.sole_map(node, 0)?].channels;
        let slopes = &self.weights(node, 1)?.floats;
        known(
            slopes.len() == channels || slopes.len() == 1,
            "a slope that is not one a channel",
        )?;
        let slopes: Vec<f32> = slopes.iter().copied().cycle().take(channels).collect();
        self.activate(node, Activation::Slope(pack::channels(&slopes)))
    }

    fn sigmoid(&mut self, node: &Node) -> Lowered<Value> {
        let last = self
            .graph
            .outputs
            .iter()
            .any(|output| output == node.name());
        match self.value(node, 0)? {
            Value::Map { map, channels } if last && self.plan.maps[map].channels == channels => {
                let [height, width] = self.plan.maps[map].size;
                let parts = vec![Export {
                    sigmoid: true,
                    ..planes(map)
                }];
                Ok(Value::Flat {
                    parts,
                    shape: vec![1, channels, height, width],
                })
            }
            Value::Map { map, channels } => {
                let size = self.plan.maps[map].size;
                Ok(self.feature(node, Op::Sigmoid, map, channels, size))
            }
            Value::Flat { mut parts, shape } if parts.iter().all(|part| !part.sigmoid) => {
                parts.iter_mut().for_each(|part| part.sigmoid = true);
                Ok(Value::Flat { parts, shape })
            }
            _ => Err("a sigmoid of this operand is not lowered".into()),
        }
    }

    fn arithmetic(&mut self, node: &Node) -> Lowered<Value> {
        let kind = node.kind.as_str();
        let commutes = kind == "Add" || kind == "Mul";
        let (index, constant) = match (self.constant(node, 0), self.constant(node, 1)) {
            (None, None) if kind == "Add" => return self.add(node),
            (None, None) if kind == "Mul" => return self.scale(node),
            (None, Some(constant)) => (0, constant),
            (Some(constant), None) if commutes => (1, constant),
            _ => return Err("these operands are not lowered".into()),
        };
        let values = &constant.floats;
        known(!values.is_empty(), "a constant that is not a float")?;
        let (scale, shift): (Vec<f32>, Vec<f32>) = match kind {
            "Add" => (vec![1.0; values.len()], values.clone()),
            "Sub" => (vec![1.0; values.len()], values.iter().map(|v| -v).collect()),
            "Mul" => (values.clone(), vec![0.0; values.len()]),
            _ => (
                values.iter().map(|v| 1.0 / v).collect(),
                vec![0.0; values.len()],
            ),
        };
        // One value, or one a channel: [C, 1, 1], with or without a batch.
        let across_channels =
            constant.shape.len() >= 3 && constant.shape[constant.shape.len() - 3] == values.len();
        known(
            values.len() == 1 || across_channels,
            "a constant that is not one value a channel",
        )?;
        match self.value(node, index)? {
            Value::Picture(mut affine) => {
                known(
                    values.len() == 1 || values.len() == affine.len(),
                    "another number of channels",
                )?;
                for (c, [multiply, add]) in affine.iter_mut().enumerate() {
                    let (scale, shift) = (scale[c % scale.len()], shift[c % shift.len()]);
                    (*multiply, *add) = (*multiply * scale, *add * scale + shift);
                }
                Ok(Value::Picture(affine))
            }
            _ => self.scale_and_shift(node, index, &scale, &shift),
        }
    }

    /// Adds two maps, in the epilogue of whichever step may take it.
    fn add(&mut self, node: &Node) -> Lowered<Value> {
        let ((a, channels), (b, other)) = (self.map(node, 0)?, self.map(node, 1)?);
        let size = self.plan.maps[a].size;
        known(
            channels == other && size == self.plan.maps[b].size,
            "an addition of different shapes",
        )?;
        for (index, map, residual) in [(1, b, a), (0, a, b)] {
            if map == residual || self.plan.maps[residual].channels > self.plan.maps[map].channels {
                continue;
            }
            let Some(producer) = self.producer(node, index) else {
                continue;
            };
            let step = &self.plan.steps[producer];
            if step.after.is_some()
                || matches!(step.op, Op::Picture { .. } | Op::Pad(_) | Op::Sigmoid)
            {
                continue;
            }
            // The residual may be made later than the step: the step moves here, where both are
            // known.
            let mut step = self.plan.steps.remove(producer);
            if step.before.is_none() && step.activation == Activation::None {
                step.before = Some(residual);
            } else {
                step.after = Some(residual);
            }
            self.plan.steps.push(step);
            return self.rename(node, index, map);
        }
        let (input, residual) = if self.plan.maps[a].channels >= self.plan.maps[b].channels {
            (a, b)
        } else {
            (b, a)
        };
        let value = self.feature(
            node,
            Op::Combine { factors: None },
            input,
            self.plan.maps[input].channels,
            size,
        );
        self.plan
            .steps
            .last_mut()
            .expect("a step was just added")
            .before = Some(residual);
        known(
            self.plan.maps[input].channels == channels,
            "an addition of padded channels only",
        )?;
        Ok(value)
    }

    /// Multiplies a map by one factor a channel that the network computed.
    fn scale(&mut self, node: &Node) -> Lowered<Value> {
        let ((a, channels), (b, others)) = (self.map(node, 0)?, self.map(node, 1)?);
        let (input, factors) = if self.plan.maps[b].size == [1, 1] {
            (a, b)
        } else {
            (b, a)
        };
        known(
            channels == others && self.plan.maps[factors].size == [1, 1],
            "a product of maps",
        )?;
        known(
            [a, b]
                .iter()
                .all(|&m| self.plan.maps[m].channels == channels),
            "a product of padded channels",
        )?;
        let size = self.plan.maps[input].size;
        Ok(self.feature(
            node,
            Op::Combine {
                factors: Some(factors),
            },
            input,
            channels,
            size,
        ))
    }

    // Windows

    fn pool(&mut self, node: &Node, kind: PoolKind) -> Lowered<Value> {
        let (input, channels) = self.map(node, 0)?;
        let [height, width] = self.plan.maps[input].size;
        let window = node
            .sizes("kernel_shape", [0; 2])
            .filter(|w| !w.contains(&0))
            .ok_or("broken window")?;
        let stride = node
            .sizes("strides", [1; 2])
            .filter(|s| !s.contains(&0))
            .ok_or("broken strides")?;
        let [top, left, bottom, right] = node.sizes("pads", [0; 4]).ok_or("broken pads")?;
        known(
            node.int("ceil_mode", 0) == 0 && node.sizes("dilations", [1, 1]) == Some([1, 1]),
            "a dilated or rounded-up window",
        )?;
        known(
            matches!(node.text("auto_pad", "NOTSET").as_str(), "NOTSET" | ""),
            "automatic padding",
        )?;
        let padded = [height + top + bottom, width + left + right];
        known(
            node.int("count_include_pad", 0) == 0 || padded == [height, width],
            "an average over padding",
        )?;
        known(
            top < window[0] && bottom < window[0] && left < window[1] && right < window[1],
            "a window of padding only",
        )?;
        if padded[0] < window[0] || padded[1] < window[1] {
            return Err("the window is larger than its input".into());
        }
        let size = [
            (padded[0] - window[0]) / stride[0] + 1,
            (padded[1] - window[1]) / stride[1] + 1,
        ];
        let physical = self.plan.maps[input].channels;
        let map = self.step(
            node,
            Op::Pool {
                kind,
                window,
                stride,
                padding: [top, left],
            },
            input,
            physical,
            size,
        );
        Ok(Value::Map { map, channels })
    }

    fn global_pool(&mut self, node: &Node) -> Lowered<Value> {
        let (input, channels) = self.map(node, 0)?;
        let window = self.plan.maps[input].size;
        let op = Op::Pool {
            kind: PoolKind::Average,
            window,
            stride: [1, 1],
            padding: [0, 0],
        };
        let physical = self.plan.maps[input].channels;
        let map = self.step(node, op, input, physical, [1, 1]);
        Ok(Value::Map { map, channels })
    }

    fn resize(&mut self, node: &Node) -> Lowered<Value> {
        let (input, channels) = self.map(node, 0)?;
        let size = self.plan.maps[input].size;
        let target: Vec<usize> = match (self.constant(node, 2), self.constant(node, 3)) {
            (_, Some(sizes)) if sizes.ints.len() == 4 => {
                sizes.ints.iter().map(|&s| s.max(0) as usize).collect()
            }
            (Some(scales), _) if scales.floats.len() == 4 => {
                let from = [1, channels, size[0], size[1]];
                from.iter()
                    .zip(&scales.floats)
                    .map(|(&n, s)| (n as f32 * s).floor() as usize)
                    .collect()
            }
            _ => return Err("no constant size".into()),
        };
        let &[1, same, height, width] = target.as_slice() else {
            return Err("only height and width may change".into());
        };
        known(
            same == channels && height % size[0] == 0 && width % size[1] == 0 && height * width > 0,
            "a resize by a broken factor",
        )?;
        let mode = (
            node.text("mode", "nearest"),
            node.text("coordinate_transformation_mode", "half_pixel"),
            node.text("nearest_mode", "round_prefer_floor"),
        );
        let table = match (mode.0.as_str(), mode.1.as_str(), mode.2.as_str()) {
            ("linear", "half_pixel", _) => Interpolation::linear,
            ("nearest", "asymmetric", "floor") => Interpolation::nearest,
            _ => return Err(format!("a resize by {mode:?} is not lowered")),
        };
        let op = Op::Resize {
            rows: table(size[0], height),
            columns: table(size[1], width),
        };
        let physical = self.plan.maps[input].channels;
        let map = self.step(node, op, input, physical, [height, width]);
        Ok(Value::Map { map, channels })
    }

    fn pad(&mut self, node: &Node) -> Lowered<Value> {
        let (input, channels) = self.map(node, 0)?;
        known(
            node.text("mode", "constant") == "constant",
            "a padding that is not constant",
        )?;
        known(
            self.constant(node, 2)
                .is_none_or(|value| value.floats.iter().all(|&v| v == 0.0)),
            "a padding that is not zero",
        )?;
        let pads = match self.constant(node, 1) {
            Some(pads) => pads.ints.as_slice(),
            None => node.ints("pads").ok_or("no constant pads")?,
        };
        let &[0, 0, top, left, 0, more, bottom, right] = pads else {
            return Err("only channels at the end, rows and columns".into());
        };
        let [top, left, bottom, right, more] =
            [top, left, bottom, right, more].map(usize::try_from);
        let (Ok(top), Ok(left), Ok(bottom), Ok(right), Ok(more)) = (top, left, bottom, right, more)
        else {
            return Err("negative padding".into());
        };
        let [height, width] = self.plan.maps[input].size;
        let map = self.padded(
            node,
            input,
            [top, left],
            [height + top + bottom, width + left + right],
        );
        Ok(Value::Map {
            map,
            channels: channels + more,
        })
    }

    // Views

    fn flat(&self, node: &Node, index: usize) -> Lowered<(Vec<Export>, Vec<usize>)> {
        match self.value(node, index)? {
            Value::Map { map, channels } if self.plan.maps[map].channels == channels => {
                let [height, width] = self.plan.maps[map].size;
                Ok((vec![planes(map)], vec![1, channels, height, width]))
            }
            Value::Flat { parts, shape } => Ok((parts, shape)),
            _ => Err("the operand has no plain layout".into()),
        }
    }

    fn reshape(&mut self, node: &Node) -> Lowered<Value> {
        let (parts, from) = self.flat(node, 0)?;
        let total: usize = from.iter().product();
        let mut shape: Vec<usize> = if node.kind == "Flatten" {
            let axis = usize::try_from(node.int("axis", 1))
                .ok()
                .filter(|&axis| axis <= from.len())
                .ok_or("broken axis")?;
            let head: usize = from[..axis].iter().product();
            vec![head, total / head]
        } else {
            let dims = &self.constant(node, 1).ok_or("no constant shape")?.ints;
            dims.iter()
                .enumerate()
                .map(|(i, &dim)| {
                    if dim == 0 {
                        from.get(i).copied().unwrap_or(0)
                    } else {
                        usize::try_from(dim).unwrap_or(usize::MAX)
                    }
                })
                .collect()
        };
        let given: usize = shape.iter().filter(|&&dim| dim != usize::MAX).product();
        shape
            .iter_mut()
            .filter(|dim| **dim == usize::MAX)
            .for_each(|dim| *dim = total / given.max(1));
        known(
            shape.iter().product::<usize>() == total,
            "a reshape to another length",
        )?;
        Ok(Value::Flat { parts, shape })
    }

    fn transpose(&mut self, node: &Node) -> Lowered<Value> {
        known(
            node.ints("perm") == Some(&[0, 2, 3, 1]),
            "a transposition other than channels last",
        )?;
        let (map, channels) = self.map(node, 0)?;
        known(
            self.plan.maps[map].channels == channels,
            "a transposition of padded channels",
        )?;
        let [height, width] = self.plan.maps[map].size;
        let parts = vec![Export {
            channels_last: true,
            ..planes(map)
        }];
        Ok(Value::Flat {
            parts,
            shape: vec![1, height, width, channels],
        })
    }

    fn concat(&mut self, node: &Node) -> Lowered<Value> {
        let (mut parts, mut shape) = self.flat(node, 0)?;
        let axis = node.int("axis", 0);
        let axis = if axis < 0 {
            axis + shape.len() as i64
        } else {
            axis
        } as usize;
        known(
            shape.iter().take(axis).all(|&dim| dim == 1) && axis < shape.len(),
            "a concatenation inside a tensor",
        )?;
        for index in 1..node.inputs.len() {
            let (more, other) = self.flat(node, index)?;
            known(
                other.len() == shape.len() && other[axis + 1..] == shape[axis + 1..],
                "a concatenation of different shapes",
            )?;
            parts.extend(more);
            shape[axis] += other[axis];
        }
        Ok(Value::Flat { parts, shape })
    }
}
