"""Reads pictures of documents by the engine, beside what is printed on them, as they are and
changed; and zones that are drawn.

python models/document/evaluate.py --font OCRB.otf [--drawn 600]
python models/document/evaluate.py --pictures FOLDER --truth FOLDER_OF_truth_id_documents.py
"""

from __future__ import annotations

import argparse
import pathlib
import random
import sys
import time

import cv2
import numpy as np
import render
import text
import vultus

STATES = [
    "USA",
    "DEU",
    "FRA",
    "GBR",
    "ESP",
    "ITA",
    "NLD",
    "POL",
    "CAN",
    "CHE",
    "AUT",
    "JPN",
    "IND",
    "CHN",
    "BRA",
    "MEX",
    "UTO",
    "SWE",
    "NOR",
    "FIN",
]
FAMILY = [
    "ERIKSSON",
    "SMITH",
    "MUELLER",
    "GARCIA",
    "ROSSI",
    "NOWAK",
    "DUBOIS",
    "TANAKA",
    "SINGH",
    "WANG",
    "SILVA",
    "DODD",
    "QUINN",
]
GIVEN = [
    "ANNA",
    "MARIA",
    "JOHN",
    "PETER",
    "LEE",
    "OLGA",
    "IVAN",
    "CHARLOTTE",
    "JEAN",
    "LUC",
    "FATIMA",
    "AHMED",
    "WEI",
    "JUAN",
    "CARMEN",
]


def warped(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    moved = corners + np.float32([[0.06, 0.05], [-0.02, 0.0], [-0.05, -0.04], [0.0, -0.02]]) * [
        width,
        height,
    ]
    turn = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return cv2.warpPerspective(picture, turn, (width, height), borderValue=(90, 90, 90))


def recompressed(picture: np.ndarray) -> np.ndarray:
    code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return cv2.imdecode(code, cv2.IMREAD_COLOR)


def half(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


CHANGES = {
    "as it is": lambda p: p,
    "turned by 90": lambda p: np.ascontiguousarray(np.rot90(p, 1)),
    "turned by 180": lambda p: np.ascontiguousarray(np.rot90(p, 2)),
    "turned by 270": lambda p: np.ascontiguousarray(np.rot90(p, 3)),
    "half the size": half,
    "warped": warped,
    "blurred": lambda p: cv2.GaussianBlur(p, (0, 0), 0.8),
    "JPEG 60": recompressed,
}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--pictures", type=pathlib.Path)
    ask.add_argument("--truth", help="folder of truth_id_documents.py")
    ask.add_argument("--font", help="OCRB.otf: reads drawn zones")
    ask.add_argument("--drawn", type=int, default=600, help="how many")
    ask.add_argument("--seed", type=int, default=9)
    ask.add_argument("--only", choices=CHANGES, action="append")
    ask.add_argument("--verbose", action="store_true", help="print what was read otherwise")
    args = ask.parse_args()
    cv2.setNumThreads(1)
    engine = vultus.Engine()
    if args.pictures:
        photographed(engine, args)
    if args.font:
        drawn(engine, args)


def photographed(engine: vultus.Engine, args: argparse.Namespace) -> None:
    sys.path.insert(0, args.truth)
    from truth_id_documents import T as truth

    print("| change | documents exact | lines exact | level read | read and wrong |")
    print("|---|---|---|---|---|")
    for change in args.only or CHANGES:
        documents = lines = read = wrong = count = 0
        for name, printed in truth.items():
            printed = [line.replace("Ñ", "N") for line in printed]
            picture = cv2.imread(str(args.pictures / name))
            found = engine.read_document(CHANGES[change](picture), colour="bgr")
            said = found.personal.get("lines", [])
            documents += said == printed
            lines += sum(a == b for a, b in zip(said, printed, strict=False))
            count += len(printed)
            read += found.level is not None
            wrong += found.level is not None and said != printed
            if args.verbose and said != printed:
                print(name, found, *said, *printed, sep="\n  ")
        print(f"| {change} | {documents} of {len(truth)} | {lines} of {count} | {read} | {wrong} |")


def zone(r: random.Random) -> list[str]:
    """A zone of made-up text with a state and names that there are."""
    lines, state = text.zone(r), r.choice(STATES)
    name = f"{r.choice(FAMILY)}<<{'<'.join(r.sample(GIVEN, r.randint(1, 2)))}"
    if len(lines) == 3:
        first, second = lines[0], lines[1]
        return [
            first[:2] + state + first[5:],
            second[:15] + state + second[18:],
            text.fill(name, 30),
        ]
    first, second = lines
    return [
        first[:2] + state + text.fill(name, len(first) - 5),
        second[:10] + state + second[13:],
    ]


def drawn(engine: vultus.Engine, args: argparse.Namespace) -> None:
    """Pages with capitals of 8 to 24 pixels, a little in perspective, through a camera, any way
    up."""
    r = random.Random(args.seed)
    cv2.setRNGSeed(args.seed)
    exact = large = exact_large = read = wrong = 0
    times = []
    for _ in range(args.drawn):
        printed = zone(r)
        ink, _, _ = render.typeset(printed, args.font, 28, 28 * 0.602, r.uniform(1.5, 2.0) * 28, 3)
        picture = render.inked(r, ink, render.paper(r, *ink.shape))
        capital = r.uniform(8, 24)
        scale = capital / render.capital(args.font, 28)
        picture = cv2.GaussianBlur(picture, (0, 0), max(0.3, 0.45 / scale))
        picture = cv2.resize(picture, None, fx=scale, fy=scale)
        height, width = picture.shape
        page = render.paper(r, int(height * r.uniform(1.5, 6)), int(width * r.uniform(1.02, 1.3)))
        top, left = r.randint(0, page.shape[0] - height), r.randint(0, page.shape[1] - width)
        page[top : top + height, left : left + width] = picture
        height, width = page.shape
        corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
        off = 0.015 * width
        moved = corners + np.float32([[r.uniform(-off, off) for _ in "xy"] for _ in range(4)])
        turn = cv2.getPerspectiveTransform(corners, moved)
        page = cv2.warpPerspective(
            page.astype(np.float32), turn, (width, height), borderMode=cv2.BORDER_REPLICATE
        )
        page = np.ascontiguousarray(np.rot90(render.camera(r, page, capital), r.randrange(4)))
        start = time.perf_counter()
        found = engine.read_document(page, colour="grey")
        times.append(1e3 * (time.perf_counter() - start))
        is_exact = found.personal.get("lines") == printed
        exact += is_exact
        large += capital >= 10
        exact_large += is_exact and capital >= 10
        read += found.level is not None
        wrong += found.level is not None and not is_exact
    print(
        f"{args.drawn} drawn: {exact} exact, {exact_large} of {large} with capitals of 10 pixels"
        f" and more; {read} of level read, {wrong} of them wrong; {np.median(times):.0f} ms"
    )


if __name__ == "__main__":
    main()
