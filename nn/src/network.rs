//! A network: loaded once, run as often as needed.

use crate::bands;
use crate::error::Error;
use crate::execute::{Buffers, Run};
use crate::kernel::{F32s, Kernels, LANES};
use crate::lower;
use crate::memory::Memory;
use crate::onnx;
use crate::pack;
use crate::plan::{self, Op, Plan};
use crate::ranges::Ranges;
use crate::reference::{self, OutputInfo, Reference};

/// A network ready to run. Immutable: share it between threads, one [`Scratch`] each.
pub struct Network {
    input_shape: [usize; 4],
    outputs: Vec<OutputInfo>,
    pub(crate) kernels: Kernels,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    Plan { plan: Plan, memory: Memory },
    Reference { reference: Reference, why: String },
}

/// Every buffer that a run needs, so that a run allocates nothing.
pub struct Scratch {
    buffers: Option<Buffers>,
    outputs: Vec<Vec<f32>>,
}

impl Scratch {
    /// Returns output `index`, in the order of the ONNX graph, row-major, as the last run left it.
    pub fn output(&self, index: usize) -> &[f32] {
        &self.outputs[index]
    }
}

impl Network {
    /// Loads an ONNX graph, to be run by `kernels`, with one input of `input_shape`
    /// (batch, channels, height, width; the batch is 1).
    ///
    /// With `ranges`, from [`Network::calibrate`], convolutions run in 16-bit integers.
    pub fn load(
        kernels: Kernels,
        onnx: &[u8],
        input_shape: [usize; 4],
        ranges: Option<&Ranges>,
    ) -> Result<Network, Error> {
        Network::lower(
            kernels,
            onnx::decode(onnx)?,
            input_shape,
            ranges,
            bands::fitting,
        )
    }

    /// As [`Network::load`], of bytes that are let go before the network is built.
    pub fn load_owned(
        kernels: Kernels,
        onnx: Vec<u8>,
        input_shape: [usize; 4],
        ranges: Option<&Ranges>,
    ) -> Result<Network, Error> {
        let model = onnx::decode(&onnx)?;
        drop(onnx);
        Network::lower(kernels, model, input_shape, ranges, bands::fitting)
    }

    /// Returns the input shape that an ONNX graph states, if it states every side; an open batch is
    /// 1.
    pub fn input_shape(onnx: &[u8]) -> Result<Option<[usize; 4]>, Error> {
        Ok(onnx::input_shape(&onnx::decode(onnx)?))
    }

    pub(crate) fn lower(
        kernels: Kernels,
        model: tract_onnx::pb::ModelProto,
        input_shape: [usize; 4],
        ranges: Option<&Ranges>,
        choose: bands::Chooser,
    ) -> Result<Network, Error> {
        if input_shape[0] != 1 || input_shape.contains(&0) {
            return Err(Error(format!(
                "an input is 1 x channels x height x width, not {input_shape:?}"
            )));
        }
        // tract infers the shapes of the outputs, and refuses a graph that contradicts itself. What
        // it built is let go before the plan is built, because both hold the weights.
        let outputs = reference::outputs(&model, input_shape)?;
        let body = match lower::lower(&onnx::Graph::new(&model)?, input_shape) {
            Ok(mut plan) => {
                drop(model);
                if let Some(ranges) = ranges {
                    quantise(&mut plan, ranges)?;
                }
                bands::schedule(&mut plan, choose);
                let memory = Memory::plan(&plan, ranges.unwrap_or(&Ranges::new()));
                Body::Plan { plan, memory }
            }
            Err(lower::Refusal(why)) => Body::Reference {
                reference: Reference::new(&model, input_shape)?,
                why,
            },
        };
        Ok(Network {
            input_shape,
            outputs,
            kernels,
            body,
        })
    }

    /// Returns what runs it.
    pub fn kernels(&self) -> Kernels {
        self.kernels
    }

    /// Allocates what a run needs.
    pub fn scratch(&self) -> Scratch {
        let buffers = match &self.body {
            Body::Plan { memory, .. } => Some(Buffers::new(memory)),
            Body::Reference { .. } => None,
        };
        Scratch {
            buffers,
            outputs: self
                .outputs
                .iter()
                .map(|o| vec![0.0; o.shape.iter().product()])
                .collect(),
        }
    }

    /// Runs the network on `input`, planar (channels, height, width) and already normalised; the
    /// results are in `scratch`, which [`Network::scratch`] of this network made.
    pub fn run(&self, input: &[f32], scratch: &mut Scratch) -> Result<(), Error> {
        self.watch(input, scratch, |_, _| {})
    }

