"""Frozen results. `to_dict()` and `to_json()` give what the engine itself says, the same in every
binding.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from ._vocabulary import (
    CaptureLevel,
    ChallengeStatus,
    Comparator,
    Component,
    Detector,
    Effect,
    GuidanceCode,
    Obstacle,
    Outcome,
    PadStatus,
    ReasonCode,
    RiskLevel,
    Role,
    SignalName,
)
from ._vocabulary import Channel as ChannelName
from ._vultus import Template

Assessed = Literal["yes", "not-asked", "not-possible"]
"""Whether something was looked at; only "yes" says anything of the person."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the upright picture."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Face:
    """The face that was used."""

    bounds: Box
    """Around the landmarks."""
    detector: Detector
    score: float
    inter_eye_px: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    landmark_shift: float
    """How far the landmarks moved, on average and in distances of the eyes, when they were placed
    for the last time; above 0.05 they do not lie on a face."""
    eye_gap: float
    """How far an eye of the mesh lies from where the detector saw it, in distances of the eyes;
    above 1 they are not the same."""
    landmarks: tuple[tuple[float, float], ...] = field(repr=False)
    """The 468 points of the mesh in pixels. Biometric data."""


@dataclass(frozen=True)
class Measure:
    """One component of quality after ISO/IEC 29794-5."""

    name: Component
    raw: float
    unit: str
    score: int
    """0..=100, higher is better."""


@dataclass(frozen=True)
class Quality:
    """Quality of a face sample; 0..=100, higher is better."""

    unified: int
    components: tuple[Measure, ...] = field(repr=False)

    def __getitem__(self, name: Component) -> Measure:
        return _named(self.components, name)


@dataclass(frozen=True)
class PadView:
    """What a network says of a presentation through one view. All views count alike."""

    network: str
    """Id of the network."""
    context: float
    """How many times the face's box it looks at, where the picture has as much."""
    log_odds: float
    """Log odds of "bona fide" against every kind of attack; larger is more bona fide."""


@dataclass(frozen=True)
class Pad:
    """Presentation attack detection. Only `assessed` "yes" says anything of the person."""

    assessed: Assessed
    """yes, not-asked (a document is a print) or not-possible."""
    text: str
    reason: Obstacle | None = None
    """Why it was not possible."""
    status: PadStatus | None = None
    """bona-fide or attack; None unless it was assessed, as all below."""
    score: float | None = None
    """0..=1, larger is more bona fide: the logistic of the views' mean log odds less those of the
    pack's threshold."""
    threshold: float | None = None
    """From this score on a presentation counts as bona fide."""
    context: float | None = None
    """Side of the square that was looked at over the side of the face."""
    views: tuple[PadView, ...] = field(default=(), repr=False)
    """What each view says."""
    frames: int = 0
    """Frames that were assessed."""


@dataclass(frozen=True)
class Sample:
    """What is known of one picture."""

    role: Role
    width: int
    height: int
    face: Face | None
    quality: Quality | None
    pad: Pad
    raw: dict[str, Any] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Returns all that the engine says of the picture."""
        return self.raw


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold with the false match rate that was observed at it."""

    fmr: float
    fmr_interval: tuple[float, float]
    """95 % confidence interval."""
    threshold: float
    non_mated: int
    set: str


@dataclass(frozen=True)
class Comparison:
    """The outcome of a comparison."""

    comparator: Comparator
    score: float
    """-1..=1, larger is more alike."""
    fmr_at_score: float | None
    """The false match rate at which this score would be the threshold; None beyond what was
    observed.
    """
    operating_point: OperatingPoint
    is_match: bool


@dataclass(frozen=True)
class Reason:
    """Why: a stable code for machines, a sentence for people."""

    code: ReasonCode
    effect: Effect
    """reject, inconclusive, support or note."""
    role: Role | None
    text: str


@dataclass(frozen=True)
class Guidance:
    """What to tell the person now."""

    code: GuidanceCode
    """ready, no-face, several-faces, come-closer, move-back, centre-face, look-ahead,
    turn-to-the-light, too-bright or hold-still.
    """
    text: str
    face: Box | None
    """Around the landmarks, in pixels of the frame."""
    frames: int
    """Usable frames so far."""


