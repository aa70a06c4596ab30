"""Animates a portrait into the clips that a browser's fake camera plays: head motion, blinks, and
the noise of a sensor.

The clips are Motion JPEG, which Chromium plays at 30 frames a second and from the start when they
end; the motion is periodic, so that nothing jumps there. Each take has noise of its own, as no
camera gives the same bytes twice. With --freeze every frame of a take is the same: a picture fed in
place of a camera.
"""

from __future__ import annotations

import argparse
import io
import itertools
import pathlib
import zlib

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 640, 480
CELL = 16  # pixels between the points of the warp
NOISE = 3.0  # standard deviation in code values


def motion(at: float, count: int) -> dict[str, float]:
    """Where the head is at a share of the period, in radians and pixels; each frequency is whole,
    so that the period closes.
    """
    turn = 2 * np.pi * at
    blink = max(np.exp(-(((at - moment) * count / 2.2) ** 2)) for moment in (0.31, 0.77))
    return {
        "yaw": 0.10 * np.sin(2 * turn) + 0.05 * np.sin(3 * turn + 1.0),
        "pitch": 0.04 * np.sin(3 * turn + 0.4),
        "roll": 0.025 * np.sin(turn + 2.0),
        "x": 6 * np.sin(turn) + 1.5 * np.sin(5 * turn),
        "y": 3 * np.sin(2 * turn + 0.7) + 1.0 * np.sin(7 * turn),
        "near": 1 + 0.015 * np.sin(turn + 1.3),
        "mouth": 3.0 * (1 - np.cos(4 * turn)) / 2,
        "blink": blink,
    }


def sources(
    x: np.ndarray, y: np.ndarray, centre: tuple[float, float], eye: float, pose: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Where in the still each point of the frame comes from. `eye` is the distance between the eyes
    in pixels.
    """
    across, down = (x - centre[0]) / (1.5 * eye), (y - centre[1]) / (2.0 * eye)
    radius = np.sqrt(across**2 + down**2)
    head = np.clip(1.9 - radius, 0, 0.9) / 0.9
    head = head * head * (3 - 2 * head)  # 1 on the head, 0 on what stands behind it
    depth = np.sqrt(np.clip(1 - np.minimum(radius, 1) ** 2, 0, None)) * 1.1 * eye
    dx = (
        pose["x"]
        + pose["yaw"] * depth
        - pose["roll"] * (y - centre[1])
        + (pose["near"] - 1) * (x - centre[0])
    )
    dy = (
        pose["y"]
        + pose["pitch"] * depth
        + pose["roll"] * (x - centre[0])
        + (pose["near"] - 1) * (y - centre[1])
    )
    jaw = np.exp(
        -(((x - centre[0]) / (0.8 * eye)) ** 2 + ((y - centre[1] - 1.25 * eye) / (0.5 * eye)) ** 2)
    )
    dy = dy + pose["mouth"] * jaw
    for side in (-0.5, 0.5):  # the lid comes down: skin from above the eye
        lid = np.exp(
            -(
                ((x - centre[0] - side * eye) / (0.32 * eye)) ** 4
                + ((y - centre[1]) / (0.15 * eye)) ** 4
            )
        )
        dy = dy + pose["blink"] * 0.24 * eye * lid
    return np.clip(x - head * dx, 0, WIDTH - 1), np.clip(y - head * dy, 0, HEIGHT - 1)


def poses(still: Image.Image, centre: tuple[float, float], eye: float, count: int):
    """The still in motion, one period of it, without noise."""
    columns, rows = np.meshgrid(np.arange(0, WIDTH + 1, CELL), np.arange(0, HEIGHT + 1, CELL))
    for i in range(count):
        from_x, from_y = sources(
            columns.astype(np.float64),
            rows.astype(np.float64),
            centre,
            eye,
            motion(i / count, count),
        )
        points = np.stack([from_x, from_y], axis=-1)
        quads = np.concatenate(
            [points[:-1, :-1], points[1:, :-1], points[1:, 1:], points[:-1, 1:]], axis=-1
        )
        mesh = [
            ((c * CELL, r * CELL, (c + 1) * CELL, (r + 1) * CELL), tuple(quads[r, c]))
            for r in range(HEIGHT // CELL)
            for c in range(WIDTH // CELL)
        ]
        yield np.asarray(
            still.transform((WIDTH, HEIGHT), Image.Transform.MESH, mesh, Image.Resampling.BILINEAR),
            np.int16,
        )


def photographed(pose: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> bytes:
    """A pose as the sensor gives it."""
    top, left = rng.integers(0, HEIGHT), rng.integers(0, WIDTH)
    frame = np.clip(pose + noise[top : top + HEIGHT, left : left + WIDTH], 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(frame).save(stream, "JPEG", quality=93)
    return stream.getvalue()


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("portrait", type=pathlib.Path)
    ask.add_argument("out", type=pathlib.Path, help="the takes are OUT-1.mjpeg and so on")
    ask.add_argument(
        "--crop",
        required=True,
        help="LEFT,TOP,WIDTH: the part of the portrait, 4 to 3, that the camera sees",
    )
    ask.add_argument(
        "--face",
        required=True,
        help=(
            "X,Y,EYES: the bridge of the nose in that part and the distance between the eyes, in"
            " shares of its width"
        ),
    )
    ask.add_argument("--frames", type=int, default=120)
    ask.add_argument("--takes", type=int, default=1)
    ask.add_argument("--freeze", action="store_true", help="one frame, over and over")
    args = ask.parse_args()

    left, top, width = map(int, args.crop.split(","))
    x, y, eye = (float(share) * WIDTH for share in args.face.split(","))
    with Image.open(args.portrait) as opened:
        part = (
            ImageOps.exif_transpose(opened)
            .convert("RGB")
            .crop((left, top, left + width, top + width * HEIGHT // WIDTH))
        )
    still = part.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    shown = list(
        itertools.islice(poses(still, (x, y), eye, args.frames), 1 if args.freeze else None)
    )
    rng = np.random.default_rng(zlib.crc32(args.out.name.encode()))
    noise = rng.normal(0, NOISE, (2 * HEIGHT, 2 * WIDTH, 3)).round().astype(np.int16)
    for take in range(1, args.takes + 1):
        files = [photographed(pose, noise, rng) for pose in shown]
        args.out.with_name(f"{args.out.name}-{take}.mjpeg").write_bytes(
            b"".join(files) * (args.frames // len(files))
        )
    print(
        f"{args.out.name}: {args.takes} takes of {args.frames}"
        f" frames{', all of one picture' if args.freeze else ''}"
    )


if __name__ == "__main__":
    main()
