"""The fusion that is told apart from the engine, so that sources can be left out."""

import json
import pathlib
import re
import sys

import pytest

MODELS = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(MODELS / "sequence"))

import fusion  # noqa: E402

CALIBRATION = json.loads((MODELS / "calibration" / "sequence.json").read_text())


def row(clip: str, source: str, value: float) -> dict:
    return {"clip": clip, "source": source, "values": {"skin-renewal": value, "scene-cut": None}}


def test_every_signal_of_the_engine_has_its_weight() -> None:
    counted = len(re.findall(r"(?<!fn )\bspec\(\n", fusion.SIGNALS.read_text()))
    weights = fusion.weights()
    assert len(weights) == counted > 20
    assert all(0 <= weight < 1 and spread > 0 for _, weight, spread in weights.values())


def test_the_calibration_knows_every_signal_that_counts() -> None:
    counting = {name for name, (_, weight, _) in fusion.weights().items() if weight > 0}
    assert counting <= set(CALIBRATION["signals"])
    assert len(CALIBRATION["sources"]) >= 6
    clips = sum(source["clips"] for source in CALIBRATION["sources"].values())
    assert clips == CALIBRATION["clips"]


def test_a_channel_promises_the_lower_end_of_its_worst_kind() -> None:
    deepfake = CALIBRATION["channels"]["deepfake"]
    kinds = ("live swap", "generated", "FaceForensics++")
    assert deepfake["auc"] == min(deepfake["kinds"][kind][1] for kind in kinds)
    assert CALIBRATION["channels"]["injection"]["auc"] == 0.5


def test_usual_values_are_low_and_unusual_ones_are_not() -> None:
    specs = fusion.weights()
    usual = {name: dict(map(tuple, p))[50] for name, p in CALIBRATION["signals"].items()}

    def score(values: dict[str, float]) -> float | None:
        return fusion.score(values, CALIBRATION["signals"], "deepfake", specs)

    assert score(usual) == 0 and fusion.level(score(usual)) == "LOW"
    swapped = usual | {"skin-renewal": 100.0}
    assert score(swapped) == pytest.approx(specs["skin-renewal"][1])
    assert fusion.level(score(swapped)) == "HIGH"
    assert score({}) is None and fusion.level(None) is None


def test_a_long_clip_weighs_as_much_as_a_short_one() -> None:
    rows = [row("long", "a", 0.0) for _ in range(30)] + [row("short", "b", 1.0)]
    points = dict(map(tuple, fusion.table(rows)["skin-renewal"]))
    assert points[0] == 0 and points[100] == 1 and points[75] == pytest.approx(1, abs=0.02)
    assert "scene-cut" not in fusion.table(rows)
