"""Measures the PAD network, MiniFASNet and their fusion on material that training never saw.

    python models/pad/evaluate.py gather --datasets DIR --teacher DIR --out report.npz
    python models/pad/evaluate.py report --gathered report.npz --weights models/trained/vultus-pad.onnx --json report.json

(a) full-frame webcam clips, (b) tight crops of the same collection, (c) prints and replays of LFW View 2
pictures simulated with settings that training never drew, (d) LFW View 2 as bona fide; also the talking
heads, as bona fide clips.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import pathlib
import sys

import numpy as np
import onnxruntime

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import crop  # noqa: E402
import material  # noqa: E402
import signals  # noqa: E402
import sources  # noqa: E402
import teacher  # noqa: E402

SIMULATED_EVERY = 5
TALKING_HEAD_EVERY = 4
_STATE: dict[str, object] = {}


def _start(datasets: pathlib.Path, teachers: pathlib.Path) -> None:
    _STATE.update(
        datasets=datasets,
        detector=sources.Detector(teachers / "yunet_2023mar_320.onnx"),
        teacher=teacher.Teacher(teachers),
    )


def _row(image: np.ndarray, box: sources.Box | None, part: str, group: str, species: str) -> tuple:
    """What is kept of one presentation; `box` None is a failure to acquire."""
    if box is None:
        blank = np.zeros((crop.INPUT_PX, crop.INPUT_PX, 3), np.uint8)
        return blank, np.nan, np.nan, np.full(len(signals.NAMES), np.nan, np.float32), part, group, species
    placed = crop.place(image.shape[1], image.shape[0], box)
    score = _STATE["teacher"].bona_fide(image, box)
    return crop.cut(image, placed), placed.context, score, signals.vector(image, box), part, group, species


def _tight_box(image: np.ndarray) -> sources.Box:
    """The box in a crop that is the face: found with a border added, else the crop itself."""
    height, width = image.shape[:2]
    rim = int(0.3 * max(height, width))
    found = _STATE["detector"].largest(np.pad(image, ((rim, rim), (rim, rim), (0, 0))))
    return (0, 0, width, height) if found is None else (found[0] - rim, found[1] - rim, found[2], found[3])


def _clip(path: pathlib.Path, part: str, group: str, species: str, every: int) -> list[tuple]:
    rows = []
    for image in sources.clip_frames(path, every):
        image = np.ascontiguousarray(image)
        rows.append(_row(image, _STATE["detector"].largest(image), part, group, species))
    return rows


def _lfw(start: int, stop: int) -> list[tuple]:
    datasets, rows = _STATE["datasets"], []
    for i, (person, number) in list(enumerate(sources.lfw_names(datasets, 2)))[start:stop]:
        name = f"{person}_{number:04d}"
        image = sources.read(datasets / "lfw" / "images" / person / f"{name}.jpg")
        box = _STATE["detector"].most_central(image)
        rows.append(_row(image, box, "lfw_view2", "lfw_view2", "bona_fide"))
        if i % SIMULATED_EVERY or box is None:
            continue
        for label in ("print", "replay"):
            rng = np.random.default_rng([2, i, len(label)])
            camera = material.attack.CameraSettings.draw(rng, "report")
            seed, centre = int(rng.integers(2**31)), (box[0] + box[2] / 2, box[1] + box[3] / 2)
            if label == "print":
                made = material.attack.present_print(
                    image, material.attack.PrintSettings.draw(rng, "report"), camera, seed, face_centre=centre
                )
            else:
                made = material.attack.present_replay(
                    image, material.attack.ReplaySettings.draw(rng, "report"), camera, seed, face_centre=centre
                )
            rows.append(_row(made.image, _STATE["detector"].most_central(made.image), "simulated", "lfw_view2", label))
    return rows


def _tight(folder: pathlib.Path) -> list[tuple]:
    images = (sources.read(path) for path in sorted(folder.glob("*.jpg")))
    return [_row(image, _tight_box(image), "tight", folder.parent.name, folder.name) for image in images]


def gather(args: argparse.Namespace) -> None:
    webcam, jobs = args.datasets / "pad_webcam", []
    for path in sorted(webcam.glob("*/video/*.mp4")):
        jobs.append((_clip, path, "clip", path.parent.parent.name, path.stem, 1))
    for path in sorted((args.datasets / "talking_head").glob("*.mp4")):
        jobs.append((_clip, path, "talking_head", path.stem, "bona_fide", TALKING_HEAD_EVERY))
    for folder in sorted(p for p in webcam.glob("*/*") if p.is_dir() and p.name != "video"):
        jobs.append((_tight, folder))
    count = len(sources.lfw_names(args.datasets, 2))
    jobs += [(_lfw, i, min(i + 500, count)) for i in range(0, count, 500)]
    with concurrent.futures.ProcessPoolExecutor(args.jobs, initializer=_start, initargs=(args.datasets, args.teacher)) as pool:
        rows = [row for done in [pool.submit(*job) for job in jobs] for row in done.result()]
    crops, context, peer, values, part, group, species = (np.array(column) for column in zip(*rows, strict=True))
    np.savez(args.out, crops=crops, context=context, minifasnet=peer, signals=values, part=part, group=group, species=species)
    print(f"wrote {args.out}: {len(crops)} presentations")


def network_scores(weights: pathlib.Path, crops: np.ndarray) -> np.ndarray:
    """Probability of "bona fide" by the ONNX file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    net = onnxruntime.InferenceSession(str(weights), options, ["CPUExecutionProvider"])
    logits = np.concatenate(
        [net.run(None, {"input": (c.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]})[0] for c in crops]
    )
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return odds[:, 0] / odds.sum(1)


