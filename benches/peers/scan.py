"""One probe against many references by other means than vultus; the commands are those of
`worker.py`.

The vectors are random and of unit length, as many values as the two embedders give together.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from worker import burst, memory

SIZE, LENGTH, COUNT = 500_000, 320, 10


def vectors() -> np.ndarray:
    found = np.random.default_rng(1).standard_normal((SIZE, LENGTH), np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def by_numpy(references: np.ndarray) -> Callable[[], float]:
    probe = references[7].copy()

    def search() -> float:
        scores = references @ probe
        best = np.argpartition(scores, -COUNT)[-COUNT:]
        return float(scores[best].max())

    return search


def by_faiss(references: np.ndarray, form: str) -> Callable[[], float]:
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.index_factory(LENGTH, form, faiss.METRIC_INNER_PRODUCT)
    index.train(references[:20_000])
    index.add(references)
    probe = references[7:8].copy()
    return lambda: float(index.search(probe, COUNT)[0][0, 0])


def bandwidth(references: np.ndarray) -> Callable[[], float]:
    """Reads as many bytes as a scan in 8-bit integers."""
    data = np.ones(SIZE * LENGTH // 8, np.int64)
    return lambda: float(data.max())


def main() -> None:
    engine = sys.argv[1]
    before = memory("VmRSS")
    make = {
        "numpy": by_numpy,
        "faiss-flat": lambda v: by_faiss(v, "Flat"),
        "faiss-sq8": lambda v: by_faiss(v, "SQ8"),
        "read-bytes": bandwidth,
    }[engine]
    search = make(vectors())
    search()
    print("ready", flush=True)
    for line in sys.stdin:
        command, *words = line.split()
        if command == "burst":
            answer = burst(lambda: [search()], float(words[0]), int(words[1]))
        elif command == "outputs":
            np.array([search()], np.float32).tofile(Path(words[0]))
            answer = {}
        else:
            answer = {"peak_kib": memory("VmHWM"), "before_kib": before}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
