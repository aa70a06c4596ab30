"""Writes pictures of documents, each beside a `.mrz` with what is printed there, for
`vultus-datasets mrz`: photographs that you have, as they are and changed; and zones that are drawn.

python models/document/material.py --font OCRB.otf --drawn 600 --seed 9 --out FOLDER
python models/document/material.py --pictures FOLDER --truth FOLDER_OF_truth_id_documents.py \
    --out FOLDER
"""

from __future__ import annotations

import argparse
import pathlib
import random
import sys

import cv2
import numpy as np
import render
import text

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
    ask.add_argument("--font", help="OCRB.otf: draws zones")
    ask.add_argument("--drawn", type=int, default=600, help="how many")
    ask.add_argument("--seed", type=int, default=9)
    ask.add_argument("--out", type=pathlib.Path, required=True)
    args = ask.parse_args()
    cv2.setNumThreads(1)
    if args.pictures:
        photographed(args)
    if args.font:
        drawn(args)


def write(path: pathlib.Path, picture: np.ndarray, printed: list[str], *code: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture, code)
    path.with_suffix(".mrz").write_text("\n".join(printed) + "\n", encoding="ascii")


def photographed(args: argparse.Namespace) -> None:
    sys.path.insert(0, args.truth)
    from truth_id_documents import T as truth

    for change, changed in CHANGES.items():
        for name, printed in truth.items():
            printed = [line.replace("Ñ", "N") for line in printed]
            picture = changed(cv2.imread(str(args.pictures / name)))
            write(args.out / change / pathlib.Path(name).with_suffix(".png"), picture, printed)


def zone(r: random.Random) -> list[str]:
    """A zone of made-up text with a state that there is; half of the names are of any letters."""
    lines, state = text.zone(r), r.choice(STATES)
    name = text.name(r)
    if r.random() < 0.5:
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


def drawn(args: argparse.Namespace) -> None:
    """Pages with capitals of 8 to 24 pixels, a little in perspective, through a camera, any way
    up."""
    r = random.Random(args.seed)
    cv2.setRNGSeed(args.seed)
    for index in range(args.drawn):
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
        size = "capitals of 10 pixels and more" if capital >= 10 else "capitals of 8 and 9 pixels"
        path = args.out / size / f"{args.seed}-{index}.jpg"
        write(path, page, printed, cv2.IMWRITE_JPEG_QUALITY, 95)


if __name__ == "__main__":
    main()
