"""Sessions: frames over time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from . import _vultus
from ._inputs import load
from ._policy import policy_json
from ._results import Box, Decision, Guidance, Sequence, decision, sequence

ASSUMED_INTERVAL_US = 33_333
"""Time between frames that come without timestamps."""


class Session:
    """Frames of one capture. It keeps descriptors, the features of a few best frames, and the
    face's luminance of the last 0.15 s, which is wiped.

    Made by `Engine.session`. A session serves one capture; calls from several threads wait for each
    other.
    """

    def __init__(self, session: _vultus.Session) -> None:
        self._session = session

    def push(self, frame, timestamp_us: int, colour: str | None = None) -> Guidance:
        """Takes a frame and returns what to tell the person now.

        Push each picture of the camera once, with its own time of capture: one that is pushed again
        is evidence of an injected stream. `timestamp_us` is that time in microseconds on the clock
        of the capture, as it comes: repeated and backward ones are evidence, not an error. `colour`
        is the channel order of numpy arrays.
        """
        code, text, face, frames = self._session.push(load(frame, colour, "frame"), timestamp_us)
        return Guidance(code, text, face and Box(*face), frames)

    def begin_challenge(self, timestamp_us: int) -> None:
        """Tells when, on the clock of the frames, the first step of the challenge was shown.
        `UsageError` without a challenge, or twice.
        """
        self._session.begin_challenge(timestamp_us)

    def evidence(self) -> Sequence:
        """Returns what the frames so far tell."""
        return sequence(json.loads(self._session.evidence()))

    def template(self) -> _vultus.Template | None:
        """Returns a `Template` fused over the best frames; None when no frame held a face."""
        return self._session.template()

    def verify(
        self,
        reference,
        *,
        fmr: float | None = None,
        colour: str | None = None,
        policy: Mapping[str, Any] | None = None,
    ) -> Decision:
        """Returns the decision whether the person of the frames is the one of `reference`, a
        picture of a document or a `Template`.

        The arguments are those of `Engine.verify`.
        """
        if isinstance(reference, _vultus.Template):
            return decision(*self._session.verify_template(reference, policy_json(fmr, policy)))
        return decision(
            *self._session.verify(load(reference, colour, "document"), policy_json(fmr, policy))
        )

    def __repr__(self) -> str:
        seen = self.evidence()
        return f"Session({seen.frames} frames, {seen.duration_ms} ms, risk {seen.risk})"


def is_frames(picture: Any) -> bool:
    """Tells whether `picture` is a number of frames rather than one picture: a list, a tuple or an
    iterator.
    """
    return isinstance(picture, (list, tuple)) or (
        isinstance(picture, Iterator)
        and not hasattr(picture, "getexif")
        and not hasattr(picture, "read")
    )


def timed(frames: Iterable[Any]) -> Iterator[tuple[Any, int]]:
    """Yields (picture, timestamp in microseconds); frames without a timestamp are taken as 30 a
    second.
    """
    for index, frame in enumerate(frames):
        if isinstance(frame, tuple) and len(frame) == 2:
            yield frame[0], int(frame[1])
        else:
            yield frame, index * ASSUMED_INTERVAL_US
