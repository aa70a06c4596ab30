"""Writes an ONNX graph node by node, in an order and with names that depend on nothing but the
calls.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8


class Graph:
    """A float32 NCHW network under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.names: Counter[str] = Counter()

    def input(self, name: str, shape: Iterable[int]) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))
        return name

    def node(
        self,
        op: str,
        inputs: list[str],
        weights: dict[str, np.ndarray] | None = None,
        **attributes: object,
    ) -> str:
        """Adds a node that reads `inputs`, then the named constants, and returns the name of its
        output.
        """
        kind = op.lower()
        name = f"{kind}_{self.names[kind]}"
        self.names[kind] += 1
        operands = list(inputs)
        for role, array in (weights or {}).items():
            operands.append(f"{name}.{role}")
            self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), operands[-1]))
        self.nodes.append(helper.make_node(op, operands, [name], name=name, **attributes))
        return name

    def output(self, value: str, name: str, shape: Iterable[int]) -> None:
        """Makes `value` the network's output `name`."""
        for node in self.nodes:
            node.input[:] = [name if x == value else x for x in node.input]
            node.output[:] = [name if x == value else x for x in node.output]
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))

    def finish(self, name: str) -> bytes:
        """Returns the checked model, serialised; `name` is the graph's name."""
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, self.weights)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="vultus_models"
        )
        model.ir_version = IR_VERSION
        return serialise(model)


def serialise(model: onnx.ModelProto) -> bytes:
    """Checks that `model` is valid and that its shapes agree, and returns its bytes, always the
    same for the same model.
    """
    onnx.checker.check_model(model)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    return model.SerializeToString(deterministic=True)
