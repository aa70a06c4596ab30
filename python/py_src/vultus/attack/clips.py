"""Reading and writing clips through PyAV, and stills through Pillow."""

from __future__ import annotations

import fractions
import itertools
import os
import pathlib
from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image, ImageOps

STILL_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
LARGEST_CLIP_BYTES = 2 << 30


def is_still(path: str | os.PathLike[str]) -> bool:
    return pathlib.Path(path).suffix.lower() in STILL_SUFFIXES


def read_still(path: str | os.PathLike[str]) -> np.ndarray:
    """uint8 RGB, turned upright by its EXIF orientation."""
    with Image.open(path) as opened:
        return np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))


def write_still(path: str | os.PathLike[str], image: np.ndarray) -> None:
    Image.fromarray(image).save(
        path, **({"quality": 95} if pathlib.Path(path).suffix.lower() in (".jpg", ".jpeg") else {})
    )


def _av():
    try:
        import av
    except ImportError as error:
        raise RuntimeError("clips need PyAV: pip install av") from error
    return av


def frames(path: str | os.PathLike[str]) -> Iterator[tuple[np.ndarray, int]]:
    """Each frame as uint8 RGB, and its timestamp in microseconds."""
    with _av().open(os.fspath(path)) as clip:
        for i, frame in enumerate(clip.decode(video=0)):
            yield (
                frame.to_ndarray(format="rgb24"),
                round(1e6 * frame.time) if frame.time is not None else round(i * 1e6 / 30),
            )


def read_clip(
    path: str | os.PathLike[str], most: int | None = None
) -> tuple[list[np.ndarray], list[int]]:
    """The frames, `most` at most, and their timestamps. At most LARGEST_CLIP_BYTES of pixels."""
    shown: list[np.ndarray] = []
    at_us: list[int] = []
    size = 0
    for image, at in itertools.islice(frames(path), most):
        shown.append(image)
        at_us.append(at)
        size += image.nbytes
        if size > LARGEST_CLIP_BYTES:
            raise ValueError(
                f"{path} has more than {LARGEST_CLIP_BYTES >> 20} MiB of pixels after {len(shown)}"
                " frames: cut it first"
            )
    if not shown:
        raise ValueError(f"{path} has no video frame")
    return shown, at_us


def write_clip(
    path: str | os.PathLike[str], frames: Iterable[np.ndarray], at_us: list[int], crf: int = 18
) -> None:
    """Encodes H.264. A container holds no repeated or backward timestamps: these are moved on by
    one millisecond.
    """
    av = _av()
    with av.open(os.fspath(path), "w") as clip:
        stream, last = None, -1
        for image, at in zip(frames, at_us, strict=True):
            image = np.ascontiguousarray(
                image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
            )
            if stream is None:
                stream = clip.add_stream("libx264", rate=30)
                stream.width, stream.height, stream.pix_fmt = (
                    image.shape[1],
                    image.shape[0],
                    "yuv420p",
                )
                stream.codec_context.time_base = fractions.Fraction(1, 1000)
                stream.options = {"crf": str(crf), "threads": "1"}
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            last = max(round(at / 1000), last + 1)
            frame.pts, frame.time_base = last, fractions.Fraction(1, 1000)
            clip.mux(stream.encode(frame))
        if stream is not None:
            clip.mux(stream.encode())
