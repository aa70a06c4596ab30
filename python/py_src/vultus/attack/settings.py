"""Settings of a simulation: named numbers with limits, and how to draw them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from typing import Self

SPLITS = ("training", "report", "all")
"""Which settings a draw may use. "training" and "report" share no value of any ranged setting."""

_CELLS = 10
_REPORT_CELLS = (2, 5, 8)
_CELLS_OF = {
    "training": [c for c in range(_CELLS) if c not in _REPORT_CELLS],
    "report": list(_REPORT_CELLS),
    "all": list(range(_CELLS)),
}


def ranged(low: float, high: float, default: float) -> Any:
    """A dataclass field that must lie in [low, high]."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high})


def chosen(*choices: str, report_only: tuple[str, ...] = ()) -> Any:
    """A dataclass field that must be one of the choices; `report_only` ones are never drawn for
    training.
    """
    return dataclasses.field(
        default=choices[0],
        metadata={"choices": (*choices, *report_only), "report_only": report_only},
    )


@dataclasses.dataclass(frozen=True)
class Settings:
    """Base of all settings; validates its fields and draws them at random."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, limits = getattr(self, field.name), field.metadata
            if "choices" in limits:
                if value not in limits["choices"]:
                    raise ValueError(
                        f"{field.name} is {value!r}, allowed are {', '.join(limits['choices'])}"
                    )
            elif not limits["low"] <= value <= limits["high"]:
                raise ValueError(
                    f"{field.name} is {value}, allowed is {limits['low']} to {limits['high']}"
                )

    @classmethod
    def draw(cls, rng: np.random.Generator, split: str = "all", **fixed: Any) -> Self:
        """Draws every setting that is not `fixed`.

        Each range is cut into ten equal cells; "report" draws from cells 2, 5 and 8, "training"
        from the other seven, so a setting reported on was never trained on.
        """
        if split not in SPLITS:
            raise ValueError(f"split is {split!r}, allowed are {', '.join(SPLITS)}")
        drawn: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            limits = field.metadata
            if "choices" in limits:
                names = [
                    c
                    for c in limits["choices"]
                    if split != "training" or c not in limits["report_only"]
                ]
                drawn[field.name] = str(rng.choice(names))
            else:
                place = (rng.choice(_CELLS_OF[split]) + rng.uniform(0.02, 0.98)) / _CELLS
                drawn[field.name] = limits["low"] + float(place) * (limits["high"] - limits["low"])
        return cls(**{**drawn, **fixed})
