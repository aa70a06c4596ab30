"""Print attack: a picture printed on a sheet, held before the camera."""

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
class PrintSettings(Settings):
    """The print and how it is held. Lengths with `_px` are camera pixels."""

    coverage: float = ranged(0.55, 1.75, 0.9)
    """Width of the printed picture over the width of the frame."""
    roll_deg: float = ranged(-14, 14, 0)
    tilt_x_deg: float = ranged(-24, 24, 0)
    tilt_y_deg: float = ranged(-24, 24, 0)
    shift_x: float = ranged(-0.18, 0.18, 0)
    shift_y: float = ranged(-0.18, 0.18, 0)
    crop: float = ranged(0.5, 1.0, 1.0)
    """Part of the picture's width left after cutting the sheet."""
    margin: float = ranged(0.0, 0.16, 0.05)
    """Blank paper around the picture over its width; 0 is cut to the picture."""
    cut: float = ranged(0.0, 0.03, 0.0)
    """Waviness of the cut edge over the picture's width."""
    bend: float = ranged(-0.35, 0.35, 0.0)
    """Rise of the sheet at its edges over its width, about a vertical axis."""
    fold: float = ranged(0.0, 1.0, 0.0)
    gamut: float = ranged(0.55, 1.0, 0.8)
    """Saturation left by the inks."""
    ink_black: float = ranged(0.01, 0.12, 0.05)
    """Reflectance of full black ink."""
    dot_gain: float = ranged(0.0, 0.3, 0.1)
    ink_blur_px: float = ranged(0.0, 1.2, 0.3)
    halftone: str = chosen("clustered", "line", report_only=("stochastic",))
    screen_px: float = ranged(1.1, 4.0, 2.0)
    """Period of the halftone screen in the camera frame."""
    screen_depth: float = ranged(0.0, 0.4, 0.2)
    streaks: float = ranged(0.0, 0.1, 0.02)
    texture: float = ranged(0.0, 0.06, 0.02)
    paper_warmth: float = ranged(-0.08, 0.12, 0.02)
    shading: float = ranged(0.0, 0.45, 0.15)
    gloss: float = ranged(0.0, 0.3, 0.05)
    illumination: float = ranged(0.45, 1.5, 1.0)
    hand: float = ranged(0.0, 1.0, 0.0)


_SCREEN_ANGLES_DEG = (15.0, 75.0, 0.0)


def _halftone(
    rng: np.random.Generator, s: PrintSettings, u: np.ndarray, v: np.ndarray
) -> np.ndarray:
    """Ink coverage ripple per channel, about zero mean, in -1..1."""
    ripple = np.empty((*u.shape, 3), np.float32)
    for channel, angle in enumerate(np.deg2rad(_SCREEN_ANGLES_DEG)):
        if s.halftone == "stochastic":
            noise = rng.standard_normal(u.shape).astype(np.float32)
            ripple[..., channel] = np.clip((noise - blur(noise, s.screen_px / 2)) / 1.5, -1, 1)
            continue
        a = 2 * np.pi * (u * np.cos(angle) + v * np.sin(angle)) / s.screen_px
        b = 2 * np.pi * (v * np.cos(angle) - u * np.sin(angle)) / s.screen_px
        ripple[..., channel] = np.cos(a) if s.halftone == "line" else 0.5 * (np.cos(a) + np.cos(b))
    return ripple


