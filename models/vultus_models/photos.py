"""Fetches the demo photos, pinned and checked like weights."""

from pathlib import Path

from vultus_models import hashing
from vultus_models.fetch import Fetcher
from vultus_models.manifest import load_photos


def fetch_photos(out: Path, fetcher: Fetcher) -> list[Path]:
    """Writes the photos into `out`; returns those that were not there yet."""
    written = []
    out.mkdir(parents=True, exist_ok=True)
    for source in load_photos().photos:
        path = out / Path(source.file).name
        if path.is_file() and hashing.sha256_of(path) == source.file_sha256:
            continue
        partial = path.with_name(f".{path.name}.partial")
        partial.write_bytes(fetcher.file(source))
        partial.replace(path)
        written.append(path)
    return written