@dataclass(frozen=True)
class Signal:
    """One signal of a sequence."""

    name: SignalName
    channel: ChannelName
    """deepfake or injection."""
    value: float | None
    """Larger is more suspicious; None when there was too little to measure."""
    unit: str
    weight: float
    """How much it counts; 0 for one that is told and decides nothing."""
    assessed: Assessed
    """yes or not-possible."""
    text: str
    reason: Obstacle | None = None
    """Why it was not possible."""
    percentile: float | None = None
    """Share of bona fide material with a lower value, 0..=100; None unless it was assessed."""
    suspicion: float | None = None
    """How much the value counts, 0..=1; None unless it was assessed."""


@dataclass(frozen=True)
class Coverage:
    """How much of a channel was looked at, by frames that differ from each other."""

    assessed: float
    """Weight of the signals that could be assessed."""
    of: float
    """Weight of all signals of the channel."""


@dataclass(frozen=True)
class Channel:
    """What one channel of a sequence amounts to. Only `assessed` "yes" says anything of the
    frames."""

    coverage: Coverage
    assessed: Assessed
    """yes, not-asked or not-possible."""
    risk: RiskLevel | None = None
    """LOW, MEDIUM or HIGH; None unless it was assessed."""
    score: float | None = None
    """0..=1, larger is more suspicious; None unless it was assessed."""
    auc: float | None = None
    """How well the score tells manipulated material that the calibration did not see, 0.5 for
    chance; below 0.8 a LOW risk speaks for nobody."""
    reason: Obstacle | None = None
    """Why it was not possible."""
    text: str | None = None
    """Why nothing is known, for people."""


@dataclass(frozen=True)
class ChallengeResult:
    """How the challenge of a session went. Only `assessed` "yes" says anything."""

    assessed: Assessed
    """yes, not-asked or not-possible."""
    text: str
    status: ChallengeStatus | None = None
    """passed or failed; None unless it was assessed."""
    entropy_bits: float | None = None
    """Base-2 logarithm of how many scripts the kinds that were asked have; below 20 a passed
    challenge supports nothing."""
    reason: Obstacle | None = None
    """Why it was not possible."""


@dataclass(frozen=True)
class NextStep:
    """The step of a challenge that is due."""

    step: dict[str, Any] | None
    """What to show now: `kind`, `start_ms`, `duration_ms`, and `colour` (#rrggbb of the screen),
    `towards` (left, right, up or down, for the person) or `times` (how often both eyes are shut);
    None when nothing new is due."""
    wait_ms: int
    """In how many milliseconds to ask again."""
    is_over: bool
    """Whether all was shown and the time to answer has passed."""


