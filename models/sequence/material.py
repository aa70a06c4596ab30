"""The clips that sequences are measured on, each with the source that is left out as a whole.

A clip of `live_swap` holds the camera in its left half and the swap of the same frame in its right
half.
"""

from __future__ import annotations

import dataclasses
import fractions
import io
import pathlib
import re
from collections.abc import Iterator

import av
import numpy as np
from vultus import InputError, _video

BONA_FIDE = "bona fide"
SWAPPED, GENERATED, MANIPULATED = "live swap", "generated", "FaceForensics++"
OWN = ("faceswap", "selfblend")
FAKES = (SWAPPED, GENERATED, MANIPULATED, *OWN)
GENERATORS = {
    "aiface": "AniTalker",
    "Einstein": "AniTalker",
    "dreamtalk": "DreamTalk",
}
"""How the name of a generated clip begins, and what made it; the others are EDTalk's."""

Frame = tuple[np.ndarray, int]


@dataclasses.dataclass(frozen=True)
class Clip:
    path: pathlib.Path
    kind: str
    source: str
    """Camera or maker: what is left out as a whole."""
    model: str = ""
    """The swap model or generator; for the camera's half the model beside it."""
    half: str = ""
    """`left` or `right`, or the whole picture."""
    name: str = ""

    def frames(self) -> Iterator[Frame]:
        """Each frame as uint8 RGB, upright, and its timestamp in microseconds."""
        for image, at_us in _video.frames(self.path):
            pixels = np.frombuffer(image.rgb(), np.uint8)
            shown = pixels.reshape(image.height, image.width, 3)
            middle = shown.shape[1] // 2
            parts = {"left": shown[:, :middle], "right": shown[:, -middle:], "": shown}
            yield np.ascontiguousarray(parts[self.half]), at_us


def clips(root: pathlib.Path, own: pathlib.Path | None = None) -> list[Clip]:
    """The clips below `root`, where they are; `own` holds what `evaluate.py manipulate` wrote."""
    found: list[Clip] = []

    def add(pattern: str, kind: str, source: str, model=lambda path: "", half: str = "") -> None:
        for path in sorted(root.glob(pattern)):
            name = str(path.relative_to(root).with_suffix(""))
            name = f"{name}/{half}" if half else name
            found.append(Clip(path, kind, source, model(path), half, name))

    add("talking_head/*.mp4", BONA_FIDE, "talking heads")
    add("deepfake/faceforensics_c23/original/*.mp4", BONA_FIDE, "FaceForensics++ originals")
    for camera in ("krz", "lestari", "tran"):
        add(f"pad_webcam/{camera}/video/bona_fide.mp4", BONA_FIDE, f"webcam {camera}")
    add("pad_real/td_real/*.MOV", BONA_FIDE, "telephones")
    add("deepfake/bona_fide/*.mp4", BONA_FIDE, "heads, news and webcams")
    swapper = lambda path: re.sub(r"_\d+$", "", path.stem)  # noqa: E731
    for half, kind, source in (
        ("left", BONA_FIDE, "cameras of live swaps"),
        ("right", SWAPPED, SWAPPED),
    ):
        add("deepfake/live_swap/*.mp4", kind, source, swapper, half)
    generator = lambda path: next(  # noqa: E731
        (maker for start, maker in GENERATORS.items() if path.stem.startswith(start)), "EDTalk"
    )
    add("deepfake/generated/*.mp4", GENERATED, GENERATED, generator)
    method = lambda path: path.parent.name  # noqa: E731
    for name in ("Deepfakes", "FaceSwap", "NeuralTextures"):
        add(f"deepfake/faceforensics_c23/{name}/*.mp4", MANIPULATED, MANIPULATED, method)
    if own is not None:
        for kind in OWN:
            for path in sorted((own / kind).glob("*.mp4")):
                found.append(Clip(path, kind, kind, kind, name=f"{kind}/{path.stem}"))
    return found


def windows(frames: Iterator[Frame], length: int, most: int) -> Iterator[list[Frame]]:
    """The frames of a clip in windows of `length`; less than half a window is left out."""
    window: list[Frame] = []
    made = 0
    for frame in frames:
        window.append(frame)
        if len(window) == length:
            yield window
            window, made = [], made + 1
            if made == most:
                return
    if len(window) >= length // 2:
        yield window


CODINGS = {
    "x264": ("libx264", "mp4", {"crf": "23", "preset": "veryfast"}),
    "x264, no B frames": ("libx264", "mp4", {"crf": "23", "preset": "veryfast", "bf": "0"}),
    "MJPEG": ("mjpeg", "avi", {"qscale": "4", "flags": "+qscale", "global_quality": "472"}),
    "VP8": ("libvpx", "webm", {"crf": "10", "b": "2M", "deadline": "realtime", "cpu-used": "8"}),
    "HEVC": ("libx265", "mp4", {"crf": "26", "preset": "ultrafast", "x265-params": "log-level=0"}),
}


def coded(window: list[Frame], coding: str) -> list[Frame]:
    """The window after a coder of `CODINGS`, with the times it had; sides are cut to even."""
    codec, container, options = CODINGS[coding]
    height, width = (side & ~1 for side in window[0][0].shape[:2])
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=30)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.time_base = stream.codec_context.time_base = fractions.Fraction(1, 30)
        stream.codec_context.thread_count = 1
        stream.options = options
        for index, (shown, _) in enumerate(window):
            cut = np.ascontiguousarray(shown[:height, :width])
            picture = av.VideoFrame.from_ndarray(cut, format="rgb24")
            picture.pts = index
            out.mux(stream.encode(picture))
        out.mux(stream.encode())
    file.seek(0)
    with av.open(file) as back:
        shown = [frame.to_ndarray(format="rgb24") for frame in back.decode(video=0)]
    if len(shown) != len(window):
        raise InputError(f"{coding} gave {len(shown)} frames of {len(window)}")
    return [(frame, at_us) for frame, (_, at_us) in zip(shown, window, strict=True)]
