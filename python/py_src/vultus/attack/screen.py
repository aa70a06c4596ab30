"""Replay attack: a picture shown on a display and captured by a camera."""

from __future__ import annotations

import dataclasses

import numpy as np

from .camera import CameraSettings, capture
from .scene import (
    TREMOR,
    Presentation,
    add_hand,
    back_project,
    blur,
    check_image,
    pose,
    resize,
    room,
    sample,
    smooth_noise,
    to_linear,
)
from .settings import Settings, chosen, ranged


@dataclasses.dataclass(frozen=True)
class ReplaySettings(Settings):
    """The display and how it is held. Lengths with `_px` are camera pixels."""

    coverage: float = ranged(0.55, 1.75, 0.9)
    """Width of the shown picture over the width of the frame."""
    roll_deg: float = ranged(-14, 14, 0)
    tilt_x_deg: float = ranged(-24, 24, 0)
    tilt_y_deg: float = ranged(-24, 24, 0)
    shift_x: float = ranged(-0.18, 0.18, 0)
    shift_y: float = ranged(-0.18, 0.18, 0)
    crop: float = ranged(0.45, 1.0, 1.0)
    """Part of the picture's width that the display shows."""
    aspect: float = ranged(0.55, 2.1, 1.6)
    """Height over width of the lit area; what the picture does not fill is bars or interface."""
    bars: str = chosen("black", "interface", "fill")
    bezel: float = ranged(0.01, 0.14, 0.04)
    bezel_level: float = ranged(0.0, 1.0, 0.1)
    corner: float = ranged(0.0, 0.12, 0.05)
    brightness: float = ranged(0.5, 2.4, 1.0)
    gamma: float = ranged(0.75, 1.35, 1.0)
    black_level: float = ranged(0.0, 0.05, 0.01)
    blue_shift: float = ranged(-0.12, 0.22, 0.1)
    bits: float = ranged(5.0, 8.0, 8.0)
    layout: str = chosen("stripe", "quad", report_only=("pentile",))
    pitch_px: float = ranged(0.35, 2.6, 0.8)
    """Distance of two display pixels in the camera frame; below 2 it aliases to moire."""
    grid: float = ranged(0.0, 0.55, 0.2)
    glare: float = ranged(0.0, 0.6, 0.1)
    reflection: float = ranged(0.0, 0.12, 0.02)
    band_depth: float = ranged(0.0, 0.15, 0.03)
    band_period: float = ranged(0.12, 1.2, 0.5)
    """Period of the rolling refresh bands over the frame's height."""
    hand: float = ranged(0.0, 1.0, 0.0)


_OFFSETS = {
    "stripe": ((0.0, 0.0), (1 / 3, 0.0), (2 / 3, 0.0)),
    "quad": ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5)),
    "pentile": ((0.0, 0.25), (0.5, 0.0), (0.0, 0.75)),
}


