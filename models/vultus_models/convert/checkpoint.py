"""Tensors of a PyTorch checkpoint as its first format has them, read without torch and without
running anything that the file names.

Five pickles (magic number, version, sizes of types, tensors by name, keys of the storages), then
each storage: its length, its values.
"""

import io
import pickle
from collections import OrderedDict
from math import prod
from typing import Any

import numpy as np

from vultus_models.fault import Fault

_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


def read(data: bytes, name: str) -> dict[str, np.ndarray]:
    """Returns the tensors of the file `name` by their names; any other content is refused."""
    file = io.BytesIO(data)
    reader = _Reader(file, len(data))
    try:
        if (magic := reader.load()) != _MAGIC:
            raise pickle.UnpicklingError(f"it begins with {magic!r}")
        _version, _sizes, tree, keys = (reader.again().load() for _ in range(4))
        for key in keys:
            storage = reader.storages[key]
            if int.from_bytes(file.read(8), "little") != len(storage):
                raise ValueError("a storage is of another length than its tensors")
            storage[:] = np.frombuffer(file.read(storage.nbytes), storage.dtype)
    except (
        pickle.UnpicklingError,
        EOFError,
        AttributeError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        raise Fault(f"{name} is no checkpoint of tensors: {error}") from error
    if (
        file.read(1)
        or not isinstance(tree, dict)
        or not all(isinstance(value, np.ndarray) for value in tree.values())
    ):
        raise Fault(f"{name} is no checkpoint of tensors: it holds something else beside them")
    return dict(tree)


class _Reader(pickle.Unpickler):
    """Makes arrays over storages that are filled later; knows no other class or function."""

    def __init__(self, file: io.BytesIO, size: int) -> None:
        super().__init__(file)
        self.file, self.size = file, size
        self.storages: dict[str, np.ndarray] = {}

    def again(self) -> "_Reader":
        """A reader of the next pickle of the file; storages are shared."""
        following = _Reader(self.file, self.size)
        following.storages = self.storages
        return following

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, reference: tuple) -> np.ndarray:
        _, kind, key, _, count, _ = reference
        if count * np.dtype(kind).itemsize > self.size:
            raise ValueError("a storage is longer than the file")
        return self.storages.setdefault(key, np.zeros(count, kind))


def _tensor(
    storage: np.ndarray, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> np.ndarray:
    if stride != tuple(prod(shape[axis + 1 :]) for axis in range(len(shape))):
        raise ValueError("a tensor is not contiguous")
    return storage[offset : offset + prod(shape)].reshape(shape)
