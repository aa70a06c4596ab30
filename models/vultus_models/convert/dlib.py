"""dlib's face recognition ResNet (`dlib_face_recognition_resnet_model_v1.dat`) to ONNX.

The file holds dlib's nested C++ template, layer by layer from the input on; each layer that has parameters begins with its name.
The architecture is the one of dlib's `examples/dnn_face_recognition_ex.cpp`. The means of the input and the affine layers
(frozen batch normalisation) are folded into the convolutions.
"""

import math
import re
from collections.abc import Iterator

import numpy as np

from vultus_models.convert.graph import Graph
from vultus_models.fault import Fault
from vultus_models.manifest import Manifest

_RGB_MEAN = (122.782, 117.001, 104.298)
_RGB_SCALE = 1 / 256
_SIDE = 150
_LEVELS = ((32, 3, False), (64, 3, True), (128, 2, True), (256, 2, True), (256, 0, True))
"""(channels, residual blocks, whether a halving block comes first), from the input on."""


def convert(data: bytes, manifest: Manifest) -> bytes:
    """Returns the ONNX file."""
    return _Converter(data, manifest).run()


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """Reads dlib's packed integer: sign and length in one byte, then the magnitude, little endian."""
    length = data[at] & 0x0F
    magnitude = int.from_bytes(data[at + 1 : at + 1 + length], "little")
    return -magnitude if data[at] & 0x80 else magnitude, at + 1 + length


def _tensor(data: bytes, at: int) -> np.ndarray:
    """Reads a tensor: version 2, four sizes, float32 values."""
    version, at = _integer(data, at)
    if version != 2:
        raise Fault(f"dlib tensor of version {version}, the converter reads version 2")
    count = 1
    for _ in range(4):
        size, at = _integer(data, at)
        count *= size
    return np.frombuffer(data, "<f4", count, at)


def _parameters(data: bytes, tag: bytes) -> Iterator[np.ndarray]:
    """Yields the parameters of the layers named `tag`, from the input on."""
    for found in re.finditer(re.escape(bytes([1, len(tag)]) + tag), data):
        at = found.end()
        if tag == b"fc_2":
            for _ in ("outputs", "inputs"):
                _, at = _integer(data, at)
        yield _tensor(data, at)


class _Converter:
    def __init__(self, data: bytes, manifest: Manifest) -> None:
        self.manifest = manifest
        self.graph = Graph()
        self.convolutions = _parameters(data, b"con_4")
        self.affines = _parameters(data, b"affine_")
        (self.embedding,) = _parameters(data, b"fc_2")

    def run(self) -> bytes:
        graph, (output,) = self.graph, self.manifest.outputs
        x = graph.input(self.manifest.input.name, [1, 3, _SIDE, _SIDE])
        x = graph.node("Relu", [self.convolve(x, 3, 32, kernel=7, stride=2, pad=0, first=True)])
        x = graph.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2])
        side, channels = 35, 32
        for width, blocks, halves in _LEVELS:
            if halves:
                x, side = self.halve(x, channels, width, side)
            for _ in range(blocks):
                x = graph.node("Relu", [graph.node("Add", [self.pair(x, width, width, stride=1), x])])
            channels = width
        if next(self.convolutions, None) is not None or next(self.affines, None) is not None:
            raise Fault(f"{self.manifest.source.file}: more layers than the architecture has")
        x = graph.node("GlobalAveragePool", [x])
        (_, size) = output.shape
        weight = self.embedding.reshape(channels, size).T.reshape(size, channels, 1, 1)
        x = graph.node("Conv", [x], {"weight": weight}, kernel_shape=[1, 1])
        graph.output(graph.node("Flatten", [x], axis=1), output.name, output.shape)
        return graph.finish(self.manifest.id)

    def convolve(self, x: str, inputs: int, outputs: int, kernel: int, stride: int, pad: int, first: bool = False) -> str:
        """A convolution with the affine layer that follows it folded in, and for the first one the means of the input."""
        taps = outputs * inputs * kernel * kernel
        parameters, affine = next(self.convolutions).astype(np.float64), next(self.affines).astype(np.float64)
        if (parameters.size, affine.size) != (taps + outputs, 2 * outputs):
            raise Fault(f"{self.manifest.source.file}: a layer has {parameters.size} parameters, {taps + outputs} expected")
        weight, bias = parameters[:taps].reshape(outputs, inputs, kernel, kernel), parameters[taps:]
        if first:
            # Exact sums: the converted file is pinned by its hash, and numpy's order of summation depends on the CPU.
            weight = weight * _RGB_SCALE
            means = weight * np.array(_RGB_MEAN).reshape(1, 3, 1, 1)
            bias = bias - np.array([math.fsum(means[o].ravel()) for o in range(outputs)])
        gain, shift = affine[:outputs], affine[outputs:]
        weights = {
            "weight": (weight * gain.reshape(-1, 1, 1, 1)).astype(np.float32),
            "bias": (bias * gain + shift).astype(np.float32),
        }
        return self.graph.node("Conv", [x], weights, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)

    def pair(self, x: str, inputs: int, outputs: int, stride: int) -> str:
        """Two 3x3 convolutions; a strided one has no padding."""
        x = self.graph.node("Relu", [self.convolve(x, inputs, outputs, 3, stride, 0 if stride > 1 else 1)])
        return self.convolve(x, outputs, outputs, 3, 1, 1)

    def halve(self, x: str, inputs: int, outputs: int, side: int) -> tuple[str, int]:
        """A residual block at half the size. dlib adds tensors of unequal size as if the missing rows, columns and channels were zero."""
        main, main_side = self.pair(x, inputs, outputs, stride=2), (side - 3) // 2 + 1
        skip, skip_side = self.graph.node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2]), (side - 2) // 2 + 1
        side = max(main_side, skip_side)
        main = self.grow(main, 0, side - main_side)
        skip = self.grow(skip, outputs - inputs, side - skip_side)
        return self.graph.node("Relu", [self.graph.node("Add", [main, skip])]), side

    def grow(self, x: str, channels: int, pixels: int) -> str:
        """Appends zeros at the end of the channels, rows and columns."""
        if channels == 0 and pixels == 0:
            return x
        return self.graph.node("Pad", [x], {"pads": np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)}, mode="constant")