@dataclass(frozen=True)
class Sequence:
    """Evidence from frames over time."""

    risk: RiskLevel | None
    """LOW, MEDIUM or HIGH, the higher of the two channels; LOW only where both were assessed, None
    when nothing can be said."""
    text: str
    frames: int
    distinct_frames: int
    """How many different ones they were."""
    duration_ms: int
    deepfake: Channel
    """Was the face made or changed?"""
    injection: Channel
    """Did the frames come from a camera?"""
    challenge: ChallengeResult
    capture: CaptureLevel
    """How the frames were captured, as far as it was proven: none, challenge, host-time or
    attested."""
    signals: tuple[Signal, ...] = field(repr=False)
    raw: dict[str, Any] = field(repr=False, compare=False)

    def __getitem__(self, name: SignalName) -> Signal:
        return _named(self.signals, name)

    def to_dict(self) -> dict[str, Any]:
        """Returns all that the engine says of the frames."""
        return self.raw

    def __str__(self) -> str:
        lines = [f"{self.risk or 'not assessed'}: {self.text}"]
        for signal in self.signals:
            rank = (
                ""
                if signal.percentile is None
                else f", above {signal.percentile:.0f} % of bona fide material"
            )
            value = (
                signal.text
                if signal.value is None
                else f"{signal.value:.3g} {signal.unit}".rstrip() + rank
            )
            lines.append(f"  {signal.channel}: {signal.name}: {value} (weight {signal.weight:.2g})")
        result = self.challenge.status or self.challenge.assessed
        lines.append(f"  challenge: {result}: {self.challenge.text}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Enrolment:
    """What enrolling one picture gave."""

    sample: Sample
    template: Template | None
    """None when no face was found."""


@dataclass(frozen=True)
class Decision:
    """The answer: an outcome, the reasons for it, and the evidence.

    There is no truth value on purpose: a doubt is neither yes nor no. Ask for `outcome`.
    """

    outcome: Outcome
    """accept, reject or inconclusive."""
    reasons: tuple[Reason, ...]
    """The decisive ones first."""
    comparison: Comparison | None
    selfie: Sample
    document: Sample | None
    sequence: Sequence
    policy: dict[str, Any] = field(repr=False)
    engine: dict[str, Any] = field(repr=False)
    times_ms: dict[str, float] = field(repr=False, compare=False)
    raw_json: str = field(repr=False, compare=False)

    def to_json(self) -> str:
        """Returns the decision as JSON, without times: equal evidence gives equal bytes."""
        return self.raw_json

    def to_dict(self) -> dict[str, Any]:
        """Returns the decision as plain dictionaries."""
        return json.loads(self.raw_json)

    def __hash__(self) -> int:
        return hash(self.raw_json)

    def __bool__(self) -> bool:
        raise TypeError('a decision has three outcomes; compare decision.outcome with "accept"')

    def __str__(self) -> str:
        marks = {"reject": "-", "inconclusive": "?", "support": "+", "note": " "}
        lines = [self.outcome.upper()]
        for reason in self.reasons:
            role = f"{reason.role}: " if reason.role else ""
            lines.append(f"{marks[reason.effect]} {role}{reason.text}")
        for seen in (self.selfie, self.document):
            if seen is not None and seen.quality is not None:
                lines.append(f"  {seen.role}: unified quality {seen.quality.unified} of 100")
        return "\n".join(lines)


def decision(text: str, selfie_points: list, document_points: list, times: list) -> Decision:
    """Builds a decision from the engine's JSON."""
    raw = json.loads(text)
    return Decision(
        outcome=raw["outcome"],
        reasons=tuple(Reason(**r) for r in raw["reasons"]),
        comparison=comparison(raw["comparison"]) if _is_assessed(raw["comparison"]) else None,
        selfie=sample(raw["selfie"], selfie_points),
        document=sample(raw["document"], document_points) if raw["document"] else None,
        sequence=sequence(raw["sequence"]),
        policy=raw["policy"],
        engine=raw["engine"],
        times_ms=dict(times),
        raw_json=text,
    )


def sample(raw: dict[str, Any], points: list) -> Sample:
    """Builds a sample from the engine's JSON."""
    face = raw["face"] and Face(
        bounds=Box(**raw["face"]["bounds"]),
        detector=raw["face"]["detection"]["detector"],
        score=raw["face"]["detection"]["score"],
        inter_eye_px=raw["face"]["inter_eye_px"],
        landmark_shift=raw["face"]["landmark_shift"],
        eye_gap=raw["face"]["eye_gap"],
        **raw["face"]["pose"],
        landmarks=tuple(points),
    )
    quality = None
    if _is_assessed(raw["quality"]):
        measures = tuple(Measure(**m) for m in raw["quality"]["components"])
        quality = Quality(raw["quality"]["unified"], measures)
    pad = dict(raw["pad"])
    if _is_assessed(pad):
        pad["views"] = tuple(PadView(**v) for v in pad["views"])
    return Sample(raw["role"], raw["width"], raw["height"], face, quality, Pad(**pad), raw)


def comparison(raw: dict[str, Any]) -> Comparison:
    """Builds a comparison from the engine's JSON."""
    point = dict(raw["operating_point"])
    point["fmr_interval"] = tuple(point["fmr_interval"])
    return Comparison(
        raw["comparator"], raw["score"], raw["fmr_at_score"], OperatingPoint(**point), raw["match"]
    )


def sequence(raw: dict[str, Any]) -> Sequence:
    """Builds the evidence of a sequence from the engine's JSON."""
    return Sequence(
        risk=raw["risk"],
        text=raw["text"],
        frames=raw["frames"],
        distinct_frames=raw["distinct_frames"],
        duration_ms=raw["duration_ms"],
        deepfake=_channel(raw["deepfake"]),
        injection=_channel(raw["injection"]),
        challenge=ChallengeResult(**raw["challenge"]),
        capture=raw["capture"],
        signals=tuple(Signal(**signal) for signal in raw["signals"]),
        raw=raw,
    )


def _is_assessed(raw: dict[str, Any]) -> bool:
    return raw["assessed"] == "yes"


def _channel(raw: dict[str, Any]) -> Channel:
    return Channel(**{**raw, "coverage": Coverage(**raw["coverage"])})


def _named(items: tuple, name: str) -> Any:
    """Returns the item of that name. `KeyError` with the names there are."""
    for item in items:
        if item.name == name:
            return item
    names = ", ".join(item.name for item in items)
    raise KeyError(f"{name!r} is not among {names or 'them: there are none'}")
