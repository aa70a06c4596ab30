"""Manipulated faces: a picture blended with itself, and another identity warped over a face.

Both take landmarks as an (n, 2) array of x, y in pixels; for a swap the two faces' rows must
correspond, as those of the 468-point mesh do.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image, ImageDraw

from .scene import blur, check_image, sample, smooth_noise
from .settings import Settings, ranged

_CONTROLS = 64


@dataclasses.dataclass(frozen=True)
class BlendSettings(Settings):
    """How a manipulated face is laid over its surroundings."""

    feather: float = ranged(0.01, 0.12, 0.04)
    """Softness of the seam over the face's width."""
    grow: float = ranged(-0.12, 0.12, 0.0)
    """How far the seam lies outside the outline of the landmarks, over the face's width."""
    opacity: float = ranged(0.5, 1.0, 1.0)
    colour_match: float = ranged(0.3, 1.0, 0.9)
    softness: float = ranged(0.0, 0.012, 0.004)
    """Blur of the inserted face over its width, as generators leave it."""
    shift: float = ranged(0.0, 0.02, 0.006)
    """Misplacement over the face's width; drawn anew for each frame."""
    tint: float = ranged(0.0, 0.12, 0.04)


def _landmarks(points: np.ndarray, name: str) -> np.ndarray:
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 5 or not np.isfinite(points).all():
        raise ValueError(
            f"{name} has shape {points.shape}, allowed is (n, 2) with n >= 5 and finite values"
        )
    return points


