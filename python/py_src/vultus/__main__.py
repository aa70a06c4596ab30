"""python -m vultus: verify a picture or a video against a document from the command line."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

EXIT = {"accept": 0, "reject": 1, "inconclusive": 2}
FAULT = 3


class _Parser(argparse.ArgumentParser):
    """A usage error is a fault: 2 would read as inconclusive."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(FAULT, f"{self.prog}: error: {message}\n")


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["attack"]:
        from .attack.cli import main as attack

        return attack(arguments[1:])
    parser = _Parser(prog="vultus", description="On-device biometric verification.")
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser(
        "verify",
        help="decide whether the person of a selfie or a video is the holder of a document",
        epilog="exit status: 0 accept, 1 reject, 2 inconclusive, 3 fault",
    )
    verify.add_argument(
        "selfie", type=Path, nargs="?", help="a picture of the person; or give --video"
    )
    verify.add_argument("document", type=Path)
    verify.add_argument(
        "--video",
        type=Path,
        metavar="CLIP",
        help="a video of the person instead of a picture (needs vultus[video])",
    )
    verify.add_argument(
        "--fmr", type=float, help="false match rate of the operating point (default: 1e-4)"
    )
    verify.add_argument(
        "--comparator", choices=["single", "fused"], help="features to compare (default: fused)"
    )
    verify.add_argument(
        "--precision", choices=["exact", "fast"], default="exact", help="arithmetic of the networks"
    )
    verify.add_argument(
        "--pack", type=Path, help="folder of a model pack (default: the one in the package)"
    )
    verify.add_argument("--json", action="store_true", help="print the whole evidence as JSON")
    verify.add_argument(
        "--annotate",
        type=Path,
        metavar="PNG",
        help="draw boxes, landmarks and reasons into a picture",
    )
    document = commands.add_parser(
        "document",
        help="read the machine-readable zone of an identity document",
        description="Shows what stands in the zone, which is personal. Exit status: 0 when it was"
        " read without doubt, 2 when not, 3 for a fault.",
    )
    document.add_argument("picture", type=Path)
    document.add_argument("--pack", type=Path, default=None, help="a model pack")
    document.add_argument("--json", action="store_true", help="print JSON")
    document.add_argument(
        "--annotate", type=Path, metavar="PNG", help="draw where the zone is into the picture"
    )
    commands.add_parser("attack", help="simulate attacks for evaluation (see `attack --help`)")
    options = parser.parse_args(arguments)
    command = _document if options.command == "document" else _verify
    if command is _verify and (options.selfie is None) == (options.video is None):
        parser.error("give either a selfie and a document, or --video CLIP and a document")
    if command is _verify and options.video and options.annotate:
        parser.error("--annotate shows pictures; it does not go with --video")
    try:
        status = command(options)
        sys.stdout.flush()
    except Exception as error:
        # An answer that was not written is none, and Python's own status would read as a reject.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        print(f"vultus: {type(error).__name__}: {error}", file=sys.stderr)
        return FAULT
    return status


def _verify(options: argparse.Namespace) -> int:
    import vultus

    try:
        engine = vultus.Engine(options.pack, precision=options.precision)
        policy = {"comparator": options.comparator} if options.comparator else {}
        if options.video:
            decision = _verify_video(engine, options, policy)
        else:
            decision = engine.verify(
                options.selfie, options.document, fmr=options.fmr, policy=policy
            )
        if options.annotate:
            options.annotate.write_bytes(
                engine.annotate(decision, options.selfie, options.document)
            )
    except (vultus.VultusError, OSError) as error:
        print(f"vultus: {error}", file=sys.stderr)
        return FAULT
    if options.json:
        print(decision.to_json())
    else:
        print(decision)
        if options.video:
            print("\n".join("  " + line for line in str(decision.sequence).splitlines()))
        total = sum(decision.times_ms.values())
        print(
            f"  {total:.0f} ms: "
            + ", ".join(f"{stage} {ms:.1f}" for stage, ms in decision.times_ms.items())
        )
    return EXIT[decision.outcome]


def _document(options: argparse.Namespace) -> int:
    import vultus

    try:
        engine = vultus.Engine(options.pack)
        found = engine.read_document(options.picture)
        if options.annotate:
            options.annotate.write_bytes(engine.annotate(found, options.picture))
    except (vultus.VultusError, OSError) as error:
        print(f"vultus: {error}", file=sys.stderr)
        return FAULT
    if options.json:
        print(found.to_json(personal=True))
    else:
        print(found)
        for name, value in found.personal.items():
            for line in value if name == "lines" else [value]:
                print(f"  {name}: {line}")
    return EXIT["accept"] if found.level else EXIT["inconclusive"]


def _verify_video(engine, options: argparse.Namespace, policy: dict):
    from ._video import frames

    session = engine.session()
    for frame, timestamp_us in frames(options.video, progress=True):
        session.push(frame, timestamp_us)
    return session.verify(options.document, fmr=options.fmr, policy=policy)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # who reads only the beginning has seen enough
    sys.exit(main())
