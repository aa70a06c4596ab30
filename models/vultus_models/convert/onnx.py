"""ONNX as others exported it, tidied: contract names and shapes, batch normalisation folded, no
leftovers of the exporter.
"""

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from vultus_models.convert.graph import serialise
from vultus_models.fault import Fault
from vultus_models.manifest import Manifest


def convert(data: bytes, manifest: Manifest) -> bytes:
    """Returns the ONNX file with the inputs, outputs and shapes of the manifest."""
    try:
        model = onnx.load_from_string(data)
    except DecodeError as error:
        raise Fault(f"{manifest.source.file} is no ONNX model: {error}") from error
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1:
        raise Fault(f"{manifest.source.file}: {len(inputs)} inputs, the contract has one")
    del graph.input[:], graph.value_info[:], model.metadata_props[:]
    graph.input.extend(inputs)
    _fold_batch_norm(graph, constants)

    names = {inputs[0].name: manifest.input.name}
    _pin(graph.input[0], manifest.input.shape)
    outputs = {value.name: value for value in graph.output}
    del graph.output[:]
    for wanted in manifest.outputs:
        value = outputs[wanted.source_name or wanted.name]
        names[value.name] = wanted.name
        _pin(value, wanted.shape)
        graph.output.append(value)
    for node in graph.node:
        node.input[:] = [names.get(x, x) for x in node.input]
        node.output[:] = [names.get(x, x) for x in node.output]
        node.ClearField("doc_string")
    for value in [*graph.input, *graph.output]:
        value.name = names[value.name]
    if manifest.centre:
        _centre(graph, np.array(manifest.centre))
    graph.name = manifest.id
    return serialise(model)


def _centre(graph: onnx.GraphProto, mean: np.ndarray) -> None:
    """Takes `mean` off the only output: off the bias of the step that makes it, the third input of
    a convolution and a normalisation alike.
    """
    (output,) = graph.output
    (maker,) = (node for node in graph.node if output.name in node.output)
    (bias,) = (tensor for tensor in graph.initializer if tensor.name == maker.input[2])
    centred = numpy_helper.to_array(bias) - mean
    bias.CopyFrom(numpy_helper.from_array(centred.astype(np.float32), bias.name))


def _pin(value: onnx.ValueInfoProto, shape: list[int | str]) -> None:
    dims = value.type.tensor_type.shape
    del dims.dim[:]
    for size in shape:
        if isinstance(size, int):
            dims.dim.add().dim_value = size
        else:
            dims.dim.add().dim_param = size


def _fold_batch_norm(graph: onnx.GraphProto, constants: dict[str, onnx.TensorProto]) -> None:
    """Folds a normalisation that is the only reader of a bias-free convolution into that
    convolution.
    """
    makers = {node.output[0]: node for node in graph.node}
    readers = [name for node in graph.node for name in node.input]
    for norm in [node for node in graph.node if node.op_type == "BatchNormalization"]:
        maker = makers.get(norm.input[0])
        foldable = (
            maker is not None
            and maker.op_type in ("Conv", "ConvTranspose")
            and len(maker.input) == 2
        )
        if not foldable or readers.count(norm.input[0]) != 1 or _attribute(maker, "group", 1) != 1:
            continue
        gamma, beta, mean, variance = (
            numpy_helper.to_array(constants[name]).astype(np.float64) for name in norm.input[1:]
        )
        gain = gamma / np.sqrt(variance + _attribute(norm, "epsilon", 1e-5))
        stored = constants[maker.input[1]]
        channel_axis = 0 if maker.op_type == "Conv" else 1
        weight = numpy_helper.to_array(stored) * np.expand_dims(
            gain, [axis for axis in range(4) if axis != channel_axis]
        )
        bias = numpy_helper.from_array((beta - mean * gain).astype(np.float32), norm.input[2])
        stored.CopyFrom(numpy_helper.from_array(weight.astype(np.float32), stored.name))
        constants[norm.input[2]].CopyFrom(bias)
        maker.input.append(norm.input[2])
        maker.output[0] = norm.output[0]
        graph.node.remove(norm)
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _attribute(node: onnx.NodeProto, name: str, default: float) -> float:
    return next(
        (onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == name), default
    )
