"""Recomputes the rates of a run with numpy and scikit-learn, and compares them to 1e-12.

    vultus-datasets lfw --root LFW --json run.json --export features
    python datasets/tests/check_metrics.py run.json [--features features]

From the JSON's trials: thresholds, FMR, FNMR, ten-fold accuracy. With --features also the scores
themselves and, for an all-pairs run, every rate from the exported feature vectors. Exits with 1 on
the first difference and prints what it checked.
"""

import argparse
import csv
import json
import math
import pathlib
import sys

import numpy as np
from scipy.stats import beta
from sklearn.metrics import accuracy_score, confusion_matrix

TOLERANCE = 1e-12
checked = 0


def same(what, ours, theirs, tolerance=TOLERANCE):
    global checked
    checked += 1
    if not abs(ours - theirs) <= tolerance:
        sys.exit(f"{what}: {ours!r} here, {theirs!r} in the run")


def clopper_pearson(errors, trials):
    if errors == 0:
        return 0.0, 1 - 0.05 ** (1 / trials)
    if errors == trials:
        return 0.05 ** (1 / trials), 1.0
    return beta.ppf(0.025, errors, trials - errors + 1), beta.ppf(
        0.975, errors + 1, trials - errors
    )


def best_threshold(scores, mated):
    order = np.argsort(scores, kind="stable")
    scores, mated = scores[order], mated[order]
    finite = np.isfinite(scores)
    scores, mated = scores[finite], mated[finite]
    right = mated.sum() + np.cumsum(np.where(mated, -1, 1))[:-1]
    distinct = scores[1:] != scores[:-1]
    middle = 0.5 * (scores[:-1] + scores[1:])
    ties = middle[distinct & (right == right[distinct].max())]
    return ties[len(ties) // 2]


def check_points(run, mated, non_mated, exact):
    """Rates at each operating point from two arrays of scores (failures to acquire are -inf)."""
    falling = np.sort(non_mated)[::-1]
    for point in run["operating_points"]:
        fmr = point["fmr"]
        allowed = math.floor(fmr * len(non_mated) * (1 + 1e-12))
        threshold = (
            np.nextafter(np.float32(falling[allowed]), np.float32(np.inf))
            if exact
            else np.nextafter(falling[allowed], np.inf)
        )
        truth = np.r_[np.ones(len(mated), int), np.zeros(len(non_mated), int)]
        match = np.r_[mated, non_mated] >= threshold
        (_, false_matches), (false_non_matches, _) = confusion_matrix(
            truth, match.astype(int), labels=[0, 1]
        )
        same(
            f"threshold at FMR {fmr}", float(threshold), point["threshold"], 1e-7 if exact else 1e-6
        )
        same(f"false matches at FMR {fmr}", int(false_matches), point["false_matches"], 0)
        same(f"FMR at {fmr}", false_matches / len(non_mated), point["fmr_observed"])
        same(f"FNMR at {fmr}", false_non_matches / len(mated), point["fnmr"])
        for name, errors, trials in (
            ("fmr", false_matches, len(non_mated)),
            ("fnmr", false_non_matches, len(mated)),
        ):
            low, high = clopper_pearson(errors, trials)
            same(f"{name} interval low", low, point[f"{name}_interval"]["low"], 1e-9)
            same(f"{name} interval high", high, point[f"{name}_interval"]["high"], 1e-9)


def check_tenfold(run, scores, mated, fold):
    accuracies = []
    for index, (accuracy, theirs) in enumerate(
        zip(run["tenfold"]["folds"], run["tenfold"]["thresholds"], strict=True)
    ):
        held = fold == index
        threshold = best_threshold(scores[~held], mated[~held])
        same(f"threshold of fold {index}", threshold, theirs)
        accuracies.append(accuracy_score(mated[held], scores[held] >= threshold))
        same(f"accuracy of fold {index}", accuracies[-1], accuracy)
    same("accuracy", float(np.mean(accuracies)), run["tenfold"]["accuracy"])
    same("deviation", float(np.std(accuracies, ddof=1)), run["tenfold"]["deviation"])


def check_features(run, folder):
    with open(folder / "samples.csv", newline="") as table:
        samples = list(csv.DictReader(table))
    shares = json.loads((folder / "shares.json").read_text())
    acquired = np.array([row["acquired"] == "1" for row in samples])
    features = {model: np.load(folder / f"{model}.npy").astype(np.float64) for model in shares}
    for model, values in features.items():
        norms = np.linalg.norm(values[acquired], axis=1)
        same(f"length of {model}", float(np.abs(norms - 1).max()), 0.0, 1e-5)
    if run["trials"]:
        rows = run["trials"]
        probe, reference = (np.array([row[i] for row in rows]) for i in (0, 1))
        scores = sum(
            share * np.einsum("ij,ij->i", features[m][probe], features[m][reference])
            for m, share in shares.items()
        )
        theirs = np.array([-np.inf if row[4] is None else row[4] for row in rows])
        finite = np.isfinite(theirs)
        same(
            "scores from the features",
            float(np.abs(scores[finite] - theirs[finite]).max()),
            0.0,
            2e-6,
        )
    if "all pairs" not in run["set"]:
        return
    identity = np.unique([row["identity"] for row in samples], return_inverse=True)[1]
    joined = np.hstack([np.sqrt(share) * features[m] for m, share in shares.items()])
    mated, tail, total = [], [], 0
    keep = 4 * math.ceil(max(p["fmr"] for p in run["operating_points"]) * run["non_mated"])
    for start in range(0, len(samples), 512):
        rows = np.arange(start, min(start + 512, len(samples)))
        scores = joined[rows] @ joined.T
        scores[~acquired[rows]] = -np.inf
        scores[:, ~acquired] = -np.inf
        once = np.arange(len(samples))[None, :] > rows[:, None]
        own = identity[rows][:, None] == identity[None, :]
        mated.append(scores[once & own])
        others = scores[once & ~own]
        total += len(others)
        tail.append(others)
        if sum(map(len, tail)) > 4 * keep:
            tail = [np.partition(np.concatenate(tail), -keep)[-keep:]]
    tail = np.concatenate(tail)
    mated = np.concatenate(mated)
    same("non-mated comparisons", total, run["non_mated"], 0)
    same("mated comparisons", len(mated), run["mated"], 0)
    padded = np.full(total, -np.inf)
    padded[: len(tail)] = tail
    check_points(run, mated, padded, exact=False)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--features", type=pathlib.Path)
    arguments = parser.parse_args()
    run = json.loads(arguments.run.read_text())
    scores = np.array(
        [-np.inf if row[4] is None else np.float32(row[4]) for row in run["trials"]],
        dtype=np.float64,
    )
    mated = np.array([row[2] for row in run["trials"]], dtype=bool)
    if not mated.all():
        check_points(run, scores[mated], scores[~mated], exact=True)
    if run["tenfold"]:
        check_tenfold(run, scores, mated, np.array([row[3] for row in run["trials"]]))
    if arguments.features:
        check_features(run, arguments.features)
    if not checked:
        sys.exit("nothing was checked: an all-pairs run needs --features")
    print(f"{checked} values agree")


if __name__ == "__main__":
    main()
