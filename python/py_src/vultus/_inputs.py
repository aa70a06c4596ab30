"""From what a caller has to an upright picture."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ._vultus import Image, InputError, UsageError

if TYPE_CHECKING:
    import numpy as np

_MOST_BYTES = 32 << 20
_LONGEST_PATH = 4096
_CHANNELS = {"rgb": 3, "bgr": 3, "rgba": 4, "bgra": 4, "grey": 1}


def load(picture: Any, colour: str | None, name: str) -> Image:
    """Returns the picture behind a path, bytes, a PIL image or a numpy array; errors begin with
    `name`, the argument.
    """
    try:
        if isinstance(picture, Image):
            return picture
        if isinstance(picture, (str, os.PathLike)):
            return Image.decode(_read(picture))
        if hasattr(picture, "getexif") and hasattr(picture, "convert"):
            return _from_pil(picture)
        if hasattr(picture, "read"):
            return Image.decode(_bounded(picture))
        if isinstance(picture, (bytes, bytearray, memoryview)):
            return Image.decode(bytes(picture))
        if hasattr(picture, "__array_interface__") and hasattr(picture, "dtype"):
            return _from_array(picture, colour)
    except Exception as error:
        if type(error).__module__ == "vultus":
            raise type(error)(f"{name}: {error}") from None
        raise
    raise UsageError(
        f"{name}: a {type(picture).__name__} is no picture; pass a path, bytes, a PIL image or a"
        " numpy array"
    )


def _read(path: str | os.PathLike[str]) -> bytes:
    name = os.fspath(path)
    # A path is told; what may be the picture itself is not.
    if isinstance(name, str) and (name.startswith("data:") or len(name) > _LONGEST_PATH):
        raise InputError(
            f"a text of {len(name)} characters is no path; pass a path, or the decoded bytes"
        )
    try:
        with open(path, "rb") as file:
            return _bounded(file)
    except ValueError:
        raise InputError("the path holds a NUL") from None
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from error


def _bounded(file: Any) -> bytes:
    """Returns what a binary file holds, and reads one byte beyond the limit of the engine at the
    most.
    """
    try:
        data = file.read(_MOST_BYTES + 1)
    except ValueError:
        raise InputError("the file is closed") from None
    if not isinstance(data, bytes):
        raise InputError("the file gives text; open it in binary mode")
    return data


def _from_pil(picture: Any) -> Image:
    from PIL import ImageOps

    try:
        upright = ImageOps.exif_transpose(picture)
        if upright.mode.startswith("I"):
            return Image.decode(_png(upright))
        flat = _over_grey(upright)
    except Exception as error:
        if type(error).__module__ == "vultus":
            raise
        raise InputError(
            "the PIL image cannot be read: its file is closed or cut, or its mode is not converted"
        ) from None
    return Image.from_pixels(flat.tobytes(), flat.width, flat.height, "rgb")


def _png(picture: Any) -> bytes:
    """The file of a picture of 16 bits, which the engine rounds to 8 as it does any such file."""
    import io

    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _over_grey(picture: Any) -> Any:
    """The picture in RGB, what is transparent laid over grey as the engine lays it."""
    from PIL import Image as Pil

    if picture.mode == "La":
        # Pillow has no way back from it but through its parts.
        grey, alpha = picture.split()
        whole = Pil.merge("RGBa", (grey, grey, grey, alpha)).convert("RGBA")
    elif picture.mode in ("LA", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        whole = picture.convert("RGBA")
    else:
        return picture.convert("RGB")
    ground = Pil.new("RGB", whole.size, (128, 128, 128))
    return Pil.composite(whole.convert("RGB"), ground, whole.getchannel("A"))


def _from_array(array: np.ndarray, colour: str | None) -> Image:
    import numpy as np

    if colour is None:
        raise UsageError(
            f"an array does not say its channel order; pass colour= one of {', '.join(_CHANNELS)}"
        )
    if colour not in _CHANNELS:
        raise UsageError(f"colour is {colour!r}, allowed are {', '.join(_CHANNELS)}")
    if array.dtype != np.uint8:
        hint = ""
        if np.issubdtype(array.dtype, np.floating):
            hint = (
                " and holds NaN" if np.isnan(array).any() else "; scale it to 0..255 and convert it"
            )
        raise InputError(f"the array is {array.dtype}{hint}; only uint8 is allowed")
    channels = _CHANNELS[colour]
    shape = array.shape + (1,) if array.ndim == 2 and channels == 1 else array.shape
    if len(shape) != 3 or shape[2] != channels:
        raise InputError(
            f"the array has the shape {array.shape}, {colour} needs (height, width, {channels})"
        )
    return Image.from_pixels(np.ascontiguousarray(array).reshape(-1), shape[1], shape[0], colour)
