//! The plan as a table.

use std::fmt;

use crate::network::{Body, Network};
use crate::plan::{Activation, Op, Plan, Step};

/// How a network runs, step by step; `Display` writes a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The instruction set of the kernels.
    pub instructions: String,
    /// The steps in the order of the run; empty when the network runs through tract.
    pub layers: Vec<Layer>,
    /// Why the network runs through tract whole, if it does.
    pub refused: Option<String>,
    /// Bytes of the buffers of a run.
    pub buffer_bytes: usize,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The ONNX name of the value that the step makes.
    pub name: String,
    /// Which kernel runs, and what is fused into it.
    pub kernel: String,
    /// Channels, height and width of what it reads.
    pub input: [usize; 3],
    /// Channels, height and width of what it makes.
    pub output: [usize; 3],
    /// Multiply-adds.
    pub macs: u64,
    /// Bytes of weights.
    pub weight_bytes: usize,
}

impl Network {
    /// Returns how the network runs: layers, shapes, multiply-adds, kernels, bytes.
    pub fn explain(&self) -> Explanation {
        let instructions = self.kernels.isa().name().to_owned();
        match &self.body {
            Body::Plan { plan, memory } => Explanation {
                instructions,
                layers: plan
                    .steps
                    .iter()
                    .enumerate()
                    .map(|(at, step)| layer(plan, at, step))
                    .collect(),
                refused: None,
                buffer_bytes: crate::execute::Buffers::new(memory).bytes(),
            },
            Body::Reference { why, .. } => Explanation {
                instructions,
                layers: vec![],
                refused: Some(why.clone()),
                buffer_bytes: 0,
            },
        }
    }
}

fn layer(plan: &Plan, at: usize, step: &Step) -> Layer {
    let shape = |map: usize| {
        let map = &plan.maps[map];
        [map.channels, map.size[0], map.size[1]]
    };
    let output = shape(step.output);
    let (mut kernel, macs) = match &step.op {
        Op::Picture { .. } => ("picture".into(), 0),
        Op::Conv(conv) => {
            let arithmetic = if conv.integer { "i16" } else { "f32" };
            let taps = conv.reads.places.len() / plan.maps[step.input].blocks().max(1);
            (format!("conv {arithmetic}, {taps} taps"), conv.macs)
        }
        Op::Depthwise { kernel: [h, w], .. } => {
            let macs = output.iter().product::<usize>() * h * w;
            (format!("depthwise {h}x{w}"), macs as u64)
        }
        Op::Pool {
            kind,
            window: [h, w],
            ..
        } => (format!("{kind:?} pool {h}x{w}").to_lowercase(), 0),
        Op::Resize { .. } => ("resize".into(), 0),
        Op::Pad(_) => ("pad".into(), 0),
        Op::Combine { factors: Some(_) } => ("scale".into(), 0),
        Op::Combine { factors: None } => ("combine".into(), 0),
        Op::Sigmoid => ("sigmoid".into(), 0),
    };
    let activation = match step.activation {
        Activation::None => "",
        Activation::Clip {
            low: 0.0,
            high: f32::INFINITY,
        } => " + relu",
        Activation::Clip { .. } => " + clip",
        Activation::Slope(_) => " + prelu",
    };
    let residual = |map: Option<usize>| if map.is_some() { " + add" } else { "" };
    kernel += &[residual(step.before), activation, residual(step.after)].concat();
    let band = plan
        .pieces
        .iter()
        .find(|piece| piece.step == at)
        .map_or(0, |piece| piece.rows.len());
    if band < output[1] {
        kernel += &format!(", {band} rows");
    }
    Layer {
        name: plan.maps[step.output].name.clone(),
        kernel,
        input: shape(step.input),
        output,
        macs,
        weight_bytes: step.op.weight_bytes(),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.refused {
            return writeln!(f, "runs through tract whole: {why}");
        }
        let shape = |[c, h, w]: [usize; 3]| format!("{c}x{h}x{w}");
        writeln!(
            f,
            "{:32} {:>14} {:>14} {:36} {:>9} {:>9}",
            "value", "from", "to", "kernel", "kMAC", "KiB"
        )?;
        for layer in &self.layers {
            let (from, to) = (shape(layer.input), shape(layer.output));
            let (kmacs, kib) = (layer.macs / 1000, layer.weight_bytes / 1024);
            writeln!(
                f,
                "{:32} {from:>14} {to:>14} {:36} {kmacs:>9} {kib:>9}",
                layer.name, layer.kernel
            )?;
        }
        let macs: u64 = self.layers.iter().map(|layer| layer.macs).sum();
        let weights: usize = self.layers.iter().map(|layer| layer.weight_bytes).sum();
        let (steps, macs) = (self.layers.len(), macs as f64 / 1e6);
        let (weights, buffers) = (weights >> 10, self.buffer_bytes >> 10);
        writeln!(
            f,
            "{steps} steps on {}, {macs:.1} MMAC, weights {weights} KiB, buffers {buffers} KiB",
            self.instructions
        )
    }
}
