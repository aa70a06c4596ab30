"""Trains the PAD network on the crops of material.py and writes it as ONNX.

python models/pad/train.py --crops crops.npz --seed 1 --out models/trained/vultus-pad.onnx
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import os
import pathlib
import time

import crop
import net
import numpy as np
import onnx
import torch
from torch.nn import functional as F

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
"""Without it a GPU's matrix products are not deterministic."""


BATCH = 64
SMOOTHED_OVER = 0.998
"""Weights are averaged over about 1 / (1 - this) steps."""


def augmented(x: torch.Tensor, generator: torch.Generator, size: int) -> torch.Tensor:
    """uint8 [N, C, H, W] -> float in -1..1, mirrored, moved and zoomed within the crop, dimmed or
    brightened.
    """
    n = x.shape[0]

    def uniform(low: float, high: float) -> torch.Tensor:
        return torch.empty(n, device=x.device).uniform_(low, high, generator=generator)

    zoom = uniform(0.82, 1.0)
    flip = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    shift_x, shift_y = (uniform(-1, 1) * (1 - zoom) for _ in range(2))
    stretch = uniform(0.96, 1.0)
    zero = torch.zeros_like(zoom)
    theta = torch.stack(
        [
            torch.stack([zoom * flip, zero, shift_x], 1),
            torch.stack([zero, zoom * stretch, shift_y], 1),
        ],
        1,
    )
    grid = F.affine_grid(theta, (n, 3, size, size), align_corners=False)
    smaller = F.interpolate(
        x.float(), size=(int(size * 1.1),) * 2, mode="bilinear", antialias=True, align_corners=False
    )
    y = (
        F.grid_sample(smaller, grid, mode="bilinear", padding_mode="border", align_corners=False)
        / 127.5
        - 1
    )
    gain, lift = uniform(0.8, 1.2)[:, None, None, None], uniform(-0.12, 0.12)[:, None, None, None]
    y = (y * gain + lift).clamp(-1, 1)
    grey = (uniform(0, 1) < 0.06)[:, None, None, None]
    return torch.where(grey, y.mean(1, keepdim=True).expand_as(y), y)


def bona_fide(model: torch.nn.Module, crops: torch.Tensor, size: int) -> np.ndarray:
    """Probability of "bona fide" for uint8 crops [N, C, H, W]."""
    model.eval()
    with torch.no_grad():
        parts = [
            model(
                F.interpolate(
                    part.float(),
                    size=(size, size),
                    mode="bilinear",
                    antialias=True,
                    align_corners=False,
                )
                / 127.5
                - 1
            ).softmax(1)[:, 0]
            for part in crops.split(256)
        ]
    return torch.cat(parts).cpu().numpy()


def apcer_at(scores: np.ndarray, labels: np.ndarray, bpcer: float) -> list[float]:
    """APCER of prints and of replays at the threshold below which the share `bpcer` of bona fide
    scores lies.
    """
    threshold = np.quantile(scores[labels == 0], bpcer)
    return [float((scores[labels == c] >= threshold).mean()) for c in (1, 2)]


def fit(
    crops: np.ndarray,
    labels: np.ndarray,
    teacher: np.ndarray,
    dev: np.ndarray,
    *,
    seed: int,
    epochs: int,
    rate: float,
    distil: float,
    size: int,
    device: str,
) -> torch.nn.Module:
    """Trains on uint8 crops [N, C, H, W] that are not `dev`; tells after each epoch how far it is
    on those that are.
    """
    torch.manual_seed(seed)
    generator = torch.Generator(device).manual_seed(seed)
    x, y, soft = (
        torch.from_numpy(part[~dev]).to(device)
        for part in (crops, labels.astype(np.int64), teacher.astype(np.float32))
    )
    held_out = torch.from_numpy(crops[dev]).to(device)
    balance = torch.tensor(
        [len(y) / (2.0 * (y == 0).sum()), *[len(y) / (4.0 * (y == c).sum()) for c in (1, 2)]],
        device=device,
    )

    model = net.PadNet().to(device, memory_format=torch.channels_last)
    average = copy.deepcopy(model)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.02)
    steps = len(y) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rate, total_steps=epochs * steps, pct_start=0.15
    )
    step = 0
    for epoch in range(epochs):
        model.train()
        began, total = time.monotonic(), 0.0
        order = torch.randperm(len(y), generator=generator, device=device)
        for pick in order.split(BATCH)[:steps]:
            seen = augmented(x[pick], generator, size).contiguous(memory_format=torch.channels_last)
            logits, follow = model.both(seen)
            loss = F.cross_entropy(logits, y[pick], weight=balance, label_smoothing=0.05)
            loss = loss + distil * F.binary_cross_entropy_with_logits(follow, soft[pick])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.detach()
            step += 1
            keep = min(SMOOTHED_OVER, step / (step + 20))
            with torch.no_grad():
                for kept, fresh in zip(
                    average.state_dict().values(), model.state_dict().values(), strict=True
                ):
                    kept.lerp_(fresh, 1 - keep) if kept.is_floating_point() else kept.copy_(fresh)
        apcer = apcer_at(bona_fide(average, held_out, size), labels[dev], 0.05)
        print(
            f"epoch {epoch + 1}: loss {float(total) / steps:.4f}, on development at BPCER 5 %: "
            f"APCER print {apcer[0]:.3f}, replay {apcer[1]:.3f}; {time.monotonic() - began:.0f} s",
            flush=True,
        )
    return average.eval().cpu()