def present_print(
    image: np.ndarray,
    settings: PrintSettings,
    camera: CameraSettings,
    seed: int,
    *,
    background: np.ndarray | None = None,
    face_centre: tuple[float, float] | None = None,
    frame: int = 0,
) -> Presentation:
    """Prints `image` on a simulated sheet and photographs it.

    `background` (uint8 RGB, any size) stands behind the sheet; without it a room is drawn.
    `face_centre` (x, y in pixels) is brought to the middle of the frame; default is the image's
    centre. In a clip the scene is drawn by `seed` alone; `frame` varies what varies from frame to
    frame: camera noise, tremor of the hand.
    """
    rng, moment = np.random.default_rng(seed), np.random.default_rng([seed, frame])
    s, (height, width) = settings, check_image(image).shape[:2]
    face = face_centre or (width / 2, height / 2)
    print_w = max(int(width * s.coverage), 16)
    scale = print_w / width
    picture = to_linear(resize(image, print_w, round(height * scale)))
    cut_w = max(int(print_w * s.crop), 8)
    cut_h = min(picture.shape[0], int(cut_w * rng.uniform(1.0, 1.5)))
    left = int(np.clip(face[0] * scale - cut_w / 2, 0, print_w - cut_w))
    top = int(np.clip(face[1] * scale - cut_h / 2, 0, picture.shape[0] - cut_h))
    picture = picture[top : top + cut_h, left : left + cut_w]

    grey = picture @ np.array([0.3, 0.59, 0.11], np.float32)
    picture = grey[..., None] + s.gamut * (picture - grey[..., None])
    ink = (1 - np.clip(picture, 0, 1) ** (1 / 2.2)) ** (1 - s.dot_gain)
    ink = blur(ink, s.ink_blur_px)
    ink *= 1 + s.streaks * smooth_noise(rng, cut_h, 2, 3)[:, :1, None]

    rim = int(s.margin * cut_w)
    ink = np.pad(ink, ((rim, rim), (rim, rim), (0, 0)))
    sheet_h, sheet_w = ink.shape[:2]
    to_sheet = np.array([[scale, 0, rim - left], [0, scale, rim - top], [0, 0, 1.0]])
    anchor = (to_sheet @ [*face, 1])[:2]
    tremor = moment.normal(0, TREMOR, 2)
    centre = (width * (0.5 + s.shift_x + tremor[0]), height * (0.5 + s.shift_y + tremor[1]))
    matrix = pose((height, width), centre, tuple(anchor), s.roll_deg, s.tilt_x_deg, s.tilt_y_deg)
    u, v = back_project((height, width), matrix)

    across = np.clip((u - sheet_w / 2) / sheet_w, -1, 1)
    v = v + s.bend * sheet_w * across**2
    slope = 2 * s.bend * across

    coverage = sample(ink, u, v)
    ripple = _halftone(rng, s, u, v)
    coverage = np.clip(coverage + s.screen_depth * ripple * coverage * (1 - coverage) * 2, 0, 1)
    paper = np.array([1 + s.paper_warmth, 1, 1 - s.paper_warmth], np.float32) * np.float32(0.85)
    reflectance = (s.ink_black + (1 - s.ink_black) * (1 - coverage) ** 2.2) * paper
    fibre = smooth_noise(rng, height, width, 1.5) + smooth_noise(rng, height, width, 6)
    reflectance *= (1 + s.texture * fibre)[..., None]

    y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    light_on = 1 + s.shading * (np.cos(angle) * x + np.sin(angle) * y) * 1.5 + 0.8 * slope
    light_on += 0.25 * s.shading * smooth_noise(rng, height, width, width / 2)
    if s.fold >= 0.7:
        at = rng.uniform(0.2, 0.8) * sheet_w
        light_on *= (
            1
            + 0.25 * s.shading * np.sign(u - at)
            + 0.3 * np.exp(-(((u - at) / 1.5) ** 2)) * rng.choice([-1, 1])
        )
    behind = (
        to_linear(resize(background, width, height))
        if background is not None
        else room(rng, height, width)
    )
    shine = np.exp(-(((x - rng.uniform(-0.6, 0.6)) / 0.15 + slope * 3) ** 2)) * np.exp(
        -(((y - rng.uniform(-0.6, 0.6)) / 0.4) ** 2)
    )
    sheet = (
        reflectance
        * np.float32(s.illumination)
        * np.clip(light_on, 0.1, 3).astype(np.float32)[..., None]
    )
    sheet += (s.gloss * shine).astype(np.float32)[..., None]

    wave = s.cut * sheet_w
    du = np.abs(u - sheet_w / 2) - sheet_w / 2 + wave * np.sin(v / sheet_h * 9 + angle)
    dv = np.abs(v - sheet_h / 2) - sheet_h / 2 + wave * np.sin(u / sheet_w * 7 - angle)
    distance = np.maximum(du, dv)
    cover = np.clip(0.5 - distance, 0, 1).astype(np.float32)[..., None]
    shadow = np.clip(1 - np.maximum(distance, 0) / (0.06 * sheet_w + 1), 0, 1).astype(np.float32)[
        ..., None
    ]
    light = behind * (1 - 0.4 * shadow) * (1 - cover) + cover * sheet
    if s.hand >= 0.5:
        side = rng.choice([-1, 1])
        grip = matrix @ [sheet_w / 2 + side * sheet_w / 2, sheet_h * rng.uniform(0.3, 0.95), 1]
        inward = np.array([-side, rng.uniform(-0.6, 0.2)])
        light = add_hand(rng, light, grip[:2] / grip[2], inward, width * rng.uniform(0.025, 0.07))
    return Presentation(capture(light.astype(np.float32), camera, moment), matrix @ to_sheet)
