"""Makes the training crops: bona fide presentations under nuisance, simulated prints and replays.

    python models/pad/material.py --datasets DIR --teacher DIR --seed 1 --out crops.npz

Deterministic by the seed, whatever the number of jobs.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import multiprocessing
import pathlib
import sys

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parents[1] / "python" / "py_src" / "vultus"))

import attack  # noqa: E402
import crop  # noqa: E402
import sources  # noqa: E402
import teacher  # noqa: E402
from attack import scene  # noqa: E402

CLASSES = ("bona_fide", "print", "replay")
CACHE_PX = 128
DEV_SHARE = 0.12
SCENE_COPIES = 3
"""WIDER has few faces but many places: each is used so many times as often."""


def clutter(
    rng: np.random.Generator, image: np.ndarray, box: sources.Box, behind: np.ndarray
) -> np.ndarray:
    """Puts straight edges, flat areas or another place behind the head and shoulders, and now and
    then a hand beside the face, so that none of these alone says "attack".
    """
    height, width = image.shape[:2]
    x, y, w, h = box
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    cx, cy = x + w / 2, y + h / 2
    head = 1 - np.hypot((xx - cx) / (0.85 * w), (yy - cy + 0.08 * h) / (0.85 * h))
    body = 1 - np.hypot((xx - cx) / (1.9 * w), (yy - cy - 1.75 * h) / (1.25 * h))
    near = np.clip(np.maximum(head, body) / 0.08 + 0.5, 0, 1)[..., None]
    back = (
        scene.to_linear(scene.resize(behind, width, height))
        if rng.random() < 0.35
        else scene.to_linear(image)
    )
    if rng.random() < 0.15:
        back = scene.room(rng, height, width)
    for _ in range(rng.integers(1, 5)):
        tilt = rng.normal(0, 0.06)
        u, v = xx + tilt * yy, yy - tilt * xx
        left, top = rng.uniform(-0.3, 1.0) * width, rng.uniform(-0.3, 1.0) * height
        du = np.abs(u - left) - rng.uniform(0.02, 0.4) * width
        dv = np.abs(v - top) - rng.uniform(0.05, 0.7) * height
        distance = np.maximum(du, dv)
        if rng.random() < 0.4:
            distance = np.abs(distance) - rng.uniform(1, 8)
        cover = np.clip(0.5 - distance / rng.uniform(1, 3), 0, 1)[..., None]
        back = back * (1 - cover) + cover * scene.paint(rng, 0.9)
    light = scene.to_linear(image) * near + back * (1 - near)
    if rng.random() < 0.15:
        side = rng.choice([-1, 1])
        edge = np.array([cx + side * rng.uniform(0.75, 1.3) * w, cy + rng.uniform(-0.6, 0.9) * h])
        light = scene.add_hand(
            rng, light, edge, np.array([-side, rng.uniform(-1, 1)]) * 0.7, 0.12 * w
        )
    return scene.to_code(light)


def degrade(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Few pixels, blown up: what a small face or a low video rate looks like."""
    height, width = image.shape[:2]
    part = rng.uniform(0.3, 0.9)
    return scene.resize(scene.resize(image, int(width * part), int(height * part)), width, height)


def relit(rng: np.random.Generator, light: np.ndarray) -> np.ndarray:
    """Uneven lamps and now and then a window's flare: glare and shading alone do not say "attack"."""
    height, width = light.shape[:2]
    light = (
        light
        * np.exp(rng.uniform(0, 0.35) * scene.smooth_noise(rng, height, width, width / 2))[
            ..., None
        ]
    )
    if rng.random() < 0.2:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        at, spread = rng.uniform(0, 1, 2) * (width, height), rng.uniform(0.08, 0.35) * width
        light = (
            light
            + np.float32(rng.uniform(0, 0.45))
            * np.exp(-(((x - at[0]) ** 2 + (y - at[1]) ** 2) / spread**2))[..., None]
        )
    return light.astype(np.float32)


def framed(
    rng: np.random.Generator, image: np.ndarray, box: sources.Box
) -> tuple[np.ndarray, sources.Box]:
    """Cuts the frame about the face, so that near and off-centre faces are seen too."""
    height, width = image.shape[:2]
    x, y, w, h = box
    face = (w * h) ** 0.5
    want = int(face * rng.uniform(1.3, 3.2))
    frame_w = min(width, int(want * rng.uniform(1, 1.4)))
    frame_h = min(height, int(want * rng.uniform(1, 1.4)))
    left = int(np.clip(x + w / 2 - frame_w * rng.uniform(0.38, 0.62), 0, width - frame_w))
    top = int(np.clip(y + h / 2 - frame_h * rng.uniform(0.38, 0.62), 0, height - frame_h))
    return image[top : top + frame_h, left : left + frame_w], (x - left, y - top, w, h)


def jitter(rng: np.random.Generator, box: sources.Box) -> sources.Box:
    x, y, w, h = box
    scale, shape = np.exp(rng.normal(0, 0.07)), np.exp(rng.normal(0, 0.05))
    cx, cy = x + w * (0.5 + rng.normal(0, 0.05)), y + h * (0.5 + rng.normal(0, 0.05))
    w, h = w * scale * shape, h * scale / shape
    return cx - w / 2, cy - h / 2, w, h


