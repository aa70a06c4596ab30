"""Reads pictures of documents by reader.py, beside what is printed on them, as they are and
changed; and drawn lines.

python models/document/evaluate.py --pictures FOLDER --truth FOLDER_OF_truth_id_documents.py \\
    --font OCRB.otf
"""

from __future__ import annotations

import argparse
import pathlib
import random
import sys

import cv2
import numpy as np
import reader
import render
import text

TRAINED = pathlib.Path(__file__).parents[1] / "trained"


def warped(grey: np.ndarray) -> np.ndarray:
    height, width = grey.shape
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    moved = corners + np.float32([[0.06, 0.05], [-0.02, 0.0], [-0.05, -0.04], [0.0, -0.02]]) * [
        width,
        height,
    ]
    turn = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return cv2.warpPerspective(grey, turn, (width, height), borderValue=90)


def recompressed(grey: np.ndarray) -> np.ndarray:
    code = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return cv2.imdecode(code, cv2.IMREAD_GRAYSCALE)


CHANGES = {
    "as it is": lambda g: g,
    "turned by 90": lambda g: np.ascontiguousarray(np.rot90(g, 1)),
    "turned by 180": lambda g: np.ascontiguousarray(np.rot90(g, 2)),
    "turned by 270": lambda g: np.ascontiguousarray(np.rot90(g, 3)),
    "half the size": lambda g: cv2.resize(g, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "warped": warped,
    "blurred": lambda g: cv2.GaussianBlur(g, (0, 0), 0.8),
    "JPEG 60": recompressed,
}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--pictures", type=pathlib.Path, required=True)
    ask.add_argument("--truth", required=True, help="folder of truth_id_documents.py")
    ask.add_argument("--font", help="OCRB.otf: reads drawn lines too")
    ask.add_argument("--networks", type=pathlib.Path, default=TRAINED)
    ask.add_argument("--only", choices=CHANGES, action="append")
    ask.add_argument("--verbose", action="store_true")
    args = ask.parse_args()
    sys.path.insert(0, args.truth)
    from truth_id_documents import T as truth

    cv2.setNumThreads(1)
    names = (f"vultus-mrz-{kind}.onnx" for kind in ("band", "cell"))
    reads = reader.Reader(*(str(args.networks / name) for name in names))
    print("| change | documents exact | lines exact | told as sure | sure and wrong |")
    print("|---|---|---|---|---|")
    for change in args.only or CHANGES:
        documents = lines = sure = wrong = count = 0
        for name, printed in truth.items():
            printed = [line.replace("Ñ", "N") for line in printed]
            grey = cv2.imread(str(args.pictures / name), cv2.IMREAD_GRAYSCALE)
            found = reads.read(CHANGES[change](grey))
            said = found.lines if found else []
            documents += said == printed
            hits = [a == b for a, b in zip(said, printed, strict=False)]
            lines += sum(hits)
            count += len(printed)
            if found and found.sure:
                sure += 1
                wrong += said != printed
            if args.verbose and said != printed:
                print(name, found and (found.score, found.sure), *said, *printed, sep="\n  ")
        print(f"| {change} | {documents} of {len(truth)} | {lines} of {count} | {sure} | {wrong} |")
    if args.font:
        drawn(reads, args.font)


def drawn(reads: reader.Reader, font: str) -> None:
    r = random.Random(99)
    cv2.setRNGSeed(99)
    right = 0
    for _ in range(1000):
        line = random_line(r)
        ink, x0, y0 = render.typeset([line], font, 28, 28 * 0.602, 40, 3)
        ground = render.paper(r, *ink.shape)
        picture = render.inked(r, ink, ground)
        scale = r.uniform(10, 24) / render.capital(font, 28)
        picture = cv2.GaussianBlur(picture, (0, 0), max(0.3, 0.45 / scale))
        picture = cv2.resize(picture, None, fx=scale, fy=scale)
        picture = render.camera(r, picture, 8)
        pitch = 28 * 0.602 * scale
        start = np.array([(x0 * scale) - pitch / 2, y0 * scale])
        end = start + [pitch * len(line), 0]
        at = reader.Line(
            start, end, np.array([0.0, 1.0]), pitch, render.capital(font, 28) * scale, 1.0
        )
        log = reads.posteriors(reads.strip(picture, at, len(line)))
        right += reader.spell(reader.align(log, len(line))[1]) == line
    print(
        f"drawn lines with capitals of 10 to 24 pixels, no rule, place known: {right} of 1000 exact"
    )


def random_line(r: random.Random) -> str:
    return r.choice(text.zone(r))


if __name__ == "__main__":
    main()
