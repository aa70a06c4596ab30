"""Classical evidence of a presentation attack, each signal one named number: a second
implementation, in numpy, of what `core/src/pad/signals` does. `reference.py` writes down what it
gives for drawn pictures, and the engine's tests compare.

Two pictures feed them, both RGB in whole steps of 0..255, cut by crop.py's rules with an
antialiased triangle filter:

- `face`: FACE_PX x FACE_PX, the square of side sqrt(w*h) about the centre of the face box; -
`around`: the network's own input, INPUT_PX x INPUT_PX, with the place of the face box in it.

Luma is 0.299 R + 0.587 G + 0.114 B of code values over 255. Cb = B - Y, Cr = R - Y, unscaled.
Logarithms are to base 10, of the value plus EPS.
"""

from __future__ import annotations

import crop
import numpy as np

FACE_PX = 128
EPS = 1e-6
LUMA = np.array([0.299, 0.587, 0.114])

NAMES = (
    "moire-peak",
    "chroma-noise",
    "saturation",
    "blue-shift",
    "specular",
    "focus-plane",
    "border-sides",
    "border-ends",
)


def _log(value: float) -> float:
    return float(np.log10(value + EPS))


def _laplacian(y: np.ndarray) -> np.ndarray:
    """4-neighbour Laplacian of the inner pixels."""
    return y[:-2, 1:-1] + y[2:, 1:-1] + y[1:-1, :-2] + y[1:-1, 2:] - 4 * y[1:-1, 1:-1]


def _spectrum(y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Power of the Hann-windowed, zero-mean patch, with each bin's signed frequency in cycles a
    patch.
    """
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FACE_PX) / FACE_PX)
    power = np.abs(np.fft.fft2((y - y.mean()) * np.outer(hann, hann))) ** 2
    k = np.fft.fftfreq(FACE_PX, 1 / FACE_PX)
    return power, k[:, None], k[None, :]


def moire_peak(power: np.ndarray, fy: np.ndarray, fx: np.ndarray) -> float:
    """How far the strongest narrow peak stands above its ring: log of the largest ratio of a bin's
    power to the median of its ring (radius rounded to whole cycles), over rings 10..56, off the
    axes by 3 cycles or more.
    """
    ring = np.rint(np.hypot(fy, fx)).astype(int)
    best = 0.0
    off_axis = (np.abs(fy) >= 3) & (np.abs(fx) >= 3)
    for r in range(10, 57):
        on = ring == r
        best = max(best, float(power[on & off_axis].max() / (np.median(power[on]) + EPS)))
    return _log(best)


def _line(gradient: np.ndarray, low: int, high: int) -> float:
    """Largest mean of a column of `gradient`, over columns low..high and shears of -12..12 pixels a
    picture, over the mean of the whole. Sheared columns are read at the nearest pixel; those
    leaving the picture do not count.
    """
    rows, columns = gradient.shape
    y = np.arange(rows)
    best = 0.0
    for shear in range(-12, 13, 3):
        shift = np.rint(shear * (y - rows / 2) / rows).astype(int)
        for x in range(max(low, 0), min(high, columns)):
            at = x + shift
            if at.min() >= 0 and at.max() < columns:
                best = max(best, float(gradient[y, at].mean()))
    return best / (float(gradient.mean()) + EPS)


def border(around: np.ndarray, box: tuple[float, float, float, float]) -> tuple[float, float]:
    """Straight edges beside the face, and above and below it: logs of `_line` of the horizontal
    gradient left and right of the box, and of the vertical gradient above and below it; the
    larger of each two.
    """
    y = around @ LUMA / 255
    x0, y0, w, h = (int(round(n)) for n in box)
    across = np.abs(y[:, 1:] - y[:, :-1])
    down = np.abs(y[1:] - y[:-1]).T
    sides = max(_line(across, 1, x0), _line(across, x0 + w, across.shape[1] - 1))
    ends = max(_line(down, 1, y0), _line(down, y0 + h, down.shape[1] - 1))
    return _log(sides), _log(ends)


def evaluate(
    face: np.ndarray, around: np.ndarray, box: tuple[float, float, float, float]
) -> dict[str, float]:
    """Every signal. `box` is the face box in pixels of `around`."""
    rgb = face.astype(np.float64) / 255
    y = rgb @ LUMA
    cb, cr = rgb[..., 2] - y, rgb[..., 0] - y
    power = _spectrum(y)
    edge = _laplacian(y)
    chroma_edge = np.sqrt((_laplacian(cb) ** 2).mean() + (_laplacian(cr) ** 2).mean())
    context = around @ LUMA / 255
    context_edge = _laplacian(context) ** 2
    x0, y0, w, h = (int(round(n)) for n in box)
    inside = np.zeros(context.shape, bool)
    inside[max(y0, 0) : y0 + h, max(x0, 0) : x0 + w] = True
    inside = inside[1:-1, 1:-1]
    outside = context_edge[~inside]
    brightest, greyest = rgb.max(2), np.hypot(cb, cr)
    sides, ends = border(around, box)
    return {
        "moire-peak": moire_peak(*power),
        "chroma-noise": _log(chroma_edge / (np.sqrt((edge**2).mean()) + EPS)),
        "saturation": float(np.hypot(cb, cr).mean() / (y.mean() + EPS)),
        "blue-shift": _log(rgb[..., 2].mean() / (rgb[..., 0].mean() + EPS)),
        # Share of the face that is near clipping and colourless.
        "specular": float(((brightest > 0.94) & (greyest < 0.12)).mean()),
        # Edges of the face against edges around it: a flat artefact has one plane of focus.
        "focus-plane": (
            _log(context_edge[inside].mean() if inside.any() else 0.0)
            - _log(outside.mean() if outside.size else 0.0)
        ),
        "border-sides": sides,
        "border-ends": ends,
    }


def whole(pixels: np.ndarray) -> np.ndarray:
    return np.floor(pixels + 0.5)


def vector(image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """The signals of a face in an RGB image, in the order of NAMES."""
    height, width = image.shape[:2]
    x, y, w, h = box
    side = max(8, int(min((w * h) ** 0.5, width, height)))
    left = int(min(max(x + w / 2 - side / 2, 0), width - side) + 0.5)
    top = int(min(max(y + h / 2 - side / 2, 0), height - side) + 0.5)
    face = crop.shrink(image, crop.Crop(left, top, side, 1.0), FACE_PX)
    placed = crop.place(width, height, box)
    scale = crop.INPUT_PX / placed.side
    inner = ((x - placed.left) * scale, (y - placed.top) * scale, w * scale, h * scale)
    found = evaluate(whole(face), whole(crop.shrink(image, placed, crop.INPUT_PX)), inner)
    return np.array([found[name] for name in NAMES], np.float32)
