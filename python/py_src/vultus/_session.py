"""Sessions: frames over time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from . import _vultus
from ._inputs import load
from ._policy import policy_json
from ._results import Box, Decision, Guidance, NextStep, Sequence, decision, sequence

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

    def push(
        self,
        frame,
        timestamp_us: int,
        colour: str | None = None,
        *,
        arrived_us: int | None = None,
        sha256: bytes | None = None,
    ) -> Guidance:
        """Takes a frame and returns what to tell the person now.

        Push each picture of the camera once, with its own time of capture: one that is pushed again
        is evidence of an injected stream. `timestamp_us` is that time in microseconds on the clock
        of the capture, as it comes: repeated and backward ones are evidence, not an error. `colour`
        is the channel order of numpy arrays. `arrived_us` is when the host had the whole frame, in
        microseconds on the clock of `next_step`; `sha256` is the hash of the frame as it was sent,
        32 bytes, which each frame of an attested capture has.
        """
        code, text, face, frames = self._session.push(
            load(frame, colour, "frame"), timestamp_us, arrived_us, sha256
        )
        return Guidance(code, text, face and Box(*face), frames)

    def next_step(self, host_us: int | None = None) -> NextStep:
        """Returns the step of the challenge that is due; the first call begins the challenge.

        `host_us` is a time in microseconds on the host's own clock, which must not go back:
        `time.monotonic_ns() // 1000` unless given. Show the step at once, and push each frame with
        `arrived_us` on the same clock. The later steps stay here, so that whoever sends the frames
        cannot prepare the answer. `UsageError` without a challenge, after `begin_challenge`, or
        when the time goes back.
        """
        if host_us is None:
            host_us = time.monotonic_ns() // 1000
        return NextStep(**json.loads(self._session.next_step(host_us)))

    def attestation_digest(self) -> bytes:
        """Returns the 32 bytes that the capturing device has to sign: SHA-256 over
        `vultus capture 1`, the SHA-256 of the nonce, and that of every frame in its order.
        `UsageError` without a challenge, or when a frame came without `sha256`.
        """
        return self._session.attestation_digest()

    def attest(self, digest: bytes) -> None:
        """Tells that the host checked a signature of the capturing device, whose key it trusts,
        over `digest`. It holds for the frames so far; one more takes it back. `UsageError` where
        `digest` is not `attestation_digest()`.
        """
        self._session.attest(digest)

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
