"""The network: plain 3x3 convolutions with residuals, three logits."""

from __future__ import annotations

import torch
from torch import nn


class Conv(nn.Module):
    """3x3 convolution, batch norm, PReLU; adds its input where the shape allows."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.PReLU(channels)
        self.residual = stride == 1 and channels_in == channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(self.conv(x))
        return self.act(y + x if self.residual else y)


FOLLOW = 1.0
"""Share of the teacher's head in the shipped score."""
LAYERS = ((3, 16, 2), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 96, 2), (96, 96, 1))


class PadNet(nn.Module):
    """RGB crop x/127.5-1, [N, 3, 96, 96] -> logits [N, 3]: bona fide, print, replay.

    While training there is a second head that follows the teacher. At run time its logit is added
    to that of "bona fide", which is one linear layer again: simulated labels know both species, the
    teacher has seen real ones.
    """

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        self.body = nn.Sequential(*(Conv(*layer) for layer in LAYERS))
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(LAYERS[-1][1], 3)
        self.follow = nn.Linear(LAYERS[-1][1], 1)

    def both(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of the labels [N, 3] and of the teacher's "bona fide" [N]."""
        pooled = self.drop(self.body(x).mean((2, 3)))
        return self.head(pooled), self.follow(pooled)[:, 0]

    def merged(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight and bias of the one head that is shipped."""
        weight, bias = self.head.weight.clone(), self.head.bias.clone()
        weight[0] += FOLLOW * self.follow.weight[0]
        bias[0] += FOLLOW * self.follow.bias[0]
        return weight, bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(self.body(x).mean((2, 3)), *self.merged())


def multiply_adds(size: int) -> int:
    """Multiply-adds of one forward pass on a size x size crop."""
    total, side = 0, size
    for channels_in, channels, stride in LAYERS:
        side = (side + stride - 1) // stride
        total += side * side * channels * channels_in * 9
    return total + LAYERS[-1][1] * 3
