"""Builds and checks pack folders: `pack.json` and the ONNX files that it names."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from vultus_models import hashing
from vultus_models.convert import convert
from vultus_models.fault import Fault
from vultus_models.fetch import Fetcher
from vultus_models.manifest import DATA, Manifest, PackPlan

FORMAT = 1
INDEX = "pack.json"


def select(
    plan: PackPlan, known: dict[str, Manifest], added: Iterable[str], accepted: Iterable[str]
) -> list[Manifest]:
    """Returns the manifests of the plan and the added ids; a licence that is not permissive must be
    accepted by id.
    """
    added, accepted = list(added), list(accepted)
    for name in [*plan.models, *added, *accepted]:
        if name not in known:
            raise Fault(f"there is no weight {name!r}; known are {', '.join(known)}")
    chosen = [known[name] for name in dict.fromkeys([*plan.models, *added])]
    for manifest in chosen:
        if manifest.needs_acceptance and manifest.id not in accepted:
            raise Fault(
                f"{manifest.id}: the licence of its weights is {manifest.licence.use}"
                f" ({manifest.licence.spdx}): {manifest.licence.statement}. Training data:"
                f" {manifest.training_data}. If you may use it, say so with --accept-licence"
                f" {manifest.id}"
            )
    return chosen


def index(plan: PackPlan, manifests: list[Manifest]) -> bytes:
    """Returns the bytes of `pack.json`."""
    table = {
        "format": FORMAT,
        "name": plan.name,
        "version": plan.version,
        "models": [_entry(manifest) for manifest in manifests],
        "embedders": [asdict(embedder) for embedder in plan.embedders],
        "calibration": _calibration(plan),
    }
    return (json.dumps(table, indent=2, ensure_ascii=False) + "\n").encode()


def _calibration(plan: PackPlan) -> dict[str, Any] | None:
    """Returns the pack's own calibration of scores with those of PAD and of sequences, which do not
    depend on the embedders of a pack.
    """

    def read(name: str) -> dict[str, Any]:
        return json.loads((DATA / "calibration" / f"{name}.json").read_text(encoding="utf-8"))

    if not plan.embedders:
        return None
    # A pack that was not calibrated yet has no thresholds: `vultus-datasets calibrate` makes them.
    own = (
        read(plan.name)
        if (DATA / "calibration" / f"{plan.name}.json").is_file()
        else {"tables": []}
    )
    return read("default") | own | {name: read(name) for name in ("pad", "sequence")}


def _entry(manifest: Manifest) -> dict[str, Any]:
    source, licence, tensor = manifest.source, manifest.licence, manifest.input
    return {
        "id": manifest.id,
        "task": manifest.task,
        "file": manifest.file,
        "sha256": manifest.converted.sha256,
        "bytes": manifest.converted.bytes,
        "licence": {"spdx": licence.spdx, "use": licence.use},
        "source": {
            "ecosystem": source.ecosystem,
            "package": source.package,
            "version": source.version,
            "file": source.file,
            "sha256": source.file_sha256,
            "origin": source.origin,
        },
        "training_data": manifest.training_data,
        "input": {
            "name": tensor.name,
            "shape": tensor.shape,
            "colour": tensor.colour,
            "scale": tensor.scale,
            "offset": tensor.offset,
        },
        "outputs": [{"name": output.name, "shape": output.shape} for output in manifest.outputs],
    } | _int16(manifest)


def _int16(manifest: Manifest) -> dict[str, Any]:
    """Returns the committed ranges for 16-bit arithmetic, if the weight was calibrated."""
    ranges = DATA / "int16" / f"{manifest.id}.json"
    return {"int16": json.loads(ranges.read_text(encoding="utf-8"))} if ranges.is_file() else {}


def build(plan: PackPlan, manifests: list[Manifest], out: Path, fetcher: Fetcher) -> bool:
    """Writes the pack folder `out`, whole or not at all; returns False when it was up to date
    already.
    """
    out = out.resolve()
    wanted = index(plan, manifests)
    if _is_current(out, wanted, manifests):
        return False
    if out.exists() and not (out / INDEX).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise Fault(
            f"{out} exists and is no model pack; name another folder with --out, or remove it"
        )
    partial, replaced = (
        out.with_name(f".{out.name}.partial"),
        out.with_name(f".{out.name}.replaced"),
    )
    for leftover in (partial, replaced):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        with tqdm(manifests, desc="build pack", unit="model", disable=None, leave=False) as bar:
            for manifest in bar:
                bar.set_postfix_str(manifest.id)
                (partial / manifest.file).write_bytes(_weight(manifest, out, fetcher))
        (partial / INDEX).write_bytes(wanted)
        if out.exists():
            out.rename(replaced)
        partial.rename(out)
    finally:
        for leftover in (partial, replaced):
            shutil.rmtree(leftover, ignore_errors=True)
    return True


def _is_current(out: Path, wanted: bytes, manifests: list[Manifest]) -> bool:
    if not (out / INDEX).is_file() or (out / INDEX).read_bytes() != wanted:
        return False
    if {path.name for path in out.iterdir()} != {INDEX, *(manifest.file for manifest in manifests)}:
        return False
    return all(
        hashing.sha256_of(out / manifest.file) == manifest.converted.sha256
        for manifest in manifests
    )


def _weight(manifest: Manifest, out: Path, fetcher: Fetcher) -> bytes:
    """Returns the ONNX file: the one of the old pack when it is the pinned one, else fetched and
    converted.
    """
    old = out / manifest.file
    if old.is_file() and hashing.sha256_of(old) == manifest.converted.sha256:
        return old.read_bytes()
    converted = convert(fetcher.file(manifest.source), manifest)
    advice = (
        "the converter does something else here than where it was pinned; "
        f"who changed it on purpose pins the new hash in manifests/{manifest.id}.toml"
    )
    return hashing.check(
        f"{manifest.file}, as converted,", converted, manifest.converted.sha256, advice
    )


def verify(folder: Path) -> list[dict[str, Any]]:
    """Returns the entries of the pack in `folder` after checking every file that it names; any
    fault raises.
    """
    path = folder / INDEX
    if not path.is_file():
        raise Fault(
            f"{folder} holds no {INDEX}, so it is no model pack; build one with `python -m"
            f" vultus_models build --out {folder}`"
        )
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        version, models = table["format"], table["models"]
        files = [(model["id"], model["file"], model["sha256"]) for model in models]
    except (ValueError, KeyError, TypeError) as error:
        raise Fault(
            f"{path} is no manifest of a pack ({type(error).__name__}: {error}); build the pack"
            " again"
        ) from error
    if version != FORMAT:
        raise Fault(f"{path} has format {version}, this tool reads format {FORMAT}")
    for name, file, expected in files:
        if Path(file).name != file:
            raise Fault(f"{path}: {name} names the file {file!r}, which is outside the pack")
        if not (folder / file).is_file():
            raise Fault(f"{folder / file} is missing; build the pack again")
        advice = "it was changed after the pack was built; build the pack again"
        hashing.check(str(folder / file), (folder / file).read_bytes(), expected, advice)
    return models
