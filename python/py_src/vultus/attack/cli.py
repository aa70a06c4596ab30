"""`python -m vultus.attack VERB IN OUT`: makes simulated attacks out of stills and clips.

Beside each output lies OUT.json, which names the attack, its seed, its settings and, for clips, the
timestamps of the frames in microseconds, repeated and backward ones included.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import clips, faces, frames, marking, paper, screen
from .camera import CameraSettings, encode_jpeg
from .settings import SPLITS, Settings


def _settings(kind: type[Settings], args: argparse.Namespace, rng: np.random.Generator) -> Any:
    """Drawn by the seed, then changed by --set NAME=VALUE where the name is one of `kind`."""
    drawn, changed = kind.draw(rng, args.split), {}
    for field in dataclasses.fields(kind):
        if field.name in args.set:
            text = args.set[field.name]
            try:
                changed[field.name] = text if "choices" in field.metadata else float(text)
            except ValueError as error:
                raise ValueError(f"{field.name} is {text!r}, allowed is a number") from error
            args.unused.discard(field.name)
    return dataclasses.replace(drawn, **changed)


def _assignments(pairs: Sequence[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise ValueError(f"--set is {pair!r}, allowed is NAME=VALUE")
    return dict(pair.split("=", 1) for pair in pairs)


Landmarks = Callable[[np.ndarray, int], np.ndarray | None]


def _landmarks(path: pathlib.Path | None) -> Landmarks:
    """Landmarks of frame i: from a JSON file, [[x, y], ...] for all frames or [[[x, y], ...], ...]
    one a frame; without a file the engine places them, and there are none where it finds no
    face.
    """
    if path is None:
        return _placed()
    points = json.loads(path.read_text())
    if np.ndim(points[0]) == 1:
        return lambda image, i: np.asarray(points, np.float64)

    def of(image: np.ndarray, i: int) -> np.ndarray:
        if i >= len(points):
            raise ValueError(f"{path} has landmarks of {len(points)} frames, frame {i} has none")
        return np.asarray(points[i], np.float64)

    return of


def _placed() -> Landmarks:
    import vultus

    engine = vultus.Engine()

    def of(image: np.ndarray, i: int) -> np.ndarray | None:
        face = engine.examine(image, colour="rgb").face
        return None if face is None else np.asarray(face.landmarks, np.float64)

    return of


def _presented(
    args: argparse.Namespace, kind: type[Settings], present: Callable[..., Any]
) -> tuple[Callable, dict]:
    rng = np.random.default_rng(args.seed)
    settings, camera = _settings(kind, args, rng), _settings(CameraSettings, args, rng)
    background = clips.read_still(args.background) if args.background else None
    facts = {"settings": dataclasses.asdict(settings), "camera": dataclasses.asdict(camera)}
    return (
        lambda image, i: (
            present(image, settings, camera, args.seed, background=background, frame=i).image
        ),
        facts,
    )


def _manipulated(args: argparse.Namespace) -> tuple[Callable, dict]:
    settings = _settings(faces.BlendSettings, args, np.random.default_rng(args.seed))
    landmarks, left = _landmarks(args.landmarks), []
    facts = {"settings": dataclasses.asdict(settings), "frames_left_as_they_are": left}

    def change(image: np.ndarray, i: int) -> np.ndarray:
        points = landmarks(image, i)
        if points is None:
            left.append(i)
            return image
        if args.verb == "selfblend":
            return faces.self_blend(image, points, settings, args.seed + i)
        return faces.face_swap(image, points, donor, donor_points, settings, args.seed + i)

    if args.verb == "faceswap":
        donor = clips.read_still(args.donor)
        donor_points = (
            landmarks if args.donor_landmarks is None else _landmarks(args.donor_landmarks)
        )(donor, 0)
        if donor_points is None:
            raise ValueError(f"no face was found in {args.donor.name}; give its landmarks")
    return change, facts


def _order(args: argparse.Namespace, count: int) -> list[int]:
    """Which source frame each output frame shows."""
    index = range(count)
    if args.verb == "freeze":
        return frames.freeze(index, args.start, args.count)
    if args.verb == "loop":
        return frames.loop(index, args.start, args.period, args.times)
    if args.verb == "duplicate":
        return frames.duplicate(index, args.every)
    if args.verb == "reverse":
        return frames.reverse(index, args.start, args.count)
    return list(index)


def _run(args: argparse.Namespace) -> None:
    args.set = _assignments(args.set)
    args.unused = set(args.set)
    facts: dict[str, Any] = {
        "simulated_attack": args.verb,
        "seed": args.seed,
        "source": args.source.name,
    }
    change: Callable[[np.ndarray, int], np.ndarray] = lambda image, i: image  # noqa: E731
    if args.verb == "print":
        change, more = _presented(args, paper.PrintSettings, paper.present_print)
    elif args.verb == "replay":
        change, more = _presented(args, screen.ReplaySettings, screen.present_replay)
    elif args.verb in ("selfblend", "faceswap"):
        change, more = _manipulated(args)
    elif args.verb == "reencode":
        change, more = (
            lambda image, i: encode_jpeg(image, args.quality),
            {"quality": args.quality, "crf": args.crf},
        )
    else:
        more = {}
    facts |= more
    if args.unused:
        raise ValueError(f"--set {', '.join(sorted(args.unused))}: no such setting of {args.verb}")

    if clips.is_still(args.source) != clips.is_still(args.out):
        raise ValueError(
            f"{args.source.name} and {args.out.name}: allowed is still to still or clip to clip"
        )
    if clips.is_still(args.source):
        if args.verb not in ("print", "replay", "selfblend", "faceswap", "reencode"):
            raise ValueError(
                f"{args.verb} changes the order or timing of frames: allowed is a clip, not"
                f" {args.source.name}"
            )
        made = change(clips.read_still(args.source), 0)
        if facts.get("frames_left_as_they_are"):
            raise ValueError(f"no face was found in {args.source.name}; give landmarks")
        clips.write_still(args.out, marking.mark(made))
    else:
        shown, at_us = clips.read_clip(args.source, args.frames)
        order = _order(args, len(shown))
        period = float(np.median(np.diff(at_us))) if len(at_us) > 1 else 1e6 / 30
        if args.verb == "timestamps":
            at_us = frames.timestamps(len(order), args.pattern, args.rate, args.seed)
            facts["pattern"] = args.pattern
        else:
            at_us += [round(at_us[-1] + period * (i + 1)) for i in range(len(order) - len(at_us))]
        marked = (marking.mark(change(shown[source], i)) for i, source in enumerate(order))
        clips.write_clip(
            args.out, marked, at_us[: len(order)], args.crf if args.verb == "reencode" else 18
        )
        if len(facts.get("frames_left_as_they_are", ())) == len(order):
            raise ValueError(
                f"no face was found in any frame of {args.source.name}; give landmarks"
            )
        facts |= {"source_frames": order, "timestamps_us": at_us[: len(order)]}
    args.out.with_name(args.out.name + ".json").write_text(json.dumps(facts, indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    ask = argparse.ArgumentParser(
        prog="python -m vultus.attack", description=__doc__.splitlines()[0]
    )
    verbs = ask.add_subparsers(dest="verb", required=True)

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=text)
        made.add_argument("source", type=pathlib.Path, metavar="IN")
        made.add_argument("out", type=pathlib.Path, metavar="OUT")
        made.add_argument("--seed", type=int, default=0)
        made.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a setting; others are drawn by the seed",
        )
        made.add_argument(
            "--frames", type=int, metavar="N", help="the first N frames of a clip only"
        )
        made.add_argument(
            "--split", choices=SPLITS, default="all", help="which settings may be drawn"
        )
        return made

    for name, text in (
        ("print", "a printed picture held before the camera"),
        ("replay", "a display held before the camera"),
    ):
        verb(name, text).add_argument(
            "--background", type=pathlib.Path, help="what stands behind it; default: a drawn room"
        )
    for name, text in (
        ("selfblend", "the face blended with itself"),
        ("faceswap", "another identity warped over the face"),
    ):
        made = verb(name, text)
        made.add_argument(
            "--landmarks",
            type=pathlib.Path,
            help="JSON: [[x, y], ...], or one such list a frame (default: the engine's)",
        )
        if name == "faceswap":
            made.add_argument("--donor", type=pathlib.Path, required=True)
            made.add_argument(
                "--donor-landmarks",
                type=pathlib.Path,
                help="as --landmarks, of the donor's picture",
            )
    for name, text in (
        ("freeze", "one frame shown for many"),
        ("reverse", "frames played backwards after themselves"),
    ):
        made = verb(name, text)
        made.add_argument("--start", type=int, default=0)
        made.add_argument("--count", type=int, default=15)
    made = verb("loop", "frames played over and over")
    made.add_argument("--start", type=int, default=0)
    made.add_argument("--period", type=int, default=15)
    made.add_argument("--times", type=int, default=3)
    verb("duplicate", "each n-th frame replaced by the one before").add_argument(
        "--every", type=int, default=5
    )
    made = verb("timestamps", "the timing of a virtual camera")
    made.add_argument("--pattern", choices=frames.TIMESTAMP_PATTERNS, default="exact")
    made.add_argument("--rate", type=float, default=30.0, help="frames a second")
    made = verb("reencode", "lossy coding once more: JPEG, for clips then H.264")
    made.add_argument("--quality", type=int, default=60)
    made.add_argument("--crf", type=int, default=30)
    return ask


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; returns the exit status: 0, or 2 after a message on standard error."""
    args = parser().parse_args(arguments)
    try:
        _run(args)
    except (ValueError, OSError, RuntimeError) as error:
        print(f"vultus.attack: {error}", file=sys.stderr)
        return 2
    return 0