    /// Runs the network on two inputs side by side, step by step, so that weights are read while
    /// the cache holds them. Each result is that of [`Network::run`], to the bit.
    pub fn run_pair(&self, inputs: [&[f32]; 2], scratches: [&mut Scratch; 2]) -> Result<(), Error> {
        let [first, second] = scratches;
        let Body::Plan { plan, memory } = &self.body else {
            self.run(inputs[0], first)?;
            return self.run(inputs[1], second);
        };
        inputs.iter().try_for_each(|input| self.check(input))?;
        let (Some(one), Some(other)) = (&mut first.buffers, &mut second.buffers) else {
            return Err(foreign_scratch());
        };
        let mut runs = [one, other].map(|buffers| Run {
            plan,
            memory,
            kernels: self.kernels,
            buffers,
        });
        for piece in &plan.pieces {
            for (run, input) in runs.iter_mut().zip(inputs) {
                run.advance(piece, input, &mut |_, _| {});
            }
        }
        let [one, other] = runs;
        one.finish(&mut first.outputs);
        other.finish(&mut second.outputs);
        Ok(())
    }

    fn check(&self, input: &[f32]) -> Result<(), Error> {
        let expected: usize = self.input_shape.iter().product();
        match input.len() {
            length if length == expected => Ok(()),
            length => Err(Error(format!(
                "the network takes {expected} input values, got {length}"
            ))),
        }
    }

    fn watch(
        &self,
        input: &[f32],
        scratch: &mut Scratch,
        mut seen: impl FnMut(plan::MapId, &[F32s]),
    ) -> Result<(), Error> {
        self.check(input)?;
        match (&self.body, &mut scratch.buffers) {
            (Body::Plan { plan, memory }, Some(buffers)) => {
                let mut run = Run {
                    plan,
                    memory,
                    kernels: self.kernels,
                    buffers,
                };
                plan.pieces
                    .iter()
                    .for_each(|piece| run.advance(piece, input, &mut seen));
                run.finish(&mut scratch.outputs);
                Ok(())
            }
            (Body::Reference { reference, .. }, _) => {
                reference.run(input, self.input_shape, &mut scratch.outputs)
            }
            _ => Err(foreign_scratch()),
        }
    }

    /// Runs the network on `input` and widens `ranges` to what its convolutions read; for a network
    /// loaded without ranges.
    pub fn calibrate(
        &self,
        input: &[f32],
        scratch: &mut Scratch,
        ranges: &mut Ranges,
    ) -> Result<(), Error> {
        let Body::Plan { plan, .. } = &self.body else {
            return self.run(input, scratch);
        };
        let read = readers_of_integers(plan);
        self.watch(input, scratch, |map, values| {
            if read.contains(&map) {
                let largest = values
                    .iter()
                    .flat_map(|block| block.0)
                    .fold(0.0f32, |largest, value| largest.max(value.abs()));
                let range = ranges.entry(plan.range_name(map).into()).or_insert(0.0);
                *range = range.max(largest);
            }
        })
    }

    /// Runs the network on `input` and returns the seconds that each layer of [`Network::explain`]
    /// took; none when it runs through tract.
    pub fn time(&self, input: &[f32], scratch: &mut Scratch) -> Result<Vec<f64>, Error> {
        let Body::Plan { plan, .. } = &self.body else {
            return self.run(input, scratch).map(|()| Vec::new());
        };
        let (mut seconds, mut last) = (vec![0.0; plan.steps.len()], std::time::Instant::now());
        self.watch(input, scratch, |map, _| {
            let now = std::time::Instant::now();
            // Every step makes a map of its own, in the order of the steps.
            seconds[map] += (now - last).as_secs_f64();
            last = now;
        })?;
        Ok(seconds)
    }

    /// Returns the outputs in the order of the ONNX graph.
    pub fn outputs(&self) -> &[OutputInfo] {
        &self.outputs
    }
}

fn foreign_scratch() -> Error {
    Error("the scratch is that of another network".into())
}

/// Below this many inputs to a sum, integers are no faster than floats.
const FEWEST_INTEGER_INPUTS: usize = LANES;

/// Returns the maps, padding aside, that convolutions read which may run in integers.
fn readers_of_integers(plan: &Plan) -> std::collections::BTreeSet<plan::MapId> {
    let convolutions = plan.steps.iter().filter_map(|step| match &step.op {
        Op::Conv(conv)
            if !plan.maps[step.input].planar && conv.reads.length() >= FEWEST_INTEGER_INPUTS =>
        {
            Some(step.input)
        }
        _ => None,
    });
    let made_in_floats = |map: &plan::MapId| {
        plan.steps
            .iter()
            .any(|step| step.output == *map && matches!(step.op, Op::Sigmoid))
    };
    convolutions
        .map(|map| plan.unpadded(map))
        .filter(|map| !made_in_floats(map))
        .collect()
}

fn quantise(plan: &mut Plan, ranges: &Ranges) -> Result<(), Error> {
    let eligible = readers_of_integers(plan);
    for index in 0..plan.steps.len() {
        let map = plan.steps[index].input;
        if !eligible.contains(&plan.unpadded(map)) {
            continue;
        }
        let name = plan.range_name(map);
        let range = ranges
            .get(name)
            .copied()
            .filter(|range| range.is_finite() && *range > 0.0);
        let range = range
            .ok_or_else(|| Error(format!("no range for {name}: calibrate the network again")))?;
        if let Op::Conv(conv) = &mut plan.steps[index].op
            && conv.reads.length() >= FEWEST_INTEGER_INPUTS
        {
            pack::to_integers(conv, range);
        }
    }
    Ok(())
}
