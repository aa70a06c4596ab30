"""Where the network looks: the square crop with context, and when there is too little of it.

This is the reference of what the engine does at run time; README.md states it in words.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from PIL import Image

CONTEXT = 3.4
"""Wanted side of the crop over the side of the face: wide enough to show the rim of a telephone
held before a webcam.
"""
TRAINING_CONTEXT = 2.7
"""The same for training crops, tighter so that the network cannot lean on rims and edges alone."""
LEAST_CONTEXT = 1.25
"""Below this the surroundings are missing and the presentation is not assessable."""
INPUT_PX = 96


@dataclasses.dataclass(frozen=True)
class Crop:
    """A square crop in whole pixels, and its side over the side of the face."""

    left: int
    top: int
    side: int
    context: float

    @property
    def assessable(self) -> bool:
        return self.context >= LEAST_CONTEXT


def place(
    width: int, height: int, box: tuple[float, float, float, float], context: float = CONTEXT
) -> Crop:
    """The crop for a face box (x, y, width, height) in an image of width x height pixels."""
    x, y, w, h = box
    face = math.sqrt(w * h)
    side = int(min(context * face, width, height))
    left = int(min(max(x + w / 2 - side / 2, 0), width - side) + 0.5)
    top = int(min(max(y + h / 2 - side / 2, 0), height - side) + 0.5)
    return Crop(left, top, side, side / face)


def cut(image: np.ndarray, crop: Crop, size: int = INPUT_PX) -> np.ndarray:
    """The crop as uint8 RGB of size x size, resampled with an antialiased triangle filter."""
    square = image[crop.top : crop.top + crop.side, crop.left : crop.left + crop.side]
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BILINEAR))


def shrink(image: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    """The crop as the engine sees it: float64 RGB of size x size, before any rounding.

    The same filter as `cut` within a step of rounding. From a reduction of four on it works on the
    picture halved as often as leaves a reduction of two or more, each pixel the rounded mean of
    four.
    """
    halvings = 0
    while crop.side / size / 2 >= 2 << halvings and min(image.shape[:2]) >= 128:
        height, width = (n // 2 * 2 for n in image.shape[:2])
        four = image[:height, :width].astype(int)
        image = (four[::2, ::2] + four[1::2, ::2] + four[::2, 1::2] + four[1::2, 1::2] + 2) >> 2
        halvings += 1
    scale = 0.5**halvings

    def weights(start: float, whole: int) -> np.ndarray:
        step = crop.side * scale / size
        support = max(step, 1.0)
        centre = start + (np.arange(size)[:, None] + 0.5) * step
        at = np.arange(whole)[None] + 0.5
        inside = (at > np.floor(start)) & (at < min(np.ceil(start + crop.side * scale), whole))
        raw = np.maximum(1 - np.abs(at - centre) / support, 0) * inside
        return raw / raw.sum(1, keepdims=True)

    rows, columns = (
        weights(crop.top * scale, image.shape[0]),
        weights(crop.left * scale, image.shape[1]),
    )
    return np.einsum("yr,rcn,xc->yxn", rows, image.astype(np.float64), columns, optimize=True)
