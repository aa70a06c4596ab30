"""What an identity document says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ._vocabulary import Check, CheckResult, DocumentLevel, DocumentSight, FieldName, Format


@dataclass(frozen=True)
class DocumentField:
    """One field of a zone, without what stands in it."""

    name: FieldName
    margin: float | None
    """How far its least certain character was from being read otherwise, in nats."""
    check: CheckResult
    """What its own check digit says: holds, fails or absent."""


@dataclass(frozen=True)
class Document:
    """What was read off the picture of an identity document. That a zone was read says that it is
    printed there: anybody can print one.
    """

    level: DocumentLevel | None
    """read, or None where something of the zone is in doubt, or there is none."""
    seen: DocumentSight
    """What was found: mrz, mrz-unclear or no-mrz."""
    text: str
    """One sentence for a person, without anything personal."""
    format: Format | None
    """TD1, TD2, TD3, MRV-A or MRV-B."""
    fields: tuple[DocumentField, ...]
    checks: dict[Check, CheckResult]
    """Every check digit: holds, fails or absent."""
    place: tuple[tuple[float, float], ...] | None
    """The corners of the zone in pixels of the upright picture, in reading order."""
    personal: dict[str, Any] = field(repr=False, compare=False)
    """What stands there: `lines`, `document_code`, `issuer`, `number`, `nationality`,
    `family_name`, `given_names`, `sex`, `birth_date`, `expiry_date`, `optional`; empty without a
    zone. In doubt unless `level` is "read"."""
    raw: dict[str, Any] = field(repr=False, compare=False)

    def to_dict(self, *, personal: bool = False) -> dict[str, Any]:
        """Returns all that the engine says, with what stands in the zone where it is asked for."""
        return {**self.raw, "personal": self.personal} if personal else self.raw

    def to_json(self, *, personal: bool = False) -> str:
        """Returns `to_dict` as text."""
        return json.dumps(self.to_dict(personal=personal))

    def __str__(self) -> str:
        lines = [f"{self.level or 'not read'}: {self.text}"]
        lines += [f"  check digit of {name}: {result}" for name, result in self.checks.items()]
        return "\n".join(lines)


def document(text: str, personal: str) -> Document:
    raw = json.loads(text)
    return Document(
        level=raw["level"],
        seen=raw["seen"],
        text=raw["text"],
        format=raw["zone_format"],
        fields=tuple(DocumentField(**one) for one in raw["fields"]),
        checks={one["name"]: one["result"] for one in raw["checks"]},
        place=raw["place"] and tuple((point["x"], point["y"]) for point in raw["place"]),
        personal=json.loads(personal) or {},
        raw=raw,
    )
