"""Measures the signals of sequences on clips, calibrates them, and reports.

    python models/sequence/evaluate.py manipulate --datasets DIR --seeds 2 --out manipulated
    python models/sequence/evaluate.py measure --datasets DIR --own manipulated --out measured.json
    python models/sequence/evaluate.py measure --datasets DIR --coded --most 1 --out coded.json
    python models/sequence/evaluate.py inject --datasets DIR --cases 25 --out injected.json
    python models/sequence/evaluate.py rates --datasets DIR --window 300
    python models/sequence/evaluate.py calibrate measured.json --injected injected.json \\
        --out models/calibration/sequence.json
    python models/sequence/evaluate.py report measured.json
    python models/sequence/evaluate.py record measured.json --injected injected.json \\
        --out datasets/records/clips-sequences.json
    taskset -c 0 python models/sequence/evaluate.py throughput clip.mp4 --frames 10000

`material.py` says how the clips lie and from which source each comes. A clip is cut into windows;
each is one session. Windows of one clip are correlated: figures are of clips. A source is judged by
a calibration that did not see it. Needs vultus with vultus[video], numpy and, for `inject` and
`manipulate`, vultus[attack].
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable

import numpy as np
import vultus
from tqdm import tqdm

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[i]) for i in (1, 0)]

import fusion  # noqa: E402
import material  # noqa: E402
import records  # noqa: E402
from material import BONA_FIDE  # noqa: E402

INJECTIONS = ("frozen", "looped", "duplicated", "reversed")
OWN_CAMERA = "live swap, against its camera"


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


def measure(args: argparse.Namespace) -> None:
    engine = vultus.Engine(args.pack)
    found = json.loads(args.out.read_text()) if args.out.exists() else []
    known = {(row["kind"], row["clip"], row["coding"]) for row in found}
    clips = material.clips(args.datasets, args.own)
    for clip in tqdm(clips, unit="clip", disable=None):
        codings = ["", *material.CODINGS] if args.coded and clip.kind == BONA_FIDE else [""]
        wanted = [c for c in codings if (clip.kind, clip.name, c) not in known]
        if not wanted:
            continue
        for index, window in enumerate(material.windows(clip.frames(), args.window, args.most)):
            for coding in wanted:
                row = {
                    "kind": clip.kind,
                    "source": clip.source,
                    "model": clip.model,
                    "clip": clip.name,
                    "coding": coding,
                    "window": index,
                }
                shown = material.coded(window, coding) if coding else window
                found.append(row | judged(engine, shown))
        args.out.write_text(json.dumps(found))


def inject(args: argparse.Namespace) -> None:
    from vultus.attack import clips, duplicate, freeze, loop, reverse

    engine, rng, found = vultus.Engine(args.pack), np.random.default_rng(args.seed), []
    bona = [clip for clip in material.clips(args.datasets) if clip.kind == BONA_FIDE]
    # Every source has its turn before one comes again.
    bona.sort(key=lambda clip: [c.source for c in bona[: bona.index(clip)]].count(clip.source))
    for case in tqdm(range(args.cases), unit="case", disable=None):
        window = next(material.windows(bona[case % len(bona)].frames(), args.window, 1))
        shown, at_us = zip(*window, strict=True)
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
                {"kind": kind, "clip": f"case {case}", "window": 0, "coding": ""}
                | judged(engine, window)
            )
    args.out.write_text(json.dumps(found))


def manipulate(args: argparse.Namespace) -> None:
    """Writes OUT/faceswap and OUT/selfblend: the first window of each talking head, its face the
    next one's or blended with itself.
    """
    from vultus.attack import cli, clips

    paths = [str(path) for path in sorted(args.datasets.glob("talking_head/*.mp4"))]
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


RATES = (1, 8, 12, 30, 60)


def rates(args: argparse.Namespace) -> None:
    """Shows one clip of each source at other rates, and prints what is still assessed.

    60 a second are the frames at twice their speed or more.
    """
    engine, seen = vultus.Engine(args.pack), set()
    print("| source | frames a second | frames | risk | deepfake: coverage | injection: coverage |")
    print("|---" * 6 + "|")
    for clip in material.clips(args.datasets):
        if clip.kind != BONA_FIDE or clip.source in seen:
            continue
        seen.add(clip.source)
        window = next(material.windows(clip.frames(), args.window, 1))
        interval_us = (window[-1][1] - window[0][1]) / (len(window) - 1)
        for rate in RATES:
            step, shown = 1e6 / rate, []
            speed = interval_us / step if rate > 30 else 1.0
            for frame, at_us in window:
                at_us = round(at_us * step / interval_us) if speed > 1 else at_us
                if not shown or at_us - shown[-1][1] >= 0.9 * step:
                    shown.append((frame, at_us))
            session = engine.session()
            for frame, at_us in shown:
                session.push(frame, at_us, "rgb")
            found = session.evidence()
            cells = [
                found.risk or "not assessed",
                *(c.coverage for c in (found.deepfake, found.injection)),
            ]
            print(
                "|",
                clip.source,
                "|",
                rate,
                "|",
                len(shown),
                "|",
                " | ".join(f"{c:.2f}" if isinstance(c, float) else c for c in cells),
                "|",
                flush=True,
            )


def throughput(args: argparse.Namespace) -> None:
    """Pushes a clip over and over into one session; prints frames a second and the memory in use
    after each tenth.
    """
    clip = material.Clip(args.clip, BONA_FIDE, "")
    shown = next(material.windows(clip.frames(), args.window, 1))
    session = vultus.Engine(args.pack).session()
    page, started = resource.getpagesize(), time.perf_counter()
    for i in range(args.frames):
        session.push(shown[i % len(shown)][0], i * 33_333, "rgb")
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


def by_clip(rows: Iterable[dict], value: Callable[[dict], float | None]) -> dict[str, float]:
    """The mean over the windows of each clip that have a value."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if (v := value(row)) is not None:
            found.setdefault(row["clip"], []).append(v)
    return {clip: float(np.mean(values)) for clip, values in found.items()}


