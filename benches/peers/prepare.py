"""Writes what the engines are given: for every network of the pack its graph in the form of each
engine, and a real photo as its input.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from PIL import Image, ImageFilter, ImageOps
from vultus_models.fetch import Fetcher
from vultus_models.manifest import Manifest, load_all

# CenterFace leaves its size open; the engine shows it this.
OPEN_SIDE = 640
FRAME = (1920, 1080)


def prepare(manifest: Manifest, pack: Path, photo: Path, fetcher: Fetcher, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    model = onnx.load(pack / manifest.file)
    shape = [side if isinstance(side, int) else OPEN_SIDE for side in manifest.input.shape]
    onnx.save(_with_shape(model, shape), out / "model.onnx")
    task: dict[str, Any] = {
        "id": manifest.id,
        "shape": shape,
        "input": manifest.input.name,
        "outputs": [o.name for o in manifest.outputs],
    }
    entry = next(
        m for m in json.loads((pack / "pack.json").read_text())["models"] if m["id"] == manifest.id
    )
    if ranges := entry.get("int16"):
        (out / "int16.json").write_text(json.dumps(ranges))
    if manifest.converted.converter == "tflite":
        (out / "model.tflite").write_bytes(fetcher.file(manifest.source))
        task["tflite_outputs"] = _tflite_names(out / "model.tflite", manifest)
    _input(manifest, photo, shape).tofile(out / "input.f32")
    (out / "task.json").write_text(json.dumps(task, indent=1) + "\n")
    subprocess.run(
        [_pnnx(), "model.onnx", "fp16=0"],
        cwd=out,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _with_shape(model: onnx.ModelProto, shape: list[int]) -> onnx.ModelProto:
    dims = model.graph.input[0].type.tensor_type.shape.dim
    if [dim.dim_value for dim in dims] == shape:
        return model
    for dim, side in zip(dims, shape, strict=True):
        dim.dim_value = side
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(model)


def _input(manifest: Manifest, photo: Path, shape: list[int]) -> np.ndarray:
    picture = ImageOps.fit(
        Image.open(photo).convert("RGB"),
        (shape[3], shape[2]),
        Image.Resampling.BOX,
        centering=(0.5, 0.3),
    )
    pixels = np.asarray(picture, np.float32) * np.float32(manifest.input.scale) + np.float32(
        manifest.input.offset
    )
    if manifest.input.colour == "bgr":
        pixels = pixels[..., ::-1]
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _tflite_names(path: Path, manifest: Manifest) -> list[str]:
    from ai_edge_litert.interpreter import Interpreter

    names = [detail["name"] for detail in Interpreter(str(path)).get_output_details()]
    missing = [o.source_name for o in manifest.outputs if o.source_name not in names]
    if missing:
        raise SystemExit(f"{path}: no output {', '.join(missing)}; it has {', '.join(names)}")
    return [o.source_name for o in manifest.outputs]


def _pnnx() -> str:
    import importlib.util

    # The package imports torch; the program that it carries does not need it.
    spec = importlib.util.find_spec("pnnx")
    if spec is None or spec.origin is None:
        raise SystemExit("pnnx is not installed")
    return str(Path(spec.origin).parent / "pnnx")


def frame(portrait: Path, out: Path, seed: int) -> None:
    """Puts a portrait into a picture of 1920 x 1080 as a camera would take it: a blurred room
    behind, sensor noise over all.
    """
    face = Image.open(portrait).convert("RGB")
    back = ImageOps.fit(face, FRAME).filter(ImageFilter.GaussianBlur(60))
    face = ImageOps.contain(face, (FRAME[0] // 2, FRAME[1] * 9 // 10))
    back.paste(face, ((FRAME[0] - face.width) // 2, FRAME[1] - face.height))
    noise = np.random.default_rng(seed).normal(0.0, 3.0, (FRAME[1], FRAME[0], 3))
    pixels = np.clip(np.asarray(back, np.float64) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(out, quality=92)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    fetcher, manifests = Fetcher(args.pack.parent / "cache"), load_all()
    networks = [
        model["id"] for model in json.loads((args.pack / "pack.json").read_text())["models"]
    ]
    for at, name in enumerate(networks, 1):
        print(f"{at}/{len(networks)} {name}", file=sys.stderr)
        prepare(manifests[name], args.pack, args.photos / "obama.jpg", fetcher, args.out / name)
    verify = args.out / "verify"
    verify.mkdir(parents=True, exist_ok=True)
    frame(args.photos / "obama2.jpg", verify / "selfie.jpg", 1)
    frame(args.photos / "obama.jpg", verify / "document.jpg", 2)
    scan = args.out / "scan"
    scan.mkdir(exist_ok=True)
    frame(args.photos / "obama2.jpg", scan / "selfie.jpg", 1)
    for folder in (verify, scan):
        (folder / "pack").unlink(missing_ok=True)
        (folder / "pack").symlink_to(args.pack.resolve())


if __name__ == "__main__":
    main()
