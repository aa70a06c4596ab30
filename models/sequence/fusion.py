"""The fusion of core/src/sequence/fusion.rs over measured values, so that whole sources can be left
out of the calibration.
"""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterable, Mapping

import numpy as np

SIGNALS = pathlib.Path(__file__).parents[2] / "core" / "src" / "sequence" / "signals.rs"
PERCENTILES = (0, 5, 25, 50, 75, 90, 95, 100)
MEDIUM, HIGH, WHOLLY = 0.3, 0.6, 3.0
LEAST_WINDOWS = 10

Table = dict[str, list[list[float]]]


def weights() -> dict[str, tuple[str, float, float]]:
    """Channel, weight and least spread of every signal that may count, as the engine has them."""
    number = r"([\d.e-]+)"
    channel = "(Deepfake|Injection)"
    spec = rf"spec\(\s*SignalName::(\w+),\s*{channel},\s*\({number}, {number}\)"
    found = re.findall(spec, SIGNALS.read_text())
    return {
        re.sub("(?<!^)(?=[A-Z])", "-", name).lower(): (
            channel.lower(),
            float(weight),
            float(spread),
        )
        for name, channel, weight, spread in found
    }


def table(rows: Iterable[Mapping]) -> Table:
    """Percentiles of each signal, every clip with the same weight: a long clip is one camera as a
    short one is.
    """
    values: dict[str, list[tuple[float, float]]] = {}
    rows = list(rows)
    windows: dict[str, int] = {}
    for row in rows:
        windows[row["clip"]] = windows.get(row["clip"], 0) + 1
    for row in rows:
        for name, value in row["values"].items():
            if value is not None:
                values.setdefault(name, []).append((value, 1 / windows[row["clip"]]))
    found = {}
    for name, seen in values.items():
        if len(seen) >= LEAST_WINDOWS:
            seen.sort()
            value, weight = np.array(seen).T
            # The middle of each window's share of the whole.
            at = (np.cumsum(weight) - weight / 2) / weight.sum() * 100
            points = np.interp(PERCENTILES, at, value)
            found[name] = [[p, float(f"{v:.6g}")] for p, v in zip(PERCENTILES, points, strict=True)]
    return found


def suspicion(points: list[list[float]], spread: float, value: float) -> float:
    at = dict(points)
    excess = (value - at[50]) / max(at[95] - at[50], spread)
    return float(np.clip(excess / WHOLLY, 0, 1) ** 3)


def score(
    values: Mapping[str, float | None],
    calibration: Table,
    channel: str,
    specs: Mapping[str, tuple[str, float, float]],
) -> float | None:
    left, seen = 1.0, False
    for name, (of, weight, spread) in specs.items():
        value = values.get(name)
        if of == channel and weight > 0 and value is not None and name in calibration:
            left *= 1 - weight * suspicion(calibration[name], spread, value)
            seen = True
    return 1 - left if seen else None


def level(found: float | None) -> str | None:
    if found is None:
        return None
    return "HIGH" if found >= HIGH else "MEDIUM" if found >= MEDIUM else "LOW"