def hold_out(rows: list[dict]) -> None:
    """Gives each row the `held` score of both channels, by a calibration without its source.

    A live swap shares its frames with a camera's half: the halves of its model are left out for it.
    """
    specs = fusion.weights()
    bona = [row for row in rows if row["kind"] == BONA_FIDE and not row["coding"]]
    tables: dict[tuple[str, str], fusion.Table] = {}
    for row in rows:
        out = (
            row["source"] if row["kind"] == BONA_FIDE else "",
            row["model"] if row["kind"] == material.SWAPPED else "",
        )
        if out not in tables:
            left = [
                b for b in bona if b["source"] != out[0] and (not out[1] or b["model"] != out[1])
            ]
            tables[out] = fusion.table(left)
        row["held"] = {
            channel: fusion.score(row["values"], tables[out], channel, specs)
            for channel in ("deepfake", "injection")
        }


def held(channel: str) -> Callable[[dict], float | None]:
    return lambda row: row["held"][channel]


def sides(rows: list[dict], value: Callable[[dict], float | None]) -> dict[str, tuple[list, list]]:
    """(clip, score) of bona fide clips and of each kind of fake; the swaps also against their own
    cameras.
    """
    plain = [row for row in rows if not row["coding"]]
    bona = by_clip((row for row in plain if row["kind"] == BONA_FIDE), value)
    found = {}
    for kind in (kind for kind in material.FAKES if any(row["kind"] == kind for row in plain)):
        fakes = by_clip((row for row in plain if row["kind"] == kind), value)
        found[kind] = (list(bona.items()), list(fakes.items()))
        if kind == material.SWAPPED:
            own = {clip.removesuffix("right") + "left" for clip in fakes}
            cameras = [(clip, score) for clip, score in bona.items() if clip in own]
            found[OWN_CAMERA] = (cameras, list(fakes.items()))
    return found


def scores(side: list[tuple[str, float]]) -> list[float]:
    return [score for _, score in side]


def areas(rows: list[dict], value: Callable[[dict], float | None]) -> dict[str, float]:
    """The AUC over clips of each kind of fake."""
    return {
        kind: auc(scores(low), scores(high)) for kind, (low, high) in sides(rows, value).items()
    }


def injected_sides(rows: list[dict], injected: list[dict]) -> dict[str, tuple[list, list]]:
    """(clip, score) of bona fide windows and of each kind of injection."""

    def side(some: Iterable[dict]) -> list[tuple[str, float]]:
        return [(row["clip"], row["injection"]) for row in some if row["injection"] is not None]

    bona = side(row for row in rows if row["kind"] == BONA_FIDE and not row["coding"])
    found = {}
    for kind in INJECTIONS:
        some = side(row for row in injected if row["kind"] == kind)
        if some:
            found[kind] = (bona, some)
    return found


