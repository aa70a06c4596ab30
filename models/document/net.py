"""The two networks: plain convolutions that the engine's kernels run, grey in, planes out.

A layer is (channels in, channels, kernel, stride, padding), each of the last three as (rows,
columns).
"""

from __future__ import annotations

import torch
from torch import nn

LUMA = (0.299, 0.587, 0.114)
"""The first convolution sees red, green and blue by these weights, so that the engine need not
make a grey picture."""


class Conv(nn.Module):
    """Convolution, batch norm, PReLU."""

    def __init__(
        self, channels_in: int, channels: int, kernel=(3, 3), stride=(1, 1), padding=(1, 1)
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, kernel, stride, padding, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.PReLU(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.norm(self.conv(x)))


class CellNet(nn.Module):
    """Strip [N, 1, 32, W] of mean 0 and deviation 1 -> logits [N, 38, 1, W / 4].

    Classes: `<`, 0 to 9, A to Z, and "no character's centre is in these 4 columns".
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Conv(1, 16, stride=(2, 2)),
            Conv(16, 24),
            Conv(24, 32, stride=(2, 2)),
            Conv(32, 48),
            Conv(48, 64, stride=(2, 1)),
            Conv(64, 96, (4, 3), padding=(0, 1)),
        )
        self.head = nn.Conv2d(96, 38, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x))


class BandNet(nn.Module):
    """Picture [N, 1, H, W] in -1..1 -> [N, 5, H / 4, W / 4].

    Planes: logit of "a line of a zone", reading direction x and y, log2 of pitch and of the
    capitals' height in pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = Conv(1, 8, stride=(2, 2))
        self.fine = nn.Sequential(Conv(8, 16, stride=(2, 2)), Conv(16, 24))
        self.middle = nn.Sequential(Conv(24, 40, stride=(2, 2)), Conv(40, 40))
        self.coarse = nn.Sequential(Conv(40, 56, stride=(2, 2)), Conv(56, 56))
        self.down = Conv(56, 40, (1, 1), padding=(0, 0))
        self.joined = Conv(40, 40)
        self.out = Conv(40, 24, (1, 1), padding=(0, 0))
        self.last = Conv(24, 24)
        self.head = nn.Conv2d(24, 5, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fine = self.fine(self.first(x))
        middle = self.middle(fine)
        up = nn.functional.interpolate
        joined = self.joined(
            middle + up(self.down(self.coarse(middle)), scale_factor=2, mode="nearest")
        )
        return self.head(self.last(fine + up(self.out(joined), scale_factor=2, mode="nearest")))


class Writer:
    """Builds ONNX of Conv, PRelu, Add and Resize, batch norm folded in."""

    def __init__(self) -> None:
        self.nodes, self.weights = [], []

    def weight(self, name: str, value: torch.Tensor) -> str:
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(value.detach().numpy().astype("float32"), name))
        return name

    def node(self, kind: str, inputs: list[str], out: str, **attributes) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    def plain(
        self, name: str, conv: nn.Conv2d, weight: torch.Tensor, bias: torch.Tensor, last: str
    ) -> str:
        if conv.in_channels == 1:
            weight = torch.cat([weight * share for share in LUMA], 1)
        return self.node(
            "Conv",
            [last, self.weight(f"{name}.weight", weight), self.weight(f"{name}.bias", bias)],
            name,
            kernel_shape=list(conv.kernel_size),
            strides=list(conv.stride),
            pads=list(conv.padding) * 2,
        )

    def layer(self, name: str, layer: Conv, last: str) -> str:
        norm = layer.norm
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        out = self.plain(
            name,
            layer.conv,
            layer.conv.weight * scale[:, None, None, None],
            norm.bias - norm.running_mean * scale,
            last,
        )
        slope = self.weight(f"{name}.slope", layer.act.weight[:, None, None])
        return self.node("PRelu", [out, slope], f"{name}.act")

    def double(self, last: str, name: str) -> str:
        scales = self.weight(f"{name}.scales", torch.tensor([1.0, 1, 2, 2]))
        return self.node(
            "Resize",
            [last, "", scales],
            name,
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )


def onnx_bytes(model: nn.Module, name: str, height: int, width: int) -> bytes:
    """The network as ONNX for a picture of that size; other sizes that are multiples of 16
    may be loaded too."""
    import onnx
    from onnx import TensorProto, helper

    w = Writer()
    if isinstance(model, CellNet):
        last = "input"
        for i, layer in enumerate(model.body):
            last = w.layer(f"conv{i}", layer, last)
    else:

        def run(prefix: str, layers, last: str) -> str:
            for i, layer in enumerate(layers):
                last = w.layer(f"{prefix}{i}", layer, last)
            return last

        fine = run("fine", model.fine, w.layer("first", model.first, "input"))
        middle = run("middle", model.middle, fine)
        up = w.double(w.layer("down", model.down, run("coarse", model.coarse, middle)), "up_middle")
        joined = w.layer("joined", model.joined, w.node("Add", [middle, up], "add_middle"))
        up = w.double(w.layer("out", model.out, joined), "up_fine")
        last = w.layer("last", model.last, w.node("Add", [fine, up], "add_fine"))
    w.plain("planes", model.head, model.head.weight, model.head.bias, last)
    with torch.no_grad():
        shape = list(model(torch.zeros(1, 1, height, width)).shape)
    graph = helper.make_graph(
        w.nodes,
        name,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, height, width])],
        [helper.make_tensor_value_info("planes", TensorProto.FLOAT, shape)],
        w.weights,
    )
    made = helper.make_model(
        graph, producer_name="vultus", opset_imports=[helper.make_opsetid("", 13)], ir_version=8
    )
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString()
