"""Measures PAD as the engine does it - own weights, MiniFASNet, their fusion - on material that
training never saw.

    python models/pad/evaluate.py gather --datasets DIR --teacher DIR --pack PACK --out FOLDER
    python models/pad/evaluate.py report --gathered FOLDER --json report.json
    python models/pad/evaluate.py record --gathered FOLDER --pack PACK --out datasets/records/webcams-talking-heads-lfw-view-2-presentations.json

`gather` writes a file a part and leaves out parts that are there: it goes on where it was stopped.
After a change of the engine or of the weights begin with an empty folder.

(a) full-frame webcam clips, (b) tight crops of the same collection, (c) prints and replays of LFW
View 2 pictures simulated with settings that training never drew, (d) LFW View 2 as bona fide; also
the talking heads, as bona fide clips.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import multiprocessing
import pathlib
import sys

import fuse
import judge
import material
import numpy as np
import sources

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import records  # noqa: E402

LFW_EVERY = 8
"""Of the pictures of View 2, in order of their names, every eighth is judged, and every sixteenth
printed and replayed.
"""
LFW_PARTS = 16
TALKING_HEAD_EVERY = 12
MINIFASNET_THRESHOLD = 0.5
KINDS = (
    ("webcam clips, bona fide", "clip", "bona_fide"),
    ("webcam clips, replay", "clip", "replay"),
    ("talking heads, bona fide", "talking_head", "bona_fide"),
    ("tight webcam crops, bona fide", "tight", "bona_fide"),
    ("tight webcam crops, print", "tight", "print"),
    ("tight webcam crops, replay", "tight", "replay"),
    ("LFW View 2, bona fide", "lfw_view2", "bona_fide"),
    ("LFW View 2, simulated print", "simulated", "print"),
    ("LFW View 2, simulated replay", "simulated", "replay"),
)
"""Rows of the record: name, part and species."""
_STATE: dict = {}


def _begin(datasets: pathlib.Path, teachers: pathlib.Path, pack: pathlib.Path) -> None:
    _STATE.update(
        datasets=datasets,
        detector=sources.Detector(teachers / "yunet_2023mar_320.onnx"),
        judge=judge.Judge(pack),
    )


def _row(image: np.ndarray, part: str, group: str, species: str) -> tuple:
    return _STATE["judge"].row(np.ascontiguousarray(image)), part, group, species


def _clip(path: pathlib.Path, part: str, group: str, species: str, every: int) -> list[tuple]:
    return [_row(image, part, group, species) for image in sources.clip_frames(path, every)]


def _tight(folder: pathlib.Path) -> list[tuple]:
    return [
        _row(sources.read(path), "tight", folder.parent.name, folder.name)
        for path in sorted(folder.glob("*.jpg"))
    ]


def _lfw(part: int) -> list[tuple]:
    datasets, rows = _STATE["datasets"], []
    for i, (person, number) in list(enumerate(sources.lfw_names(datasets, 2)))[
        part * LFW_EVERY :: LFW_PARTS * LFW_EVERY
    ]:
        image = sources.read(datasets / "lfw" / "images" / person / f"{person}_{number:04d}.jpg")
        rows.append(_row(image, "lfw_view2", "lfw_view2", "bona_fide"))
        box = None if part % 2 else _STATE["detector"].most_central(image)
        if box is None:
            continue
        for label in ("print", "replay"):
            rng = np.random.default_rng([2, i, len(label)])
            camera = material.attack.CameraSettings.draw(rng, "report")
            seed, centre = int(rng.integers(2**31)), (box[0] + box[2] / 2, box[1] + box[3] / 2)
            if label == "print":
                settings = material.attack.PrintSettings.draw(rng, "report")
                made = material.attack.present_print(
                    image, settings, camera, seed, face_centre=centre
                )
            else:
                settings = material.attack.ReplaySettings.draw(rng, "report")
                made = material.attack.present_replay(
                    image, settings, camera, seed, face_centre=centre
                )
            rows.append(_row(made.image, "simulated", "lfw_view2", label))
    return rows


def _part(out: pathlib.Path, make, *args) -> None:
    evidence, part, group, species = (np.array(column) for column in zip(*make(*args), strict=True))
    unfinished = out.with_suffix(".part")
    with open(unfinished, "wb") as file:
        np.savez(file, evidence=evidence, part=part, group=group, species=species)
    unfinished.rename(out)


def gather(args: argparse.Namespace) -> None:
    webcam, jobs = args.datasets / "pad_webcam", {}
    for path in sorted(webcam.glob("*/video/*.mp4")):
        jobs[f"clip-{path.parent.parent.name}-{path.stem}"] = (
            _clip,
            path,
            "clip",
            path.parent.parent.name,
            path.stem,
            1,
        )
    for folder in sorted(p for p in webcam.glob("*/*") if p.is_dir() and p.name != "video"):
        jobs[f"tight-{folder.parent.name}-{folder.name}"] = (_tight, folder)
    for path in sorted((args.datasets / "talking_head").glob("*.mp4")):
        jobs[f"talking-head-{path.stem}"] = (
            _clip,
            path,
            "talking_head",
            path.stem,
            "bona_fide",
            TALKING_HEAD_EVERY,
        )
    jobs |= {f"lfw-{part:02}": (_lfw, part) for part in range(LFW_PARTS)}
    args.out.mkdir(parents=True, exist_ok=True)
    missing = {
        args.out / f"{name}.npz": job
        for name, job in jobs.items()
        if not (args.out / f"{name}.npz").exists()
    }
    print(f"{len(missing)} of {len(jobs)} parts to make", flush=True)
    start = (args.datasets, args.teacher, args.pack)
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        args.jobs, spawn, initializer=_begin, initargs=start
    ) as pool:
        for out, job in [(out, pool.submit(_part, out, *job)) for out, job in missing.items()]:
            job.result()
            print(out.stem, flush=True)


def rule_of_three(errors: int, trials: int) -> float:
    """Upper 95 % bound of an error rate; 3/n when no error was seen."""
    if trials == 0:
        return 1.0
    if errors == 0:
        return min(1.0, 3 / trials)
    p = errors / trials
    return min(1.0, p + 1.645 * (p * (1 - p) / trials) ** 0.5 + 1.5 / trials)


def systems(rule: dict, evidence: np.ndarray) -> dict[str, tuple[np.ndarray, float]]:
    """Scores and threshold of everything that is reported; NaN where there is no answer."""
    column = dict(zip(judge.COLUMNS, evidence.T, strict=True))
    values = np.stack([column[name] for name in judge.SIGNALS], 1)
    own = fuse.trust(rule, "alone", column["own"], column["minifasnet"], values)
    both = fuse.trust(rule, "with_minifasnet", column["own"], column["minifasnet"], values)
    return {
        "vultus-pad": (column["own"], rule["network_threshold"]),
        "default pack": (own, rule["alone"]["threshold"]),
        "MiniFASNet": (column["minifasnet"], MINIFASNET_THRESHOLD),
        "with MiniFASNet": (both, rule["with_minifasnet"]["threshold"]),
    }


def tables(data: dict[str, np.ndarray], compared: dict[str, tuple[np.ndarray, float]]) -> dict:
    """Every figure, by system. A picture without a face is counted apart, as is one that is not
    assessable.
    """
    part, group, species = data["part"], data["group"], data["species"]
    found = ~np.isnan(data["evidence"][:, judge.COLUMNS.index("context")])
    answered = ~np.isnan(data["evidence"]).any(1)
    out: dict = {}
    for name, (score, threshold) in compared.items():
        made: dict = {"threshold": threshold, "clips": [], "tight": []}

        def of(mask: np.ndarray, score: np.ndarray = score) -> np.ndarray:
            return score[mask & answered]

        for kind in ("clip", "talking_head"):
            for g in sorted(set(group[part == kind])):
                for sp in sorted(set(species[(part == kind) & (group == g)])):
                    here = (part == kind) & (group == g) & (species == sp)
                    frames = of(here)
                    middle = float(np.median(frames)) if len(frames) else float("nan")
                    made["clips"].append(
                        {
                            "part": kind,
                            "set": g,
                            "species": sp,
                            "frames": int(here.sum()),
                            "no_face": int((here & ~found).sum()),
                            "not_assessable": int((here & found & ~answered).sum()),
                            "median": middle,
                            "right_side": (middle >= threshold) == (sp == "bona_fide"),
                            "frames_right": float(
                                ((frames >= threshold) == (sp == "bona_fide")).mean()
                            ),
                        }
                    )
        made["clip_frame_auc"] = fuse.auc(
            of((part == "clip") & (species == "bona_fide")),
            of((part == "clip") & (species != "bona_fide")),
        )
        for g in sorted(set(group[part == "tight"])):
            for sp in sorted(set(species[(part == "tight") & (group == g)])):
                here = (part == "tight") & (group == g) & (species == sp)
                right = (of(here) >= threshold) == (sp == "bona_fide")
                made["tight"].append(
                    {
                        "set": g,
                        "species": sp,
                        "crops": int(here.sum()),
                        "no_face": int((here & ~found).sum()),
                        "not_assessable": int((here & found & ~answered).sum()),
                        "wrong": int((~right).sum()),
                    }
                )
        view_2 = of(part == "lfw_view2")
        at_5, wrong = float(np.quantile(view_2, 0.05)), int((view_2 < threshold).sum())
        made["view2"] = {
            "trials": len(view_2),
            "no_face": int(((part == "lfw_view2") & ~found).sum()),
            "not_assessable": int(((part == "lfw_view2") & found & ~answered).sum()),
            "bpcer": wrong / len(view_2),
            "bpcer_upper_95": rule_of_three(wrong, len(view_2)),
        }
        made["simulated"] = {}
        for sp in ("print", "replay"):
            here = (part == "simulated") & (species == sp)
            scores = of(here)
            passed = int((scores >= threshold).sum())
            made["simulated"][sp] = {
                "trials": len(scores),
                "no_face": int((here & ~found).sum()),
                "not_assessable": int((here & found & ~answered).sum()),
                "auc": fuse.auc(view_2, scores),
                "apcer_at_bpcer_5": float((scores >= at_5).mean()),
                "apcer": passed / len(scores),
                "apcer_upper_95": rule_of_three(passed, len(scores)),
            }
        out[name] = made
    return out


def show(made: dict) -> None:
    names = list(made)
    first = made[names[0]]
    print(f"\n{'':56}" + "".join(f"{n:>22}" for n in names))
    print(
        f"{'threshold (bona fide at or above)':56}"
        + "".join(f"{made[n]['threshold']:22.4f}" for n in names)
    )
    print("(a) full-frame clips: median score, share of frames on the right side")
    for i, row in enumerate(first["clips"]):
        label = (
            f"{row['part']} {row['set']} {row['species']}, {row['frames']} ({row['no_face']} no"
            f" face, {row['not_assessable']} n/a)"
        )
        cells = [made[n]["clips"][i] for n in names]
        print(
            f"  {label:54.54}"
            + "".join(
                f"{c['median']:10.3f} {c['frames_right']:6.3f}"
                f" {'ok' if c['right_side'] else 'WRONG':>4}"
                for c in cells
            )
        )
    print(
        f"  {'frame AUC over all clips':54}"
        + "".join(f"{made[n]['clip_frame_auc']:22.4f}" for n in names)
    )
    print("(b) tight crops")
    for i, row in enumerate(first["tight"]):
        label = (
            f"{row['set']} {row['species']}: {row['crops']}, {row['no_face']} no face,"
            f" {row['not_assessable']} not assessable"
        )
        print(f"  {label:54}" + "".join(f"{made[n]['tight'][i]['wrong']:14} wrong" for n in names))
    print(
        "(c) simulated from LFW View 2, settings never trained on: AUC, APCER at BPCER 5 %, APCER"
        " at the threshold"
    )
    for sp in ("print", "replay"):
        cells = [made[n]["simulated"][sp] for n in names]
        label = (
            f"{sp} ({cells[0]['trials']} trials, {cells[0]['no_face']} no face,"
            f" {cells[0]['not_assessable']} n/a)"
        )
        print(
            f"  {label:54}"
            + "".join(
                f"{c['auc']:8.3f} {c['apcer_at_bpcer_5']:6.3f} {c['apcer']:6.3f}" for c in cells
            )
        )
    view_2 = first["view2"]
    print(
        f"(d) LFW View 2 as bona fide ({view_2['trials']} trials, {view_2['no_face']} no face,"
        f" {view_2['not_assessable']} n/a): BPCER, upper 95 % bound"
    )
    print(
        f"  {'':54}"
        + "".join(
            f"{made[n]['view2']['bpcer']:14.4f} {made[n]['view2']['bpcer_upper_95']:7.4f}"
            for n in names
        )
    )
    clips = {
        sp: [r["set"] for r in first["clips"] if r["part"] == "clip" and r["species"] == sp]
        for sp in ("bona_fide", "replay")
    }
    print(
        f"\nHow much this says: (a) is {len(clips['bona_fide'])} bona fide and"
        f" {len(clips['replay'])} replay clips; with no error seen the rule of three bounds"
        f" the\nclip error rate at {min(1.0, 3 / len(clips['replay'])):.0%}, which is no bound. The"
        " frames of one clip are one presentation. No real print is in (a). (c) measures"
        " the\nsimulator as much as the network."
    )


def gathered(
    args: argparse.Namespace,
) -> tuple[dict, dict[str, np.ndarray], dict[str, tuple[np.ndarray, float]]]:
    """The rule, the rows of all parts and what each system says of them."""
    parts = [np.load(path) for path in sorted(args.gathered.glob("*.npz"))]
    data = {
        key: np.concatenate([part[key] for part in parts])
        for key in ("evidence", "part", "group", "species")
    }
    rule = json.loads(args.calibration.read_text())
    return rule, data, systems(rule, data["evidence"])


def record(args: argparse.Namespace) -> None:
    """Writes the errors of each kind of presentations as a record for `vultus-datasets table`."""
    _, data, compared = gathered(args)
    answered, rows = ~np.isnan(data["evidence"]).any(1), []
    for kind, part, species in KINDS:
        here = (data["part"] == part) & (data["species"] == species)
        # The frames of a clip are one presentation.
        of = data["group"] if part in ("clip", "talking_head") else np.arange(len(here)).astype(str)
        judged = [here & answered & (of == name) for name in sorted(set(of[here & answered]))]
        errors = [
            sum(
                bool((np.median(score[frames]) >= threshold) != (species == "bona_fide"))
                for frames in judged
            )
            for score, threshold in compared.values()
        ]
        rows.append(
            {
                "kind": kind,
                "presentations": len(set(of[here])),
                "judged": len(judged),
                "errors": errors,
            }
        )
    records.write(
        args.out,
        args.pack,
        args.set,
        {"kind": "presentations", "systems": list(compared), "rows": rows},
    )


def report(args: argparse.Namespace) -> None:
    rule, data, compared = gathered(args)
    gap = np.nanmax(
        np.abs(compared["with MiniFASNet"][0] - data["evidence"][:, judge.COLUMNS.index("fused")])
    )
    print(f"the engine's fused score and the rule computed here differ by {gap:.1e} at most")
    made = tables(data, compared)
    show(made)
    for i, name in enumerate(judge.SIGNALS):
        value, part, real = (
            data["evidence"][:, judge.COLUMNS.index(name)],
            data["part"],
            data["species"] == "bona_fide",
        )
        ok = ~np.isnan(value)
        webcam = fuse.auc(value[ok & (part == "clip") & real], value[ok & (part == "clip") & ~real])
        view_2 = value[ok & (part == "lfw_view2")]
        areas = [
            fuse.auc(view_2, value[ok & (part == "simulated") & (data["species"] == sp)])
            for sp in ("print", "replay")
        ]
        print(
            f"{name:14} AUC webcam {webcam:.3f}, print {areas[0]:.3f}, replay {areas[1]:.3f};"
            f" weight {rule['signals'][i]['weight']}"
        )
    if args.json:
        args.json.write_text(json.dumps(made, indent=1) + "\n")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = ask.add_subparsers(required=True)
    verb = verbs.add_parser("gather")
    verb.set_defaults(run=gather)
    verb.add_argument("--datasets", type=pathlib.Path, required=True)
    verb.add_argument("--teacher", type=pathlib.Path, required=True)
    verb.add_argument(
        "--pack", type=pathlib.Path, required=True, help="a pack with both MiniFASNet networks"
    )
    verb.add_argument("--jobs", type=int, default=2)
    verb.add_argument("--out", type=pathlib.Path, required=True)
    for name, run in (("report", report), ("record", record)):
        verb = verbs.add_parser(name)
        verb.set_defaults(run=run)
        verb.add_argument("--gathered", type=pathlib.Path, required=True)
        verb.add_argument(
            "--calibration", type=pathlib.Path, default=HERE.parent / "calibration" / "pad.json"
        )
    verbs.choices["report"].add_argument("--json", type=pathlib.Path)
    verbs.choices["record"].add_argument(
        "--pack", type=pathlib.Path, required=True, help="the pack that `gather` was given"
    )
    verbs.choices["record"].add_argument(
        "--set", default="webcams, talking heads, LFW View 2", help="what was presented"
    )
    verbs.choices["record"].add_argument("--out", type=pathlib.Path, required=True)
    args = ask.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
