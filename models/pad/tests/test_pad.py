"""What the PAD reference promises: the crop, the committed weights and the vectors that the engine
is checked against.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

HERE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))

import crop  # noqa: E402
import reference  # noqa: E402

WEIGHTS = reference.WEIGHTS


def test_crop_stays_inside_and_keeps_the_wanted_context():
    rng = np.random.default_rng(0)
    for _ in range(2000):
        width, height = rng.integers(40, 900, 2)
        w, h = rng.uniform(20, 400, 2)
        x, y = rng.uniform(-50, width), rng.uniform(-50, height)
        placed = crop.place(int(width), int(height), (x, y, w, h))
        assert 0 <= placed.left <= width - placed.side and 0 <= placed.top <= height - placed.side
        assert placed.side == int(min(crop.CONTEXT * (w * h) ** 0.5, width, height))
        assert placed.assessable == (placed.side / (w * h) ** 0.5 >= 1.25)


def test_tight_crop_is_not_assessable():
    assert not crop.place(160, 220, (4, 6, 150, 205)).assessable
    assert crop.place(640, 480, (240, 120, 160, 210)).assessable


def test_crop_is_centred_where_there_is_room():
    placed = crop.place(1000, 1000, (450, 440, 100, 120))
    assert placed.side == 372 and (placed.left, placed.top) == (314, 314)


def test_weights_are_small_and_made_of_plain_operators():
    assert WEIGHTS.stat().st_size <= 1_000_000
    graph = onnx.load(WEIGHTS).graph
    assert {node.op_type for node in graph.node} == {
        "Conv",
        "PRelu",
        "Add",
        "GlobalAveragePool",
        "Flatten",
        "Gemm",
    }
    assert [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim] == [
        1,
        3,
        crop.INPUT_PX,
        crop.INPUT_PX,
    ]


def convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: int) -> np.ndarray:
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))[
        :, ::stride, ::stride
    ]
    return np.einsum("chwij,ocij->ohw", windows, kernel, optimize=True) + bias[:, None, None]


def test_weights_compute_what_the_model_card_says():
    """A second implementation, from the table of layers alone."""
    held = {
        t.name: numpy_helper.to_array(t).astype(np.float64)
        for t in onnx.load(WEIGHTS).graph.initializer
    }
    image = reference.picture(200, 160)
    pixels = (
        crop.cut(image, crop.place(200, 160, (60, 40, 56, 70)))
        .astype(np.float64)
        .transpose(2, 0, 1)
        / 127.5
        - 1
    )
    x = pixels
    for i, (channels_in, channels, stride) in enumerate(
        ((3, 16, 2), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 96, 2), (96, 96, 1))
    ):
        y = convolve(x, held[f"conv{i}.weight"], held[f"conv{i}.bias"], stride)
        y = y + x if channels_in == channels and stride == 1 else y
        x = np.where(y > 0, y, y * held[f"act{i}.slope"])
    wanted = held["head.weight"] @ x.mean((1, 2)) + held["head.bias"]
    session = onnxruntime.InferenceSession(str(WEIGHTS), providers=["CPUExecutionProvider"])
    found = session.run(None, {"input": pixels[None].astype(np.float32)})[0][0]
    assert np.abs(found - wanted).max() < 1e-3


def test_reference_vectors_are_current():
    """reference.json is what other implementations are checked against."""
    held, made = json.loads((HERE / "reference.json").read_text()), reference.vectors()
    assert [c["box"] for c in held["cases"]] == [c["box"] for c in made["cases"]]
    for old, new in zip(held["cases"], made["cases"], strict=True):
        assert old["crop"] == new["crop"]
        for key in ("logits", "signals"):
            assert np.allclose(old[key], new[key], rtol=1e-3, atol=1e-3), key
