"""Geometry and light of a scene: a flat or bent artefact before a background, in linear light."""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image

TREMOR = 0.002
"""Standard deviation of a held artefact's place from frame to frame, over the frame."""

_TO_LINEAR = (np.arange(256) / 255.0) ** 2.2
_TO_CODE = np.round(255.0 * (np.arange(4096) / 4095.0) ** (1 / 2.2)).astype(np.uint8)


@dataclasses.dataclass(frozen=True)
class Presentation:
    """A captured artefact.

    `image` is uint8 RGB in the shape of the source. `to_image` is the 3x3 matrix that takes
    homogeneous source pixels to pixels of `image`, leaving aside the bend of a sheet.
    """

    image: np.ndarray
    to_image: np.ndarray

    def box(
        self, x: float, y: float, width: float, height: float
    ) -> tuple[float, float, float, float]:
        """Where an upright box of the source lies in `image`: x, y, width, height, upright and of
        equal area.
        """
        corners = np.array(
            [[x, x + width, x + width, x], [y, y, y + height, y + height], [1, 1, 1, 1]]
        )
        xs, ys = (self.to_image @ corners)[:2] / (self.to_image @ corners)[2]
        area = 0.5 * abs(float(xs @ np.roll(ys, -1) - ys @ np.roll(xs, -1)))
        scale = np.sqrt(area / (width * height))
        w, h = width * scale, height * scale
        return float(xs.mean() - w / 2), float(ys.mean() - h / 2), float(w), float(h)


def check_image(image: np.ndarray, name: str = "image", smallest: int = 16) -> np.ndarray:
    """Returns the image, or raises ValueError unless it is uint8 RGB of at least `smallest` pixels
    a side.
    """
    if (
        not isinstance(image, np.ndarray)
        or image.dtype != np.uint8
        or image.ndim != 3
        or image.shape[2] != 3
    ):
        found = (
            f"{image.dtype} {image.shape}"
            if isinstance(image, np.ndarray)
            else type(image).__name__
        )
        raise ValueError(f"{name} is {found}, allowed is a uint8 array of shape (height, width, 3)")
    if min(image.shape[:2]) < smallest:
        raise ValueError(
            f"{name} is {image.shape[1]}x{image.shape[0]}, allowed is {smallest} pixels a side or"
            " more"
        )
    return image


def to_linear(image: np.ndarray) -> np.ndarray:
    """uint8 code values to linear light in [0, 1], float32."""
    return _TO_LINEAR.astype(np.float32)[image]


def to_code(light: np.ndarray) -> np.ndarray:
    """Linear light in [0, 1] (clipped) to uint8 code values."""
    return _TO_CODE[(np.clip(light, 0.0, 1.0) * 4095.0 + 0.5).astype(np.int32)]


def resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Antialiased resize of a uint8 image."""
    return np.asarray(
        Image.fromarray(image).resize((max(width, 1), max(height, 1)), Image.Resampling.BICUBIC)
    )


def blur(light: np.ndarray, sigma: float) -> np.ndarray:
    """Separable Gaussian blur with edge replication."""
    if sigma < 0.2:
        return light
    radius = max(1, int(np.ceil(2.5 * sigma)))
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2).astype(np.float32)
    taps /= taps.sum()
    size = light.shape
    for axis in (0, 1):
        pad = [(0, 0)] * light.ndim
        pad[axis] = (radius, radius)
        padded, light = np.pad(light, pad, mode="edge"), np.zeros(size, np.float32)
        for i, tap in enumerate(taps):
            light += tap * (padded[i : i + size[0]] if axis == 0 else padded[:, i : i + size[1]])
    return light


def smooth_noise(rng: np.random.Generator, height: int, width: int, period_px: float) -> np.ndarray:
    """Zero-mean, unit-scale noise without structure finer than about `period_px`."""
    rows, columns = (max(2, int(np.ceil(n / period_px)) + 1) for n in (height, width))
    coarse = Image.fromarray(rng.standard_normal((rows, columns)).astype(np.float32))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


def sample(picture: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Bilinear values of `picture` at columns u and rows v; the border value beyond the border."""
    height, width = picture.shape[:2]
    u, v = np.clip(u, 0, width - 1), np.clip(v, 0, height - 1)
    u0, v0 = np.minimum(u.astype(np.int32), width - 2), np.minimum(v.astype(np.int32), height - 2)
    fu, fv = (u - u0).astype(np.float32), (v - v0).astype(np.float32)
    if picture.ndim == 3:
        fu, fv = fu[..., None], fv[..., None]
    flat = picture.reshape(height * width, -1) if picture.ndim == 3 else picture.reshape(-1)
    at = v0 * width + u0
    top = flat[at] * (1 - fu) + flat[at + 1] * fu
    bottom = flat[at + width] * (1 - fu) + flat[at + width + 1] * fu
    return top * (1 - fv) + bottom * fv


