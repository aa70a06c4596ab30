"""One verification of two JPEG files by other means than vultus; the commands are those of
`worker.py`.

`onnxruntime+opencv` is what a good engineer would write on the same weights: the same stages, each
by the tool that is made for it. `face_recognition` is that package as its README shows it.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from worker import burst, memory

# The first looks of the engine: near for a selfie, far for a document.
NEAR = ("blazeface-short", 128, ((8, 2), (16, 6)))
FAR = ("blazeface-full", 192, ((4, 1),))
ARCFACE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    np.float32,
)


def by_onnxruntime(folder: Path) -> Callable[[], float]:
    import cv2
    import onnxruntime as ort

    cv2.setNumThreads(1)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    pack = json.loads((folder / "pack" / "pack.json").read_text())
    entries, shares = (
        {m["id"]: m for m in pack["models"]},
        {e["id"]: e["share"] for e in pack["embedders"]},
    )

    def load(name: str) -> Callable[[np.ndarray], list[np.ndarray]]:
        session = ort.InferenceSession(
            folder / "pack" / entries[name]["file"], options, providers=["CPUExecutionProvider"]
        )
        form = entries[name]["input"]

        def run(picture: np.ndarray) -> list[np.ndarray]:
            size, mean = (picture.shape[1], picture.shape[0]), -form["offset"] / form["scale"]
            blob = cv2.dnn.blobFromImage(
                picture, form["scale"], size, (mean, mean, mean), swapRB=form["colour"] == "rgb"
            )
            return session.run(None, {form["name"]: blob})

        return run

    networks = {
        name: load(name)
        for name in (NEAR[0], FAR[0], "facemesh-468", *shares, "minifasnet-v2", "minifasnet-v1se")
    }
    anchors = {name: _anchors(side, grids) for name, side, grids in (NEAR, FAR)}

    def detect(picture: np.ndarray, detector: tuple) -> np.ndarray:
        name, side, _ = detector
        height, width = picture.shape[:2]
        scale = side / max(height, width)
        small = cv2.resize(
            picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA
        )
        top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
        bottom, right = side - small.shape[0] - top, side - small.shape[1] - left
        boxed = cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_CONSTANT)
        values, logits = networks[name](boxed)
        values, logits = values[0], logits[0, :, 0]
        best = logits.argmax()
        box = values[:, :4].copy()
        box[:, :2] += anchors[name]
        low, high = box[:, :2] - box[:, 2:] / 2, box[:, :2] + box[:, 2:] / 2
        shared = np.clip(np.minimum(high, high[best]) - np.maximum(low, low[best]), 0, None).prod(1)
        union = box[:, 2:].prod(1) + box[best, 2:].prod() - shared
        same = (logits >= 0) & (shared / union > 0.3)
        weights = 1 / (1 + np.exp(-logits[same]))
        points = values[same, :8].reshape(-1, 4, 2).copy()
        points[:, 0] += anchors[name][same]
        points[:, 2:] += anchors[name][same][:, None]
        mean = (points * weights[:, None, None]).sum(0) / weights.sum()
        mean[[0, 2, 3]] -= (left, top)
        return mean / scale

    def square(centre: np.ndarray, extent: float, direction: np.ndarray, side: int) -> np.ndarray:
        a, b = direction / np.hypot(*direction) * extent / side
        half = side / 2
        return np.array([[a, -b, centre[0] - (a - b) * half], [b, a, centre[1] - (a + b) * half]])

    def warp(picture: np.ndarray, inverse: np.ndarray, side: int) -> np.ndarray:
        # Pixel centres are at half coordinates in the maps, at whole ones in OpenCV.
        shift = inverse.copy()
        shift[:, 2] += inverse[:, :2] @ (0.5, 0.5) - 0.5
        return cv2.warpAffine(
            picture, shift, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )

    def mesh(
        picture: np.ndarray, low: np.ndarray, high: np.ndarray, direction: np.ndarray
    ) -> np.ndarray:
        inverse = square((low + high) / 2, (high - low).max() * 1.5, direction, 192)
        points = networks["facemesh-468"](warp(picture, inverse, 192))[0].reshape(468, 3)[:, :2]
        return points @ inverse[:, :2].T + inverse[:, 2]

    def embed(crop: np.ndarray, name: str) -> np.ndarray:
        total = np.zeros(1)
        for view in (crop, crop[:, ::-1]):
            values = networks[name](np.ascontiguousarray(view))[0].ravel()
            total = total + values / np.linalg.norm(values)
        return total / np.linalg.norm(total)

    def pad(picture: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[np.ndarray]:
        scale = min(1.0, 112 / np.sqrt((high - low).prod()))
        reduced = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        views = (
            ("minifasnet-v2", picture, low, high, 2.0),
            ("minifasnet-v2", reduced, low * scale, high * scale, 2.7),
            ("minifasnet-v1se", reduced, low * scale, high * scale, 4.0),
        )
        return [networks[name](part(*view))[0] for name, *view in views]

    def part(picture: np.ndarray, low: np.ndarray, high: np.ndarray, context: float) -> np.ndarray:
        inside = np.array(picture.shape[1::-1]) - 1.0
        size = (high - low) * min(context, *(inside / (high - low)))
        left, top = np.clip((low + high - size) / 2, 0, inside - size)
        right, bottom = int(left + size[0]) + 1, int(top + size[1]) + 1
        return cv2.resize(picture[int(top) : bottom, int(left) : right], (80, 80))

    def take(file: Path, detector: tuple, is_live: bool) -> list[np.ndarray]:
        picture = cv2.imread(str(file))
        centre, size, left_eye, right_eye = detect(picture, detector)
        points = mesh(picture, centre - size / 2, centre + size / 2, right_eye - left_eye)
        points = mesh(picture, points.min(0), points.max(0), points[263] - points[33])
        if is_live:
            pad(picture, points.min(0), points.max(0))
        eyes = points[[33, 133, 159, 145]].mean(0), points[[263, 362, 386, 374]].mean(0)
        five = np.stack([*eyes, points[1], points[61], points[291]])
        crop = warp(picture, _similarity(ARCFACE, five), 112)
        return [embed(crop, name) for name in shares]

    def verify() -> float:
        probe, reference = (
            take(folder / "selfie.jpg", NEAR, True),
            take(folder / "document.jpg", FAR, False),
        )
        return sum(
            share * float(p @ r)
            for share, p, r in zip(shares.values(), probe, reference, strict=True)
        )

    return verify


def _anchors(side: int, grids: tuple) -> np.ndarray:
    centres = []
    for cell, count in grids:
        at = (np.arange(side // cell) + 0.5) * cell
        centres.append(np.repeat(np.stack(np.meshgrid(at, at), -1).reshape(-1, 2), count, 0))
    return np.concatenate(centres)


def _similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Returns the least-squares similarity that takes `source` to `target`."""
    p, q = source - source.mean(0), target - target.mean(0)
    norm = (p**2).sum()
    a, b = (p * q).sum() / norm, (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum() / norm
    turn = np.array([[a, -b], [b, a]])
    return np.column_stack([turn, target.mean(0) - turn @ source.mean(0)])


def by_face_recognition(folder: Path) -> Callable[[], float]:
    import face_recognition

    def verify() -> float:
        known = face_recognition.face_encodings(
            face_recognition.load_image_file(folder / "document.jpg")
        )[0]
        unknown = face_recognition.face_encodings(
            face_recognition.load_image_file(folder / "selfie.jpg")
        )[0]
        face_recognition.compare_faces([known], unknown)
        return float(face_recognition.face_distance([known], unknown)[0])

    return verify


def main() -> None:
    engine, folder = sys.argv[1], Path(sys.argv[2])
    before = memory("VmRSS")
    verify = {"onnxruntime+opencv": by_onnxruntime, "face_recognition": by_face_recognition}[
        engine
    ](folder)
    verify()
    print("ready", flush=True)
    for line in sys.stdin:
        command, *words = line.split()
        if command == "burst":
            answer = burst(
                lambda: [verify()],
                float(words[0]),
                1 if engine == "face_recognition" else int(words[1]),
            )
        elif command == "outputs":
            np.array([verify()], np.float32).tofile(words[0])
            answer = {}
        else:
            answer = {"peak_kib": memory("VmHWM"), "before_kib": before}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
