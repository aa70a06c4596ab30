"""The visible mark on everything that leaves this package as a file."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .scene import check_image

MARK_TEXT = "SIMULATED ATTACK"


def mark(image: np.ndarray) -> np.ndarray:
    """Returns a copy with MARK_TEXT in white on a red strip along the top edge.

    The strip is a sixteenth of the height, at least 10 pixels, and the text at most as wide as the
    image.
    """
    height, width = check_image(image).shape[:2]
    strip = min(max(10, height // 16), height)
    size = float(strip) * 0.9
    font = ImageFont.load_default(size)
    length = font.getlength(MARK_TEXT)
    if length > width - 4:
        font = ImageFont.load_default(size * max(width - 4, 1) / length)
    picture = Image.fromarray(image.copy())
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width - 1, strip - 1), fill=(170, 0, 0))
    draw.text((width / 2, strip / 2), MARK_TEXT, fill="white", font=font, anchor="mm")
    return np.asarray(picture)