def pose(
    frame: tuple[int, int],
    centre: tuple[float, float],
    anchor: tuple[float, float],
    roll_deg: float,
    tilt_x_deg: float,
    tilt_y_deg: float,
) -> np.ndarray:
    """The 3x3 matrix that takes points of a tilted sheet to the camera frame (height, width).

    The sheet's point `anchor` lands on the frame's point `centre`, at scale 1 when untilted.
    """
    roll, tx, ty = np.deg2rad([roll_deg, tilt_x_deg, tilt_y_deg])
    rz = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    rx = np.array([[1, 0, 0], [0, np.cos(tx), -np.sin(tx)], [0, np.sin(tx), np.cos(tx)]])
    ry = np.array([[np.cos(ty), 0, np.sin(ty)], [0, 1, 0], [-np.sin(ty), 0, np.cos(ty)]])
    rotation, focal = rx @ ry @ rz, 1.3 * max(frame)
    camera = np.array([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1.0]])
    plane = np.column_stack([rotation[:, 0], rotation[:, 1], [0, 0, focal]])
    return camera @ plane @ np.array([[1, 0, -anchor[0]], [0, 1, -anchor[1]], [0, 0, 1.0]])


def back_project(frame: tuple[int, int], matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each pixel of the frame (height, width), the sheet's column u and row v that it sees."""
    y, x = np.mgrid[0 : frame[0], 0 : frame[1]].astype(np.float64)
    inverse = np.linalg.inv(matrix)
    u, v, w = (row[0] * x + row[1] * y + row[2] for row in inverse)
    w = np.where(w * np.sign(inverse[2, 2]) > 1e-6, w, np.nan)
    return np.nan_to_num(u / w, nan=-1e6), np.nan_to_num(v / w, nan=-1e6)


def paint(rng: np.random.Generator, brightest: float) -> np.ndarray:
    """A mostly muted surface colour in linear light."""
    grey = brightest * rng.uniform(0.08, 1.0) ** 2
    return (
        (grey * (1 + rng.uniform(0, 0.6) ** 2 * rng.uniform(-1.5, 1.5, 3)))
        .clip(0.003, 1)
        .astype(np.float32)
    )


def room(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A procedural room out of focus: graded wall, flat furniture, a lamp or window; linear
    light."""
    wall = paint(rng, 0.6)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    slope = rng.uniform(-0.5, 0.5, 2)
    light = wall * (1 + slope[0] * (x / width - 0.5) + slope[1] * (y / height - 0.5))[..., None]
    for _ in range(rng.integers(1, 7)):
        left, top = int(rng.integers(-width // 2, width)), int(rng.integers(-height // 2, height))
        right, bottom = left + int(rng.integers(8, width)), top + int(rng.integers(8, height))
        light[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = paint(rng, 0.8)
    light *= np.exp(rng.uniform(0, 0.15) * smooth_noise(rng, height, width, rng.uniform(4, 60)))[
        ..., None
    ]
    return blur(light, rng.uniform(0.5, 4.0))


def capsule(height: int, width: int, a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    """Signed distance in pixels to a capsule from a to b (x, y): negative inside."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    along = b - a
    t = np.clip(
        ((x - a[0]) * along[0] + (y - a[1]) * along[1]) / max(float(along @ along), 1e-6), 0, 1
    )
    return np.hypot(x - a[0] - t * along[0], y - a[1] - t * along[1]) - radius


def add_hand(
    rng: np.random.Generator,
    light: np.ndarray,
    edge: np.ndarray,
    inward: np.ndarray,
    finger_px: float,
) -> np.ndarray:
    """Draws fingers that grip the artefact: from beyond its `edge` point (x, y) in direction
    `inward`.
    """
    height, width = light.shape[:2]
    skin = np.array([0.45, 0.25, 0.17]) * rng.uniform(0.12, 1.2) * rng.uniform(0.85, 1.15, 3)
    across = np.array([-inward[1], inward[0]])
    for i in range(int(rng.integers(1, 5))):
        tip = (
            edge
            + inward * finger_px * rng.uniform(0.3, 3.0)
            + across * finger_px * (2.2 * i + rng.uniform(-0.3, 0.3))
        )
        root = (
            tip - inward * finger_px * rng.uniform(5, 9) + across * finger_px * rng.uniform(-2, 2)
        )
        radius = finger_px * rng.uniform(0.8, 1.15)
        distance = capsule(height, width, tip, root, radius)
        shade = 0.45 + 0.65 * np.sqrt(np.clip(-distance / radius, 0, 1))
        cover = np.clip(0.5 - distance, 0, 1)[..., None]
        shadow = np.clip(1 - np.maximum(distance, 0) / (0.8 * radius), 0, 1)[..., None] * 0.35
        light = light * (1 - shadow) * (1 - cover) + cover * shade[..., None] * skin
    return light.astype(np.float32)
