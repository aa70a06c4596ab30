"""Checks that bytes are the pinned ones, and says what to do when they are not."""

import hashlib
from pathlib import Path

from vultus_models.fault import Fault

LFS_POINTER = b"version https://git-lfs"


def sha256(data: bytes) -> str:
    """Returns the lower-case hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_of(path: Path) -> str:
    """Returns the lower-case hexadecimal SHA-256 of the file at `path`, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(name: str, data: bytes, expected: str, advice: str) -> bytes:
    """Returns `data` when its SHA-256 is `expected`. `name` and `advice` go into the error."""
    refuse_pointer(name, data[:200])
    found = sha256(data)
    if found != expected:
        raise Fault(mismatch(name, expected, found, advice))
    return data


def refuse_pointer(name: str, head: bytes) -> None:
    """Raises when `head`, the first bytes of `name`, is a Git LFS pointer in the place of the
    file."""
    if head.startswith(LFS_POINTER):
        raise Fault(
            f"{name} is a Git LFS pointer ({LFS_POINTER.decode()}…), not the file itself: run `git"
            " lfs install && git lfs pull` in the repository that it came from, and copy it again"
        )


def mismatch(name: str, expected: str, found: str, advice: str) -> str:
    return (
        f"{name} has the wrong hash\n  expected sha256 {expected}\n  got      sha256 {found}\n "
        f" {advice}"
    )
