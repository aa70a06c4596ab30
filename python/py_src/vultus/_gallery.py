"""Galleries: who of many is it?"""

from __future__ import annotations

from typing import NamedTuple

from . import _vultus


class Candidate(NamedTuple):
    """One reference that a search found."""

    id: int
    """The number that it was inserted under."""
    score: float
    """-1 to 1; larger means more alike."""


class Gallery:
    """References by number, of which a search returns those most alike to a probe (1:N). It is
    biometric data, wiped when dropped.

    Made by `Engine.gallery`. Share one between threads: searches run at once, changes one after the
    other.
    """

    def __init__(self, gallery: _vultus.Gallery) -> None:
        self._gallery = gallery

    def insert(self, id: int, reference: _vultus.Template) -> None:
        """Adds a copy of a reference under a number of 0 to 2**64 - 1. `UsageError` when the number
        is taken.
        """
        self._gallery.insert(id, reference)

    def remove(self, id: int) -> bool:
        """Wipes the reference with a number, and returns whether there was one."""
        return self._gallery.remove(id)

    def search(self, probe: _vultus.Template, most: int = 10) -> list[Candidate]:
        """Returns the references that are most alike to the probe, the best first, so many at most.

        The scores are those of `Engine.compare`. Whether one of them is a match,
        `Engine.gallery_threshold` says.
        """
        return [Candidate(*found) for found in self._gallery.search(probe, most)]

    def __len__(self) -> int:
        """How many references it holds."""
        return len(self._gallery)

    def __repr__(self) -> str:
        return f"Gallery({len(self)} references)"
