"""The policy as the engine reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def policy_json(fmr: float | None, policy: Mapping[str, Any] | None) -> str:
    """Returns `policy` as JSON, with `fmr` laid over it."""
    merged = dict(policy or {})
    if fmr is not None:
        merged["fmr"] = float(fmr)
    return json.dumps(merged)