def auc(bona_fide: np.ndarray, attack: np.ndarray) -> float:
    """Probability that a bona fide score exceeds an attack score; ties count half."""
    both = np.concatenate([bona_fide, attack])
    _, inverse, counts = np.unique(both, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[: len(bona_fide)].mean() - (len(bona_fide) + 1) / 2) / len(attack))


def rule_of_three(errors: int, trials: int) -> float:
    """Upper 95 % bound of an error rate; 3/n when no error was seen."""
    if trials == 0:
        return 1.0
    if errors == 0:
        return min(1.0, 3 / trials)
    p = errors / trials
    return min(1.0, p + 1.645 * (p * (1 - p) / trials) ** 0.5 + 1.5 / trials)


def tables(data: dict[str, np.ndarray], systems: dict[str, tuple[np.ndarray, float]]) -> dict:
    """Every figure, by system. A failure to acquire is counted apart and has no score."""
    part, group, species, context = (data[k] for k in ("part", "group", "species", "context"))
    acquired = ~np.isnan(context)
    enough = acquired & (np.nan_to_num(context) >= crop.LEAST_CONTEXT)
    out: dict = {}
    for name, (score, threshold) in systems.items():

        def of(which: np.ndarray, score: np.ndarray = score) -> np.ndarray:
            return score[which & acquired]

        made: dict = {"threshold": threshold, "clips": [], "tight": []}
        for kind in ("clip", "talking_head"):
            for g in sorted(set(group[part == kind])):
                for sp in sorted(set(species[(part == kind) & (group == g)])):
                    here = (part == kind) & (group == g) & (species == sp)
                    frames = score[here & enough]
                    middle = float(np.median(frames))
                    right = (middle >= threshold) == (sp == "bona_fide")
                    made["clips"].append(
                        {"part": kind, "set": g, "species": sp, "frames": int(here.sum()), "no_face": int((here & ~acquired).sum()),
                         "not_assessable": int((here & acquired & ~enough).sum()), "median": middle, "right_side": bool(right),
                         "frames_right": float(((frames >= threshold) == (sp == "bona_fide")).mean())}
                    )
        is_clip = (part == "clip") & enough
        made["clip_frame_auc"] = auc(score[is_clip & (species == "bona_fide")], score[is_clip & (species != "bona_fide")])
        for g in sorted(set(group[part == "tight"])):
            here = (part == "tight") & (group == g)
            for sp in sorted(set(species[here]) - {"bona_fide"}):
                made["tight"].append(
                    {"set": g, "species": sp, "bona_fide": int((here & (species == "bona_fide")).sum()),
                     "attacks": int((here & (species == sp)).sum()), "assessable": int((here & enough).sum()),
                     "forced_auc": auc(of(here & (species == "bona_fide")), of(here & (species == sp)))}
                )
        made["tight_mean_auc"] = float(np.mean([row["forced_auc"] for row in made["tight"]]))
        view_2 = of(part == "lfw_view2")
        at_5 = float(np.quantile(view_2, 0.05))
        wrong = int((view_2 < threshold).sum())
        made["view2"] = {
            "trials": len(view_2), "no_face": int(((part == "lfw_view2") & ~acquired).sum()), "bpcer": wrong / len(view_2),
            "bpcer_upper_95": rule_of_three(wrong, len(view_2)),
        }
        made["simulated"] = {}
        for sp in ("print", "replay"):
            here = (part == "simulated") & (species == sp)
            scores, passed = of(here), int((of(here) >= threshold).sum())
            made["simulated"][sp] = {
                "trials": len(scores), "no_face": int((here & ~acquired).sum()), "auc": auc(view_2, scores),
                "apcer_at_bpcer_5": float((scores >= at_5).mean()), "apcer": passed / len(scores),
                "apcer_upper_95": rule_of_three(passed, len(scores)),
            }
        out[name] = made
    return out