def _display(
    rng: np.random.Generator,
    source: np.ndarray,
    s: ReplaySettings,
    width: int,
    face: tuple[float, float],
):
    """The lit area in code values 0..1, and where the picture's top left corner lies in it."""
    scale = width / source.shape[1]
    picture = resize(source, width, round(source.shape[0] * scale)).astype(np.float32) / 255
    height = picture.shape[0]
    shown_w = max(int(width * s.crop), 8)
    left = int(np.clip(face[0] * scale - shown_w / 2, 0, width - shown_w))
    lit_h = max(int(shown_w * s.aspect), 8)
    shown_h = min(height, lit_h)
    top = int(np.clip(face[1] * scale - shown_h / 2, 0, height - shown_h))
    shown = picture[top : top + shown_h, left : left + shown_w]
    lit = np.zeros((lit_h, shown_w, 3), np.float32)
    if s.bars == "fill" or shown_h >= lit_h:
        lit[:] = resize((shown * 255).astype(np.uint8), shown_w, lit_h).astype(np.float32) / 255
        lit = blur(lit, shown_w / 20)
    elif s.bars == "interface":
        lit[:] = rng.uniform(0, 1) ** 2 * rng.uniform(0.7, 1.0, 3)
        for _ in range(rng.integers(2, 12)):
            y, x = int(rng.integers(0, lit_h)), int(rng.integers(0, shown_w))
            lit[
                y : y + int(rng.integers(2, 10)), x : x + int(rng.integers(3, max(shown_w // 2, 4)))
            ] = rng.uniform(0, 1, 3)
    y0 = int((lit_h - shown_h) * rng.uniform(0.2, 0.8))
    lit[y0 : y0 + shown_h] = shown
    return lit, np.array([[scale, 0, -left], [0, scale, y0 - top], [0, 0, 1.0]])


def present_replay(
    image: np.ndarray,
    settings: ReplaySettings,
    camera: CameraSettings,
    seed: int,
    *,
    background: np.ndarray | None = None,
    face_centre: tuple[float, float] | None = None,
    frame: int = 0,
) -> Presentation:
    """Shows `image` on a simulated display and photographs it.

    `background` (uint8 RGB, any size) stands behind the display; without it a room is drawn.
    `face_centre` (x, y in pixels) is brought to the middle of the frame; default is the image's
    centre. In a clip the scene is drawn by `seed` alone; `frame` varies what varies from frame to
    frame: camera noise, tremor of the hand, the phase of the refresh bands.
    """
    rng, moment = np.random.default_rng(seed), np.random.default_rng([seed, frame])
    s, (height, width) = settings, check_image(image).shape[:2]
    face = face_centre or (width / 2, height / 2)
    lit, to_lit = _display(rng, image, s, max(int(width * s.coverage), 16), face)
    levels = 2**s.bits - 1
    lit = np.round(lit * levels) / levels
    emitted = np.maximum(lit, 0) ** np.float32(2.2 * s.gamma)

    lit_h, lit_w = emitted.shape[:2]
    rim = max(2, int(s.bezel * max(lit_h, lit_w)))
    anchor = (to_lit @ [*face, 1])[:2]
    tremor = moment.normal(0, TREMOR, 2)
    centre = (width * (0.5 + s.shift_x + tremor[0]), height * (0.5 + s.shift_y + tremor[1]))
    matrix = pose((height, width), centre, tuple(anchor), s.roll_deg, s.tilt_x_deg, s.tilt_y_deg)
    u, v = back_project((height, width), matrix)

    colour = np.array(
        [1 - s.blue_shift * 0.6, 1 - s.blue_shift * 0.2, 1 + s.blue_shift], np.float32
    )
    glow = sample(emitted, u, v) * colour + np.float32(s.black_level)
    for channel, (du, dv) in enumerate(_OFFSETS[s.layout]):
        column, row = 2 * np.pi * (u / s.pitch_px - du), 2 * np.pi * (v / s.pitch_px - dv)
        softness = 1 / (1 + (0.45 / s.pitch_px) ** 2)
        ripple = np.cos(column) + 0.35 * np.cos(2 * column) * softness + 0.6 * np.cos(row)
        glow[..., channel] *= 1 + s.grid * softness * 0.6 * ripple
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    phase = moment.uniform(0, 2 * np.pi)
    glow *= (
        1
        - s.band_depth * (0.5 + 0.5 * np.cos(2 * np.pi * y / (s.band_period * height) + phase)) ** 2
    )[..., None]
    glow *= np.float32(s.brightness)

    behind = (
        to_linear(resize(background, width, height))
        if background is not None
        else room(rng, height, width)
    )
    glow += s.reflection * blur(behind[:, ::-1], 6)
    spot, spread = rng.uniform(0, 1, 2) * (width, height), rng.uniform(0.05, 0.3) * width
    stretch = rng.uniform(0.4, 2.5)
    distance = np.hypot((x - spot[0]) * stretch, (y - spot[1]) / stretch) / spread
    glare = np.exp(-(distance**4 if rng.random() < 0.5 else distance**2))
    glow += (s.glare * glare * (rng.random() < 0.4)).astype(np.float32)[..., None]

    def rounded(grow: float) -> np.ndarray:
        radius = s.corner * min(lit_h, lit_w) + grow
        du = np.abs(u - lit_w / 2) - lit_w / 2 - grow + radius
        dv = np.abs(v - lit_h / 2) - lit_h / 2 - grow + radius
        inside = (
            np.hypot(np.maximum(du, 0), np.maximum(dv, 0))
            + np.minimum(np.maximum(du, dv), 0)
            - radius
        )
        return np.clip(0.5 - inside, 0, 1).astype(np.float32)[..., None]

    bezel = (
        np.float32(s.bezel_level**3 * 0.8)
        * (1 + 0.1 * smooth_noise(rng, height, width, 40))[..., None]
    )
    device, panel = rounded(rim), rounded(0)
    light = behind * (1 - device) + device * ((1 - panel) * bezel + panel * glow)
    if s.hand >= 0.5:
        side = rng.choice([-1, 1])
        grip = matrix @ [lit_w / 2 + side * (lit_w / 2 + rim), lit_h * rng.uniform(0.2, 0.9), 1]
        inward = np.array([-side, rng.uniform(-0.4, 0.4)])
        light = add_hand(rng, light, grip[:2] / grip[2], inward, width * rng.uniform(0.025, 0.07))
    return Presentation(capture(light.astype(np.float32), camera, moment), matrix @ to_lit)
