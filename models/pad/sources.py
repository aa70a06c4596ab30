"""The pictures: which are used for training, which for reports, and where the faces are."""

from __future__ import annotations

import csv
import dataclasses
import pathlib
from collections.abc import Iterator

import cv2
import numpy as np
from PIL import Image

cv2.setNumThreads(1)
"""Parallel by processes alone: OpenCV's threads do not outlive a fork."""

Box = tuple[float, float, float, float]


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture with one chosen face: `box` is x, y, width, height, forehead to chin."""

    name: str
    group: str
    image: np.ndarray
    box: Box


class Detector:
    """YuNet through OpenCV. Any detector with a tight box will do: training jitters the box."""

    def __init__(self, model: pathlib.Path, score: float = 0.5) -> None:
        self._net = cv2.FaceDetectorYN.create(str(model), "", (320, 320), score)

    def all(self, image: np.ndarray, longest_px: int = 640) -> list[Box]:
        height, width = image.shape[:2]
        scale = min(1.0, longest_px / max(height, width))
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        self._net.setInputSize((small.shape[1], small.shape[0]))
        _, found = self._net.detect(small[..., ::-1].copy())
        return [] if found is None else [tuple(float(n) / scale for n in row[:4]) for row in found]

    def largest(self, image: np.ndarray) -> Box | None:
        return max(self.all(image), key=lambda b: b[2] * b[3], default=None)

    def most_central(self, image: np.ndarray) -> Box | None:
        height, width = image.shape[:2]
        return min(
            self.all(image),
            key=lambda b: np.hypot(b[0] + b[2] / 2 - width / 2, b[1] + b[3] / 2 - height / 2),
            default=None,
        )


def read(path: pathlib.Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def _named_in(path: pathlib.Path, header_lines: int) -> set[tuple[str, int]]:
    named = set()
    for line in path.read_text().splitlines()[header_lines:]:
        cells = line.split("\t")
        if len(cells) == 3:
            named |= {(cells[0], int(cells[1])), (cells[0], int(cells[2]))}
        elif len(cells) == 4:
            named |= {(cells[0], int(cells[1])), (cells[2], int(cells[3]))}
    return named


def lfw_names(datasets: pathlib.Path, view: int) -> list[tuple[str, int]]:
    """(person, number) of the images of View 2, or of those of View 1 that View 2 does not name."""
    lfw = datasets / "lfw"
    view_2 = _named_in(lfw / "pairs.txt", 1)
    if view == 2:
        return sorted(view_2)
    return sorted(
        (_named_in(lfw / "pairsDevTrain.txt", 1) | _named_in(lfw / "pairsDevTest.txt", 1)) - view_2
    )


def lfw(datasets: pathlib.Path, detector: Detector, view: int, every: int = 1) -> Iterator[Picture]:
    for person, number in lfw_names(datasets, view)[::every]:
        name = f"{person}_{number:04d}"
        image = read(datasets / "lfw" / "images" / person / f"{name}.jpg")
        box = detector.most_central(image)
        if box is not None:
            yield Picture(name, person, image, box)


def wider(datasets: pathlib.Path, detector: Detector, smallest_px: int = 56) -> Iterator[Picture]:
    """Faces of WIDER that are large enough, each with its surroundings cut to four face sides."""
    folder = datasets / "wider_val_subset"
    with open(folder / "ground_truth.csv", newline="") as rows:
        images = sorted({row["image"] for row in csv.DictReader(rows)})
    for name in images:
        image = read(next(folder.rglob(pathlib.Path(name).name)))
        for x, y, w, h in detector.all(image, 1280):
            if min(w, h) < smallest_px:
                continue
            reach = 2.0 * (w * h) ** 0.5
            left, right = (int(np.clip(x + w / 2 + s * reach, 0, image.shape[1])) for s in (-1, 1))
            top, bottom = (int(np.clip(y + h / 2 + s * reach, 0, image.shape[0])) for s in (-1, 1))
            yield Picture(name, name, image[top:bottom, left:right], (x - left, y - top, w, h))


def clip_frames(path: pathlib.Path, every: int = 1) -> Iterator[np.ndarray]:
    import av

    with av.open(str(path)) as clip:
        for i, frame in enumerate(clip.decode(video=0)):
            if i % every == 0:
                yield frame.to_ndarray(format="rgb24")
