"""Calibrates the rule that fuses the network with the classical signals, on development pictures.

    python models/pad/fuse.py --datasets DIR --teacher DIR --seed 1 --weights models/trained/vultus-pad.onnx \\
        --out models/pad/fusion.json

The rule, for one presentation:

    margin(p)  = ln(p / (1 - p)), clipped to -8..8
    doubt(s)   = (s - knee) / (full - knee), clipped to 0..1; knee and full are bona fide percentiles
    trust      = 1 / (1 + exp(-(bias + own * margin(network) + peer * margin(MiniFASNet) - sum weight * doubt)))

All of own, peer and weight are >= 0: more bona fide by a network never lowers trust, more doubt never
raises it. Each term is one line of explanation. A presentation is taken as bona fide at or above the threshold.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import pathlib

import numpy as np

import crop
import evaluate
import material
import signals

PERCENTILES = (0.1, 1, 5, 25, 50, 75, 95, 99, 99.9)
WORSE_AT = {"higher": (95, 99.9), "lower": (5, 0.1)}
WORSE = {
    "moire_peak": "higher", "chroma_noise": "higher", "blue_shift": "higher", "border_sides": "higher", "border_ends": "higher",
    "saturation": "lower", "focus_plane": "lower",
}
"""The side on which a signal speaks for an attack, from the physics of prints and displays. The other signals depend on
the camera as much as on what it sees (focus, contrast and black level turn around between simulated and webcam
material): they are reported, not fused."""
BPCER = 0.03
MARGIN = 8.0


def margin(p: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.clip(np.log(p) - np.log1p(-p), -MARGIN, MARGIN)


def doubts(rule: dict, values: np.ndarray) -> np.ndarray:
    """[N, signals of the rule] in 0..1."""
    columns = []
    for term in rule["signals"]:
        value = values[:, signals.NAMES.index(term["name"])]
        columns.append(np.clip((value - term["knee"]) / (term["full"] - term["knee"]), 0, 1))
    return np.stack(columns, 1) if columns else np.zeros((len(values), 0))


def trust(fused: dict, own: np.ndarray, peer: np.ndarray, doubt: np.ndarray) -> np.ndarray:
    z = fused["bias"] + fused["own"] * margin(own) - doubt @ np.array(fused["weights"])
    if fused["peer"]:
        z = z + fused["peer"] * margin(peer)
    return 1 / (1 + np.exp(-z))


def systems(rule: dict, own: np.ndarray, peer: np.ndarray, values: np.ndarray) -> dict:
    """Scores and threshold of everything that is reported."""
    doubt = doubts(rule, values)
    return {
        "own weights": (own, rule["own"]["threshold"]),
        "MiniFASNet": (peer, rule["minifasnet"]["threshold"]),
        "own + signals": (trust(rule["fused"], own, peer, doubt), rule["fused"]["threshold"]),
        "own + signals + MFN": (trust(rule["fused_with_minifasnet"], own, peer, doubt), rule["fused_with_minifasnet"]["threshold"]),
    }


def fit(features: np.ndarray, bona_fide: np.ndarray, ridge: float = 1e-3) -> tuple[np.ndarray, float]:
    """Logistic regression with weights >= 0, both classes weighted alike, by projected gradient."""
    scale = features.std(0) + 1e-9
    x, w, b = features / scale, np.zeros(features.shape[1]), 0.0
    sample = np.where(bona_fide, 0.5 / bona_fide.sum(), 0.5 / (~bona_fide).sum())
    for _ in range(20000):
        error = sample * (1 / (1 + np.exp(-(x @ w + b))) - bona_fide)
        w = np.maximum(w - 0.5 * (x.T @ error + ridge * w), 0)
        b -= 0.5 * float(error.sum())
    return w / scale, b


PLAIN = -1
"""Label of the pictures as they are: on these the thresholds are set."""


def _make(job: tuple[int, int, int, int]):
    seed, which, label, copy = job
    state = material._STATE
    picture = state["pictures"][which]
    rng = np.random.default_rng([seed, which, label + 1, copy, 77])
    if label == PLAIN:
        box = material.jitter(rng, picture.box)
        placed = crop.place(picture.image.shape[1], picture.image.shape[0], box)
        values = signals.vector(picture.image, box)
        return crop.cut(picture.image, placed), label, state["teacher"].bona_fide(picture.image, picture.box), values
    behind = state["behind"][rng.integers(len(state["behind"]))]
    for _ in range(8):
        image, box = material.present(rng, picture, material.CLASSES[label], "training", behind)
        placed = crop.place(image.shape[1], image.shape[0], material.jitter(rng, box))
        if (box[2] * box[3]) ** 0.5 >= 36 and placed.assessable:
            break
    return crop.cut(image, placed), label, state["teacher"].bona_fide(image, box), signals.vector(image, box)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--datasets", type=pathlib.Path, required=True)
    ask.add_argument("--teacher", type=pathlib.Path, required=True)
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--copies", type=int, nargs=4, default=(3, 4, 2, 2), metavar=("PLAIN", *material.CLASSES))
    ask.add_argument("--jobs", type=int, default=2)
    ask.add_argument("--weights", type=pathlib.Path, required=True)
    ask.add_argument("--keep", type=pathlib.Path, help="file that keeps the development presentations between runs")
    ask.add_argument("--out", type=pathlib.Path, required=True)
    args = ask.parse_args()

    if args.keep and args.keep.exists():
        kept = np.load(args.keep)
        crops, labels, peer, values = (kept[k] for k in ("crops", "labels", "peer", "values"))
    else:
        material._start(args.datasets, args.teacher)
        pictures = material._STATE["pictures"]
        held_out = material.held_out(pictures, args.seed)
        which = [i for i, p in enumerate(pictures) if p.group in held_out]
        jobs = [(args.seed, i, label, copy) for label, n in enumerate(args.copies, PLAIN) for i in which for copy in range(n)]
        start = (args.datasets, args.teacher)
        with concurrent.futures.ProcessPoolExecutor(args.jobs, initializer=material._start, initargs=start) as pool:
            made = list(pool.map(_make, jobs, chunksize=32))
        crops, labels, peer, values = (np.array(column) for column in zip(*made, strict=True))
        if args.keep:
            np.savez(args.keep, crops=crops, labels=labels, peer=peer, values=values)
    own = evaluate.network_scores(args.weights, crops)
    plain = labels == PLAIN
    thresholds = {"own": float(np.quantile(own[plain], BPCER))}
    plain_values = (own[plain], peer[plain], values[plain])
    own, peer, values, labels = own[~plain], peer[~plain], values[~plain], labels[~plain]
    real = labels == 0
    print(f"development: {plain.sum()} pictures as they are, {real.sum()} bona fide under nuisance, {(~real).sum()} simulated attacks")
    print(f"own weights: AUC {evaluate.auc(own[real], own[~real]):.4f}; MiniFASNet: {evaluate.auc(peer[real], peer[~real]):.4f}")

    rule: dict = {
        "format": 1, "own": {"threshold": thresholds["own"]}, "minifasnet": {"threshold": 0.5}, "signals": [], "percentiles": {},
        "least_context": crop.LEAST_CONTEXT,
    }
    print(f"{'signal':14} {'AUC print':>9} {'AUC replay':>10}   bona fide percentiles {PERCENTILES}")
    for i, name in enumerate(signals.NAMES):
        at = np.percentile(values[real, i], PERCENTILES)
        rule["percentiles"][name] = dict(zip(map(str, PERCENTILES), map(float, at.round(5)), strict=True))
        areas = [evaluate.auc(values[real, i], values[labels == c, i]) for c in (1, 2)]
        print(f"{name:14} {areas[0]:9.3f} {areas[1]:10.3f}   " + " ".join(f"{n:.3f}" for n in at))
        if name in WORSE:
            knee, full = (float(np.percentile(values[real, i], p)) for p in WORSE_AT[WORSE[name]])
            rule["signals"].append({"name": name, "worse": WORSE[name], "knee": knee, "full": full})

    doubt = doubts(rule, values)
    weights, bias = fit(np.concatenate([margin(own)[:, None], -doubt], 1), real)
    shared = {"bias": bias, "weights": [float(w) for w in weights[1:]]}
    # Simulated attacks underrate what MiniFASNet knows of real ones: its share is set, not fitted.
    rule["fused"] = {"own": float(weights[0]), "peer": 0.0, **shared}
    rule["fused_with_minifasnet"] = {"own": float(weights[0] / 2), "peer": float(weights[0] / 2), **shared}
    for name in ("fused", "fused_with_minifasnet"):
        scores = trust(rule[name], own, peer, doubt)
        as_they_are = trust(rule[name], *plain_values[:2], doubts(rule, plain_values[2]))
        rule[name]["threshold"] = float(np.quantile(as_they_are, BPCER))
        print(f"{name}: AUC {evaluate.auc(scores[real], scores[~real]):.4f}")
    used = [any(rule[n]["weights"][i] > 1e-3 for n in ("fused", "fused_with_minifasnet")) for i in range(len(rule["signals"]))]
    for name in ("fused", "fused_with_minifasnet"):
        rule[name]["weights"] = [w for w, u in zip(rule[name]["weights"], used, strict=True) if u]
    rule["signals"] = [t for t, u in zip(rule["signals"], used, strict=True) if u]
    args.out.write_text(json.dumps(rule, indent=1) + "\n")
    print(f"wrote {args.out}: {len(rule['signals'])} terms")


if __name__ == "__main__":
    main()
