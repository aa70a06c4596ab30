//! Inference: an ONNX graph in, numbers out.

mod viewer;

pub(crate) use viewer::Viewer;

use std::io::Cursor;
use std::sync::Arc;
use tract_onnx::prelude::*;

/// Arithmetic of the networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point.
    #[default]
    Exact,
    /// 16-bit integers where they do not change the answer.
    Fast,
}

/// A loaded network with one input of fixed shape.
pub(crate) struct Network {
    plan: Arc<TypedRunnableModel>,
    input_shape: [usize; 4],
    outputs: Vec<OutputInfo>,
}

/// One output of a network.
pub(crate) struct OutputInfo {
    /// Row-major, batch included.
    pub(crate) shape: Vec<usize>,
}

/// The outputs of a run.
#[derive(Default)]
pub(crate) struct Scratch {
    outputs: Vec<Vec<f32>>,
}

impl Scratch {
    /// Returns output `i`, row-major.
    pub(crate) fn output(&self, i: usize) -> &[f32] {
        &self.outputs[i]
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Network {
    /// Loads an ONNX graph and pins its input to `input_shape` (batch, channels, height, width).
    pub(crate) fn load(onnx: &[u8], input_shape: [usize; 4], _precision: Precision) -> Result<Network, Cause> {
        let model = tract_onnx::onnx()
            .with_ignore_output_shapes(true)
            .model_for_read(&mut Cursor::new(onnx))?
            .with_input_fact(0, f32::fact(input_shape).into())?
            .into_optimized()?;
        let mut outputs = Vec::new();
        for outlet in model.output_outlets()? {
            let shape = &model.outlet_fact(*outlet)?.shape;
            outputs.push(OutputInfo { shape: shape.as_concrete().ok_or("an output has no fixed shape")?.to_vec() });
        }
        Ok(Network { plan: model.into_runnable()?, input_shape, outputs })
    }

    /// Returns the buffers of a run.
    pub(crate) fn scratch(&self) -> Scratch {
        Scratch { outputs: self.outputs.iter().map(|o| vec![0.0; o.shape.iter().product()]).collect() }
    }

    /// Returns the outputs in the order of the graph.
    pub(crate) fn outputs(&self) -> &[OutputInfo] {
        &self.outputs
    }

    /// Runs the network on planar, normalised values.
    pub(crate) fn run(&self, input: &[f32], scratch: &mut Scratch) -> Result<(), Cause> {
        let input = Tensor::from_shape(&self.input_shape, input)?;
        for (to, from) in scratch.outputs.iter_mut().zip(self.plan.run(tvec!(input.into()))?) {
            to.iter_mut().zip(from.to_plain_array_view::<f32>()?).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }
}
