"""How a zone is read off a picture by the two networks: lines, strips, cells, characters.

The reference for the engine's `document` stage, in numpy: small, and to be read beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import onnx
import onnxruntime
import text
from render import CAPITAL, CELLS, FRAME, MARGIN, PITCH, ROWS

SIDE = 384
"""The whole picture, as the band network sees it first."""
VIEW = (160, 512)
"""Rows and columns of its second look, along the strongest line."""
VIEW_CELLS = 50
"""How many cells of the widest zone the second look spans."""


class Network:
    """An ONNX file of net.py, for a picture of any size that is a multiple of 16."""

    def __init__(self, path: str) -> None:
        model = onnx.load(path)
        for value in (model.graph.input[0], model.graph.output[0]):
            for axis, name in ((2, "h"), (3, "w")):
                dim = value.type.tensor_type.shape.dim[axis]
                dim.Clear()
                dim.dim_param = name + value.name
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, grey: np.ndarray) -> np.ndarray:
        rgb = np.repeat(grey[None, None].astype(np.float32), 3, 1)
        return self.session.run(None, {"input": rgb})[0][0]


@dataclass
class Run:
    """A straight run of "line of a zone", in pixels of the map that it was found in."""

    start: np.ndarray
    end: np.ndarray
    strength: float

    @property
    def along(self) -> np.ndarray:
        return (self.end - self.start) / max(1e-6, float(np.linalg.norm(self.end - self.start)))


FLOOR = 0.3
"""A square whose mask is below it speaks against a line."""


def trace(mask: np.ndarray, angle: float, offset: float) -> Run | None:
    """The run of the greatest sum of mask - FLOOR along a straight line."""
    height, width = mask.shape
    along = np.array([math.cos(angle), math.sin(angle)])
    across = np.array([-along[1], along[0]])
    reach = np.arange(-(height + width) / 2, (height + width) / 2)
    points = np.array([width / 2, height / 2]) + offset * across + reach[:, None] * along
    x, y = np.floor(points).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    gain = np.where(inside, mask[y.clip(0, height - 1), x.clip(0, width - 1)] - FLOOR, -1.0)
    best, total, first, span = 0.0, 0.0, 0, None
    for i, value in enumerate(gain):
        if total <= 0:
            total, first = 0.0, i
        total += value
        if total > best:
            best, span = total, (first, i + 1)
    if span is None:
        return None
    return Run(points[span[0]], points[span[1] - 1], best)


def runs(mask: np.ndarray, angles: np.ndarray, most: int, apart: float) -> list[Run]:
    """The strongest runs, none nearer than `apart` to a stronger one that it overlaps."""
    height, width = mask.shape
    y, x = np.nonzero(mask > FLOOR)
    if len(x) == 0:
        return []
    weight = mask[y, x]
    spots = []
    half = int((height + width) / 2)
    for angle in angles:
        offset = (y + 0.5 - height / 2) * math.cos(angle) - (x + 0.5 - width / 2) * math.sin(angle)
        bins = np.bincount(np.round(offset * 2).astype(int) + 2 * half, weight, 4 * half + 1)
        for at in np.argsort(-bins)[:24]:
            if bins[at] > 0:
                spots.append((bins[at], angle, (at - 2 * half) / 2))
    spots.sort(key=lambda spot: -spot[0])
    found = [run for _, angle, offset in spots[:400] if (run := trace(mask, angle, offset))]
    found.sort(key=lambda run: -run.strength)
    kept: list[Run] = []
    for run in found:
        middle = (run.start + run.end) / 2
        if all(away(other, middle) > apart or off_end(other, middle) for other in kept):
            kept.append(run)
            if len(kept) == most:
                break
    return kept


def away(run: Run, point: np.ndarray) -> float:
    along, off = run.along, point - run.start
    return abs(float(along[0] * off[1] - along[1] * off[0]))


def off_end(run: Run, point: np.ndarray) -> bool:
    at = float(run.along @ (point - run.start))
    return at < 0 or at > float(np.linalg.norm(run.end - run.start))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def sampled(grey: np.ndarray, turn: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The picture through `turn`, which takes a point of the output to the picture; averaged where it shrinks."""
    step = math.sqrt(abs(np.linalg.det(turn[:, :2])))
    scale = 1.0
    while step * scale >= 2:
        grey = cv2.resize(
            grey, (grey.shape[1] // 2, grey.shape[0] // 2), interpolation=cv2.INTER_AREA
        )
        scale /= 2
    turn = turn.copy()
    # Pixel centres lie half a pixel inside.
    turn[:, 2] += turn[:, :2] @ [0.5, 0.5]
    turn = turn * scale
    turn[:, 2] -= 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(grey, turn, shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)


@dataclass
class Line:
    """A line in the picture: where its first cell begins and its last ends, and half the height of its capitals."""

    start: np.ndarray
    end: np.ndarray
    down: np.ndarray
    pitch: float
    capital: float
    strength: float


class Reader:
    def __init__(self, band: str, cell: str) -> None:
        self.band, self.cell = Network(band), Network(cell)

    def lines(self, grey: np.ndarray) -> list[list[Line]]:
        """The lines of the zones that the picture may show, the likeliest first, each from top to bottom."""
        height, width = grey.shape
        scale = max(height, width) / SIDE
        first = sampled(grey, np.float64([[scale, 0, 0], [0, scale, 0]]), (SIDE, SIDE))
        first[int(height / scale) :] = 0
        first[:, int(width / scale) :] = 0
        planes = self.band(first / 127.5 - 1)
        mask = sigmoid(planes[0])
        found = []
        for run in runs(mask, np.arange(0, 180, 1.5) * math.pi / 180, 3, 3.0):
            if run.strength < 2:
                continue
            votes = self.sampled_planes(planes, run)
            along = run.along if votes[1:3] @ run.along >= 0 else -run.along
            found.append(self.second(grey, run, along, scale * 4))
        return [lines for lines in found if lines]

    @staticmethod
    def sampled_planes(planes: np.ndarray, run: Run) -> np.ndarray:
        """The mean of every plane along a run, weighted by the mask."""
        count = max(2, int(np.linalg.norm(run.end - run.start)) + 1)
        points = run.start + np.linspace(0, 1, count)[:, None] * (run.end - run.start)
        x, y = np.floor(points).astype(int).T
        x, y = x.clip(0, planes.shape[2] - 1), y.clip(0, planes.shape[1] - 1)
        values = planes[:, y, x]
        weight = sigmoid(values[0])
        return (values * weight).sum(1) / weight.sum()

    def second(self, grey: np.ndarray, run: Run, along: np.ndarray, unit: float) -> list[Line]:
        """The lines about a run, seen along it. `unit` is a square of the run's map in pixels."""
        middle = (run.start + run.end) / 2 * unit
        length = max(np.linalg.norm(run.end - run.start), 8) * unit
        scale = length / VIEW[1] * VIEW_CELLS / 44
        down = np.array([-along[1], along[0]])
        turn = np.column_stack([along * scale, down * scale, [0, 0]])
        turn[:, 2] = middle - turn[:, :2] @ [VIEW[1] / 2, VIEW[0] / 2]
        planes = self.band(sampled(grey, turn, VIEW) / 127.5 - 1)
        mask = sigmoid(planes[0])
        lines = []
        strongest = 0.0
        for found in runs(mask, np.arange(-8, 8.1, 1) * math.pi / 180, 5, 1.7):
            strongest = max(strongest, found.strength)
            if found.strength < 0.35 * strongest:
                continue
            values = self.sampled_planes(planes, found)
            start, end = found.start * 4, found.end * 4
            if found.along[0] < 0:
                start, end = end, start
            seen_along = (end - start) / np.linalg.norm(end - start)
            lines.append(
                Line(
                    turn[:, :2] @ (start - 2 * seen_along) + turn[:, 2],
                    turn[:, :2] @ (end + 2 * seen_along) + turn[:, 2],
                    turn[:, :2] @ np.array([-seen_along[1], seen_along[0]]) / scale,
                    2 ** float(values[3]) * scale,
                    2 ** float(values[4]) * scale,
                    found.strength,
                )
            )
        lines.sort(key=lambda line: float((line.start + line.end) / 2 @ down))
        return lines

    def strip(self, grey: np.ndarray, line: Line, count: int, shift: float = 0.0) -> np.ndarray:
        """The line cut out so that `count` cells lie a pitch apart: uint8 [ROWS, CELLS * PITCH]."""
        across = (line.end - line.start) / (count * PITCH)
        down = line.down * (line.capital / CAPITAL)
        turn = np.column_stack([across, down, [0, 0]])
        turn[:, 2] = line.start - turn[:, :2] @ [MARGIN * PITCH, ROWS / 2 + shift]
        return sampled(grey, turn, (ROWS, CELLS * PITCH))

    def posteriors(self, strip: np.ndarray) -> np.ndarray:
        """Log probabilities [frames, 38]."""
        part = strip.astype(np.float32)
        logits = self.cell((part - part.mean()) / (part.std() + 4))[:, 0].T
        logits = logits - logits.max(1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(1, keepdims=True))


STEPS = ((3, -1.0), (4, 0.0), (5, -1.0))
"""Frames from one centre to the next, and what each costs."""
SLACK = 7
"""Frames by which the first centre may be off."""
MOST_BLANK = -3.0


def align(log: np.ndarray, count: int):
    """The best places of `count` centres: mean score a cell, and the log posteriors [count, 37] there."""
    frames = len(log)
    blank = np.maximum(log[:, 37], MOST_BLANK)
    before = np.concatenate([[0], np.cumsum(blank)])
    best = np.maximum(log[:, :37].max(1), -12)
    score = np.full((count, frames), -1e9)
    back = np.zeros((count, frames), int)
    first = MARGIN * PITCH // FRAME + PITCH // FRAME // 2
    for f in range(max(0, first - SLACK), first + SLACK + 1):
        score[0, f] = best[f] + before[f] - before[max(0, f - 4)]
    for i in range(1, count):
        for step, cost in STEPS:
            # Blank frames between the two centres.
            gap = before[step:frames] - before[1 : frames - step + 1]
            value = score[i - 1, : frames - step] + cost + gap + best[step:]
            target = score[i, step:]
            better = value > target
            target[better] = value[better]
            back[i, step:][better] = step
    ends = score[-1] + np.array([before[min(frames, f + 5)] - before[f + 1] for f in range(frames)])
    f = int(ends.argmax())
    total = ends[f] / count
    places = []
    for i in range(count - 1, -1, -1):
        places.append(f)
        f -= back[i, f]
    places.reverse()
    cells = log[places, :37]
    cells = cells - np.log(np.exp(cells).sum(1, keepdims=True))
    return total, cells, places


def spell(cells: np.ndarray) -> str:
    return "".join(text.ALPHABET[i] for i in cells.argmax(1))
