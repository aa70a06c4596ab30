"""Calibrates the rule that fuses the networks with the classical signals, on development pictures
seen by the engine.

    python models/pad/fuse.py --datasets DIR --teacher DIR --pack PACK --seed 1 --out models/calibration/pad.json

The rule is that of `core/src/pad/fusion.rs`:

    margin(p)  = ln(p / (1 - p)), clipped to -8..8
    doubt(s)   = (s - knee) / (full - knee), clipped to 0..1; knee and full are bona fide percentiles
    trust      = 1 / (1 + exp(-(bias + own * margin(network) + minifasnet * margin(MiniFASNet) - sum weight * doubt)))

All weights are >= 0: more bona fide by a network never lowers trust, more doubt never raises it. A
presentation is taken as bona fide at or above the threshold, below which 3 % of the development
pictures as they are lie.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import multiprocessing
import pathlib

import judge
import material
import numpy as np

PERCENTILES = (0.1, 1, 5, 25, 50, 75, 95, 99, 99.9)
WORSE_AT = {"higher": (95, 99.9), "lower": (5, 0.1)}
WORSE = {
    "moire-peak": "higher",
    "chroma-noise": "higher",
    "saturation": "lower",
    "blue-shift": "higher",
    "specular": "higher",
    "focus-plane": "lower",
    "border-sides": "higher",
    "border-ends": "higher",
}
"""The side on which a signal speaks for an attack, from the physics of prints and displays."""
BPCER = 0.03
MARGIN = 8.0
PLAIN = -1
"""Label of the pictures as they are: on these the thresholds are set."""
PLAIN_COPIES = 4
"""As they are and mirrored, whole and cut near the face."""


def margin(p: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.clip(np.log(p) - np.log1p(-p), -MARGIN, MARGIN)


def doubts(rule: dict, values: np.ndarray) -> np.ndarray:
    """[N, signals] in 0..1."""
    columns = [
        np.clip((values[:, i] - t["knee"]) / (t["full"] - t["knee"]), 0, 1)
        for i, t in enumerate(rule["signals"])
    ]
    return np.stack(columns, 1)


def trust(
    rule: dict, which: str, own: np.ndarray, minifasnet: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """The fused score by the rule `which`, "alone" or "with_minifasnet"."""
    weights = rule[which]
    z = (
        weights["bias"]
        + weights["own"] * margin(own)
        - doubts(rule, values) @ np.array([t["weight"] for t in rule["signals"]])
    )
    if "minifasnet" in weights:
        z = z + weights["minifasnet"] * margin(minifasnet)
    return 1 / (1 + np.exp(-z))


def auc(bona_fide: np.ndarray, attack: np.ndarray) -> float:
    """Probability that a bona fide score exceeds an attack score; ties count half."""
    _, inverse, counts = np.unique(
        np.concatenate([bona_fide, attack]), return_inverse=True, return_counts=True
    )
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[: len(bona_fide)].mean() - (len(bona_fide) + 1) / 2) / len(attack))


def fit(
    features: np.ndarray, bona_fide: np.ndarray, ridge: float = 1e-3
) -> tuple[np.ndarray, float]:
    """Logistic regression with weights >= 0, both classes weighted alike, by projected gradient."""
    scale = features.std(0) + 1e-9
    x, w, b = features / scale, np.zeros(features.shape[1]), 0.0
    sample = np.where(bona_fide, 0.5 / bona_fide.sum(), 0.5 / (~bona_fide).sum())
    for _ in range(20000):
        error = sample * (1 / (1 + np.exp(-(x @ w + b))) - bona_fide)
        w = np.maximum(w - 0.5 * (x.T @ error + ridge * w), 0)
        b -= 0.5 * float(error.sum())
    return w / scale, b


_JUDGE: list[judge.Judge] = []


def _begin(pack: pathlib.Path) -> None:
    _JUDGE.append(judge.Judge(pack))


def _make(job: tuple[int, int, int, int]) -> tuple[int, np.ndarray]:
    seed, which, label, copy = job
    picture = material._STATE["pictures"][which]
    rng = np.random.default_rng([seed, which, label + 1, copy, 77])
    if label == PLAIN:
        image, box = picture.image, picture.box
        if copy & 1:
            image, box = image[:, ::-1], (image.shape[1] - box[0] - box[2], *box[1:])
        if copy & 2:
            image, _ = material.framed(rng, image, box)
    else:
        behind = material._STATE["behind"][rng.integers(len(material._STATE["behind"]))]
        image, _ = material.present(rng, picture, material.CLASSES[label], "training", behind)
    return label, _JUDGE[0].row(np.ascontiguousarray(image))


def calibrate(labels: np.ndarray, rows: np.ndarray) -> dict:
    """The rule, from rows in the order of judge.COLUMNS."""
    column = {name: rows[:, i] for i, name in enumerate(judge.COLUMNS)}
    values = np.stack([column[name] for name in judge.SIGNALS], 1)
    plain, real = labels == PLAIN, labels == 0
    attack = labels > 0
    print(
        f"development: {plain.sum()} pictures as they are, {real.sum()} bona fide under nuisance,"
        f" {attack.sum()} simulated attacks"
    )
    for name in ("own", "minifasnet"):
        print(
            f"{name}: AUC {auc(column[name][real], column[name][attack]):.4f}, of the pictures as"
            f" they are {auc(column[name][plain], column[name][attack]):.4f}"
        )
    bona_fide = plain | real
    rule: dict = {
        "set": "development people of LFW View 1 and scenes of WIDER FACE val",
        "bpcer": BPCER,
        "signals": [],
    }
    print(
        f"{'signal':14} {'AUC print':>9} {'AUC replay':>10}   bona fide percentiles {PERCENTILES}"
    )
    for i, name in enumerate(judge.SIGNALS):
        at = np.percentile(values[bona_fide, i], PERCENTILES)
        knee, full = (float(np.percentile(values[bona_fide, i], p)) for p in WORSE_AT[WORSE[name]])
        rule["signals"].append(
            {
                "name": name,
                "knee": round(knee, 5),
                "full": round(full, 5),
                "weight": 0.0,
                "percentiles": [round(float(v), 5) for v in at],
            }
        )
        areas = [auc(values[bona_fide, i], values[labels == c, i]) for c in (1, 2)]
        print(f"{name:14} {areas[0]:9.3f} {areas[1]:10.3f}   " + " ".join(f"{n:.3f}" for n in at))
    fitted = real | attack
    weights, bias = fit(
        np.concatenate([margin(column["own"])[:, None], -doubts(rule, values)], 1)[fitted],
        real[fitted],
    )
    for term, weight in zip(rule["signals"], weights[1:], strict=True):
        term["weight"] = round(float(weight), 4) if weight > 1e-3 else 0.0
    own, bias = round(float(weights[0]), 4), round(bias, 4)
    rule["network_threshold"] = round(float(np.quantile(column["own"][plain], BPCER)), 4)
    rule["alone"] = {"own": own, "bias": bias}
    # Simulated attacks underrate what MiniFASNet knows of real ones: its share is set, not fitted.
    rule["with_minifasnet"] = {
        "own": round(own / 2, 4),
        "minifasnet": round(own / 2, 4),
        "bias": bias,
    }
    for which in ("alone", "with_minifasnet"):
        scores = trust(rule, which, column["own"], column["minifasnet"], values)
        rule[which]["threshold"] = round(float(np.quantile(scores[plain], BPCER)), 4)
        apcer = [float((scores[labels == c] >= rule[which]["threshold"]).mean()) for c in (1, 2)]
        print(
            f"{which}: AUC {auc(scores[real], scores[attack]):.4f}; threshold"
            f" {rule[which]['threshold']}, APCER print {apcer[0]:.3f}, replay {apcer[1]:.3f}"
        )
    return rule


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--datasets", type=pathlib.Path, required=True)
    ask.add_argument("--teacher", type=pathlib.Path, required=True)
    ask.add_argument(
        "--pack", type=pathlib.Path, required=True, help="a pack with both MiniFASNet networks"
    )
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--copies", type=int, nargs=3, default=(4, 2, 4), metavar=material.CLASSES)
    ask.add_argument("--jobs", type=int, default=2)
    ask.add_argument("--out", type=pathlib.Path, required=True)
    args = ask.parse_args()

    material.start(args.datasets, args.teacher)
    pictures = material._STATE["pictures"]
    held_out = material.held_out(pictures, args.seed)
    which = [i for i, p in enumerate(pictures) if p.group in held_out]
    copies = {PLAIN: PLAIN_COPIES, **dict(enumerate(args.copies))}
    jobs = [
        (args.seed, i, label, copy)
        for label, n in copies.items()
        for i in which
        for copy in range(n)
    ]
    fork = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(
        args.jobs, fork, initializer=_begin, initargs=(args.pack,)
    ) as pool:
        labels, rows = (
            np.array(column) for column in zip(*pool.map(_make, jobs, chunksize=16), strict=True)
        )
    judged = np.isfinite(rows).all(1)
    print(f"{len(rows)} presentations, {(~judged).sum()} without a face or not assessable")
    args.out.write_text(json.dumps(calibrate(labels[judged], rows[judged]), indent=1) + "\n")
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
