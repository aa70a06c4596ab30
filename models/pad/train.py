"""Trains the PAD network on the crops of material.py and writes it as ONNX.

    python models/pad/train.py --crops crops.npz --seed 1 --out models/trained/vultus-pad.onnx
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import pathlib
import time

import numpy as np
import onnx
import torch
from torch.nn import functional as F

import crop
import net


def augmented(x: torch.Tensor, generator: torch.Generator, size: int) -> torch.Tensor:
    """uint8 [N, C, H, W] -> float in -1..1, mirrored, moved and zoomed within the crop, dimmed or brightened."""
    n = x.shape[0]

    def uniform(low: float, high: float) -> torch.Tensor:
        return torch.empty(n).uniform_(low, high, generator=generator)

    zoom = uniform(0.82, 1.0)
    flip = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    shift_x, shift_y = (uniform(-1, 1) * (1 - zoom) for _ in range(2))
    stretch = uniform(0.96, 1.0)
    zero = torch.zeros(n)
    theta = torch.stack([torch.stack([zoom * flip, zero, shift_x], 1), torch.stack([zero, zoom * stretch, shift_y], 1)], 1)
    grid = F.affine_grid(theta, (n, 3, size, size), align_corners=False)
    smaller = F.interpolate(x.float(), size=(int(size * 1.1),) * 2, mode="bilinear", antialias=True, align_corners=False)
    y = F.grid_sample(smaller, grid, mode="bilinear", padding_mode="border", align_corners=False) / 127.5 - 1
    gain, lift = uniform(0.8, 1.2)[:, None, None, None], uniform(-0.12, 0.12)[:, None, None, None]
    y = (y * gain + lift).clamp(-1, 1)
    grey = (uniform(0, 1) < 0.06)[:, None, None, None]
    return torch.where(grey, y.mean(1, keepdim=True).expand_as(y), y)


def plain(x: torch.Tensor, size: int) -> torch.Tensor:
    return F.interpolate(x.float(), size=(size, size), mode="bilinear", antialias=True, align_corners=False) / 127.5 - 1


def bona_fide(model: torch.nn.Module, crops: np.ndarray, size: int) -> np.ndarray:
    """Probability of "bona fide" for uint8 crops [N, H, W, 3]."""
    model.eval()
    with torch.no_grad():
        parts = [
            model(plain(torch.from_numpy(crops[i : i + 256]).permute(0, 3, 1, 2), size)).softmax(1)[:, 0]
            for i in range(0, len(crops), 256)
        ]
    return torch.cat(parts).numpy()


def bpcer_threshold(scores: np.ndarray, bpcer: float) -> float:
    """The threshold below which the share `bpcer` of bona fide scores lies."""
    return float(np.quantile(scores, bpcer))


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
                "Conv", [last, kernel, bias], [f"conv{i}"], kernel_shape=[3, 3], strides=[stride] * 2, pads=[1] * 4
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
    head = [weight(name, value) for name, value in zip(("head.weight", "head.bias"), model.merged(), strict=True)]
    nodes.append(helper.make_node("Gemm", ["flat", *head], ["logits"], transB=1))
    graph = helper.make_graph(
        nodes, "vultus-pad",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])],
        weights,
    )
    made = helper.make_model(graph, producer_name="vultus-pad", opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    path.write_bytes(made.SerializeToString())


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--crops", type=pathlib.Path, required=True)
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--epochs", type=int, default=24)
    ask.add_argument("--rate", type=float, default=3e-3)
    ask.add_argument("--distil", type=float, default=2.0, help="weight of following the teacher beside the label")
    ask.add_argument("--size", type=int, default=crop.INPUT_PX)
    ask.add_argument("--out", type=pathlib.Path, required=True)
    args = ask.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    generator = torch.Generator().manual_seed(args.seed)

    data = np.load(args.crops)
    crops, labels, dev = data["crops"], data["labels"], data["dev"]
    x = torch.from_numpy(np.ascontiguousarray(crops[~dev].transpose(0, 3, 1, 2)))
    y, soft = torch.from_numpy(labels[~dev]).long(), torch.from_numpy(data["teacher"][~dev]).float()
    balance = torch.tensor([len(y) / (2.0 * (y == 0).sum()), *[len(y) / (4.0 * (y == c).sum()) for c in (1, 2)]])
    print(f"{len(y)} crops to train, {dev.sum()} to develop; {net.multiply_adds(args.size) / 1e6:.1f} M multiply-adds")

    model = net.PadNet().to(memory_format=torch.channels_last)
    average = copy.deepcopy(model)
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=0.02)
    batch, step = 64, 0
    steps = args.epochs * (len(y) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.rate, total_steps=steps, pct_start=0.15)
    for epoch in range(args.epochs):
        model.train()
        began, total = time.monotonic(), 0.0
        order = torch.randperm(len(y), generator=generator)
        for i in range(0, len(y) - batch + 1, batch):
            pick = order[i : i + batch]
            logits, follow = model.both(augmented(x[pick], generator, args.size).contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(logits, y[pick], weight=balance, label_smoothing=0.05)
            loss = loss + args.distil * F.binary_cross_entropy_with_logits(follow, soft[pick])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
            step += 1
            keep = min(0.998, step / (step + 20))
            with torch.no_grad():
                for kept, fresh in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
                    kept.lerp_(fresh, 1 - keep) if kept.is_floating_point() else kept.copy_(fresh)
        scores = bona_fide(average, crops[dev], args.size)
        at = bpcer_threshold(scores[labels[dev] == 0], 0.05)
        apcer = [float((scores[labels[dev] == c] >= at).mean()) for c in (1, 2)]
        print(
            f"epoch {epoch + 1}: loss {total / (len(y) // batch):.4f}, on development at BPCER 5 %: "
            f"APCER print {apcer[0]:.3f}, replay {apcer[1]:.3f}; {time.monotonic() - began:.0f} s",
            flush=True,
        )
    average.eval()
    export(average, args.out, args.size)
    content = args.out.read_bytes()
    print(f"wrote {args.out}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
