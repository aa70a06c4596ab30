"""Writes reference.json: drawn pictures, face boxes and what each step must give for them.

    python models/pad/reference.py

Other implementations are checked against it. The pictures follow from `picture`, so none is stored.
"""

from __future__ import annotations

import json
import pathlib

import crop
import numpy as np
import onnxruntime
import signals

HERE = pathlib.Path(__file__).resolve().parent
WEIGHTS = HERE.parent / "trained" / "vultus-pad.onnx"
CASES = (
    (200, 160, (60.0, 40.0, 56.0, 70.0)),
    (320, 240, (5.0, 90.0, 80.0, 101.0)),
    (640, 480, (300.5, 100.25, 180.0, 240.0)),
    (150, 400, (20.0, 150.0, 90.0, 110.0)),
)


def picture(width: int, height: int) -> np.ndarray:
    """uint8 RGB: two soft waves and a hard-edged box, in integer arithmetic."""
    y, x = np.mgrid[0:height, 0:width]
    wave = np.abs((3 * x + 2 * y) % 256 - 128) + np.abs((x * y // 32) % 128 - 64)
    box = np.where((x > width // 5) & (x < width // 2) & (y > height // 4), 48, 0)
    return (
        np.stack([wave + box, wave * 3 // 4 + 20, 200 - wave // 2 - box // 2], 2)
        .clip(0, 255)
        .astype(np.uint8)
    )


def vectors() -> dict:
    net = onnxruntime.InferenceSession(str(WEIGHTS), providers=["CPUExecutionProvider"])
    cases = []
    for width, height, box in CASES:
        image = picture(width, height)
        placed = crop.place(width, height, box)
        pixels = crop.shrink(image, placed, crop.INPUT_PX)
        logits = net.run(
            None, {"input": (pixels / 127.5 - 1).astype(np.float32).transpose(2, 0, 1)[None]}
        )[0][0].astype(np.float64)
        values = signals.vector(image, box)
        cases.append(
            {
                "width": width,
                "height": height,
                "box": box,
                "crop": [placed.left, placed.top, placed.side],
                "crop_mean_rgb": pixels.mean((0, 1)).round(4).tolist(),
                "logits": logits.round(5).tolist(),
                "signals": [round(float(v), 5) for v in values],
            }
        )
    made = {"signal_names": list(signals.NAMES), "cases": cases}
    return json.loads(json.dumps(made))


if __name__ == "__main__":
    (HERE / "reference.json").write_text(json.dumps(vectors(), indent=1) + "\n")
