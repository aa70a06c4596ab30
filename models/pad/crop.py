"""Where the network looks: the square crop with context, and when there is too little of it.

This is the reference of what the engine does at run time; README.md states it in words.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from PIL import Image

CONTEXT = 3.4
"""Wanted side of the crop over the side of the face: wide enough to show the rim of a telephone held before a webcam."""
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


def place(width: int, height: int, box: tuple[float, float, float, float], context: float = CONTEXT) -> Crop:
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