def export(model: torch.nn.Module, path: pathlib.Path, size: int) -> None:
    """Writes ONNX of Conv, PRelu, Add, GlobalAveragePool, Flatten and Gemm, batch norm folded in."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, weights, last = [], [], "input"

    def weight(name: str, value: torch.Tensor) -> str:
        weights.append(numpy_helper.from_array(value.detach().numpy().astype(np.float32), name))
        return name

    for i, block in enumerate(model.body):
        norm = block.norm
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        kernel = weight(f"conv{i}.weight", block.conv.weight * scale[:, None, None, None])
        bias = weight(f"conv{i}.bias", norm.bias - norm.running_mean * scale)
        stride = block.conv.stride[0]
        nodes.append(
            helper.make_node(
                "Conv",
                [last, kernel, bias],
                [f"conv{i}"],
                kernel_shape=[3, 3],
                strides=[stride] * 2,
                pads=[1] * 4,
            )
        )
        out = f"conv{i}"
        if block.residual:
            nodes.append(helper.make_node("Add", [out, last], [f"add{i}"]))
            out = f"add{i}"
        slope = weight(f"act{i}.slope", block.act.weight[:, None, None])
        nodes.append(helper.make_node("PRelu", [out, slope], [f"act{i}"]))
        last = f"act{i}"
    nodes.append(helper.make_node("GlobalAveragePool", [last], ["pool"]))
    nodes.append(helper.make_node("Flatten", ["pool"], ["flat"], axis=1))
    head = [
        weight(name, value)
        for name, value in zip(("head.weight", "head.bias"), model.merged(), strict=True)
    ]
    nodes.append(helper.make_node("Gemm", ["flat", *head], ["logits"], transB=1))
    graph = helper.make_graph(
        nodes,
        "vultus-pad",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])],
        weights,
    )
    made = helper.make_model(
        graph, producer_name="vultus-pad", opset_imports=[helper.make_opsetid("", 13)], ir_version=8
    )
    onnx.checker.check_model(made, full_check=True)
    path.write_bytes(made.SerializeToString())


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--crops", type=pathlib.Path, required=True)
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--epochs", type=int, default=24)
    ask.add_argument("--rate", type=float, default=3e-3)
    ask.add_argument(
        "--distil", type=float, default=2.0, help="weight of following the teacher beside the label"
    )
    ask.add_argument("--size", type=int, default=crop.INPUT_PX)
    ask.add_argument("--device", default="cpu", help="as torch names it: cpu, cuda")
    ask.add_argument("--out", type=pathlib.Path, required=True)
    args = ask.parse_args()

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    data = np.load(args.crops)
    dev = data["dev"]
    print(
        f"{(~dev).sum()} crops to train, {dev.sum()} to develop;"
        f" {net.multiply_adds(args.size) / 1e6:.1f} M multiply-adds"
    )
    crops = np.ascontiguousarray(data["crops"].transpose(0, 3, 1, 2))
    model = fit(
        crops,
        data["labels"],
        data["teacher"],
        dev,
        seed=args.seed,
        epochs=args.epochs,
        rate=args.rate,
        distil=args.distil,
        size=args.size,
        device=args.device,
    )
    export(model, args.out, args.size)
    content = args.out.read_bytes()
    print(f"wrote {args.out}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
