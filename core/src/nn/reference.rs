//! tract: runs what the plan cannot, and is the oracle of the tests.

use std::sync::Arc;

use tract_onnx::pb;
use tract_onnx::prelude::*;

use super::{NetworkError, OutputInfo};

pub(super) struct Reference(Arc<TypedRunnableModel>);

fn failed(what: &str) -> impl FnOnce(TractError) -> NetworkError {
    move |error| NetworkError(format!("{what}: {error:#}"))
}

impl Reference {
    /// Returns the network and its outputs.
    pub(super) fn new(proto: &pb::ModelProto, shape: [usize; 4]) -> Result<(Reference, Vec<OutputInfo>), NetworkError> {
        let parser = tract_onnx::onnx().with_ignore_output_shapes(true).with_ignore_value_info(true);
        let names: Vec<String> = proto.graph.iter().flat_map(|graph| &graph.output).map(|output| output.name.clone()).collect();
        let mut model = parser.model_for_proto_model(proto).map_err(failed("not a usable ONNX graph"))?;
        model.set_input_fact(0, f32::fact(shape).into()).map_err(failed("the graph takes another input"))?;
        let model = model.into_optimized().map_err(failed("the graph does not fit its input"))?;
        let mut outputs = Vec::with_capacity(names.len());
        for (index, name) in names.into_iter().enumerate() {
            let fact = model.output_fact(index).map_err(failed("no such output"))?;
            let shape = fact.shape.as_concrete();
            let shape = shape.ok_or_else(|| NetworkError(format!("output {name} has a shape that depends on more than the input")))?;
            outputs.push(OutputInfo { name, shape: shape.to_vec() });
        }
        let model = model.into_runnable().map_err(failed("the graph cannot be scheduled"))?;
        Ok((Reference(model), outputs))
    }

    pub(super) fn run(&self, input: &[f32], shape: [usize; 4], outputs: &mut [Vec<f32>]) -> Result<(), NetworkError> {
        let tensor = Tensor::from_shape(&shape, input).map_err(failed("input"))?;
        let results = self.0.run(tvec!(tensor.into())).map_err(failed("inference"))?;
        for (result, output) in results.iter().zip(outputs) {
            let view = result.to_plain_array_view::<f32>().map_err(failed("an output is not f32"))?;
            output.iter_mut().zip(view.iter()).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }
}