def join(numbers: re.Match[str]) -> str:
    return "[" + re.sub(r"\s+", " ", numbers[1]) + "]"


def measured(kinds: dict[str, tuple[list, list]], apart: Iterable[str]) -> dict:
    """The AUC of each kind with its interval, and what can be promised of the worst: the lower end
    of its interval, for the weights were chosen with these clips in view.
    """
    found = {}
    for kind, (low, high) in kinds.items():
        values = (auc(scores(low), scores(high)), *interval(low, high))
        found[kind] = [round(value, 3) for value in values]
    lowest = [values[1] for kind, values in found.items() if kind not in apart]
    return {"auc": min(lowest, default=0.5), "kinds": found}


def calibrate(args: argparse.Namespace) -> None:
    rows = [row for row in json.loads(args.measured.read_text()) if not row["coding"]]
    injected = json.loads(args.injected.read_text()) if args.injected else []
    hold_out(rows)
    bona = [row for row in rows if row["kind"] == BONA_FIDE]
    sources = {}
    for source in dict.fromkeys(row["source"] for row in bona):
        some = [row for row in bona if row["source"] == source]
        sources[source] = {"clips": len({row["clip"] for row in some}), "windows": len(some)}
    # What the project's own tools made says nothing of real makers.
    channels = {
        "deepfake": measured(sides(rows, held("deepfake")), (*material.OWN, OWN_CAMERA)),
        "injection": measured(injected_sides(rows, injected), INJECTIONS),
    }
    # A recording that is played once is bona fide frame by frame: nothing in it can be found.
    channels["injection"]["auc"] = 0.5
    channels["injection"]["kinds"] |= {"a recording, played once": [0.5, 0.5, 0.5]}
    text = {
        "set": args.set,
        "clips": len({row["clip"] for row in bona}),
        "windows": len(bona),
        "sources": sources,
        "channels": channels,
        "signals": fusion.table(bona),
    }
    # Each percentile and each interval on a line of its own.
    lines = re.sub(r"\[\s+([^\[\]]*?)\s+\]", join, json.dumps(text, indent=1))
    args.out.write_text(lines + "\n")


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


def levels(rows: Iterable[dict], channel: str = "deepfake") -> list[int]:
    """Windows at LOW, MEDIUM and HIGH of the held-out score of one channel."""
    found = [fusion.level(row["held"][channel]) for row in rows]
    return [found.count(level) for level in ("LOW", "MEDIUM", "HIGH")]


def groups(rows: list[dict]) -> dict[tuple[str, str], list[dict]]:
    """Windows as they were recorded, of each source of bona fide clips and each maker of fakes."""
    found: dict[tuple[str, str], list[dict]] = {}
    for row in (row for row in rows if not row["coding"]):
        name = row["source"] if row["kind"] == BONA_FIDE else row["model"]
        found.setdefault((row["kind"], name), []).append(row)
    return found


def record(args: argparse.Namespace) -> None:
    """Writes the levels of each kind as a record for `vultus-datasets table`: of the channel that
    the kind speaks for.
    """
    rows = json.loads(args.measured.read_text())
    hold_out(rows)
    found = []
    bona = by_clip(
        (r for r in rows if r["kind"] == BONA_FIDE and not r["coding"]), held("deepfake")
    )
    for kind in dict.fromkeys(row["kind"] for row in rows):
        some = [row for row in rows if row["kind"] == kind and not row["coding"]]
        scores = list(by_clip(some, held("deepfake")).values())
        area = None if kind == BONA_FIDE else round(auc(list(bona.values()), scores), 4)
        label = f"{kind}, its source left out" if kind == BONA_FIDE else kind
        clips = len({row["clip"] for row in some})
        found.append({"kind": label, "clips": clips, "levels": levels(some), "auc": area})
    injected = json.loads(args.injected.read_text()) if args.injected else []
    for kind, (low, high) in injected_sides(rows, injected).items():
        area = auc(scores(low), scores(high))
        some = [row for row in injected if row["kind"] == kind]
        counted = [sum(row["risk"] == level for row in some) for level in ("LOW", "MEDIUM", "HIGH")]
        label = f"{kind} frames, injected"
        if some:
            clips = len({row["clip"] for row in some})
            found.append({"kind": label, "clips": clips, "levels": counted, "auc": round(area, 4)})
    records.write(args.out, args.pack, args.set, {"kind": "sequences", "rows": found})


