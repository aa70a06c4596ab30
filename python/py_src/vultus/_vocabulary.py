"""The names in the engine's answers.

Made by `VULTUS_BLESS=1 cargo test --release -p vultus-schema`; do not change it by hand.
"""

from typing import Literal

Outcome = Literal[
    "reject",
    "inconclusive",
    "accept",
]
"""What was decided. There is no boolean: a doubt is its own answer."""

Effect = Literal[
    "reject",
    "inconclusive",
    "support",
    "note",
]
"""What a reason does to the outcome, the gravest first."""

ReasonCode = Literal[
    "match",
    "non-match",
    "no-face",
    "several-faces",
    "face-too-small",
    "face-cut-off",
    "face-turned-away",
    "blurred",
    "too-dark",
    "too-bright",
    "low-contrast",
    "bona-fide",
    "presentation-attack",
    "pad-not-assessed",
    "pad-not-assessable",
    "sequence-consistent",
    "sequence-suspicious",
    "sequence-manipulated",
    "sequence-not-assessed",
    "challenge-passed",
    "challenge-failed",
    "challenge-not-assessable",
    "face-not-placed",
    "document-read",
    "document-not-read",
    "document-digits",
    "document-expired",
    "document-kind",
    "document-holder",
    "document-holder-differs",
    "document-holder-unclear",
    "document-consistent",
    "document-not-consistent",
    "document-signed",
    "document-not-signed",
    "document-signature",
    "document-issuer-unknown",
    "same-picture",
    "capture-level",
]
"""Stable codes; one is never renamed or given another meaning."""

Role = Literal[
    "selfie",
    "document",
]
"""What a picture is in the transaction. A selfie is live and upright; a reference picture
may be a print, any way up, with a small portrait."""

Obstacle = Literal[
    "no-face",
    "face-too-small",
    "too-little-around",
    "colourless",
    "posterised",
    "flat-areas",
    "no-picture",
    "no-weights",
    "no-calibration",
    "too-few-frames",
    "too-little-covered",
    "not-begun",
    "cut-short",
    "out-of-order",
    "too-little-light",
    "late-frames",
]
"""Why something could not be assessed. Rows are added at the end: templates hold their
place."""

Component = Literal[
    "illumination-uniformity",
    "under-exposure-prevention",
    "over-exposure-prevention",
    "dynamic-range",
    "sharpness",
    "compression-artefacts",
    "single-face-present",
    "inter-eye-distance",
    "face-inside-picture",
    "leftward-crop",
    "rightward-crop",
    "margin-above",
    "margin-below",
    "head-pose-yaw",
    "head-pose-pitch",
    "head-pose-roll",
    "eyes-open",
    "mouth-closed",
]
"""A component of quality, after ISO/IEC 29794-5. Rows are added at the end: templates hold
scores by their place."""

Detector = Literal[
    "near",
    "far",
    "small",
    "yunet",
]
"""The detectors, from near to far."""

PadStatus = Literal[
    "bona-fide",
    "attack",
]
"""What presentation attack detection has to say."""

Comparator = Literal[
    "single",
    "fused",
]
"""Which features are compared."""

RiskLevel = Literal[
    "LOW",
    "MEDIUM",
    "HIGH",
]
"""How much the frames speak for a deepfake or an injected stream."""

Channel = Literal[
    "deepfake",
    "injection",
]
"""What a signal speaks for. The two are kept apart, and apart from presentation attack
detection."""

SignalName = Literal[
    "identity-consistency",
    "identity-scatter",
    "identity-switch",
    "colour-flicker",
    "hue-flicker",
    "brightness-flicker",
    "texture-balance",
    "skin-renewal",
    "edge-renewal",
    "mouth-renewal",
    "landmark-jitter",
    "inner-outer-motion",
    "inner-outer-pose",
    "eye-stillness",
    "pulse-absence",
    "frozen-frames",
    "repeated-frames",
    "doubled-frames",
    "looped-frames",
    "reversed-frames",
    "timestamp-order",
    "timestamp-haste",
    "timestamp-drift",
    "timestamp-evenness",
    "frame-size-changes",
    "scene-cut",
    "block-coding",
]
"""What is measured over frames. Larger values are more suspicious."""

ChallengeKind = Literal[
    "flash",
    "head-turn",
    "blink",
    "head-moves",
]
"""What can be asked."""

ChallengeStatus = Literal[
    "passed",
    "failed",
]
"""How a challenge went."""

Direction = Literal[
    "left",
    "right",
    "up",
    "down",
]
"""Where the head goes, for the person."""

CaptureLevel = Literal[
    "none",
    "challenge",
    "host-time",
    "attested",
]
"""How the frames were captured, as far as it was proven; each level holds those before it."""

GuidanceCode = Literal[
    "ready",
    "no-face",
    "several-faces",
    "come-closer",
    "move-back",
    "centre-face",
    "look-ahead",
    "turn-to-the-light",
    "too-bright",
    "hold-still",
]
"""Stable codes; one is never renamed or given another meaning."""

DocumentLevel = Literal[
    "read",
    "consistent",
    "signed",
]
"""How far a document was established, the weakest first. The three are never mixed: only a
signature proves that an issuer said what is read."""

DocumentSight = Literal[
    "mrz",
    "mrz-unclear",
    "no-mrz",
    "chip",
]
"""What was found where a document was looked for."""

Format = Literal[
    "TD1",
    "TD2",
    "TD3",
    "MRV-A",
    "MRV-B",
]
"""The shapes of a machine-readable zone (ICAO Doc 9303)."""

FieldName = Literal[
    "document-code",
    "issuer",
    "name",
    "number",
    "nationality",
    "birth-date",
    "sex",
    "expiry-date",
    "optional",
    "optional-2",
]
"""What stands in a zone."""

Check = Literal[
    "number",
    "birth-date",
    "expiry-date",
    "optional",
    "composite",
]
"""What a check digit covers."""

CheckResult = Literal[
    "holds",
    "fails",
    "absent",
]
"""What a check digit says."""

SignatureStatus = Literal[
    "valid",
    "issuer-unknown",
    "invalid",
]
"""What became of the issuer's signature over the data of a chip."""
