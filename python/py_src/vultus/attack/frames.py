"""Injections into a sequence: which frame is shown when, and with what timestamp.

Frames may be any objects; they are repeated by reference, never copied or changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Frame = TypeVar("Frame")

TIMESTAMP_PATTERNS = ("camera", "exact", "repeated", "backwards", "bursts", "too_fast", "drift")


def _span(frames: Sequence[Frame], start: int, count: int) -> None:
    if count < 1 or start < 0 or start + count > len(frames):
        raise ValueError(
            f"frames {start} to {start + count - 1} are asked for, the clip has 0 to"
            f" {len(frames) - 1}"
        )


def freeze(frames: Sequence[Frame], start: int, count: int) -> list[Frame]:
    """Shows frame `start` during `count` frames; the length stays."""
    _span(frames, start, count)
    return [*frames[:start], *[frames[start]] * count, *frames[start + count :]]


def loop(frames: Sequence[Frame], start: int, period: int, times: int) -> list[Frame]:
    """Plays frames `start` to `start + period - 1` `times` over, then ends."""
    _span(frames, start, period)
    if times < 2:
        raise ValueError(f"times is {times}, allowed is 2 or more")
    return [*frames[:start], *list(frames[start : start + period]) * times]


def duplicate(frames: Sequence[Frame], every: int) -> list[Frame]:
    """Replaces each `every`-th frame by the one before it; the length stays."""
    if every < 2:
        raise ValueError(f"every is {every}, allowed is 2 or more")
    return [frames[i - 1] if i and i % every == 0 else frame for i, frame in enumerate(frames)]


def reverse(frames: Sequence[Frame], start: int, count: int) -> list[Frame]:
    """After frame `start + count - 1` plays those `count` frames backwards (a ping-pong loop), then
    ends.
    """
    _span(frames, start, count)
    return [*frames[: start + count], *reversed(frames[start : start + count - 1])]


def timestamps(count: int, pattern: str, rate_hz: float = 30.0, seed: int = 0) -> list[int]:
    """Timestamps in microseconds for `count` frames.

    "camera" is bona fide: a steady rate with sensor jitter and now and then a dropped frame.
    "exact" has no jitter at all, as a file played by a virtual camera; "repeated" gives some frames
    the timestamp of the one before, "backwards" steps back at times, "bursts" delivers eight frames
    at once, "too_fast" runs at twenty times the rate, "drift" changes rate from half to double.
    """
    if count < 1:
        raise ValueError(f"count is {count}, allowed is 1 or more")
    if not 0.1 <= rate_hz <= 1000:
        raise ValueError(f"rate_hz is {rate_hz}, allowed is 0.1 to 1000")
    if pattern not in TIMESTAMP_PATTERNS:
        raise ValueError(f"pattern is {pattern!r}, allowed are {', '.join(TIMESTAMP_PATTERNS)}")
    rng = np.random.default_rng(seed)
    period = 1e6 / rate_hz
    index = np.arange(count, dtype=np.float64)
    at = index * period
    jitter = rng.normal(0, 0.02 * period, count)
    if pattern == "camera":
        at = (index + np.cumsum(rng.random(count) < 0.01)) * period + jitter
    elif pattern == "repeated":
        at = (index - (rng.random(count) < 0.2)) * period
    elif pattern == "backwards":
        at = at - 3 * period * (rng.random(count) < 0.1) + jitter
    elif pattern == "bursts":
        at = index // 8 * 8 * period + index % 8 * 200
    elif pattern == "too_fast":
        at = at / 20 + jitter / 20
    elif pattern == "drift":
        at = np.cumsum(period * np.geomspace(2, 0.5, count))
    return [int(t) for t in np.maximum(np.round(at - min(at[0], 0)), 0)]
