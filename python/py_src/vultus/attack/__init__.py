"""Simulated attack presentations and injections, for evaluation only.

Every function is deterministic by its seed, keeps shape and dtype, and works on ``uint8`` RGB
arrays of shape (height, width, 3). Needs numpy and Pillow; clips need PyAV.

Arrays returned here carry no mark, so that detectors can be measured on them; whatever leaves
this package as a file goes through :func:`mark`, which writes "SIMULATED ATTACK" on it.
"""

from .camera import CameraSettings, capture
from .faces import BlendSettings, face_swap, self_blend
from .frames import TIMESTAMP_PATTERNS, duplicate, freeze, loop, reverse, timestamps
from .marking import MARK_TEXT, mark
from .paper import PrintSettings, present_print
from .scene import Presentation
from .screen import ReplaySettings, present_replay
from .settings import SPLITS

__all__ = [
    "MARK_TEXT",
    "SPLITS",
    "TIMESTAMP_PATTERNS",
    "BlendSettings",
    "CameraSettings",
    "Presentation",
    "PrintSettings",
    "ReplaySettings",
    "capture",
    "duplicate",
    "face_swap",
    "freeze",
    "loop",
    "mark",
    "present_print",
    "present_replay",
    "reverse",
    "self_blend",
    "timestamps",
]
