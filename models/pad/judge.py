"""The evidence of the engine itself on one picture, as calibration and reports need it."""

from __future__ import annotations

import pathlib

import numpy as np
import vultus

SIGNALS = (
    "moire-peak",
    "chroma-noise",
    "saturation",
    "blue-shift",
    "specular",
    "focus-plane",
    "border-sides",
    "border-ends",
)
COLUMNS = ("own", "minifasnet", "fused", "context", *SIGNALS)
"""Of a row; all but `context` are NaN where the engine says "not assessable", all are where it
finds no face.
"""


class Judge:
    """The engine on a pack that holds `vultus-pad` and both MiniFASNet networks."""

    def __init__(self, pack: pathlib.Path) -> None:
        self._engine = vultus.Engine(pack)

    def row(self, image: np.ndarray) -> np.ndarray:
        """float32 in the order of COLUMNS, for an RGB image."""
        pad = self._engine.examine(image, colour="rgb").pad
        row = np.full(len(COLUMNS), np.nan, np.float32)
        if pad.context is not None:
            row[COLUMNS.index("context")] = pad.context
        if pad.score is not None:
            networks = {network.name: network.score for network in pad.networks}
            values = {signal.name: signal.value for signal in pad.signals}
            row[: len(COLUMNS)] = (
                networks["vultus-pad"],
                networks["minifasnet"],
                pad.score,
                pad.context,
                *(values[n] for n in SIGNALS),
            )
        return row
