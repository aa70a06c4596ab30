"""MiniFASNet of Silent-Face-Anti-Spoofing from its checkpoint: the checkpoint names the layers,
their order is written here.
"""

import numpy as np

from vultus_models.convert import checkpoint
from vultus_models.convert.graph import Graph
from vultus_models.fault import Fault
from vultus_models.manifest import Manifest

EPSILON = 1e-5
_STAGES = ("conv_23", "conv_3", "conv_34", "conv_4", "conv_45", "conv_5")
"""Single blocks that halve the picture, each before a chain of residual blocks."""


def convert(data: bytes, manifest: Manifest) -> bytes:
    """Returns the ONNX file, batch normalisation folded into the layers before it."""
    return _Converter(data, manifest).run()


class _Converter:
    def __init__(self, data: bytes, manifest: Manifest) -> None:
        self.manifest = manifest
        self.graph = Graph()
        # Trained on several devices at once, which puts a prefix before every name.
        self.held = {
            name.removeprefix("module."): value
            for name, value in checkpoint.read(data, manifest.source.file).items()
        }
        self.read: set[str] = set()

    def run(self) -> bytes:
        value = self.graph.input(self.manifest.input.name, self.manifest.input.shape)
        value = self.activated("conv1", value, stride=2)
        value = self.activated("conv2_dw", value)
        for stage in _STAGES:
            if f"{stage}.conv.conv.weight" in self.held:
                value = self.block(stage, value, stride=2)
                continue
            for i in range(
                len(
                    {name.split(".")[2] for name in self.held if name.startswith(f"{stage}.model.")}
                )
            ):
                value = self.residual(f"{stage}.model.{i}", value)
        value = self.convolution(
            "conv_6_dw.conv", "conv_6_dw.bn", self.activated("conv_6_sep", value), pad=0
        )
        value = self.graph.node("Flatten", [value], axis=1)
        gain, bias = self.normalisation("bn")
        linear = {
            "weight": _float(self.tensor("linear.weight") * gain[:, None]),
            "bias": _float(bias),
        }
        value = self.graph.node("Gemm", [value], linear, transB=1)
        value = self.graph.node("Gemm", [value], {"weight": self.tensor("prob.weight")}, transB=1)
        (output,) = self.manifest.outputs
        self.graph.output(value, output.name, output.shape)
        if (
            unread := {name for name in self.held if not name.endswith(".num_batches_tracked")}
            - self.read
        ):
            raise Fault(
                f"{self.manifest.source.file} is no MiniFASNet of a known kind: nothing reads"
                f" {', '.join(sorted(unread))}"
            )
        return self.graph.finish(self.manifest.id)

    def tensor(self, name: str) -> np.ndarray:
        if name not in self.held:
            raise Fault(f"{self.manifest.source.file} is no MiniFASNet: it holds no {name}")
        self.read.add(name)
        return self.held[name]

    def normalisation(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Gain and bias, in double precision."""
        gamma, beta, mean, variance = (
            self.tensor(f"{name}.{part}").astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        gain = gamma / np.sqrt(variance + EPSILON)
        return gain, beta - mean * gain

    def convolution(
        self, name: str, norm: str, value: str, stride: int = 1, pad: int | None = None
    ) -> str:
        kernel = self.tensor(f"{name}.weight")
        gain, bias = self.normalisation(norm)
        side = kernel.shape[2]
        # Depthwise where each output reads one channel; the first layer reads three.
        group = kernel.shape[0] if kernel.shape[1] == 1 else 1
        return self.graph.node(
            "Conv",
            [value],
            {"weight": _float(kernel * gain[:, None, None, None]), "bias": _float(bias)},
            group=group,
            kernel_shape=[side, side],
            strides=[stride, stride],
            pads=[side // 2 if pad is None else pad] * 4,
        )

    def activated(self, name: str, value: str, stride: int = 1) -> str:
        value = self.convolution(f"{name}.conv", f"{name}.bn", value, stride)
        return self.graph.node(
            "PRelu", [value], {"slope": self.tensor(f"{name}.prelu.weight").reshape(-1, 1, 1)}
        )

    def block(self, name: str, value: str, stride: int = 1) -> str:
        """Widen, filter each channel, narrow."""
        value = self.activated(f"{name}.conv_dw", self.activated(f"{name}.conv", value), stride)
        return self.convolution(f"{name}.project.conv", f"{name}.project.bn", value)

    def residual(self, name: str, value: str) -> str:
        made = self.block(name, value)
        if f"{name}.se_module.fc1.weight" in self.held:
            weight = self.graph.node("GlobalAveragePool", [made])
            weight = self.graph.node(
                "Relu", [self.convolution(f"{name}.se_module.fc1", f"{name}.se_module.bn1", weight)]
            )
            weight = self.graph.node(
                "Sigmoid",
                [self.convolution(f"{name}.se_module.fc2", f"{name}.se_module.bn2", weight)],
            )
            made = self.graph.node("Mul", [made, weight])
        return self.graph.node("Add", [value, made])


def _float(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)
