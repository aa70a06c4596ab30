"""On-device biometric verification: is this a real person, and the right one?

>>> import vultus >>> decision = vultus.verify("selfie.jpg", "passport.jpg", fmr=1e-4)   # doctest:
+SKIP >>> decision.outcome                                                  # doctest: +SKIP
'accept'

Pictures are paths, encoded bytes, PIL images or numpy arrays; an array needs its colour order,
because guessing it wrong degrades the match without any sign. Nothing is loaded until the first
call, and nothing is ever downloaded.
"""

from __future__ import annotations

import threading

from ._document import Document, DocumentField
from ._engine import DEFAULT_PACK, Engine
from ._gallery import Candidate, Gallery
from ._results import (
    Box,
    ChallengeResult,
    Channel,
    Comparison,
    Coverage,
    Decision,
    Enrolment,
    Face,
    Guidance,
    Measure,
    NextStep,
    OperatingPoint,
    Pad,
    PadView,
    Quality,
    Reason,
    Sample,
    Sequence,
    Signal,
)
from ._session import Session
from ._vultus import (
    Challenge,
    InputError,
    InternalError,
    LimitError,
    ModelError,
    Template,
    UnsupportedError,
    UsageError,
    VultusError,
    __version__,
)

__all__ = [
    "DEFAULT_PACK",
    "Box",
    "Candidate",
    "Challenge",
    "ChallengeResult",
    "Channel",
    "Comparison",
    "Coverage",
    "Decision",
    "Document",
    "DocumentField",
    "Engine",
    "Enrolment",
    "Face",
    "Gallery",
    "Guidance",
    "InputError",
    "InternalError",
    "LimitError",
    "Measure",
    "ModelError",
    "NextStep",
    "OperatingPoint",
    "Pad",
    "PadView",
    "Quality",
    "Reason",
    "Sample",
    "Sequence",
    "Session",
    "Signal",
    "Template",
    "UnsupportedError",
    "UsageError",
    "VultusError",
    "__version__",
    "verify",
]

_lock = threading.Lock()
_default: Engine | None = None


def verify(selfie, id_photo, *, fmr=None, colour=None, policy=None) -> Decision:
    """Returns the decision whether the person of `selfie`, a picture or frames over time, is the
    holder of `id_photo`.

    Uses one engine on the default pack, opened at the first call and shared by all threads; make an
    `Engine` for another pack. The arguments are those of `Engine.verify`.
    """
    global _default
    with _lock:
        if _default is None:
            _default = Engine()
    return _default.verify(selfie, id_photo, fmr=fmr, colour=colour, policy=policy)