def _hull(points: np.ndarray) -> np.ndarray:
    ordered = sorted(map(tuple, points))

    def half(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
        chain: list[tuple[float, float]] = []
        for p in run:
            while (
                len(chain) > 1
                and (
                    (chain[-1][0] - chain[-2][0]) * (p[1] - chain[-2][1])
                    - (chain[-1][1] - chain[-2][1]) * (p[0] - chain[-2][0])
                )
                <= 0
            ):
                chain.pop()
            chain.append(p)
        return chain[:-1]

    return np.array(half(ordered) + half(ordered[::-1]))


def _seam(shape: tuple[int, int], points: np.ndarray, s: BlendSettings, width: float) -> np.ndarray:
    """Cover of the inserted face, 0..1, (height, width, 1)."""
    hull = _hull(points)
    centre = hull.mean(0)
    outline = centre + (hull - centre) * (1 + 2 * (s.grow - s.feather / 2))
    canvas = Image.new("L", (shape[1], shape[0]))
    ImageDraw.Draw(canvas).polygon([tuple(p) for p in outline], fill=255)
    cover = np.asarray(canvas, np.float32) / 255
    return s.opacity * blur(cover, s.feather * width / 2)[..., None]


def _match(values: np.ndarray, like: np.ndarray, cover: np.ndarray, strength: float) -> np.ndarray:
    """Moves mean and spread of each channel under the cover towards those of `like`."""
    weight = cover / max(float(cover.sum()), 1e-6)
    means = [(v * weight).sum((0, 1)) for v in (values, like)]
    spreads = [
        np.sqrt((((v - m) ** 2) * weight).sum((0, 1))) + 1e-3
        for v, m in zip((values, like), means, strict=True)
    ]
    matched = (values - means[0]) / spreads[0] * spreads[1] + means[1]
    return values + strength * (matched - values)


_KNOT_PX = 6
"""The spline is smooth: it is solved at knots this far apart and interpolated between them."""


def _thin_plate(
    to: np.ndarray, come_from: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """For each pixel of the target, where it comes from, interpolating to -> come_from by a
    thin-plate spline.
    """
    n = len(to)

    def kernel(d2: np.ndarray) -> np.ndarray:
        return d2 * np.log(d2 + 1e-9)

    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = kernel(((to[:, None] - to[None]) ** 2).sum(2)) + 1e-6 * np.eye(n)
    system[:n, n], system[:n, n + 1 :] = 1, to
    system[n, :n], system[n + 1 :, :n] = 1, to.T
    solved = np.linalg.solve(system, np.vstack([come_from, np.zeros((3, 2))]))
    columns, rows = (
        np.linspace(0, side - 1, max(2, side // _KNOT_PX + 1)) for side in (width, height)
    )
    x, y = np.meshgrid(columns, rows)
    u = solved[n, 0] + solved[n + 1, 0] * x + solved[n + 2, 0] * y
    v = solved[n, 1] + solved[n + 1, 1] * x + solved[n + 2, 1] * y
    for (px, py), (wx, wy) in zip(to, solved[:n], strict=True):
        bump = kernel((x - px) ** 2 + (y - py) ** 2)
        u, v = u + wx * bump, v + wy * bump
    across, down = np.meshgrid(
        np.arange(width) * (len(columns) - 1) / (width - 1),
        np.arange(height) * (len(rows) - 1) / (height - 1),
    )
    between = sample(np.dstack([u, v]), across, down)
    return between[..., 0], between[..., 1]


def _around(shape: tuple[int, ...], points: np.ndarray, face: float) -> tuple[slice, slice]:
    """Rows and columns of the part of the picture that a face can change."""
    left, top = (int(np.clip(n - 0.25 * face, 0, None)) for n in points.min(0))
    right, bottom = (
        int(min(points[:, 0].max() + 0.25 * face, shape[1])),
        int(min(points[:, 1].max() + 0.25 * face, shape[0])),
    )
    if right - left < 8 or bottom - top < 8:
        raise ValueError(
            f"landmarks span {right - left}x{bottom - top} pixels of the image, allowed is 8 a side"
            " or more"
        )
    return slice(top, bottom), slice(left, right)


def self_blend(
    image: np.ndarray, landmarks: np.ndarray, settings: BlendSettings, seed: int
) -> np.ndarray:
    """Lays a slightly changed copy of a face over itself: the seam of a swap without another person
    (self-blended images, arXiv 2204.08376). Returns uint8 RGB of the same shape."""
    rng = np.random.default_rng(seed)
    check_image(image)
    points = _landmarks(landmarks, "landmarks")
    face = float(np.ptp(points[:, 0]))
    part = _around(image.shape, points, face)
    base = image[part].astype(np.float32)
    height, width = base.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    dx, dy = rng.normal(0, 1, 2) * settings.shift * face
    warp = settings.shift * face * 0.7
    u = x + dx + warp * smooth_noise(rng, height, width, face / 2)
    v = y + dy + warp * smooth_noise(rng, height, width, face / 2)
    changed = blur(sample(base, u, v), settings.softness * face)
    changed = changed * (1 + settings.tint * rng.normal(0, 1, 3).astype(np.float32))
    placed = points - (part[1].start, part[0].start)
    cover = _seam(
        (height, width), placed + rng.normal(0, 0.01 * face, points.shape), settings, face
    )
    changed = _match(changed, base, cover, settings.colour_match * 0.5)
    out = image.copy()
    out[part] = np.clip(np.round(base * (1 - cover) + changed * cover), 0, 255)
    return out


def face_swap(
    image: np.ndarray,
    landmarks: np.ndarray,
    donor: np.ndarray,
    donor_landmarks: np.ndarray,
    settings: BlendSettings,
    seed: int,
) -> np.ndarray:
    """Warps the donor's face onto the face in `image` and blends it in. Returns uint8 RGB of the
    shape of `image`.
    """
    rng = np.random.default_rng(seed)
    check_image(image)
    check_image(donor, "donor")
    to, come_from = (
        _landmarks(landmarks, "landmarks"),
        _landmarks(donor_landmarks, "donor_landmarks"),
    )
    if len(to) != len(come_from):
        raise ValueError(
            f"landmarks has {len(to)} points and donor_landmarks {len(come_from)}, they must"
            " correspond"
        )
    face = float(np.ptp(to[:, 0]))
    part = _around(image.shape, to, face)
    base, corner = image[part].astype(np.float32), (part[1].start, part[0].start)
    placed = to - corner + rng.normal(0, 1, 2) * settings.shift * face
    controls = np.unique(np.linspace(0, len(to) - 1, min(_CONTROLS, len(to))).round().astype(int))
    u, v = _thin_plate(placed[controls], come_from[controls], *base.shape[:2])
    scale = np.ptp(come_from[:, 0]) / face
    worn = sample(blur(donor.astype(np.float32), 0.5 * scale if scale > 1.2 else 0.0), u, v)
    worn = blur(worn, settings.softness * face)
    cover = _seam(base.shape[:2], to - corner, settings, face)
    worn = _match(worn, base, cover, settings.colour_match) * (
        1 + settings.tint * rng.normal(0, 0.3, 3).astype(np.float32)
    )
    out = image.copy()
    out[part] = np.clip(np.round(base * (1 - cover) + worn * cover), 0, 255)
    return out
