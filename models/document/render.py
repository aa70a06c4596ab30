"""Draws what the two networks learn from: lines of a zone as strips, and pages with a zone on them.

Nothing but the font OCR-B comes from outside; paper, portraits and other print are drawn. The
same seed gives the same pixels with the same versions of the packages in requirements.txt.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass

import cv2
import numpy as np
import text
from PIL import Image, ImageDraw, ImageFont

PITCH, ROWS, CAPITAL = 16, 32, 15
"""A strip: columns from one character's centre to the next, rows, and how tall capitals are."""
FRAME = 4
"""Columns from one output of the cell network to the next."""
MARGIN = 2
"""Cells of paper before the first character of a strip."""
CELLS = 48
SIZE = 28
"""Type size at which glyphs are drawn before they are seen by the camera."""


@functools.cache
def font(path: str | None, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)


@functools.cache
def glyph(path: str | None, size: int, char: str, pitch: int, height: int) -> np.ndarray:
    """Ink of one character, its cell's middle in the middle, 0..1."""
    face = font(path, size)
    top, bottom = face.getbbox("H")[1::2]
    cell = Image.new("L", (pitch * 2, height), 0)
    pen = ImageDraw.Draw(cell)
    width = face.getlength(char)
    pen.text((pitch - width / 2, height / 2 - (top + bottom) / 2), char, 255, font=face)
    return np.asarray(cell, np.float32) / 255


def capital(path: str | None, size: int) -> float:
    box = font(path, size).getbbox("H")
    return box[3] - box[1]


def typeset(
    lines: list[str], path: str | None, size: int, pitch: float, spacing: float, pad: float
):
    """Ink of several lines, and the centre of their first character. `pad` is the border in
    cells."""
    height = int(size * 1.6)
    cell = int(round(pitch))
    width = int(pitch * (max(map(len, lines)) + 2 * pad)) + 2 * cell
    ink = np.zeros((int(spacing * (len(lines) - 1) + height + 2 * pad * pitch), width), np.float32)
    x0, y0 = cell + pitch * (pad + 0.5), height / 2 + pad * pitch
    for row, line in enumerate(lines):
        top = int(round(y0 + row * spacing - height / 2))
        for column, char in enumerate(line):
            if char == " ":
                continue
            left = int(round(x0 + column * pitch)) - cell
            part = ink[top : top + height, left : left + 2 * cell]
            np.maximum(
                part, glyph(path, size, char, cell, height)[: part.shape[0], : part.shape[1]], part
            )
    return ink, x0, y0


def paper(r: random.Random, height: int, width: int) -> np.ndarray:
    """A surface of slow shades, waves like guilloche and stripes; levels 0..255."""
    base = np.full((height, width), r.uniform(110, 255), np.float32)
    if r.random() < 0.7:
        size = r.randint(2, 5)
        knots = np.float32([[r.uniform(-40, 40) for _ in range(size)] for _ in range(2)])
        base += cv2.resize(knots, (width, height), interpolation=cv2.INTER_CUBIC)
    if r.random() < 0.7:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        for _ in range(r.randint(1, 3)):
            frequency, angle, depth = r.uniform(0.05, 1.6), r.uniform(0, 3.14), r.uniform(2, 22)
            bend = r.uniform(0, 8) * np.sin(x * r.uniform(0.02, 0.12))
            wave = np.sin(frequency * (x * np.cos(angle) + y * np.sin(angle)) + bend)
            base += depth * (np.sign(wave - r.uniform(0, 0.8)) if r.random() < 0.5 else wave)
    return base


