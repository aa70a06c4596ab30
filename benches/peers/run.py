"""Times vultus beside other runtimes on the same weights and the same input, and writes a dated
record.

One process an engine, all on one core and one thread; bursts in turn, the order reversed every
other round, the first runs of a burst dropped. The machine should be idle otherwise. Ratios within
one record mean something, absolute times little.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NATIVE = ("vultus-f32", "vultus-int16", "tract")
NETWORK_ENGINES = (*NATIVE, "onnxruntime", "openvino", "openvino-bf16", "ncnn", "litert", "opencv")
VERIFY_ENGINES = ("vultus-exact", "vultus-fast", "onnxruntime+opencv", "face_recognition")
SCAN_ENGINES = ("vultus-scan", "numpy", "faiss-flat", "faiss-sq8", "read-bytes")
SCRIPTS = {"verify": "pipeline.py", "scan": "scan.py"}
# Not the same arithmetic: shown, and no peer of the ratios.
ASIDE = ("openvino-bf16", "read-bytes")
PACKAGES = (
    "onnxruntime",
    "openvino",
    "ncnn",
    "ai-edge-litert",
    "opencv-python-headless",
    "dlib-bin",
    "face-recognition",
    "numpy",
    "faiss-cpu",
)
DROPPED = 2
# The largest difference from onnxruntime, over the largest value, that floats may have.
EXACT = 1e-5


class Worker:
    """A process that runs one engine."""

    def __init__(self, engine: str, files: Path, worker: Path, core: int) -> None:
        native = engine in NATIVE or engine.startswith("vultus")
        script = HERE / SCRIPTS.get(files.name, "worker.py")
        command = [str(worker)] if native else [sys.executable, str(script)]
        self.engine, self.times, self.cpu = engine, list[float](), list[float]()
        environment = os.environ | {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [*command, engine, str(files)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )

    def ready(self) -> None:
        assert self.process.stdout and self.process.stderr
        for line in self.process.stdout:
            if line.strip() == "ready":
                return
        raise RuntimeError(
            f"{self.engine} does not start: {self.process.stderr.read().strip()[-600:]}"
        )

    def ask(self, command: str) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.engine} ended: {self.process.stderr.read().strip()[-600:]}")
        return json.loads(answer)

    def burst(self, seconds: float) -> None:
        answer = self.ask(f"burst {seconds} {DROPPED + 2}")
        self.times += answer["ms"][min(DROPPED, len(answer["ms"]) - 1) :]
        self.cpu.append(answer["cpu_ms"])

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def compare(found: np.ndarray, expected: np.ndarray) -> float:
    """Returns the largest difference over the largest value."""
    if found.shape != expected.shape or not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1.0))


def measure(
    files: Path, engines: tuple[str, ...], worker: Path, core: int, seconds: float
) -> dict[str, Any]:
    """Returns the rows of one task, taking about `seconds`."""
    workers, rows = [], {}
    for engine in engines:
        if (engine == "vultus-int16" and not (files / "int16.json").is_file()) or (
            engine == "litert" and not (files / "model.tflite").is_file()
        ):
            continue
        started = Worker(engine, files, worker, core)
        try:
            started.ready()
            workers.append(started)
        except RuntimeError as error:
            rows[engine] = {"error": str(error)}
            started.close()
    start = time.monotonic()
    rounds, share = 0, 0.0
    while rounds < 4 or time.monotonic() - start < seconds - share:
        before = time.monotonic()
        for one in workers if rounds % 2 == 0 else reversed(workers):
            one.burst(min(0.12, seconds / len(workers) / 8))
        rounds, share = rounds + 1, time.monotonic() - before
    for one in workers:
        one.ask(f"outputs {files / one.engine}.out")
        memory = one.ask("memory")
        found = np.fromfile(files / f"{one.engine}.out", np.float32)
        times = sorted(one.times)
        rows[one.engine] = {
            "median_ms": round(statistics.median(times), 4),
            "p10_ms": round(times[len(times) // 10], 4),
            "cpu_ms": round(statistics.median(one.cpu), 4),
            "runs": len(times),
            "peak_mib": round(memory["peak_kib"] / 1024, 1),
            "of_which_before_mib": round(memory["before_kib"] / 1024, 1),
        }
        if files.name in SCRIPTS:
            rows[one.engine]["score"] = round(float(found[0]), 5)
        one.close()
    if files.name not in SCRIPTS and (files / "onnxruntime.out").is_file():
        expected = np.fromfile(files / "onnxruntime.out", np.float32)
        for one in workers:
            rows[one.engine]["off_onnxruntime"] = compare(
                np.fromfile(files / f"{one.engine}.out", np.float32), expected
            )
    return {
        "rounds": rounds,
        "engines": {engine: rows[engine] for engine in engines if engine in rows},
    }


def ratios(rows: dict[str, Any]) -> dict[str, Any]:
    """Returns how many times faster vultus is than the best peer, by medians."""
    medians = {engine: row["median_ms"] for engine, row in rows.items() if "median_ms" in row}
    peers = {
        engine: ms
        for engine, ms in medians.items()
        if not engine.startswith("vultus") and engine not in ASIDE
    }
    if not peers:
        return {}
    best = min(peers, key=peers.__getitem__)
    return {"best_peer": best} | {
        e: round(peers[best] / ms, 3) for e, ms in medians.items() if e.startswith("vultus")
    }


def machine() -> dict[str, Any]:
    lines = [
        line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line
    ]
    info = {key.strip(): value.strip() for key, value in lines}
    wanted = ("avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_tile")
    flags = [flag for flag in wanted if flag in info.get("flags", "").split()]
    cores, kernel = os.cpu_count(), platform.release()
    return {
        "cpu": info.get("model name"),
        "family": info.get("cpu family"),
        "model": info.get("model"),
        "flags": flags,
        "cores": cores,
        "kernel": kernel,
    }


def versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def table(name: str, result: dict[str, Any]) -> str:
    lines = [f"{name}: {result['rounds']} rounds, {result['ratios']}"]
    for engine, row in result["engines"].items():
        if "error" in row:
            lines.append(f"  {engine:20} {row['error'].splitlines()[-1]}")
            continue
        off = (
            f"score {row['score']:.4f}"
            if "score" in row
            else f"off {row.get('off_onnxruntime', float('nan')):.1e}"
        )
        own = row["peak_mib"] - row["of_which_before_mib"]
        lines.append(
            f"  {engine:20} median {row['median_ms']:9.3f} ms  p10 {row['p10_ms']:9.3f}  cpu"
            f" {row['cpu_ms']:9.3f}  peak {row['peak_mib']:6.1f} MiB (+{own:.1f})  {off}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tasks", type=Path, required=True, help="the folder that prepare.py wrote"
    )
    parser.add_argument("--worker", type=Path, required=True, help="the program peer-worker")
    parser.add_argument(
        "--only", nargs="*", help="networks to time, `verify` or `scan`; all by default"
    )
    parser.add_argument("--engines", nargs="*", help="engines to time; all by default")
    parser.add_argument("--seconds", type=float, default=20, help="time for each network")
    parser.add_argument(
        "--core",
        type=int,
        default=max(os.sched_getaffinity(0)),
        help="the core that every engine runs on",
    )
    parser.add_argument("--record", type=Path, help="the JSON file to write or to add to")
    args = parser.parse_args()
    names = args.only or sorted(path.name for path in args.tasks.iterdir())
    record: dict[str, Any] = {"tasks": {}}
    if args.record and args.record.is_file():
        record = json.loads(args.record.read_text())
    for name in names:
        engines = {"verify": VERIFY_ENGINES, "scan": SCAN_ENGINES}.get(name, NETWORK_ENGINES)
        engines = tuple(e for e in engines if not args.engines or e in args.engines)
        result = measure(args.tasks / name, engines, args.worker, args.core, args.seconds)
        result["ratios"] = ratios(result["engines"])
        print(table(name, result), flush=True)
        record["tasks"][name] = {"load": round(os.getloadavg()[0], 2), **result}
        record |= {
            "date": datetime.date.today().isoformat(),
            "machine": machine(),
            "versions": versions(),
        }
        record["method"] = (
            "one thread on one core, one process an engine, interleaved bursts, order reversed"
            f" every other round, first {DROPPED} runs dropped"
        )
        if args.record:
            args.record.parent.mkdir(parents=True, exist_ok=True)
            args.record.write_text(json.dumps(record, indent=1) + "\n")
        off = result["engines"].get("vultus-f32", {}).get("off_onnxruntime", 0.0)
        if off > EXACT:
            raise SystemExit(
                f"{name}: vultus-f32 is off onnxruntime by {off:.1e}, more than {EXACT:.0e}"
            )


if __name__ == "__main__":
    main()
