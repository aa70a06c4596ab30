"""Writes what OpenCV and onnxruntime make of drawn pictures, to check the engine's views against.

python models/pad/reference.py --pack build/pack --out models/pad/reference.json
"""

import argparse
import json
import pathlib

import cv2
import numpy as np
import onnxruntime

VIEWS = (
    ("minifasnet-v2", 2.0, False),
    ("minifasnet-v2", 2.7, True),
    ("minifasnet-v1se", 4.0, True),
)
"""Network, context, and whether the picture is first reduced to a face of 112 pixels."""
CASES = (
    ((640, 480), (250, 150, 120, 150)),
    ((320, 240), (100.5, 60.25, 81, 93)),
    ((900, 1200), (300, 400, 260.5, 330)),
    ((1280, 720), (20, 30, 420, 500)),
    ((700, 500), (610, 410, 80, 84)),
)


def drawn(width, height):
    y, x = np.mgrid[:height, :width].astype(np.int64)
    wave = abs((3 * x + 2 * y) % 256 - 128) + abs((x * y // 32) % 128 - 64)
    plate = np.where((x > width // 5) & (x < width // 2) & (y > height // 4), 48, 0)
    rgb = (wave + plate, wave * 3 // 4 + 20, 200 - wave // 2 - plate // 2)
    return np.clip(np.stack(rgb, -1), 0, 255).astype(np.uint8)


def part(picture, box, context):
    height, width = picture.shape[:2]
    x, y, w, h = box
    scale = min((height - 1) / h, (width - 1) / w, context)
    nw, nh = w * scale, h * scale
    left = min(max(x + w / 2 - nw / 2, 0), width - 1 - nw)
    top = min(max(y + h / 2 - nh / 2, 0), height - 1 - nh)
    return picture[int(top) : int(top + nh) + 1, int(left) : int(left + nw) + 1]


def log_odds(session, bgr, box, context, is_reduced):
    scale = 112 / (box[2] * box[3]) ** 0.5
    if is_reduced and scale < 1:
        bgr = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        box = [v * scale for v in box]
    seen = cv2.resize(part(bgr, box, context), (80, 80))
    (logits,) = session.run(None, {"input": seen.transpose(2, 0, 1)[None].astype(np.float32)})[0]
    return float(logits[1] - np.logaddexp(logits[0], logits[2]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    sessions = {
        name: onnxruntime.InferenceSession(args.pack / f"{name}.onnx") for name, _, _ in VIEWS
    }
    cases = []
    for size, box in CASES:
        bgr = np.ascontiguousarray(drawn(*size)[..., ::-1], np.float32)
        said = [log_odds(sessions[name], bgr, box, *how) for name, *how in VIEWS]
        cases.append({"size": size, "box": box, "log_odds": [round(v, 4) for v in said]})
    args.out.write_text(json.dumps({"cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