def inked(r: random.Random, ink: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Print on paper, thick or thin, always darker than the paper."""
    kind = r.random()
    if kind < 0.25:
        ink = cv2.dilate(ink, np.ones((2, 2) if r.random() < 0.6 else (2, 1)))
    elif kind < 0.4:
        ink = cv2.erode(ink, np.ones((1, 2)))
    dark = r.uniform(0, 100)
    return ground * (1 - ink) + np.minimum(dark, ground - r.uniform(30, 60)) * ink


def camera(r: random.Random, picture: np.ndarray, sharp_px: float) -> np.ndarray:
    """Blur in proportion to `sharp_px`, motion, glare, sensor noise and JPEG."""
    if r.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), r.uniform(0.2, 0.1 * sharp_px + 0.2))
    if r.random() < 0.1 and sharp_px > 10:
        kernel = np.zeros((5, 5), np.float32)
        kernel[(2, slice(None)) if r.random() < 0.5 else (slice(None), 2)] = 0.2
        picture = cv2.filter2D(picture, -1, kernel)
    if r.random() < 0.2:
        width = picture.shape[1]
        at, wide = r.uniform(0, width), width * r.uniform(0.05, 0.3)
        glare = np.exp(-(((np.arange(width) - at) / wide) ** 2)) * r.uniform(20, 90)
        picture = picture + glare[None] * (255 - picture) / 255
    noise = cv2.randn(np.empty(picture.shape, np.float32), 0, r.uniform(0, 9))
    picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if r.random() < 0.6:
        code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, r.randint(25, 95)])[1]
        picture = cv2.imdecode(code, cv2.IMREAD_GRAYSCALE)
    return picture


def strip(r: random.Random, ocr_b: str):
    """One line as the reader cuts it out: uint8 [ROWS, CELLS * PITCH], and its frames' classes;
    255 has none."""
    lines = text.zone(r)
    at = r.randrange(len(lines))
    if r.random() < 0.35:
        lines[at] = text.noise(r, len(lines[at]))
    count = len(lines[at])
    path = ocr_b if r.random() < 0.9 else None
    pitch = SIZE * 0.602 * r.uniform(0.94, 1.12) if path else SIZE * r.uniform(0.66, 0.78)
    spacing = SIZE * r.uniform(0.95, 1.9)
    shown = [lines[j] if 0 <= j < len(lines) else "" for j in (at - 1, at, at + 1)]
    shown = [
        line or (text.noise(r, r.randint(3, count)) if r.random() < 0.3 else " ") for line in shown
    ]
    ink, x0, y0 = typeset(shown, path, SIZE, pitch, spacing, 3)
    y0 += spacing
    height, width = ink.shape
    ground = cv2.resize(paper(r, height // 4, width // 4), (width, height))
    tall = capital(path, SIZE)
    seen = r.choice([r.uniform(5.5, 11), r.uniform(8, 26)])
    scale = seen / tall
    picture = cv2.GaussianBlur(inked(r, ink, ground), (0, 0), max(0.3, 0.45 / scale))
    picture = cv2.resize(picture, (int(width * scale), int(height * scale)))
    if r.random() < 0.03:
        picture = 255 - picture
    picture = camera(r, picture, seen)
    # Onto the strip: off in pitch, height, place, slope and slant as a found line may be.
    across = PITCH / (pitch * scale) * r.uniform(0.9, 1.1)
    down = CAPITAL / (tall * scale) * r.uniform(0.82, 1.2)
    slope, slant = r.gauss(0, 0.006), r.gauss(0, 0.06)
    start = PITCH * (MARGIN + 0.5) + r.gauss(0, 0.35) * PITCH
    middle = ROWS / 2 + r.gauss(0, 0.05) * CAPITAL
    x, y = x0 * scale, y0 * scale
    turn = np.float32([[across, slant * across, 0], [slope * across, down, 0]])
    centre = count / 2 * pitch * scale
    turn[0, 2] = start - turn[0, 0] * x - turn[0, 1] * y
    turn[1, 2] = middle - turn[1, 0] * (x + centre) - turn[1, 1] * y
    shape = (CELLS * PITCH, ROWS)
    out = cv2.warpAffine(
        picture, turn, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    classes = np.full(CELLS * PITCH // FRAME, len(text.ALPHABET), np.uint8)
    for i, char in enumerate(lines[at]):
        column = turn[0, 0] * (x + i * pitch * scale) + turn[0, 1] * y + turn[0, 2]
        frame = int(column / FRAME)
        if 0 <= frame < len(classes):
            classes[frame] = text.ALPHABET.index(char)
            # A centre between two frames is a centre of either.
            beside = frame + (1 if column / FRAME - frame > 0.5 else -1)
            if abs(column / FRAME - frame - 0.5) > 0.3 and 0 <= beside < len(classes):
                classes[beside] = 255
    return out, classes


@dataclass
class Page:
    """A page, and what the band network is to say of it, a value every 4 pixels."""

    picture: np.ndarray
    mask: np.ndarray
    """How much of the square is a line of a zone, 0..255."""
    values: np.ndarray
    """Reading direction (x, y), log2 of pitch and of the height of capitals in pixels."""


PAGE = 256
DOC_PITCH = 12


def portrait(r: random.Random, height: int, width: int) -> np.ndarray:
    area = paper(r, height, width)
    centre = (width // 2 + r.randint(-4, 4), int(height * r.uniform(0.38, 0.5)))
    cv2.ellipse(
        area,
        (width // 2, height),
        (int(width * 0.48), int(height * 0.35)),
        0,
        0,
        360,
        r.uniform(20, 220),
        -1,
    )
    cv2.ellipse(
        area, centre, (int(width * 0.34), int(height * 0.36)), 0, 0, 360, r.uniform(10, 120), -1
    )
    cv2.ellipse(
        area, centre, (int(width * 0.26), int(height * 0.3)), 0, 0, 360, r.uniform(90, 240), -1
    )
    for side in (-1, 1):
        cv2.circle(area, (centre[0] + side * width // 9, centre[1]), max(1, width // 30), 30, -1)
    return cv2.GaussianBlur(area, (0, 0), 1.5)


HERSHEY = [
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_PLAIN,
]


def words(r: random.Random, most: int) -> str:
    parts = []
    while sum(map(len, parts)) + len(parts) < most:
        kind = r.random()
        if kind < 0.5:
            parts.append(
                text.word(r, 1, 9).lower() if r.random() < 0.6 else text.word(r, 1, 9).title()
            )
        elif kind < 0.75:
            parts.append(text.word(r, 2, 9))
        else:
            parts.append("".join(r.choices(text.DIGITS + "./-", k=r.randint(2, 8))))
    return " ".join(parts)[:most]


def print_text(
    r: random.Random, area: np.ndarray, ocr_b: str, top: int, bottom: int, left: int, right: int
) -> None:
    """Fills a box with other print: lines, labels, tables, barcodes, signatures."""
    dense = r.random() < 0.3
    y = top
    shade = r.uniform(0, 110)
    while y < bottom - 6:
        size = r.choice([7, 8, 9, 10, 12, 14, 18, 24])
        if y + size * 1.5 > bottom:
            break
        x = left if dense else left + r.randint(0, max(1, (right - left) // 3))
        room = max(2, int((right - x) / (size * 0.55)))
        line = words(r, room if dense else r.randint(2, room))
        kind = r.random()
        if kind < 0.6:
            picture = Image.new("L", (right - x + 1, int(size * 1.7)), 0)
            ImageDraw.Draw(picture).text((0, 0), line, 255, font=font(None, size))
            ink = np.asarray(picture, np.float32) / 255
        elif kind < 0.72:
            # OCR-B that is no zone: numbers in groups, short words.
            picture = Image.new("L", (right - x + 1, int(size * 1.7)), 0)
            groups = " ".join(
                "".join(r.choices(text.DIGITS, k=r.randint(2, 5))) for _ in range(r.randint(1, 5))
            )
            ImageDraw.Draw(picture).text(
                (0, 0), groups if r.random() < 0.5 else line.upper(), 255, font=font(ocr_b, size)
            )
            ink = np.asarray(picture, np.float32) / 255
        elif kind < 0.9:
            drawn = np.zeros((int(size * 1.7), right - x + 1), np.uint8)
            thick = r.choice([1, 1, 2])
            cv2.putText(
                drawn,
                line,
                (0, int(size * 1.2)),
                r.choice(HERSHEY),
                size / 30,
                255,
                thick,
                cv2.LINE_AA,
            )
            ink = drawn.astype(np.float32) / 255
        else:
            ink = np.zeros((int(size * r.uniform(1, 4)), right - x + 1), np.float32)
            column = 0
            while column < ink.shape[1]:
                wide = r.randint(1, 4)
                ink[:, column : column + wide] = 1
                column += wide + r.randint(1, 4)
        part = area[y : min(bottom, y + ink.shape[0]), x : x + ink.shape[1]]
        ink = ink[: part.shape[0], : part.shape[1]]
        part[:] = part * (1 - ink) + shade * ink
        y += int(ink.shape[0] * (r.uniform(0.75, 1.1) if dense else r.uniform(0.8, 1.8)))


def document(r: random.Random, ocr_b: str):
    """A drawn document; the zone's lines as boxes, the pitch and the height of capitals, if it
    has one."""
    lines = text.zone(r)
    count = len(lines[0])
    path = ocr_b if r.random() < 0.9 else None
    size = round(DOC_PITCH / (0.602 if path else 0.72) * r.uniform(0.92, 1.06))
    width = int(DOC_PITCH * count / r.uniform(0.8, 0.97))
    height = int(width * r.uniform(0.6, 0.75))
    area = paper(r, height, width)
    spacing = DOC_PITCH * r.uniform(1.45, 2.7)
    block = spacing * (len(lines) - 1) + DOC_PITCH * 2
    zoned = r.random() < 0.8
    foot = int(height - block - r.uniform(0.2, 1.5) * DOC_PITCH) if zoned else height
    if r.random() < 0.75:
        tall = int(height * r.uniform(0.35, 0.6))
        wide = int(tall * r.uniform(0.7, 0.85))
        x, y = r.randint(4, max(5, width // 8)), r.randint(10, max(11, foot - tall - 4))
        face = portrait(r, tall, wide)[: area.shape[0] - y]
        area[y : y + face.shape[0], x : x + wide] = face
        if foot > 40:
            print_text(r, area, ocr_b, 4, foot - 4, min(width - 30, x + wide + 8), width - 6)
    elif foot > 40:
        print_text(r, area, ocr_b, 4, foot - 4, 8, width - 8)
    boxes = []
    if zoned:
        ink, x0, y0 = typeset(lines, path, size, DOC_PITCH, spacing, 0)
        if r.random() < 0.3:
            area[foot - int(DOC_PITCH * r.uniform(0, 0.8)) :] = r.uniform(170, 255)
        left = int(r.uniform(0.1, 0.9) * max(1, width - DOC_PITCH * count)) - DOC_PITCH
        top = foot
        part = area[top : top + ink.shape[0], max(0, left) : left + ink.shape[1]]
        piece = ink[: part.shape[0], max(0, -left) :][:, : part.shape[1]]
        part[:] = inked(r, piece, part)
        tall = capital(path, size)
        for row in range(len(lines)):
            x, y = left + x0 - DOC_PITCH / 2, top + y0 + row * spacing
            boxes.append((x, y, x + count * DOC_PITCH, tall))
    return area, boxes


def page(r: random.Random, ocr_b: str) -> Page:
    area, boxes = document(r, ocr_b)
    height, width = area.shape
    pitch = 2.0 ** r.uniform(1.35, 3.75)
    scale = pitch / DOC_PITCH
    angle = r.choice([0, 0, 90, 180, 180, 270]) + r.choice([r.gauss(0, 4), r.uniform(-25, 25)])
    if r.random() < 0.1:
        angle = r.uniform(0, 360)
    if boxes and r.random() < 0.85:
        x, y, right, _ = boxes[len(boxes) // 2]
        look = (r.uniform(x, right), y)
    else:
        look = (r.uniform(0, width), r.uniform(0, height))
    place = (PAGE * r.uniform(0.15, 0.85), PAGE * r.uniform(0.15, 0.85))
    turn = np.vstack([cv2.getRotationMatrix2D(look, angle, scale), [0, 0, 1]])
    turn[0, 2] += place[0] - look[0]
    turn[1, 2] += place[1] - look[1]
    tilt = np.eye(3)
    if r.random() < 0.5:
        tilt[2, 0], tilt[2, 1] = r.gauss(0, 0.0004), r.gauss(0, 0.0004)
        tilt[1, 0] = r.gauss(0, 0.03)
    about = np.float64([[1, 0, -PAGE / 2], [0, 1, -PAGE / 2], [0, 0, 1]])
    turn = np.linalg.inv(about) @ tilt @ about @ turn
    if scale < 1:
        area = cv2.GaussianBlur(area, (0, 0), 0.45 / scale)
    shape = (PAGE, PAGE)
    seen = cv2.warpPerspective(area, turn, shape, flags=cv2.INTER_LINEAR)
    inside = cv2.warpPerspective(np.ones_like(area), turn, shape, flags=cv2.INTER_LINEAR)
    around = paper(r, PAGE, PAGE) * r.uniform(0.1, 1)
    if r.random() < 0.3:
        print_text(r, around, ocr_b, 0, PAGE, 0, PAGE)
    picture = camera(r, seen * inside + around * (1 - inside), pitch * 0.9)

    fine = np.zeros((PAGE, PAGE), np.float32)
    values = np.zeros((4, PAGE // 4, PAGE // 4), np.float32)

    def through(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return cv2.perspectiveTransform(
            np.stack([x, y], -1).reshape(1, -1, 2).astype(np.float64), turn
        )[0]

    if boxes:
        squares = np.mgrid[0 : PAGE // 4, 0 : PAGE // 4].astype(np.float64) * 4 + 2
        there = cv2.perspectiveTransform(squares[::-1].reshape(2, -1).T[None], np.linalg.inv(turn))[
            0
        ]
        ahead = through(there[:, 0] + 6, there[:, 1]) - through(there[:, 0] - 6, there[:, 1])
        below = through(there[:, 0], there[:, 1] + 6) - through(there[:, 0], there[:, 1] - 6)
        step, drop = np.linalg.norm(ahead, axis=1), np.linalg.norm(below, axis=1)
        tall = boxes[0][3]
        field = [ahead[:, 0] / step, ahead[:, 1] / step, np.log2(step), np.log2(drop / 12 * tall)]
        values[:] = np.stack(field).reshape(values.shape)
        for x, y, right, tall in boxes:
            corners = through(
                np.float64([x, right, right, x]),
                np.float64([y - tall / 2, y - tall / 2, y + tall / 2, y + tall / 2]),
            )
            cv2.fillPoly(fine, [np.round(corners * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    mask = cv2.resize(fine, (PAGE // 4, PAGE // 4), interpolation=cv2.INTER_AREA)
    return Page(picture, np.round(mask * 255).astype(np.uint8), values.astype(np.float16))
