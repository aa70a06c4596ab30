//! The ONNX graph as plain data: nodes in order, constants by name.

use std::collections::HashMap;

use tract_onnx::pb;
use tract_onnx::prelude::Framework;

use crate::error::Error;

/// A constant tensor.
#[derive(Clone, Debug)]
pub(crate) struct Constant {
    pub(crate) shape: Vec<usize>,
    pub(crate) floats: Vec<f32>,
    pub(crate) ints: Vec<i64>,
}

pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) constants: HashMap<String, Constant>,
    pub(crate) input: String,
    pub(crate) outputs: Vec<String>,
}

pub(crate) struct Node {
    pub(crate) kind: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    attributes: Vec<pb::AttributeProto>,
}

impl Node {
    /// Returns the name of the first output, which names the node too.
    pub(crate) fn name(&self) -> &str {
        self.outputs.first().map_or("", String::as_str)
    }

    fn attribute(&self, name: &str) -> Option<&pb::AttributeProto> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }

    pub(crate) fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name)
            .map_or(default, |attribute| attribute.f)
    }

    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name)
            .map_or(default, |attribute| attribute.i)
    }

    pub(crate) fn text(&self, name: &str, default: &str) -> String {
        self.attribute(name).map_or(default.into(), |attribute| {
            String::from_utf8_lossy(&attribute.s).into_owned()
        })
    }

    /// Returns a list of `N` whole numbers, or `default` if the node does not say.
    pub(crate) fn sizes<const N: usize>(
        &self,
        name: &str,
        default: [usize; N],
    ) -> Option<[usize; N]> {
        match self.attribute(name) {
            Some(attribute) if !attribute.ints.is_empty() => {
                let sizes: Option<Vec<usize>> = attribute
                    .ints
                    .iter()
                    .map(|&i| usize::try_from(i).ok())
                    .collect();
                sizes?.try_into().ok()
            }
            _ => Some(default),
        }
    }

    pub(crate) fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name)
            .map(|attribute| attribute.ints.as_slice())
    }
}

pub(crate) fn decode(onnx: &[u8]) -> Result<pb::ModelProto, Error> {
    tract_onnx::onnx()
        .proto_model_for_read(&mut &onnx[..])
        .map_err(|error| Error(format!("not an ONNX file: {error:#}")))
}

/// Returns the shape of the input that is no constant, as far as the graph states it.
pub(crate) fn input_shape(model: &pb::ModelProto) -> Option<[usize; 4]> {
    use pb::{tensor_shape_proto::dimension::Value, type_proto};
    let graph = model.graph.as_ref()?;
    let input = graph.input.iter().find(|input| {
        graph
            .initializer
            .iter()
            .all(|tensor| tensor.name != input.name)
    })?;
    let type_proto::Value::TensorType(tensor) = input.r#type.as_ref()?.value.as_ref()?;
    let dims = tensor
        .shape
        .as_ref()?
        .dim
        .iter()
        .enumerate()
        .map(|(axis, dim)| match dim.value {
            Some(Value::DimValue(size)) if size > 0 => usize::try_from(size).ok(),
            _ => (axis == 0).then_some(1),
        });
    dims.collect::<Option<Vec<usize>>>()?.try_into().ok()
}

impl Graph {
    pub(crate) fn new(model: &pb::ModelProto) -> Result<Graph, Error> {
        let graph = model
            .graph
            .as_ref()
            .ok_or_else(|| Error("the ONNX file holds no graph".into()))?;
        let mut constants = HashMap::new();
        for tensor in &graph.initializer {
            constants.insert(tensor.name.clone(), constant(tensor)?);
        }
        let mut nodes = Vec::new();
        for node in &graph.node {
            match (
                node.op_type.as_str(),
                node.attribute
                    .iter()
                    .find_map(|attribute| attribute.t.as_ref()),
            ) {
                ("Constant", Some(tensor)) if node.output.len() == 1 => {
                    constants.insert(node.output[0].clone(), constant(tensor)?);
                }
                _ => nodes.push(Node {
                    kind: node.op_type.clone(),
                    inputs: node.input.clone(),
                    outputs: node.output.clone(),
                    attributes: node.attribute.clone(),
                }),
            }
        }
        let mut inputs = graph
            .input
            .iter()
            .map(|input| input.name.clone())
            .filter(|name| !constants.contains_key(name));
        let (Some(input), None) = (inputs.next(), inputs.next()) else {
            return Err(Error("a network has exactly one input".into()));
        };
        let outputs = graph
            .output
            .iter()
            .map(|output| output.name.clone())
            .collect();
        Ok(Graph {
            nodes,
            constants,
            input,
            outputs,
        })
    }
}

fn constant(tensor: &pb::TensorProto) -> Result<Constant, Error> {
    let shape: Option<Vec<usize>> = tensor
        .dims
        .iter()
        .map(|&dim| usize::try_from(dim).ok())
        .collect();
    let broken = || Error(format!("constant {} is broken", tensor.name));
    let shape = shape.ok_or_else(broken)?;
    let length = shape
        .iter()
        .try_fold(1usize, |length, &dim| length.checked_mul(dim))
        .ok_or_else(broken)?;
    const FLOAT: i32 = 1;
    const INT64: i32 = 7;
    let (mut floats, mut ints) = (Vec::new(), Vec::new());
    match tensor.data_type {
        FLOAT if tensor.float_data.is_empty() => {
            floats = tensor
                .raw_data
                .as_chunks::<4>()
                .0
                .iter()
                .map(|&bytes| f32::from_le_bytes(bytes))
                .collect();
        }
        FLOAT => floats.clone_from(&tensor.float_data),
        INT64 if tensor.int64_data.is_empty() => {
            ints = tensor
                .raw_data
                .as_chunks::<8>()
                .0
                .iter()
                .map(|&bytes| i64::from_le_bytes(bytes))
                .collect();
        }
        INT64 => ints.clone_from(&tensor.int64_data),
        _ => {
            return Ok(Constant {
                shape,
                floats,
                ints,
            });
        }
    }
    if floats.len() + ints.len() != length {
        return Err(broken());
    }
    Ok(Constant {
        shape,
        floats,
        ints,
    })
}
