"""Every network of the default pack gives the same output through the engine's plan as through
onnxruntime, on a real photo.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from vultus_models.manifest import load_all, load_plan

ROOT = Path(__file__).resolve().parents[2]
PACK = Path(os.environ.get("VULTUS_PACK", ROOT / "build" / "pack"))
ENGINE = (
    Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "examples" / "network"
)
OPEN_SIDE = 640
"""The side of an input whose size the graph leaves open, as the engine uses it."""
LARGEST = 1e-5
"""The largest difference, over the largest value of all outputs and at least over 1: what `make
bench-peers` holds to as well.
"""


@pytest.mark.parametrize("name", load_plan("default").models)
def test_equals_onnxruntime(photo, tmp_path, name):
    assert ENGINE.is_file(), f"{ENGINE} is missing: `make test-python` builds it"
    weight = load_all()[name]
    height, width = (
        side if isinstance(side, int) else OPEN_SIDE for side in weight.input.shape[2:]
    )
    with Image.open(photo) as image:
        rgb = np.asarray(
            image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR), np.float32
        )
    scaled = (rgb * np.float32(weight.input.scale) + np.float32(weight.input.offset)).transpose(
        2, 0, 1
    )[None]
    given, made = tmp_path / "input.f32", tmp_path / "output.f32"
    np.ascontiguousarray(scaled).tofile(given)
    model = PACK / weight.file
    subprocess.run([ENGINE, model, str(height), str(width), "run", given, made], check=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    expected = session.run(None, {weight.input.name: scaled})
    found = np.split(
        np.fromfile(made, np.float32), np.cumsum([values.size for values in expected])[:-1]
    )
    scale = max(1.0, *(np.abs(values).max() for values in expected))
    for output, values, theirs in zip(weight.outputs, found, expected, strict=True):
        difference = np.abs(values - theirs.ravel()).max() / scale
        print(f"{name} {output.name}: {difference:.1e}")
        assert theirs.std() > 0 or theirs.size == 1
        assert difference <= LARGEST, output.name
