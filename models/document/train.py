"""Trains one of the two networks that read a machine-readable zone, on drawn material alone, and
writes it as ONNX.

python models/document/train.py cell --font OCRB.otf --out models/trained/vultus-mrz-cell.onnx
python models/document/train.py band --font OCRB.otf --out models/trained/vultus-mrz-band.onnx
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import pathlib
import random
import time

import cv2
import net
import numpy as np
import render
import torch
from torch.nn import functional as F

SMOOTHED_OVER = 0.995
"""Weights are averaged over about 1 / (1 - this) steps."""
WINDOW = 24
"""Cells of a strip that are looked at in one step."""


class Cells:
    """Strips of characters."""

    name, size = "vultus-mrz-cell", (render.ROWS, render.CELLS * render.PITCH)
    steps, batch, fresh, pool = 8000, 24, 4, 4000

    def __init__(self, font: str, seed: int) -> None:
        self.random, self.font = random.Random(seed), font

    def make(self):
        return render.strip(self.random, self.font)

    def model(self):
        return net.CellNet()

    def batch_of(self, pool: list, generator: np.random.Generator):
        wide, frames = WINDOW * render.PITCH, WINDOW * render.PITCH // render.FRAME
        x = np.empty((self.batch, 1, render.ROWS, wide), np.float32)
        y = np.empty((self.batch, frames), np.int64)
        for i, pick in enumerate(generator.integers(len(pool), size=self.batch)):
            strip, classes = pool[pick]
            start = int(generator.integers((render.CELLS - WINDOW) * render.PITCH // render.FRAME))
            part = strip[:, start * render.FRAME :][:, :wide].astype(np.float32)
            x[i, 0] = (part - part.mean()) / (part.std() + 4)
            y[i] = classes[start : start + frames]
        return torch.from_numpy(x), torch.from_numpy(y)

    def loss(self, model, x, y):
        logits = model(x)[:, :, 0]
        weight = torch.ones(38)
        weight[0], weight[37] = 0.5, 0.35
        return F.cross_entropy(logits, y, weight=weight, ignore_index=255, label_smoothing=0.01)

    def judge(self, model, pool) -> str:
        model.eval()
        right = count = 0
        for strip, classes in pool:
            part = strip.astype(np.float32)
            x = torch.from_numpy((part - part.mean()) / (part.std() + 4))[None, None]
            with torch.no_grad():
                found = model(x)[0, :37, 0].argmax(0).numpy()
            centres = (classes < 37) & (classes > 0)
            right += (found[centres] == classes[centres]).sum()
            count += centres.sum()
        return f"{right / count:.4f} of {count} characters that are no fillers"


class Bands:
    """Pages with zones."""

    name, size = "vultus-mrz-band", (render.PAGE, render.PAGE)
    steps, batch, fresh, pool = 5000, 12, 2, 1500

    def __init__(self, font: str, seed: int) -> None:
        self.random, self.font = random.Random(seed), font

    def make(self):
        return render.page(self.random, self.font)

    def model(self):
        return net.BandNet()

    def batch_of(self, pool: list, generator: np.random.Generator):
        x, masks, values = [], [], []
        for pick in generator.integers(len(pool), size=self.batch):
            page = pool[pick]
            turns = int(generator.integers(4))
            x.append(np.rot90(page.picture, turns).astype(np.float32) / 127.5 - 1)
            masks.append(np.rot90(page.mask, turns).astype(np.float32) / 255)
            field = np.rot90(page.values, turns, (1, 2)).astype(np.float32)
            for _ in range(turns):
                field = np.stack([field[1], -field[0], field[2], field[3]])
            values.append(field)

        def tensor(parts: list) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(np.stack(parts)))

        return tensor(x)[:, None], (tensor(masks), tensor(values))

    def loss(self, model, x, y):
        mask, values = y
        planes = model(x)
        loss = F.binary_cross_entropy_with_logits(planes[:, 0], mask, pos_weight=torch.tensor(2.0))
        inside = (mask > 0.3).float()
        share = inside.sum() + 1
        off = F.smooth_l1_loss(planes[:, 1:], values, reduction="none", beta=0.2).sum(1)
        return loss + 0.7 * (off * inside).sum() / share

    def judge(self, model, pool) -> str:
        model.eval()
        hit = union = 0
        turned, off, seen = 0, [0.0, 0.0], 0
        for page in pool:
            x = torch.from_numpy(page.picture.astype(np.float32) / 127.5 - 1)[None, None]
            with torch.no_grad():
                planes = model(x)[0].numpy()
            found, truth = planes[0] > 0, page.mask > 127
            hit, union = hit + (found & truth).sum(), union + (found | truth).sum()
            values = page.values.astype(np.float32)
            turned += ((planes[1:3] * values[:2]).sum(0)[truth] < 0).sum()
            for k in (0, 1):
                off[k] += np.abs(planes[3 + k] - values[2 + k])[truth].sum()
            seen += truth.sum()
        return (
            f"intersection over union {hit / union:.3f}; "
            f"on lines: {turned / seen:.4f} read backwards, "
            f"log2 of pitch off by {off[0] / seen:.3f}, of capitals by {off[1] / seen:.3f}"
        )


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("network", choices=["cell", "band"])
    ask.add_argument("--font", required=True, help="OCRB.otf, as Debian's fonts-ocr-b has it")
    ask.add_argument("--steps", type=int, help="8000 for cell, 5000 for band")
    ask.add_argument("--rate", type=float, default=4e-3)
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--out", type=pathlib.Path, required=True)
    args = ask.parse_args()

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(args.seed)
    cv2.setRNGSeed(args.seed)
    material = {"cell": Cells, "band": Bands}[args.network](args.font, args.seed)
    steps = args.steps or material.steps
    generator = np.random.default_rng(args.seed)
    began = time.monotonic()
    held_out = [material.make() for _ in range(100)]
    pool = [material.make() for _ in range(material.pool)]
    print(f"{len(pool)} drawn, {time.monotonic() - began:.0f} s", flush=True)

    model = material.model()
    average = copy.deepcopy(model)
    print(f"{sum(p.numel() for p in model.parameters())} parameters", flush=True)
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, args.rate, total_steps=steps, pct_start=0.1
    )
    total = 0.0
    for step in range(1, steps + 1):
        model.train()
        for _ in range(material.fresh):
            pool[int(generator.integers(len(pool)))] = material.make()
        x, y = material.batch_of(pool, generator)
        loss = material.loss(model, x, y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        total += float(loss.detach())
        keep = min(SMOOTHED_OVER, step / (step + 20))
        with torch.no_grad():
            for kept, new in zip(
                average.state_dict().values(), model.state_dict().values(), strict=True
            ):
                kept.lerp_(new, 1 - keep) if kept.is_floating_point() else kept.copy_(new)
        if step % 100 == 0 or step == steps:
            told = material.judge(average, held_out)
            print(
                f"step {step}: loss {total / 100:.4f}; {told}; {time.monotonic() - began:.0f} s",
                flush=True,
            )
            total = 0.0
            args.out.write_bytes(net.onnx_bytes(average.eval(), material.name, *material.size))
    content = args.out.read_bytes()
    print(f"wrote {args.out}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
