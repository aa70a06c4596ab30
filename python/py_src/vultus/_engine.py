"""The engine: models loaded once, calls from any number of threads."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from . import _vultus
from ._document import Document, document
from ._gallery import Gallery
from ._inputs import load
from ._policy import policy_json
from ._results import (
    Comparison,
    Decision,
    Enrolment,
    OperatingPoint,
    Sample,
    comparison,
    decision,
    sample,
)
from ._session import Session, is_frames, timed
from ._vocabulary import Role

DEFAULT_PACK = Path(__file__).parent / "pack"
"""The model pack that came with the package."""


class Engine:
    """Loaded models. Share one between threads: calls release the interpreter lock and do not wait
    for each other.
    """

    def __init__(
        self,
        pack=None,
        *,
        precision: str = "exact",
        parallel: bool = False,
        accepted_licences: Iterable[str] = (),
        expected_pack: str | None = None,
    ) -> None:
        """Loads the model pack in the folder `pack` (the one that came with the package by
        default).

        `precision` is "exact" or "fast". `parallel` spreads each call over a pool of threads, as
        many as there are cores, for a shorter wait where they would be idle; without it a call
        stays on its thread. The answers are the same. `accepted_licences` names the models whose
        unknown or non-commercial licence is accepted. `expected_pack` is the id that the pack must
        have, as a decision tells it: its own hashes find damage, not somebody who changed them too.
        Raises `ModelError` when the pack is missing, damaged or another one.
        """
        if isinstance(accepted_licences, str):
            raise _vultus.UsageError("accepted_licences: is one text, pass a list of model ids")
        self._engine = _vultus.Engine(
            Path(pack) if pack is not None else DEFAULT_PACK,
            precision,
            parallel,
            list(accepted_licences),
            expected_pack,
        )

    def verify(
        self,
        selfie,
        reference,
        *,
        fmr: float | None = None,
        colour: str | None = None,
        policy: Mapping[str, Any] | None = None,
    ) -> Decision:
        """Returns the decision whether the person of `selfie` is the one of `reference`.

        `selfie` is a picture, or frames over time: a list, tuple or iterator of pictures or of
        (picture, timestamp in microseconds). `reference` is the picture of a document, or a
        `Template`. `fmr` is the false match rate of the operating point (one in 10,000 by default);
        `UsageError` when the calibration does not support it. `colour` is the channel order of
        numpy arrays: "rgb", "bgr", "rgba", "bgra" or "grey". `policy` overrides the defaults that
        `Decision.policy` shows.
        """
        if is_frames(selfie):
            session = self.session()
            for frame, timestamp_us in timed(selfie):
                session.push(frame, timestamp_us, colour)
            return session.verify(reference, fmr=fmr, colour=colour, policy=policy)
        probe = load(selfie, colour, "selfie")
        if isinstance(reference, _vultus.Template):
            text, points, other, times = self._engine.verify_template(
                probe, reference, policy_json(fmr, policy)
            )
        else:
            text, points, other, times = self._engine.verify(
                probe, load(reference, colour, "document"), policy_json(fmr, policy)
            )
        return decision(text, points, other, times)

    def read_document(
        self,
        picture,
        *,
        colour: str | None = None,
        today: datetime.date | None = None,
    ) -> Document:
        """Reads the machine-readable zone of an identity document (ICAO Doc 9303), any way up.

        `picture` is a path, bytes, a PIL image or a numpy array, whose channel order `colour` says.
        `today` tells the century of dates; the clock's unless given. Whatever the picture shows is
        a `Document`; `UnsupportedError` with a pack that holds no networks for it.
        """
        today = today or datetime.date.today()
        return document(
            *self._engine.read_document(load(picture, colour, "picture"), today.isoformat())
        )

    def session(self, challenge: _vultus.Challenge | None = None) -> Session:
        """Opens a session: frames of one capture, answering `challenge` where one is given."""
        return Session(self._engine.session(challenge))

    def enrol(self, picture, *, role: Role = "selfie", colour: str | None = None) -> Enrolment:
        """Returns what is known of a picture and, when it holds a face, the `Template` to store as
        a reference.
        """
        text, points, template = self._engine.enrol(load(picture, colour, role), role)
        return Enrolment(sample(json.loads(text), points), template)

    def examine(self, picture, *, role: Role = "selfie", colour: str | None = None) -> Sample:
        """Returns what is known of a picture, without comparing it with anything."""
        text, points = self._engine.examine(load(picture, colour, role), role)
        return sample(json.loads(text), points)

    def compare(
        self,
        probe: _vultus.Template,
        reference: _vultus.Template,
        *,
        fmr: float | None = None,
        policy: Mapping[str, Any] | None = None,
    ) -> Comparison:
        """Returns the comparison of two templates."""
        return comparison(
            json.loads(self._engine.compare(probe, reference, policy_json(fmr, policy)))
        )

    def gallery(self) -> Gallery:
        """Returns an empty gallery for templates of this engine, compared as the default policy
        compares.
        """
        return Gallery(self._engine.gallery())

    def gallery_threshold(self, size: int, fpir: float) -> OperatingPoint:
        """Returns the threshold for a search among `size` references.

        Scores from there on come up for a person who is not among them with the probability `fpir`,
        the false positive identification rate. `UsageError` when the calibration does not reach so
        far, which a larger `fpir` or fewer references cure.
        """
        fmr, (low, high), *rest = self._engine.gallery_threshold(size, fpir)
        return OperatingPoint(fmr, (low, high), *rest)

    def read_template(self, data: bytes) -> _vultus.Template:
        """Returns the template that `bytes(template)` gave. `InputError` when damaged, `UsageError`
        when other weights made it.
        """
        return self._engine.read_template(data)

    def models(self) -> list[dict[str, Any]]:
        """Returns what the pack says of each weight: origin, licence, hash."""
        return json.loads(self._engine.models())

    def annotate(
        self, result: Decision | Document, selfie, document=None, *, colour: str | None = None
    ) -> bytes:
        """Returns a PNG that shows the pictures with boxes and landmarks, and the reasons of the
        decision below; of a `Document`, its picture with the outline of the zone.
        """
        if isinstance(result, Document):
            outline = _outline(result.place or ())
            panel = (load(selfie, colour, "picture"), outline, [])
            return _vultus.Engine.annotate([panel], str(result).splitlines())
        panels = []
        for picture, seen in ((selfie, result.selfie), (document, result.document)):
            if picture is None or seen is None:
                continue
            boxes = (
                []
                if seen.face is None
                else [
                    [
                        seen.face.bounds.x,
                        seen.face.bounds.y,
                        seen.face.bounds.width,
                        seen.face.bounds.height,
                    ]
                ]
            )
            points = [] if seen.face is None else list(seen.face.landmarks)
            panels.append((load(picture, colour, seen.role), points, boxes))
        return _vultus.Engine.annotate(panels, str(result).splitlines())


def _outline(corners) -> list[tuple[float, float]]:
    """Points along the lines from corner to corner."""
    return [
        (x + (nx - x) * i / 100, y + (ny - y) * i / 100)
        for (x, y), (nx, ny) in zip(corners, (*corners[1:], *corners[:1]), strict=True)
        for i in range(100)
    ]
