"""How a zone is read off a picture by the two networks: lines, strips, cells, characters.

The reference for the engine's `document` stage, in numpy: small, and to be read beside it.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import pathlib
from dataclasses import dataclass

import cv2
import numpy as np
import onnx
import onnxruntime
import text
from render import CAPITAL, CELLS, FRAME, MARGIN, PITCH, ROWS

SIDE = 384
"""The whole picture, as the band network sees it first."""
LEFT = MARGIN * PITCH + FRAME / 2
"""Where a strip's first cell begins, so that centres lie in the middle of a frame."""
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
    """The picture through `turn`, which takes a point of the output to the picture; averaged
    where it shrinks."""
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


def stretched(grey: np.ndarray) -> np.ndarray:
    """The levels between the darkest and the lightest hundredth over the whole range."""
    low, high = np.percentile(grey[grey > 0] if (grey > 0).any() else grey, (1, 99))
    return ((grey - low) * (255.0 / max(high - low, 40.0))).clip(0, 255)


@dataclass
class Line:
    """A line in the picture: where its first cell begins and its last ends, and half the height of
    its capitals."""

    start: np.ndarray
    end: np.ndarray
    down: np.ndarray
    pitch: float
    capital: float
    strength: float


@dataclass
class Reading:
    """A zone as it was read: the mean score of a cell, each character's margin in nats."""

    lines: list[str]
    score: float
    margins: list[np.ndarray]
    failing: int
    """Check digits that do not hold."""

    @property
    def sure(self) -> bool:
        """Whether every digit holds and no character is near to another."""
        least = min(float(margin.min()) for margin in self.margins)
        return self.failing == 0 and least > SURE and self.score > -0.8


LEAST = -1.6
"""The mean score below which a picture shows no zone."""
SURE = 1.5
KIND = 4.0
"""What a character costs, in nats, that does not belong where it stands."""
WIDE, SPAN = 0.5, 1.1
"""What it costs when cells are not as wide as the band network says, which says a tenth too
little."""
LISTED = 5.0
MEND = 6.0
"""What a reading may lose, in nats, for its check digit to hold."""


def evenly(lead: Line, lines: list[Line]) -> bool:
    """Whether lines lie apart as those of a zone do."""
    along = (lead.end - lead.start) / np.linalg.norm(lead.end - lead.start)
    down = np.array([-along[1], along[0]])
    at = [float(down @ ((line.start + line.end) / 2)) / lead.pitch for line in lines]
    gaps = np.diff(at)
    return bool((gaps > 1.0).all() and (gaps < 4.5).all() and gaps.max() < 1.6 * gaps.min())


TALL = (0.8, 1.0, 1.25)
"""What the height of capitals is tried as, in its estimates."""
SHIFTS = (-0.16, 0.0, 0.16)
"""How far a line is moved up and down, in heights of capitals."""
VALUES = np.array([0 if c == "<" else int(c, 36) for c in text.ALPHABET])
LETTER = np.array([c in text.LETTERS + "<" for c in text.ALPHABET])
DIGIT = np.array([c in text.DIGITS for c in text.ALPHABET])
DATE = np.array([c in text.DIGITS + "<" for c in text.ALPHABET])
SEX = np.array([c in "MFX<" for c in text.ALPHABET])


def rules(count: int, visa: bool):
    """Kinds of cells, and (line, field, place of its digit): (kind by (line, cells)), [...]."""
    if count == 30:
        kinds = {
            (0, 0, 1): LETTER,
            (0, 2, 5): LETTER,
            (1, 0, 6): DATE,
            (1, 6, 7): DIGIT,
            (1, 7, 8): SEX,
        }
        kinds |= {
            (1, 8, 14): DATE,
            (1, 14, 15): DIGIT,
            (1, 15, 18): LETTER,
            (1, 29, 30): DIGIT,
            (2, 0, 30): LETTER,
        }
        return kinds, [(0, 5, 14), (1, 0, 6), (1, 8, 14)]
    kinds = {
        (0, 0, count): LETTER,
        (1, 9, 10): DIGIT,
        (1, 10, 13): LETTER,
        (1, 13, 19): DATE,
        (1, 19, 20): DIGIT,
    }
    kinds |= {(1, 20, 21): SEX, (1, 21, 27): DATE, (1, 27, 28): DIGIT}
    if not visa:
        kinds[(1, count - 1, count)] = DIGIT
    return kinds, [(1, 0, 9), (1, 13, 19), (1, 21, 27)]


