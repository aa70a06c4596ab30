"""Every network that is converted gives the same output through our file as through its own
runtime, on a real photo.
"""

import pickle
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from vultus_models import hashing
from vultus_models.convert import checkpoint, convert
from vultus_models.fault import Fault
from vultus_models.manifest import load_all

KNOWN = load_all()
FACE = (300, 0, 700, 400)
EYE = (385, 163, 495, 273)
"""The face in the photo, and one eye of it: left, top, right, bottom."""


def pixels(
    photo: Path, box: tuple[int, int, int, int] | None, width: int, height: int
) -> np.ndarray:
    """RGB bytes, height x width x 3."""
    with Image.open(photo) as image:
        part = image.crop(box) if box else image
        return np.asarray(part.convert("RGB").resize((width, height), Image.Resampling.BILINEAR))


def ours(weight, converted: bytes, rgb: np.ndarray) -> list[np.ndarray]:
    """The outputs of the converted file, fed as its manifest says."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(converted, options)
    assert [(value.name, value.shape) for value in session.get_inputs()] == [
        (weight.input.name, weight.input.shape)
    ]
    assert [(value.name, value.shape) for value in session.get_outputs()] == [
        (out.name, out.shape) for out in weight.outputs
    ]
    picture = rgb if weight.input.colour == "rgb" else rgb[..., ::-1]
    scaled = picture.astype(np.float32) * np.float32(weight.input.scale) + np.float32(
        weight.input.offset
    )
    return session.run(None, {weight.input.name: scaled.transpose(2, 0, 1)[None]})


@pytest.fixture(scope="module")
def both(fetcher):
    """The file as shipped and as converted, of one weight."""

    def get(name: str) -> tuple[bytes, bytes]:
        shipped = fetcher.file(KNOWN[name].source)
        converted = convert(shipped, KNOWN[name])
        assert hashing.sha256(converted) == KNOWN[name].converted.sha256
        return shipped, converted

    return get


@pytest.mark.parametrize(
    ("name", "box", "scale", "offset", "bounds"),
    [
        ("blazeface-short", None, 1 / 127.5, -1, [1e-3, 1e-3]),
        ("blazeface-full", None, 1 / 127.5, -1, [1e-3, 1e-3]),
        ("facemesh-468", FACE, 1 / 255, 0, [1e-3, 1e-4]),
        ("iris", EYE, 1 / 255, 0, [1e-3]),
        ("mobilefacenet", FACE, 1 / 128, -127.5 / 128, [1e-4]),
    ],
)
def test_equals_litert(both, photo, name, box, scale, offset, bounds):
    from ai_edge_litert.interpreter import Interpreter

    shipped, converted = both(name)
    interpreter = Interpreter(model_content=shipped)
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    batch, height, width, _ = source["shape"]
    rgb = pixels(photo, box, width, height)
    interpreter.set_tensor(
        source["index"], np.stack([(rgb * scale + offset).astype(np.float32)] * batch)
    )
    interpreter.invoke()
    theirs = {
        detail["name"]: interpreter.get_tensor(detail["index"])[0]
        for detail in interpreter.get_output_details()
    }
    for output, values, bound in zip(
        KNOWN[name].outputs, ours(KNOWN[name], converted, rgb), bounds, strict=True
    ):
        expected = theirs[output.source_name].reshape(values.shape[1:])
        assert values.std() > 0 or values.size == 1
        compare(f"{name} {output.name}", values[0], expected, bound)


def test_sface_equals_the_file_as_shipped_less_its_mean(both, photo):
    shipped, converted = both("sface")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    rgb = pixels(photo, FACE, 112, 112)
    session = onnxruntime.InferenceSession(shipped, options)
    (expected,) = session.run(["fc1"], {"data": rgb.astype(np.float32).transpose(2, 0, 1)[None]})
    (values,) = ours(KNOWN["sface"], converted, rgb)
    compare("sface embedding", values, expected - np.float32(KNOWN["sface"].centre), 1e-4)


@pytest.mark.parametrize(("width", "height"), [(640, 640), (416, 544)])
def test_centerface_equals_the_file_as_shipped(both, photo, width, height):
    from onnx.tools.update_model_dims import update_inputs_outputs_dims

    shipped, converted = both("centerface")
    model = onnx.load_from_string(shipped)
    inputs = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in model.graph.input
    }
    sizes = {
        output.source_name: ["n", output.shape[1], "r", "c"]
        for output in KNOWN["centerface"].outputs
    }
    resized = update_inputs_outputs_dims(model, inputs | {"input.1": ["n", 3, "h", "w"]}, sizes)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    rgb = pixels(photo, None, width, height)
    session = onnxruntime.InferenceSession(resized.SerializeToString(), options)
    theirs = session.run(list(sizes), {"input.1": rgb.astype(np.float32).transpose(2, 0, 1)[None]})
    for output, values, expected in zip(
        KNOWN["centerface"].outputs, ours(KNOWN["centerface"], converted, rgb), theirs, strict=True
    ):
        compare(f"centerface {width}x{height} {output.name}", values, expected, 1e-4)
    assert theirs[0].max() > 0.5, "the photo has a face"


@pytest.mark.parametrize("name", ["minifasnet-v2", "minifasnet-v1se"])
def test_minifasnet_equals_its_layers_one_by_one(both, photo, name):
    """In double precision, nothing folded, after `MiniFASNet.py` of the upstream repository."""
    shipped, converted = both(name)
    held = {
        key.removeprefix("module."): value for key, value in checkpoint.read(shipped, name).items()
    }
    rgb = pixels(photo, FACE, 80, 80)

    def norm(x: np.ndarray, layer: str) -> np.ndarray:
        parts = ("weight", "bias", "running_mean", "running_var")
        gain, bias, mean, variance = (held[f"{layer}.{part}"].reshape(-1, 1, 1) for part in parts)
        return (x - mean) / np.sqrt(variance + 1e-5) * gain + bias

    def conv(x: np.ndarray, layer: str, normed: str, stride: int = 1, pad: int = 0) -> np.ndarray:
        kernel = held[f"{layer}.weight"].astype(np.float64)
        windows = sliding_window_view(
            np.pad(x, ((0, 0), (pad, pad), (pad, pad))), kernel.shape[2:], (1, 2)
        )[:, ::stride, ::stride]
        depthwise = kernel.shape[1] == 1 < len(x)
        rule = ("chwij,cij->chw", kernel[:, 0]) if depthwise else ("chwij,ocij->ohw", kernel)
        return norm(np.einsum(rule[0], windows, rule[1], optimize=True), normed)

    def activated(x: np.ndarray, layer: str, stride: int = 1, pad: int = 0) -> np.ndarray:
        y = conv(x, f"{layer}.conv", f"{layer}.bn", stride, pad)
        return np.where(y > 0, y, y * held[f"{layer}.prelu.weight"].reshape(-1, 1, 1))

    def block(x: np.ndarray, layer: str, stride: int = 1) -> np.ndarray:
        y = activated(activated(x, f"{layer}.conv"), f"{layer}.conv_dw", stride, 1)
        return conv(y, f"{layer}.project.conv", f"{layer}.project.bn")

    x = activated(
        activated(rgb[..., ::-1].transpose(2, 0, 1).astype(np.float64), "conv1", 2, 1),
        "conv2_dw",
        1,
        1,
    )
    for halving, chain, length in (
        ("conv_23", "conv_3", 4),
        ("conv_34", "conv_4", 6),
        ("conv_45", "conv_5", 2),
    ):
        x = block(x, halving, 2)
        for i in range(length):
            y = block(x, f"{chain}.model.{i}")
            if name == "minifasnet-v1se" and i == length - 1:
                squeeze = f"{chain}.model.{i}.se_module"
                weight = np.maximum(
                    conv(y.mean((1, 2), keepdims=True), f"{squeeze}.fc1", f"{squeeze}.bn1"), 0
                )
                y = y / (1 + np.exp(-conv(weight, f"{squeeze}.fc2", f"{squeeze}.bn2")))
            x = x + y
    x = conv(activated(x, "conv_6_sep"), "conv_6_dw.conv", "conv_6_dw.bn").ravel()
    expected = (
        held["prob.weight"] @ norm((held["linear.weight"] @ x).reshape(-1, 1, 1), "bn").ravel()
    )
    (values,) = ours(KNOWN[name], converted, rgb)
    compare(f"{name} logits", values[0], expected, 1e-4)


def test_a_checkpoint_holds_tensors_and_nothing_else(both):
    """What a checkpoint may not do: call, allocate more than it holds, end early, go on."""
    shipped, _ = both("minifasnet-v2")

    def written(tree: object, keys: list[str]) -> bytes:
        return b"".join(
            pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {}, tree, keys)
        )

    class Call:
        def __reduce__(self):
            return print, ("called",)

    for data, message in [
        (written(Call(), []), "it asks for __builtin__.print"),
        (written({"a": 1}, []), "it holds something else beside them"),
        (written([], []), "it holds something else beside them"),
        (pickle.dumps(1), "it begins with 1"),
        (shipped[:-4], "buffer size|broadcast"),
        (shipped + b"x", "it holds something else beside them"),
        (
            shipped.replace(b"torch\nLongStorage", b"torch\nHalfStorage"),
            "it asks for torch.HalfStorage",
        ),
    ]:
        with pytest.raises(Fault, match=f"weights is no checkpoint of tensors: .*({message})"):
            checkpoint.read(data, "weights")


def compare(what: str, values: np.ndarray, expected: np.ndarray, bound: float) -> None:
    difference = np.abs(values - expected).max()
    print(
        f"{what}: greatest difference {difference:.2g}, greatest value {np.abs(expected).max():.3g}"
    )
    assert difference <= bound, what


@pytest.mark.parametrize(
    "name",
    [
        "blazeface-short",
        "blazeface-full",
        "facemesh-468",
        "iris",
        "mobilefacenet",
        "centerface",
        "minifasnet-v2",
        "minifasnet-v1se",
    ],
)
def test_only_plain_operators_are_left(both, name):
    graph = onnx.load_from_string(both(name)[1]).graph
    kinds = {node.op_type for node in graph.node}
    body = {
        "Conv",
        "ConvTranspose",
        "Relu",
        "PRelu",
        "Sigmoid",
        "Add",
        "MaxPool",
        "AveragePool",
        "GlobalAveragePool",
        "Pad",
        "Resize",
    }
    assert kinds <= body | {"Transpose", "Reshape", "Concat", "Flatten", "Gemm", "Mul"}
    constants = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "PRelu":
            channels, *rest = constants[node.input[1]]
            assert channels > 1 and rest == [1, 1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("blazeface-short", "is no TensorFlow Lite model"),
        ("centerface", "is no ONNX model"),
        ("minifasnet-v2", "is no checkpoint of tensors"),
    ],
)
def test_a_file_of_another_kind_is_refused(name, message):
    with pytest.raises(Fault, match=message):
        convert(b"\x08\xff not a network", KNOWN[name])
