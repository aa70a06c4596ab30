"""TensorFlow Lite (NHWC) to ONNX (NCHW), for the convolutional networks of the manifests.

Values are emitted on demand from the outputs backwards, so what nothing reads never reaches the
file. A tensor of four dimensions is NCHW in ONNX; any other keeps its order.
"""

from collections.abc import Callable

import numpy as np
import tflite

from vultus_models.convert.graph import Graph
from vultus_models.fault import Fault
from vultus_models.manifest import Manifest

_OP_NAMES = {
    value: name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int)
}
_DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}
_SAME = 0
_NO_ACTIVATION, _RELU = 0, 1


def convert(data: bytes, manifest: Manifest) -> bytes:
    """Returns the ONNX file; the outputs are those of the manifest, in its order."""
    return _Converter(data, manifest).run()


class _Converter:
    def __init__(self, data: bytes, manifest: Manifest) -> None:
        if not tflite.Model.ModelBufferHasIdentifier(data, 0):
            raise Fault(f"{manifest.source.file} is no TensorFlow Lite model")
        model = tflite.Model.GetRootAsModel(data, 0)
        self.manifest = manifest
        self.model = model
        self.net = model.Subgraphs(0)
        self.graph = Graph()
        self.emitted: dict[int, str] = {}
        self.producer = {}
        for i in range(self.net.OperatorsLength()):
            for output in self.net.Operators(i).OutputsAsNumpy():
                self.producer[int(output)] = self.net.Operators(i)

    def run(self) -> bytes:
        (source,) = self.net.InputsAsNumpy()
        self.emitted[int(source)] = self.graph.input(
            self.manifest.input.name, _nchw(self.shape(source))
        )
        named = {
            self.net.Tensors(int(t)).Name().decode(): int(t) for t in self.net.OutputsAsNumpy()
        }
        for output in self.manifest.outputs:
            tensor = named[output.source_name]
            value, shape = self.value(tensor), self.shape(tensor)
            if len(shape) == 4 and shape[1:3] == [1, 1]:
                value, shape = self.graph.node("Flatten", [value], axis=1), [1, shape[3]]
            self.graph.output(value, output.name, shape)
        return self.graph.finish(self.manifest.id)

    def shape(self, tensor: int) -> list[int]:
        """The shape in the file, as a batch of one."""
        return [1, *self.net.Tensors(int(tensor)).ShapeAsNumpy().tolist()[1:]]

    def constant(self, tensor: int) -> np.ndarray | None:
        """The constant's value as float32 or int32, or None when the tensor is computed from the
        input.
        """
        tensor = int(tensor)
        if (op := self.producer.get(tensor)) is not None:
            stored = self.constant(op.Inputs(0)) if self.kind(op) == "DEQUANTIZE" else None
            return None if stored is None else stored.astype(np.float32)
        info = self.net.Tensors(tensor)
        stored = self.model.Buffers(info.Buffer())
        if stored.DataLength() == 0:
            return None
        if info.Type() not in _DTYPES:
            raise Fault(
                f"{self.manifest.source.file}: constant {info.Name().decode()} has the unsupported"
                f" type {info.Type()}"
            )
        shape = info.ShapeAsNumpy() if info.ShapeLength() else ()
        return stored.DataAsNumpy().view(_DTYPES[info.Type()]).reshape(shape)

    def kind(self, op: tflite.Operator) -> str:
        code = self.model.OperatorCodes(op.OpcodeIndex())
        return _OP_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]

    def value(self, tensor: int) -> str:
        """The ONNX name of the tensor, emitted with all that it needs when first asked for."""
        tensor = int(tensor)
        if tensor not in self.emitted:
            op = self.producer[tensor]
            emit: Callable | None = getattr(self, f"emit_{self.kind(op).lower()}", None)
            if emit is None:
                raise Fault(
                    f"{self.manifest.source.file}: operator {self.kind(op)} is not supported by the"
                    " converter"
                )
            self.emitted[tensor] = emit(op)
        return self.emitted[tensor]

    def options(self, op: tflite.Operator, kind: type) -> object:
        options = kind()
        table = op.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        return options

    def activate(self, value: str, activation: int) -> str:
        if activation == _NO_ACTIVATION:
            return value
        if activation == _RELU:
            return self.graph.node("Relu", [value])
        raise Fault(
            f"{self.manifest.source.file}: fused activation {activation} is not supported by the"
            " converter"
        )

    def window(
        self, op: tflite.Operator, options: object, kernel: list[int]
    ) -> dict[str, list[int]]:
        """Kernel, strides and explicit padding of a convolution or pooling."""
        strides = [options.StrideH(), options.StrideW()]
        pads = [0, 0, 0, 0]
        if options.Padding() == _SAME:
            size, out = self.shape(op.Inputs(0))[1:3], self.shape(op.Outputs(0))[1:3]
            total = [max((out[i] - 1) * strides[i] + kernel[i] - size[i], 0) for i in (0, 1)]
            pads = [t // 2 for t in total] + [t - t // 2 for t in total]
        return {"kernel_shape": kernel, "strides": strides, "pads": pads}

    def convolve(self, op: tflite.Operator, kind: type, order: tuple[int, ...], group: int) -> str:
        options = self.options(op, kind)
        if (options.DilationHFactor(), options.DilationWFactor()) != (1, 1):
            raise Fault(
                f"{self.manifest.source.file}: dilated convolutions are not supported by the"
                " converter"
            )
        weight = self.constant(op.Inputs(1)).transpose(order)
        window = self.window(op, options, list(weight.shape[2:]))
        weights = {
            "weight": weight.astype(np.float32),
            "bias": self.constant(op.Inputs(2)).astype(np.float32),
        }
        value = self.graph.node("Conv", [self.value(op.Inputs(0))], weights, group=group, **window)
        return self.activate(value, options.FusedActivationFunction())

    def emit_conv_2d(self, op: tflite.Operator) -> str:
        return self.convolve(op, tflite.Conv2DOptions, (0, 3, 1, 2), 1)

    def emit_depthwise_conv_2d(self, op: tflite.Operator) -> str:
        return self.convolve(
            op, tflite.DepthwiseConv2DOptions, (3, 0, 1, 2), self.shape(op.Inputs(0))[3]
        )

    def emit_max_pool_2d(self, op: tflite.Operator) -> str:
        options = self.options(op, tflite.Pool2DOptions)
        window = self.window(op, options, [options.FilterHeight(), options.FilterWidth()])
        return self.activate(
            self.graph.node("MaxPool", [self.value(op.Inputs(0))], **window),
            options.FusedActivationFunction(),
        )

    def emit_relu(self, op: tflite.Operator) -> str:
        return self.graph.node("Relu", [self.value(op.Inputs(0))])

    def emit_prelu(self, op: tflite.Operator) -> str:
        return self.prelu(op.Inputs(0), self.constant(op.Inputs(1)))

    def prelu(self, tensor: int, slope: np.ndarray) -> str:
        return self.graph.node(
            "PRelu", [self.value(tensor)], {"slope": slope.reshape(-1, 1, 1).astype(np.float32)}
        )

    def emit_add(self, op: tflite.Operator) -> str:
        if (parts := self.as_prelu(op)) is not None:
            return self.prelu(*parts)
        options = self.options(op, tflite.AddOptions)
        value = self.graph.node("Add", [self.value(op.Inputs(0)), self.value(op.Inputs(1))])
        return self.activate(value, options.FusedActivationFunction())

    def as_prelu(self, op: tflite.Operator) -> tuple[int, np.ndarray] | None:
        """The tensor and slopes when `op` is relu(x) + c * (x - |x|), which is PReLU with the slope
        2c.
        """

        def inputs(tensor: int, kind: str) -> list[int] | None:
            made_by = self.producer.get(int(tensor))
            if made_by is None or self.kind(made_by) != kind:
                return None
            return made_by.InputsAsNumpy().tolist()

        relu, product = inputs(op.Inputs(0), "RELU"), inputs(op.Inputs(1), "MUL")
        if relu is None or product is None:
            return None
        scale, difference = self.constant(product[0]), inputs(product[1], "SUB")
        if scale is None or difference is None:
            return None
        x, magnitude = difference
        if inputs(magnitude, "ABS") != [x] or relu != [x]:
            return None
        return x, 2 * scale

    def emit_pad(self, op: tflite.Operator) -> str:
        before, after = self.constant(op.Inputs(1))[[0, 3, 1, 2]].T
        pads = np.concatenate([before, after]).astype(np.int64)
        return self.graph.node("Pad", [self.value(op.Inputs(0))], {"pads": pads}, mode="constant")

    def emit_resize_bilinear(self, op: tflite.Operator) -> str:
        options = self.options(op, tflite.ResizeBilinearOptions)
        if options.AlignCorners():
            raise Fault(
                f"{self.manifest.source.file}: resizing with aligned corners is not supported by"
                " the converter"
            )
        mode = "half_pixel" if options.HalfPixelCenters() else "asymmetric"
        sizes = np.array(_nchw(self.shape(op.Outputs(0))), np.int64)
        return self.graph.node(
            "Resize",
            [self.value(op.Inputs(0)), "", ""],
            {"sizes": sizes},
            mode="linear",
            coordinate_transformation_mode=mode,
        )

    def emit_reshape(self, op: tflite.Operator) -> str:
        source, target = self.shape(op.Inputs(0)), self.shape(op.Outputs(0))
        value = self.value(op.Inputs(0))
        if len(source) == 4 and source[1:3] == [1, 1] and target == [1, source[3]]:
            return self.graph.node("Flatten", [value], axis=1)
        if len(source) != 4 or len(target) != 3:
            raise Fault(
                f"{self.manifest.source.file}: reshape from {source} to {target} is not supported"
                " by the converter"
            )
        value = self.graph.node("Transpose", [value], perm=[0, 2, 3, 1])
        return self.graph.node("Reshape", [value], {"shape": np.array(target, np.int64)})

    def emit_concatenation(self, op: tflite.Operator) -> str:
        options = self.options(op, tflite.ConcatenationOptions)
        if len(self.shape(op.Outputs(0))) == 4:
            raise Fault(
                f"{self.manifest.source.file}: concatenation of pictures is not supported by the"
                " converter"
            )
        value = self.graph.node(
            "Concat", [self.value(t) for t in op.InputsAsNumpy()], axis=options.Axis()
        )
        return self.activate(value, options.FusedActivationFunction())


def _nchw(shape: list[int]) -> list[int]:
    n, h, w, c = shape
    return [n, c, h, w]