def mended(cells: np.ndarray) -> np.ndarray | None:
    """Classes of the likeliest cells of which the last is the check digit of the others."""
    score = np.full(10, -np.inf)
    score[0] = 0.0
    back = []
    for i, cell in enumerate(cells[:-1]):
        step = np.full(10, -np.inf)
        via = np.zeros((10, 2), int)
        for c in np.argsort(-cell)[:6]:
            add = (VALUES[c] * (7, 3, 1)[i % 3]) % 10
            for rest in range(10):
                value = score[rest] + cell[c]
                to = (rest + add) % 10
                if value > step[to]:
                    step[to], via[to] = value, (rest, c)
        score = step
        back.append(via)
    ends = score + cells[-1][1:11]
    rest = int(ends.argmax())
    free = cells.max(1).sum()
    if ends[rest] < free - MEND:
        return None
    classes = [rest + 1]
    for via in reversed(back):
        rest, c = via[rest]
        classes.append(c)
    return np.array(classes[::-1])


def codes(listed: list[str]) -> np.ndarray:
    return np.array([[text.ALPHABET.index(c) for c in code] for code in listed])


STATES = codes(
    [
        code.ljust(3, "<")
        for line in (pathlib.Path(__file__).parents[2] / "core/src/document/codes.rs")
        .read_text()
        .split('STATES: &str = "', 1)[1]
        .split('"', 1)[0]
        .splitlines()
        for code in line.strip("\\ ").split()
    ]
)
"""Those of the engine."""
SECOND = text.LETTERS + "<"
CODES = {
    44: codes([first + second for first in "PV" for second in SECOND]),
    36: codes([first + second for first in "ACIV" for second in SECOND]),
    30: codes([first + second for first in "ACIP" for second in SECOND + "1"]),
}


def listed(cells: np.ndarray, classes: np.ndarray, start: int, codes: np.ndarray) -> None:
    """Takes the likeliest code of the list, unless that costs more than `LISTED`."""
    span = np.arange(start, start + codes.shape[1])
    scores = cells[span[None], codes].sum(1)
    if scores.max() > cells[span, classes[span]].sum() - LISTED:
        classes[span] = codes[scores.argmax()]


def decode(cells: list[np.ndarray], score: float) -> Reading:
    """Characters by posteriors, kinds of places and check digits."""
    count = len(cells[0])
    visa = text.ALPHABET[cells[0][0].argmax()] == "V"
    kinds, fields = rules(count, visa)
    cells = [cell.copy() for cell in cells]
    for (row, start, end), allowed in kinds.items():
        cells[row][start:end, ~allowed] -= KIND
    classes = [cell.argmax(1) for cell in cells]
    states = [(0, 2), (1, 15)] if count == 30 else [(0, 2), (1, 10)]
    for row, start in states:
        listed(cells[row], classes[row], start, STATES)
    listed(cells[0], classes[0], 0, CODES[count])
    failing = 0
    for row, start, end in fields:
        span = slice(start, end + 1)
        # A number that goes on in the optional field has its digit there.
        if classes[row][end] == 0 and end - start == 9:
            continue
        found = mended(cells[row][span])
        if found is None:
            failing += 1
        else:
            classes[row][span] = found
    if not visa:
        failing += not composite_holds(classes, count)
    margins = []
    for cell, chosen in zip(cells, classes, strict=True):
        at = np.arange(count)
        own = cell[at, chosen]
        others = cell.copy()
        others[at, chosen] = -np.inf
        margins.append(own - others.max(1))
    lines = ["".join(text.ALPHABET[c] for c in row) for row in classes]
    return Reading(lines, score - 0.15 * failing, margins, failing)


def composite_holds(classes: list[np.ndarray], count: int) -> bool:
    one, two = ("".join(text.ALPHABET[c] for c in row) for row in classes[:2])
    if count == 30:
        return text.check_digit(one[5:30] + two[0:7] + two[8:15] + two[18:29]) == two[29]
    return text.check_digit(two[0:10] + two[13:20] + two[21 : count - 1]) == two[count - 1]


