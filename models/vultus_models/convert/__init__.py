"""Converts a weight file to the ONNX file of its manifest: NCHW, batch 1, float32, the same bytes
on every machine.
"""

from vultus_models.convert import minifasnet, onnx, tflite
from vultus_models.manifest import Manifest

_CONVERTERS = {
    "tflite": tflite.convert,
    "onnx": onnx.convert,
    "minifasnet": minifasnet.convert,
    "copy": lambda data, _: data,
}


def convert(data: bytes, manifest: Manifest) -> bytes:
    """Returns the ONNX file made of `data`, the file that the manifest's source names."""
    return _CONVERTERS[manifest.converted.converter](data, manifest)
