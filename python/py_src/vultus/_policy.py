"""The policy as the engine reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ._vultus import UsageError


def policy_json(fmr: float | None, policy: Mapping[str, Any] | None) -> str:
    """Returns `policy` as JSON, with `fmr` laid over it."""
    merged = dict(policy or {})
    if fmr is not None:
        merged["fmr"] = fmr
    try:
        return json.dumps(merged, default=_plain, allow_nan=False)
    except (TypeError, ValueError):
        raise UsageError(
            "policy: holds what is no JSON; numbers must be finite, names and choices text"
        ) from None


def _plain(value: Any) -> Any:
    """Returns the number that a scalar of numpy is."""
    if hasattr(value, "dtype") and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return value.item()
    raise TypeError
