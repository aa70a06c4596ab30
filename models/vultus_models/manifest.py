"""Manifests: what is pinned and known of each weight, and which weights a pack holds."""

import json
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from vultus_models.fault import Fault

# In a source tree the data lie beside the package, in a wheel inside it.
_HERE = Path(__file__).resolve().parent
DATA = _HERE if (_HERE / "manifests").is_dir() else _HERE.parent

Ecosystem = Literal["pypi", "npm", "file", "project"]
Use = Literal["permissive", "non-commercial", "unknown"]


@dataclass(frozen=True)
class Source:
    """Where the weight comes from.

    `pypi` and `npm` name a published package; `file` is brought by the user; `project` was trained
    here and lies beside the manifests.
    """

    ecosystem: Ecosystem
    file: str
    file_sha256: str
    origin: str
    package: str = ""
    version: str = ""
    archive: str = ""
    archive_sha256: str = ""
    archive_bytes: int = 0


@dataclass(frozen=True)
class Licence:
    """Licence of the weights, which is not that of the code around them."""

    spdx: str
    use: Use
    statement: str


@dataclass(frozen=True)
class Converted:
    """The ONNX file that goes into the pack."""

    converter: Literal["tflite", "onnx", "minifasnet", "copy"]
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Tensor:
    """A named tensor. A name in the shape is a size that the caller chooses."""

    name: str
    shape: list[int | str]
    meaning: str
    source_name: str = ""


@dataclass(frozen=True)
class Input:
    """What the network is fed: x * scale + offset for x in 0..255."""

    name: str
    shape: list[int | str]
    colour: Literal["rgb", "bgr"]
    scale: float
    offset: float
    meaning: str


@dataclass(frozen=True)
class Manifest:
    id: str
    task: Literal[
        "detect-near",
        "detect-far",
        "detect-small",
        "detect",
        "mesh",
        "eyes",
        "embed",
        "pad",
        "document",
    ]
    title: str
    training_data: str
    limits: list[str]
    measured: list[str]
    source: Source
    licence: Licence
    converted: Converted
    input: Input
    outputs: list[Tensor]

    @property
    def file(self) -> str:
        return f"{self.id}.onnx"

    @property
    def centre(self) -> list[float]:
        """What the conversion takes off each value of the output; empty where it takes nothing
        off."""
        path = DATA / "centres" / f"{self.id}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []

    @property
    def needs_acceptance(self) -> bool:
        return self.licence.use != "permissive"


@dataclass(frozen=True)
class Share:
    """An embedder and the share of its cosine in the fused score."""

    id: str
    share: float


@dataclass(frozen=True)
class PackPlan:
    """A named pack: the weights that it holds when nothing is added, and those that are compared.

    The first embedder is the one that compares alone. The shares sum to 1.
    """

    name: str
    version: str
    models: list[str]
    embedders: list[Share] = field(default_factory=list)


@dataclass(frozen=True)
class Photos:
    """The demo photos, pinned like weights."""

    statement: str
    photos: list[Source]


def _build(cls: type, table: Any, where: str) -> Any:
    """Makes the dataclass `cls` of a TOML table; refuses unknown, missing and ill-typed keys."""
    if not isinstance(table, dict):
        raise Fault(f"{where}: a table is needed")
    known = {f.name: f for f in fields(cls)}
    if unknown := table.keys() - known.keys():
        raise Fault(
            f"{where}: unknown key {', '.join(sorted(unknown))}; known are {', '.join(known)}"
        )
    try:
        return cls(
            **{
                key: _value(known[key].type, value, f"{where}.{key}")
                for key, value in table.items()
            }
        )
    except TypeError as error:
        raise Fault(f"{where}: {error}") from None


def _value(kind: Any, value: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin is Literal:
        if value not in get_args(kind):
            raise Fault(f"{where}: {value!r} is not one of {', '.join(get_args(kind))}")
        return value
    if origin is list:
        if not isinstance(value, list):
            raise Fault(f"{where}: a list is needed")
        return [_value(get_args(kind)[0], item, f"{where}[{i}]") for i, item in enumerate(value)]
    if hasattr(kind, "__dataclass_fields__"):
        return _build(kind, value, where)
    if kind is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, kind):
        raise Fault(f"{where}: {value!r} is not of the type {getattr(kind, '__name__', kind)}")
    return value


def _read(path: Path, cls: type) -> Any:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Fault(f"{path}: {error}") from error
    return _build(cls, table, path.name)


def load_all(folder: Path = DATA / "manifests") -> dict[str, Manifest]:
    """Returns every manifest in `folder` by its id, in the order of the ids."""
    manifests = {}
    for path in sorted(folder.glob("*.toml")):
        manifest = _read(path, Manifest)
        if manifest.id != path.stem:
            raise Fault(f"{path}: the id {manifest.id!r} must be the file's name")
        manifests[manifest.id] = manifest
    return manifests


def load_plan(name: str, folder: Path = DATA / "packs") -> PackPlan:
    """Returns the named pack."""
    path = folder / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.toml")))
        raise Fault(f"there is no pack {name!r}; known packs: {known}")
    return _read(path, PackPlan)


def load_photos(path: Path = DATA / "demo" / "photos.toml") -> Photos:
    """Returns where the demo photos come from."""
    return _read(path, Photos)
