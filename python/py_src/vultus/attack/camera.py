"""The camera between a scene and a file: lens, sensor, colour, encoder."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
from PIL import Image

from .scene import blur, to_code
from .settings import Settings, ranged


@dataclasses.dataclass(frozen=True)
class CameraSettings(Settings):
    """How the scene is captured. The same camera takes bona fide and attack presentations."""

    exposure_stops: float = ranged(-1.4, 1.0, 0.0)
    defocus_px: float = ranged(0.0, 2.2, 0.5)
    metering: float = ranged(0.0, 1.0, 0.0)
    """How far exposure follows the mean of the frame: 0 fixed, 1 brings it to 18 % grey, within two
    stops.
    """
    haze: float = ranged(0.0, 0.14, 0.0)
    """Stray light in the lens over the mean of the frame's brighter half."""
    shot_noise: float = ranged(0.0, 0.05, 0.01)
    read_noise: float = ranged(0.0, 0.02, 0.004)
    warmth: float = ranged(-0.26, 0.26, 0.0)
    tint: float = ranged(-0.08, 0.08, 0.0)
    saturation: float = ranged(0.5, 1.5, 1.0)
    contrast: float = ranged(0.7, 1.45, 1.0)
    sharpening: float = ranged(0.0, 1.2, 0.3)
    vignette: float = ranged(0.0, 0.35, 0.1)
    mosaic: float = ranged(0.0, 1.0, 1.0)
    jpeg_quality: float = ranged(35.0, 97.0, 85.0)


def _demosaic(light: np.ndarray) -> np.ndarray:
    """Samples RGGB as a colour sensor does and interpolates bilinearly."""
    weights = np.zeros_like(light)
    weights[0::2, 0::2, 0] = weights[0::2, 1::2, 1] = weights[1::2, 0::2, 1] = weights[
        1::2, 1::2, 2
    ] = 1

    def gather(values: np.ndarray) -> np.ndarray:
        padded = np.pad(values, ((1, 1), (0, 0), (0, 0)))
        rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
        padded = np.pad(rows, ((0, 0), (1, 1), (0, 0)))
        return padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]

    return gather(light * weights) / np.maximum(gather(weights), 1e-6)


def encode_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """The image after a trip through JPEG."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def capture(light: np.ndarray, settings: CameraSettings, rng: np.random.Generator) -> np.ndarray:
    """Photographs a scene given in linear light; returns uint8 RGB of the same size."""
    height, width = light.shape[:2]
    gain = (
        np.clip((0.18 / max(float(light.mean()), 1e-4)) ** settings.metering, 0.25, 4)
        * 2.0**settings.exposure_stops
    )
    light = blur(light, settings.defocus_px) * np.float32(gain)
    light += np.float32(settings.haze * light[light >= np.median(light)].mean())
    balance = np.array([1 + settings.warmth, 1 + settings.tint, 1 - settings.warmth], np.float32)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    light = light * (1 - settings.vignette * 0.5 * (x * x + y * y))[..., None]
    if settings.mosaic >= 0.5:
        light = _demosaic(light)
    noise = rng.standard_normal(light.shape, np.float32)
    light = light + noise * np.sqrt(
        settings.read_noise**2 + settings.shot_noise**2 * np.maximum(light, 0)
    )
    light = light * balance
    grey = light @ np.array([0.3, 0.59, 0.11], np.float32)
    light = grey[..., None] + settings.saturation * (light - grey[..., None])
    code = to_code(light).astype(np.float32) / 255
    code = 0.5 + settings.contrast * (code - 0.5)
    if settings.sharpening > 0.05:
        code = code + settings.sharpening * (code - blur(code, 0.9))
    return encode_jpeg(
        np.round(np.clip(code, 0, 1) * 255).astype(np.uint8), round(settings.jpeg_quality)
    )