def show(made: dict) -> None:
    names = list(made)
    print(f"\n{'':44}" + "".join(f"{n:>22}" for n in names))
    print(f"{'threshold (bona fide at or above)':44}" + "".join(f"{made[n]['threshold']:22.4f}" for n in names))
    print("(a) full-frame clips: median score, share of frames on the right side")
    for i, row in enumerate(made[names[0]]["clips"]):
        label = f"{row['part']} {row['set']} {row['species']} ({row['frames']} frames, {row['no_face']} no face)"
        cells = [made[n]["clips"][i] for n in names]
        print(f"  {label:42.42}" + "".join(f"{c['median']:10.3f} {c['frames_right']:6.3f} {'ok' if c['right_side'] else 'WRONG':>4}" for c in cells))
    print(f"  {'frame AUC over all clips':42}" + "".join(f"{made[n]['clip_frame_auc']:22.4f}" for n in names))
    print("(b) tight crops: assessable / all; AUC if the score were forced")
    for i, row in enumerate(made[names[0]]["tight"]):
        label = f"{row['set']} {row['species']}: {row['assessable']} / {row['bona_fide'] + row['attacks']}"
        print(f"  {label:42}" + "".join(f"{made[n]['tight'][i]['forced_auc']:22.3f}" for n in names))
    print(f"  {'mean':42}" + "".join(f"{made[n]['tight_mean_auc']:22.3f}" for n in names))
    print("(c) simulated from LFW View 2, settings never trained on: AUC, APCER at BPCER 5 %, APCER at the threshold")
    for sp in ("print", "replay"):
        cells = [made[n]["simulated"][sp] for n in names]
        label = f"{sp} ({cells[0]['trials']} trials, {cells[0]['no_face']} no face)"
        print(f"  {label:42}" + "".join(f"{c['auc']:8.3f} {c['apcer_at_bpcer_5']:6.3f} {c['apcer']:6.3f}" for c in cells))
    view_2 = made[names[0]]["view2"]
    print(f"(d) LFW View 2 as bona fide ({view_2['trials']} trials, {view_2['no_face']} no face): BPCER, upper 95 % bound")
    print(f"  {'':42}" + "".join(f"{made[n]['view2']['bpcer']:14.4f} {made[n]['view2']['bpcer_upper_95']:7.4f}" for n in names))
    people = {sp: len({r["set"] for r in made[names[0]]["clips"] if r["part"] == "clip" and r["species"] == sp}) for sp in ("bona_fide", "replay")}
    print(
        f"\nHow much this says: (a) is {people['bona_fide']} bona fide and {people['replay']} replay clips of as many people; with no error seen the rule of"
        f" three bounds the\nclip error rate at {min(1.0, 3 / people['replay']):.0%}, which is no bound. The frames of one clip are one presentation. No real print is in (a)."
        " (c) measures the\nsimulator as much as the network."
    )


def report(args: argparse.Namespace) -> None:
    import fuse

    data = dict(np.load(args.gathered))
    own = network_scores(args.weights, data["crops"])
    rule = json.loads(args.rule.read_text())
    systems = fuse.systems(rule, own, data["minifasnet"], data["signals"])
    made = tables(data, systems)
    show(made)
    if args.json:
        args.json.write_text(json.dumps(made, indent=1) + "\n")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = ask.add_subparsers(required=True)
    verb = verbs.add_parser("gather")
    verb.set_defaults(run=gather)
    verb.add_argument("--datasets", type=pathlib.Path, required=True)
    verb.add_argument("--teacher", type=pathlib.Path, required=True)
    verb.add_argument("--jobs", type=int, default=2)
    verb.add_argument("--out", type=pathlib.Path, required=True)
    verb = verbs.add_parser("report")
    verb.set_defaults(run=report)
    verb.add_argument("--gathered", type=pathlib.Path, required=True)
    verb.add_argument("--weights", type=pathlib.Path, default=HERE.parent / "trained" / "vultus-pad.onnx")
    verb.add_argument("--rule", type=pathlib.Path, default=HERE / "fusion.json")
    verb.add_argument("--json", type=pathlib.Path)
    args = ask.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
