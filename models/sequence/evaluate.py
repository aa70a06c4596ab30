"""Measures the signals of sequences on clips, calibrates them, and reports.

    python models/sequence/evaluate.py manipulate --bona-fide 'clips/*.mp4' --out manipulated
    python models/sequence/evaluate.py measure --bona-fide 'clips/*.mp4' --attack faceswap 'manipulated/faceswap/*.mp4' --out measured.json
    python models/sequence/evaluate.py calibrate measured.json --out models/calibration/sequence.json
    python models/sequence/evaluate.py inject --bona-fide 'clips/*.mp4' --cases 25 --out injected.json
    python models/sequence/evaluate.py report measured.json injected.json
    python models/sequence/evaluate.py record measured.json injected.json --out datasets/records/clips-sequences.json
    taskset -c 0 python models/sequence/evaluate.py throughput clip.mp4 --frames 10000

A clip is cut into windows; each is one session. Windows of one clip are correlated: intervals
belong to clips. Needs vultus with vultus[video], numpy and, for `inject` and `manipulate`,
vultus[attack].
"""

from __future__ import annotations

import argparse
import glob
import json
import pathlib
import re
import resource
import sys
import tempfile
import time

import numpy as np
import vultus
from tqdm import tqdm
from vultus._video import frames as read

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import records  # noqa: E402

INJECTIONS = ("frozen", "looped", "duplicated", "reversed")
PERCENTILES = (0, 5, 25, 50, 75, 90, 95, 100)


def windows(path: str, length: int, most: int):
    """The frames of a clip in windows of `length`; a rest of less than half a window is left out."""
    window, made = [], 0
    for frame in read(path):
        window.append(frame)
        if len(window) == length:
            yield window
            window, made = [], made + 1
            if made == most:
                return
    if len(window) >= length // 2:
        yield window


def judged(engine: vultus.Engine, window) -> dict:
    session = engine.session()
    for frame, at_us in window:
        session.push(frame, at_us, "rgb")
    evidence = session.evidence()
    return {
        "values": {s.name: s.value for s in evidence.signals},
        "risk": evidence.risk,
        "deepfake": evidence.deepfake.score,
        "injection": evidence.injection.score,
        "channels": [evidence.deepfake.risk, evidence.injection.risk],
    }


def name_of(path: str) -> str:
    return "/".join(pathlib.Path(path).with_suffix("").parts[-3:])


def measure(args: argparse.Namespace) -> None:
    engine, found = (
        vultus.Engine(args.pack),
        json.loads(args.out.read_text()) if args.out.exists() else [],
    )
    known = {(row["kind"], row["clip"]) for row in found}
    jobs = [
        ("bona fide", path) for pattern in args.bona_fide for path in sorted(glob.glob(pattern))
    ]
    jobs += [(kind, path) for kind, pattern in args.attack for path in sorted(glob.glob(pattern))]
    for kind, path in tqdm(jobs, unit="clip", disable=None):
        if (kind, name_of(path)) in known:
            continue
        for index, window in enumerate(windows(path, args.window, args.most)):
            found.append(
                {"kind": kind, "clip": name_of(path), "window": index, **judged(engine, window)}
            )
        args.out.write_text(json.dumps(found))