def report(args: argparse.Namespace) -> None:
    rows = json.loads(args.measured.read_text())
    hold_out(rows)
    row_of = lambda *cells: print("| " + " | ".join(map(str, cells)) + " |")  # noqa: E731
    shown = lambda v: "-" if v is None or v != v else f"{v:.2f}"  # noqa: E731
    kinds = list(areas(rows, held("deepfake")))
    row_of("AUC over clips", "weight", *kinds)
    print("|---" * (2 + len(kinds)) + "|")
    found = areas(rows, held("deepfake"))
    row_of("deepfake score, held out", "", *(shown(found[kind]) for kind in kinds))
    for name, (channel, weight, _) in fusion.weights().items():
        if channel == "deepfake":
            found = areas(rows, lambda row, name=name: row["values"].get(name))
            row_of(name, f"{weight:g}", *(shown(found[kind]) for kind in kinds))
    print()
    row_of("kind", "source or maker", "clips", "windows", "LOW", "MEDIUM", "HIGH", "not assessed")
    print("|---" * 8 + "|")
    for (kind, name), some in groups(rows).items():
        counted = levels(some)
        clips = len({row["clip"] for row in some})
        row_of(kind, name, clips, len(some), *counted, len(some) - sum(counted))
    bona = [row for row in rows if row["kind"] == BONA_FIDE and not row["coding"]]
    print()
    for kind, (low, high) in sides(rows, held("deepfake")).items():
        area, (least, most) = auc(scores(low), scores(high)), interval(low, high)
        clips = f"{len(high)} clips against {len(low)}"
        print(f"- {kind}, {clips}: AUC {area:.2f} ({least:.2f} to {most:.2f}, 95 % over clips)")
    for channel in ("deepfake", "injection"):
        counted = levels(bona, channel)
        print(
            f"\nbona fide, {channel}: {counted[0]} of {sum(counted)} windows LOW, {counted[2]} HIGH"
        )
        for row in bona:
            if fusion.level(row["held"][channel]) not in ("LOW", None):
                print(f"- {row['clip']}[{row['window']}] {row['held'][channel]:.2f}")
    before = {
        (row["clip"], row["window"]): row
        for row in rows
        if row["kind"] == BONA_FIDE and not row["coding"]
    }
    for coding in dict.fromkeys(row["coding"] for row in rows if row["coding"]):
        some = [row for row in rows if row["coding"] == coding]
        for channel in ("deepfake", "injection"):
            level = lambda row, channel=channel: fusion.level(row["held"][channel])  # noqa: E731
            was_low = [row for row in some if level(before[row["clip"], row["window"]]) == "LOW"]
            raised = [row["clip"] for row in was_low if level(row) not in ("LOW", None)]
            print(f"\n{coding}, {channel}: {len(raised)} of {len(was_low)} rise above LOW {raised}")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = ask.add_subparsers(dest="verb", required=True)
    for verb, run in (
        ("measure", measure),
        ("inject", inject),
        ("manipulate", manipulate),
        ("rates", rates),
    ):
        made = verbs.add_parser(verb)
        made.set_defaults(run=run)
        made.add_argument("--datasets", type=pathlib.Path, required=True)
        made.add_argument("--pack", type=pathlib.Path)
        made.add_argument("--window", type=int, default=75, help="frames of one session")
        if verb != "rates":
            made.add_argument("--out", type=pathlib.Path, required=True)
    verbs.choices["measure"].add_argument(
        "--own", type=pathlib.Path, help="what `manipulate` wrote"
    )
    verbs.choices["measure"].add_argument(
        "--coded", action="store_true", help="each bona fide window through each coder too"
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
    for verb, run in (("calibrate", calibrate), ("record", record), ("report", report)):
        made = verbs.add_parser(verb)
        made.set_defaults(run=run)
        made.add_argument("measured", type=pathlib.Path)
        if verb != "report":
            made.add_argument("--injected", type=pathlib.Path, help="what `inject` wrote")
            made.add_argument("--set", default="own clips", help="what the clips are")
            made.add_argument("--out", type=pathlib.Path, required=True)
    verbs.choices["record"].add_argument("--pack", type=pathlib.Path)
    args = ask.parse_args()
    args.run(args)


if __name__ == "__main__":
    sys.exit(main())