def present(
    rng: np.random.Generator, picture: sources.Picture, kind: str, split: str, behind: np.ndarray
) -> tuple[np.ndarray, sources.Box]:
    """One captured frame of the class `kind` and the face box in it."""
    x, y, w, h = picture.box
    scale = rng.uniform(60, 125) / (w * h) ** 0.5
    scale = 1.0 if rng.random() < 0.3 and 55 < (w * h) ** 0.5 < 130 else scale
    image = scene.resize(
        picture.image, int(picture.image.shape[1] * scale), int(picture.image.shape[0] * scale)
    )
    box = (x * scale, y * scale, w * scale, h * scale)
    camera = attack.CameraSettings.draw(rng, split)
    seed = int(rng.integers(2**31))
    centre = (box[0] + box[2] / 2, box[1] + box[3] / 2)
    background = behind if rng.random() < 0.5 else None
    if rng.random() < 0.15:
        image = degrade(rng, image)
    if kind == "print":
        shown = attack.present_print(
            image,
            attack.PrintSettings.draw(rng, split),
            camera,
            seed,
            background=background,
            face_centre=centre,
        )
        image, box = shown.image, shown.box(*box)
    elif kind == "replay":
        shown = attack.present_replay(
            image,
            attack.ReplaySettings.draw(rng, split),
            camera,
            seed,
            background=background,
            face_centre=centre,
        )
        image, box = shown.image, shown.box(*box)
    else:
        how = rng.random()
        if how < 0.4:
            image = clutter(rng, image, box, behind)
        if how < 0.8:
            image = attack.capture(relit(rng, scene.to_linear(image)), camera, rng)
    return framed(rng, image, box)


_STATE: dict[str, object] = {}


def start(datasets: pathlib.Path, teachers: pathlib.Path) -> None:
    """Reads the pictures and finds their faces, once: the processes of a pool inherit them."""
    detector = sources.Detector(teachers / "yunet_2023mar_320.onnx")
    pictures = [*sources.lfw(datasets, detector, view=1), *sources.wider(datasets, detector)]
    behind = []
    for path in sorted((datasets / "wider_val_subset").rglob("*.jpg")):
        with Image.open(path) as opened:
            opened.draft("RGB", (512, 512))
            behind.append(np.asarray(opened.convert("RGB").resize((320, 240))))
    _STATE.update(pictures=pictures, behind=behind)


def _begin(teachers: pathlib.Path) -> None:
    _STATE["teacher"] = teacher.Teacher(teachers)


def _make(job: tuple[int, int, int, int]):
    seed, which, label, copy = job
    picture: sources.Picture = _STATE["pictures"][which]
    rng = np.random.default_rng([seed, which, label, copy])
    behind = _STATE["behind"][rng.integers(len(_STATE["behind"]))]
    for _ in range(8):
        image, box = present(rng, picture, CLASSES[label], "training", behind)
        face = (box[2] * box[3]) ** 0.5
        placed = crop.place(image.shape[1], image.shape[0], jitter(rng, box), crop.TRAINING_CONTEXT)
        if face >= 36 and min(image.shape[:2]) >= 40 and placed.assessable:
            break
    return (
        crop.cut(image, placed, CACHE_PX),
        label,
        which,
        placed.context,
        _STATE["teacher"].bona_fide(image, box),
    )


def held_out(pictures: list[sources.Picture], seed: int) -> set[str]:
    """The people (LFW) and scenes (WIDER) that are kept for development."""
    groups = sorted({p.group for p in pictures})
    return set(
        np.random.default_rng(seed).permutation(groups)[: round(DEV_SHARE * len(groups))].tolist()
    )


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--datasets", type=pathlib.Path, required=True)
    ask.add_argument(
        "--teacher",
        type=pathlib.Path,
        required=True,
        help="folder of the MiniFASNet and YuNet files",
    )
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument(
        "--copies", type=int, nargs=3, default=(2, 1, 2), metavar=CLASSES, help="samples a picture"
    )
    ask.add_argument("--jobs", type=int, default=2)
    ask.add_argument("--out", type=pathlib.Path, required=True)
    args = ask.parse_args()

    start(args.datasets, args.teacher)
    pictures: list[sources.Picture] = _STATE["pictures"]
    development = held_out(pictures, args.seed)
    jobs = [
        (args.seed, which, label, copy)
        for copy in range(max(args.copies) * SCENE_COPIES)
        for which in range(len(pictures))
        for label in range(len(CLASSES))
        if copy
        < args.copies[label] * (SCENE_COPIES if pictures[which].group.endswith(".jpg") else 1)
    ]
    print(
        f"{len(pictures)} pictures, {len(development)} people or scenes held out for development,"
        f" {len(jobs)} samples"
    )
    fork = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(
        args.jobs, fork, initializer=_begin, initargs=(args.teacher,)
    ) as pool:
        made = list(pool.map(_make, jobs, chunksize=64))
    crops, labels, which, context, soft = (np.array(column) for column in zip(*made, strict=True))
    dev = np.array([pictures[i].group in development for i in which])
    np.savez(
        args.out, crops=crops, labels=labels, picture=which, context=context, teacher=soft, dev=dev
    )
    print(
        f"wrote {args.out}: {crops.shape}, {dev.sum()} for development, sha256 of the crops"
        f" {hashlib.sha256(crops).hexdigest()}"
    )


if __name__ == "__main__":
    main()