def inject(args: argparse.Namespace) -> None:
    from vultus.attack import clips, duplicate, freeze, loop, reverse

    engine, rng, found = vultus.Engine(args.pack), np.random.default_rng(args.seed), []
    paths = [path for pattern in args.bona_fide for path in sorted(glob.glob(pattern))]
    for case in tqdm(range(args.cases), unit="case", disable=None):
        shown, at_us = clips.read_clip(paths[case % len(paths)], args.window)
        count = len(shown)
        length = int(rng.integers(12, count // 2))
        start = int(rng.integers(0, count - length))
        for kind, order in {
            "frozen": freeze(range(count), start, length),
            "looped": loop(range(count), start, length, 2),
            "duplicated": duplicate(range(count), int(rng.integers(2, 8))),
            "reversed": reverse(range(count), start, length),
        }.items():
            times = [
                at_us[min(i, count - 1)] + 33_333 * max(0, i - count + 1) for i in range(len(order))
            ]
            window = list(zip([shown[source] for source in order], times, strict=True))
            if args.reencode is not None:
                with tempfile.TemporaryDirectory() as folder:
                    coded = pathlib.Path(folder, "coded.mp4")
                    clips.write_clip(coded, (frame for frame, _ in window), times, args.reencode)
                    window = list(zip(*clips.read_clip(coded), strict=True))
            found.append(
                {"kind": kind, "clip": f"case {case}", "window": 0, **judged(engine, window)}
            )
    args.out.write_text(json.dumps(found))


def manipulate(args: argparse.Namespace) -> None:
    """Writes OUT/faceswap and OUT/selfblend: the first window of each clip, its face replaced by
    the next clip's or blended with itself.
    """
    from vultus.attack import cli, clips

    paths = [path for pattern in args.bona_fide for path in sorted(glob.glob(pattern))]
    for i, path in enumerate(tqdm(paths, unit="clip", disable=None)):
        donor = args.out / "donors" / f"{pathlib.Path(paths[(i + 1) % len(paths)]).stem}.png"
        donor.parent.mkdir(parents=True, exist_ok=True)
        if not donor.exists():
            clips.write_still(donor, clips.read_clip(paths[(i + 1) % len(paths)], 1)[0][0])
        for seed in range(1, args.seeds + 1):
            for verb, more in (("faceswap", ["--donor", str(donor)]), ("selfblend", [])):
                made = args.out / verb / f"{pathlib.Path(path).stem}-{seed}.mp4"
                made.parent.mkdir(exist_ok=True)
                drawn = ["--seed", str(100 * seed + i), "--frames", str(args.window)]
                if not made.exists() and cli.main([verb, path, str(made), *drawn, *more]):
                    sys.exit(f"{verb} of {path} failed")


def throughput(args: argparse.Namespace) -> None:
    """Pushes a clip over and over into one session; prints frames a second and the memory in use
    after each tenth.
    """
    shown, session = (
        next(windows(str(args.clip), args.window, 1)),
        vultus.Engine(args.pack).session(),
    )
    page, started = resource.getpagesize(), time.perf_counter()
    for i in range(args.frames):
        session.push(shown[i % len(shown)][0], i * 33_333)
        if (i + 1) % (args.frames // 10) == 0:
            resident = int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * page
            print(
                f"{i + 1} frames, {(i + 1) / (time.perf_counter() - started):.0f} frames/s,"
                f" {resident / 2**20:.1f} MiB",
                flush=True,
            )
    started = time.perf_counter()
    session.evidence()
    print(f"evidence: {1e3 * (time.perf_counter() - started):.0f} ms")


def calibrate(args: argparse.Namespace) -> None:
    rows = [row for row in json.loads(args.measured.read_text()) if row["kind"] == "bona fide"]
    table = {}
    for name in rows[0]["values"]:
        values = [row["values"][name] for row in rows if row["values"][name] is not None]
        if len(values) >= args.least:
            table[name] = [
                [p, float(f"{v:.6g}")]
                for p, v in zip(PERCENTILES, np.percentile(values, PERCENTILES), strict=True)
            ]
    clips = sorted({row["clip"] for row in rows})
    text = {"set": args.set, "clips": len(clips), "windows": len(rows), "signals": table}
    args.out.write_text(
        json.dumps(text, indent=1)
        .replace("\n   [\n    ", "\n   [")
        .replace(",\n    ", ", ")
        .replace("\n   ]", "]")
        + "\n"
    )


def auc(low, high) -> float:
    low, high = np.asarray(low), np.asarray(high)
    return (
        float(np.mean((high[:, None] > low[None]) + 0.5 * (high[:, None] == low[None])))
        if low.size and high.size
        else float("nan")
    )


def interval(low, high, seed: int = 0) -> tuple[float, float]:
    """95 % of the AUC when clips are drawn anew; both sides are (clip, score), and seeds of one
    clip stay together.
    """
    rng, areas = np.random.default_rng(seed), []
    sides = []
    for side in (low, high):
        by_clip: dict[str, list[float]] = {}
        for clip, score in side:
            by_clip.setdefault(re.sub(r"-\d+$", "", clip), []).append(score)
        sides.append(list(by_clip.values()))
    for _ in range(2_000):
        areas.append(
            auc(
                *(
                    np.concatenate([side[i] for i in rng.integers(0, len(side), len(side))])
                    for side in sides
                )
            )
        )
    return float(np.percentile(areas, 2.5)), float(np.percentile(areas, 97.5))


def record(args: argparse.Namespace) -> None:
    """Writes the levels of each kind as a record for `vultus-datasets table`."""
    rows = [row for path in args.measured for row in json.loads(path.read_text())]
    bona = [row for row in rows if row["kind"] == "bona fide"]
    found = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        some = [row for row in rows if row["kind"] == kind]
        channel = "injection" if kind in INJECTIONS else "deepfake"
        area = (
            None
            if kind == "bona fide"
            else round(auc(*([row[channel] for row in side] for side in (bona, some))), 4)
        )
        levels = [sum(row["risk"] == level for row in some) for level in ("LOW", "MEDIUM", "HIGH")]
        label = f"{kind} frames, injected" if kind in INJECTIONS else kind
        found.append(
            {
                "kind": label,
                "clips": len({row["clip"] for row in some}),
                "levels": levels,
                "auc": area,
            }
        )
    records.write(args.out, args.pack, args.set, {"kind": "sequences", "rows": found})


def report(args: argparse.Namespace) -> None:
    rows = [row for path in args.measured for row in json.loads(path.read_text())]
    bona = [row for row in rows if row["kind"] == "bona fide"]
    kinds = [kind for kind in dict.fromkeys(row["kind"] for row in rows) if kind != "bona fide"]
    fields = {
        f"score: {channel}": lambda row, channel=channel: row[channel]
        for channel in ("deepfake", "injection")
    }
    fields |= {name: lambda row, name=name: row["values"][name] for name in bona[0]["values"]}
    of = lambda some, field: [v for row in some if (v := field(row)) is not None]  # noqa: E731
    print(
        "| signal | bona fide, median | 95 % | "
        + " | ".join(f"AUC {kind}" for kind in kinds)
        + " |"
    )
    print("|---" * (3 + len(kinds)) + "|")
    for name, field in fields.items():
        values = of(bona, field)
        if values:
            cells = [
                f"{auc(values, of([r for r in rows if r['kind'] == kind], field)):.2f}"
                for kind in kinds
            ]
            print(
                f"| {name} | {np.median(values):.3g} | {np.percentile(values, 95):.3g} | "
                + " | ".join(cells)
                + " |"
            )
    print("\n| kind | clips | windows | LOW | MEDIUM | HIGH |\n|---|---|---|---|---|---|")
    for kind in ["bona fide", *kinds]:
        some = [row for row in rows if row["kind"] == kind]
        counts = [sum(row["risk"] == level for row in some) for level in ("LOW", "MEDIUM", "HIGH")]
        print(
            f"| {kind} | {len({row['clip'] for row in some})} | {len(some)} | "
            + " | ".join(map(str, counts))
            + " |"
        )
    for kind in kinds:
        channel = "injection" if kind in INJECTIONS else "deepfake"
        sides = [
            [(row["clip"], row[channel]) for row in some]
            for some in (bona, [row for row in rows if row["kind"] == kind])
        ]
        area, (low, high) = auc(*([score for _, score in side] for side in sides)), interval(*sides)
        print(
            f"\n{kind}: AUC of the {channel} score {area:.2f} ({low:.2f} to {high:.2f} over clips)"
        )
    for kind in kinds:
        missed = [row["clip"] for row in rows if row["kind"] == kind and row["risk"] == "LOW"]
        if missed:
            print(f"\n{kind} at LOW: {', '.join(missed)}")
    alarms = [
        f"{row['clip']}[{row['window']}] {row['channels']}" for row in bona if row["risk"] != "LOW"
    ]
    print(f"\nbona fide above LOW: {', '.join(alarms) or 'none'}")
    for original, fake in args.pair:
        print(f"\n| {original} against {fake} | original | fake |\n|---|---|---|")
        sides = [[row for row in rows if row["clip"].endswith(end)] for end in (original, fake)]
        for name, field in fields.items():
            values = [of(side, field) for side in sides]
            if all(values):
                print(f"| {name} | " + " | ".join(f"{np.mean(v):.4g}" for v in values) + " |")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = ask.add_subparsers(dest="verb", required=True)
    for verb, run in (("measure", measure), ("inject", inject), ("manipulate", manipulate)):
        made = verbs.add_parser(verb)
        made.set_defaults(run=run)
        made.add_argument("--bona-fide", action="append", default=[], metavar="GLOB")
        made.add_argument("--pack", type=pathlib.Path)
        made.add_argument("--window", type=int, default=75, help="frames of one session")
        made.add_argument("--out", type=pathlib.Path, required=True)
    verbs.choices["measure"].add_argument(
        "--attack", action="append", default=[], nargs=2, metavar=("KIND", "GLOB")
    )
    verbs.choices["measure"].add_argument(
        "--most", type=int, default=3, help="windows of one clip at most"
    )
    verbs.choices["inject"].add_argument(
        "--cases", type=int, default=25, help="cases of each of the four kinds"
    )
    verbs.choices["inject"].add_argument("--seed", type=int, default=1)
    verbs.choices["inject"].add_argument(
        "--reencode",
        type=int,
        metavar="CRF",
        help="code the frames as H.264 before they are judged",
    )
    verbs.choices["manipulate"].add_argument(
        "--seeds", type=int, default=1, help="manipulations of each clip"
    )
    made = verbs.add_parser("throughput")
    made.set_defaults(run=throughput)
    made.add_argument("clip", type=pathlib.Path)
    made.add_argument("--pack", type=pathlib.Path)
    made.add_argument(
        "--window", type=int, default=60, help="frames of the clip that are shown over and over"
    )
    made.add_argument("--frames", type=int, default=10_000)
    made = verbs.add_parser("calibrate")
    made.set_defaults(run=calibrate)
    made.add_argument("measured", type=pathlib.Path)
    made.add_argument("--set", default="bona fide clips", help="what the clips are, for the table")
    made.add_argument(
        "--least", type=int, default=10, help="windows that a signal must have been measured on"
    )
    made.add_argument("--out", type=pathlib.Path, required=True)
    made = verbs.add_parser("record")
    made.set_defaults(run=record)
    made.add_argument("measured", type=pathlib.Path, nargs="+")
    made.add_argument("--pack", type=pathlib.Path)
    made.add_argument("--set", default="own clips", help="what the clips are")
    made.add_argument("--out", type=pathlib.Path, required=True)
    made = verbs.add_parser("report")
    made.set_defaults(run=report)
    made.add_argument("measured", type=pathlib.Path, nargs="+")
    made.add_argument("--pair", action="append", default=[], nargs=2, metavar=("ORIGINAL", "FAKE"))
    args = ask.parse_args()
    args.run(args)


if __name__ == "__main__":
    sys.exit(main())
