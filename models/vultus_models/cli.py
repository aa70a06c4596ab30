"""The command line: build, list, verify, card, photos, specimen."""

import argparse
import sys
from pathlib import Path

from vultus_models import card, pack
from vultus_models.fault import Fault
from vultus_models.fetch import Fetcher
from vultus_models.manifest import load_all, load_plan
from vultus_models.photos import fetch_photos


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns 0 when it was done, 1 after a fault, which is printed."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except Fault as fault:
        print(f"vultus_models: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "vultus_models: interrupted; what was fetched is kept, run the same command again to"
            " go on",
            file=sys.stderr,
        )
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vultus_models", description="Builds and checks the model packs of vultus."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    build = commands.add_parser(
        "build", help="fetch, check and convert the weights, write the pack folder"
    )
    build.add_argument(
        "--pack", default="default", metavar="NAME", help="which pack (default: %(default)s)"
    )
    build.add_argument(
        "--out",
        type=Path,
        default=Path("build/pack"),
        metavar="DIR",
        help="the pack folder (default: %(default)s)",
    )
    build.add_argument(
        "--with",
        dest="added",
        action="append",
        default=[],
        metavar="ID",
        help="add a weight to the pack; may be repeated",
    )
    build.add_argument(
        "--accept-licence",
        dest="accepted",
        action="append",
        default=[],
        metavar="ID",
        help=(
            "accept the licence of a weight whose licence is unknown or non-commercial; may be"
            " repeated"
        ),
    )
    _add_sources(build)
    build.set_defaults(run=_build)

    listing = commands.add_parser("list", help="list the known weights")
    listing.set_defaults(run=_list)

    verify = commands.add_parser("verify", help="check every file of a pack against its hash")
    verify.add_argument("folder", type=Path, metavar="DIR")
    verify.set_defaults(run=_verify)

    cards = commands.add_parser(
        "card", help="print the model card of a weight, or the table of all"
    )
    cards.add_argument("id", nargs="?", metavar="ID")
    cards.set_defaults(run=_card)

    photos = commands.add_parser("photos", help="fetch the demo photos")
    photos.add_argument(
        "--out",
        type=Path,
        default=Path("build/photos"),
        metavar="DIR",
        help="where to (default: %(default)s)",
    )
    _add_sources(photos)
    photos.set_defaults(run=_photos)

    specimen = commands.add_parser(
        "specimen", help="draw a specimen identity card around a portrait"
    )
    specimen.add_argument("--portrait", type=Path, required=True, metavar="FILE")
    specimen.add_argument("--out", type=Path, required=True, metavar="FILE", help="a PNG file")
    specimen.set_defaults(run=_specimen)
    return parser


def _add_sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("build/cache"),
        metavar="DIR",
        help="keeps what was downloaded (default: %(default)s)",
    )
    parser.add_argument(
        "--from",
        dest="local",
        type=Path,
        metavar="DIR",
        help="look here for packages and files before any registry",
    )
    parser.add_argument("--offline", action="store_true", help="ask no registry")


def _fetcher(options: argparse.Namespace) -> Fetcher:
    return Fetcher(options.cache, options.local, options.offline)


def _build(options: argparse.Namespace) -> None:
    plan = load_plan(options.pack)
    manifests = pack.select(plan, load_all(), options.added, options.accepted)
    state = "built" if pack.build(plan, manifests, options.out, _fetcher(options)) else "up to date"
    size = sum(manifest.converted.bytes for manifest in manifests) / 1e6
    print(f"{options.out}: {state}, {len(manifests)} models, {size:.1f} MB")


def _list(_: argparse.Namespace) -> None:
    included = load_plan("default").models
    rows = [("ID", "TASK", "LICENCE", "USE", "SIZE", "PACK")]
    for manifest in load_all().values():
        where = (
            "default"
            if manifest.id in included
            else "--with" + (" --accept-licence" if manifest.needs_acceptance else "")
        )
        size = f"{manifest.converted.bytes / 1e6:.1f} MB"
        rows.append(
            (manifest.id, manifest.task, manifest.licence.spdx, manifest.licence.use, size, where)
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def _verify(options: argparse.Namespace) -> None:
    models = pack.verify(options.folder)
    for model in models:
        print(f"{model['id']}: ok, sha256 {model['sha256']}")
    print(f"{options.folder}: {len(models)} models verified")


def _card(options: argparse.Namespace) -> None:
    known = load_all()
    if options.id is None:
        print(card.table(known.values()), end="")
    elif options.id in known:
        print(card.card(known[options.id]), end="")
    else:
        raise Fault(f"there is no weight {options.id!r}; known are {', '.join(known)}")


def _photos(options: argparse.Namespace) -> None:
    written = fetch_photos(options.out, _fetcher(options))
    for path in written:
        print(path)
    print(f"{options.out}: {f'{len(written)} photos fetched' if written else 'up to date'}")


def _specimen(options: argparse.Namespace) -> None:
    try:
        from vultus_models.specimen import draw
    except ImportError as error:
        raise Fault("drawing needs Pillow: pip install pillow") from error
    draw(options.portrait, options.out)
    print(options.out)
