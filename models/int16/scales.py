"""Makes pictures with faces of many sizes, and a list of them, for the ranges of a detector.

Reads the LFW pictures that View 1 names and View 2 does not, every ninth; puts them side by side
into frames of 1280 x 960, from one to sixteen in a row. The list names the pictures, the frames and
whatever else is given.
"""

import argparse
import random
from pathlib import Path

from PIL import Image

FRAME = (1280, 960)
ACROSS = (1, 2, 3, 5, 8, 12, 16)
FRAMES_EACH = 6


def named(pairs: Path) -> set[str]:
    """Returns the pictures that a list of LFW pairs names, as paths below its root."""
    pictures = set()
    for line in pairs.read_text().splitlines():
        match line.split("\t"):
            case [name, first, second]:
                people = [(name, first), (name, second)]
            case [one, first, other, second]:
                people = [(one, first), (other, second)]
            case _:
                continue
        pictures |= {f"images/{person}/{person}_{int(number):04d}.jpg" for person, number in people}
    return pictures


def frame(pictures: list[Path], across: int, draw: random.Random) -> Image.Image:
    side = FRAME[0] // across
    frame = Image.new("RGB", FRAME, tuple(draw.randrange(256) for _ in range(3)))
    for top in range(0, FRAME[1] - side // 2, side):
        for left in range(0, FRAME[0], side):
            with Image.open(draw.choice(pictures)) as picture:
                frame.paste(picture.resize((side, side), Image.Resampling.BOX), (left, top))
    return frame


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="the folder of LFW")
    parser.add_argument(
        "--out", type=Path, required=True, help="the folder for the frames and list.txt"
    )
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="more pictures")
    args = parser.parse_args()
    allowed = named(args.root / "pairsDevTrain.txt") | named(args.root / "pairsDevTest.txt")
    pictures = [args.root / name for name in sorted(allowed - named(args.root / "pairs.txt"))][::9]
    args.out.mkdir(parents=True, exist_ok=True)
    draw, paths = random.Random(1), [*pictures, *args.also]
    for across in ACROSS:
        for number in range(FRAMES_EACH):
            paths.append(args.out / f"{across}-{number}.png")
            frame(pictures, across, draw).save(paths[-1])
    (args.out / "list.txt").write_text("".join(f"{path}\n" for path in paths))
    print(f"{len(pictures)} pictures of LFW, {len(paths)} in all")


if __name__ == "__main__":
    main()
