"""Frames of a video file, through PyAV (`pip install "vultus[video]"`)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ._vultus import Image, InputError, UnsupportedError

MOST_MISSING = 0.1
"""The share of a clip that may be missing before it counts as cut: containers round their
duration."""

_TURNS = {
    90: ("transpose", "cclock"),
    -90: ("transpose", "clock"),
    270: ("transpose", "clock"),
    -270: ("transpose", "cclock"),
}


def frames(path: str | os.PathLike[str], *, progress: bool = False) -> Iterator[tuple[Image, int]]:
    """Yields every frame, upright, with its timestamp in microseconds.

    `UnsupportedError` without PyAV; `InputError` when the file cannot be read, holds no video, or
    is cut.
    """
    try:
        import av
    except ImportError as error:
        raise UnsupportedError('video files need PyAV: pip install "vultus[video]"') from error
    name = os.fspath(path)
    try:
        with av.open(name) as container:
            if not container.streams.video:
                raise InputError(f"{name} holds no video")
            yield from _decode(av, container, name, progress)
    except FileNotFoundError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from error
    except (av.FFmpegError, OSError) as error:
        raise InputError(
            f"{name} cannot be read as a video, or is cut:"
            f" {getattr(error, 'strerror', None) or error}"
        ) from error


def _decode(av, container, name: str, progress: bool) -> Iterator[tuple[Image, int]]:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    promised = float(stream.duration * stream.time_base) if stream.duration else None
    if promised is None and container.duration and len(container.streams) == 1:
        # Matroska says it of the file, which a longer sound would stretch.
        promised = container.duration / 1e6
    count, last_s, graph = 0, 0.0, None
    with _bar(name, stream.frames, progress) as bar:
        for frame in container.decode(stream):
            last_s = (
                frame.time if frame.time is not None else count / float(stream.average_rate or 30)
            )
            turn = _TURNS.get(getattr(frame, "rotation", 0))
            if getattr(frame, "rotation", 0) % 360 == 180:
                turn = ("rotate", "PI")
            if turn:
                graph = graph or _turner(av, frame, stream, turn)
                graph.push(frame)
                frame = graph.pull()
            yield _image(frame), round(1e6 * max(last_s, 0.0))
            count += 1
            bar.update()
    if not count:
        raise InputError(f"{name} holds no frame that can be decoded")
    step = last_s / max(count - 1, 1)
    if promised and last_s + step < (1 - MOST_MISSING) * promised:
        raise InputError(
            f"{name} is cut: it should last {promised:.1f} s and ends after {last_s + step:.1f} s"
        )


def _turner(av, frame, stream, turn: tuple[str, str]):
    graph = av.filter.Graph()
    source, turner, sink = (
        graph.add_buffer(template=stream),
        graph.add(*turn),
        graph.add("buffersink"),
    )
    source.link_to(turner)
    turner.link_to(sink)
    graph.configure()
    return graph


def _image(frame) -> Image:
    plane = frame.reformat(format="rgb24").planes[0]
    row, data = 3 * frame.width, memoryview(plane)
    if plane.line_size != row:
        data = b"".join(
            data[start : start + row]
            for start in range(0, plane.line_size * frame.height, plane.line_size)
        )
    return Image.from_pixels(bytes(data[: row * frame.height]), frame.width, frame.height, "rgb")


def _bar(name: str, total: int, progress: bool):
    if progress:
        try:
            from tqdm import tqdm

            return tqdm(
                total=total or None,
                desc=os.path.basename(name),
                unit="frame",
                disable=None,
                leave=False,
            )
        except ImportError:
            pass
    return _NoBar()


class _NoBar:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def update(self) -> None:
        pass