class Reader:
    def __init__(self, band: str, cell: str) -> None:
        self.band, self.cell = Network(band), Network(cell)

    def lines(self, grey: np.ndarray) -> list[list[Line]]:
        """The lines of the zones that the picture may show, the likeliest first, each from top to
        bottom."""
        height, width = grey.shape
        scale = max(height, width) / SIDE
        first = sampled(grey, np.float64([[scale, 0, 0], [0, scale, 0]]), (SIDE, SIDE))
        first[int(height / scale) :] = 0
        first[:, int(width / scale) :] = 0
        planes = self.band(stretched(first) / 127.5 - 1)
        mask = sigmoid(planes[0])
        found = []
        for run in runs(mask, np.arange(0, 180, 1.5) * math.pi / 180, 3, 3.0):
            if run.strength < 2:
                continue
            votes = self.sampled_planes(planes, run)
            along = run.along if votes[1:3] @ run.along >= 0 else -run.along
            found.append(self.second(grey, run, along, scale * 4))
            # The network is often wrong about the way up: the cells tell.
            found.append(self.second(grey, run, -along, scale * 4))
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
        planes = self.band(stretched(sampled(grey, turn, VIEW)) / 127.5 - 1)
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

    def read(self, grey: np.ndarray) -> Reading | None:
        """The likeliest zone of the picture, or nothing that is one."""
        best = None
        for lines in self.lines(grey):
            reading = self.zone(grey, lines)
            if reading and (best is None or reading.score > best.score):
                best = reading
            if best and best.sure:
                break
        return best

    def zone(self, grey: np.ndarray, lines: list[Line]) -> Reading | None:
        """Chooses the lines and the format that are read best."""
        best = None
        for count, rows in ((44, 2), (36, 2), (30, 3)):
            fits = [
                line
                for line in lines
                if 0.6 < math.dist(line.start, line.end) / (line.pitch * count) < 1.7
            ]
            if len(fits) < rows:
                continue
            tried = [(*self.aligned(grey, line, count), line) for line in fits]
            lead = max(tried, key=lambda one: one[0])
            # Cells of all lines stand under each other, so the best read line places the others.
            refined = self.settled(grey, self.refit(lead[3], count, lead[2]), count, TALL)
            again = []
            for old in tried:
                new = self.settled(grey, self.under(refined[3], old[3]), count, (1.0,))
                again.append(max(old, new, key=lambda one: one[0]))
            for chosen in itertools.combinations(again, rows):
                if not evenly(lead[3], [one[3] for one in chosen]):
                    continue
                reading = decode(
                    [one[1] for one in chosen], float(np.mean([one[0] for one in chosen]))
                )
                spans = [
                    math.dist(one[3].start, one[3].end) / (one[3].pitch * count) for one in chosen
                ]
                reading.score -= WIDE * abs(math.log(float(np.mean(spans)) / SPAN))
                if best is None or reading.score > best.score:
                    best = reading
        return best if best and best.score > LEAST else None

    def aligned(self, grey: np.ndarray, line: Line, count: int):
        return align(self.posteriors(self.strip(grey, line, count)), count)

    def settled(self, grey: np.ndarray, line: Line, count: int, heights: tuple[float, ...]):
        """The line moved up or down, and its capitals taken as taller or lower, as it is read
        best."""
        ways = [
            dataclasses.replace(
                line,
                start=line.start + line.down * line.capital * shift,
                end=line.end + line.down * line.capital * shift,
                capital=line.capital * height,
            )
            for shift in SHIFTS
            for height in heights
        ]
        return max(((*self.aligned(grey, way, count), way) for way in ways), key=lambda one: one[0])

    @staticmethod
    def refit(line: Line, count: int, places: list[int]) -> Line:
        """The line with its cells where they were read."""
        slope, first = np.polyfit(np.arange(count), (np.array(places) + 0.5) * FRAME, 1)
        step = (line.end - line.start) / (count * PITCH)
        start = line.start + step * (first - slope / 2 - LEFT)
        return dataclasses.replace(line, start=start, end=start + step * slope * count)

    @staticmethod
    def under(lead: Line, line: Line) -> Line:
        """`line` with the beginning, the end and the height of `lead`, moved across."""
        along = lead.end - lead.start
        along = along / np.linalg.norm(along)
        own = line.end - line.start

        def across(point: np.ndarray) -> np.ndarray:
            return line.start + own * float(along @ (point - line.start)) / float(along @ own)

        start, end = across(lead.start), across(lead.end)
        return dataclasses.replace(line, start=start, end=end, capital=lead.capital)

    def strip(self, grey: np.ndarray, line: Line, count: int) -> np.ndarray:
        """The line cut out so that `count` cells lie a pitch apart: uint8 [ROWS, CELLS * PITCH]."""
        across = (line.end - line.start) / (count * PITCH)
        down = line.down * (line.capital / CAPITAL)
        turn = np.column_stack([across, down, [0, 0]])
        turn[:, 2] = line.start - turn[:, :2] @ [LEFT, ROWS / 2]
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
    """The best places of `count` centres: mean score a cell, and the log posteriors [count, 37]
    there."""
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
