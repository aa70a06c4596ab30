//! tract: runs what the plan cannot, and is the oracle of the tests.

use std::sync::Arc;

use tract_onnx::pb;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::{infer::Factoid, internal::DimLike};

use crate::error::Error;

/// One output of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputInfo {
    /// The name in the ONNX graph.
    pub name: String,
    /// The row-major shape, batch included.
    pub shape: Vec<usize>,
}

pub(crate) struct Reference(Arc<TypedRunnableModel>);

fn failed(what: &str) -> impl FnOnce(TractError) -> Error {
    move |error| Error(format!("{what}: {error:#}"))
}

fn parse(proto: &pb::ModelProto, shape: [usize; 4]) -> Result<InferenceModel, Error> {
    let parser = tract_onnx::onnx()
        .with_ignore_output_shapes(true)
        .with_ignore_value_info(true);
    let mut model = parser
        .model_for_proto_model(proto)
        .map_err(failed("not a usable ONNX graph"))?;
    model
        .set_input_fact(0, f32::fact(shape).into())
        .map_err(failed("the graph takes another input"))?;
    Ok(model)
}

/// Returns the outputs of the network. An error when the graph contradicts itself.
pub(crate) fn outputs(proto: &pb::ModelProto, shape: [usize; 4]) -> Result<Vec<OutputInfo>, Error> {
    let mut model = parse(proto, shape)?;
    model
        .analyse(true)
        .map_err(failed("the graph does not fit its input"))?;
    let names = proto
        .graph
        .iter()
        .flat_map(|graph| &graph.output)
        .map(|output| output.name.clone());
    let info = |(index, name): (usize, String)| {
        let fact = model.output_fact(index).map_err(failed("no such output"))?;
        let sizes = fact
            .shape
            .concretize()
            .and_then(|shape| shape.iter().map(|size| size.to_usize().ok()).collect());
        let shape = sizes.ok_or_else(|| {
            Error(format!(
                "output {name} has a shape that depends on more than the input"
            ))
        })?;
        Ok(OutputInfo { name, shape })
    };
    names.enumerate().map(info).collect()
}

impl Reference {
    pub(crate) fn new(proto: &pb::ModelProto, shape: [usize; 4]) -> Result<Reference, Error> {
        let model = parse(proto, shape)?
            .into_optimized()
            .map_err(failed("the graph does not fit its input"))?;
        Ok(Reference(
            model
                .into_runnable()
                .map_err(failed("the graph cannot be scheduled"))?,
        ))
    }

    pub(crate) fn run(
        &self,
        input: &[f32],
        shape: [usize; 4],
        outputs: &mut [Vec<f32>],
    ) -> Result<(), Error> {
        let tensor = Tensor::from_shape(&shape, input).map_err(failed("input"))?;
        let results = self
            .0
            .run(tvec!(tensor.into()))
            .map_err(failed("inference"))?;
        for (result, output) in results.iter().zip(outputs) {
            let view = result
                .to_plain_array_view::<f32>()
                .map_err(failed("an output is not f32"))?;
            output
                .iter_mut()
                .zip(view.iter())
                .for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }
}
