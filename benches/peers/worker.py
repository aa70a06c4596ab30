"""One engine in one process: loads a network, then answers the commands of `run.py` on standard
input, one JSON line each.

`burst SECONDS RUNS` runs the network for that long and at least so often; `outputs PATH` writes
what it made of the input, in the order of the ONNX graph, as 32-bit floats; `memory` tells the peak
of the process and what it held before the engine was loaded.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Run = Callable[[], list[Any]]


def onnxruntime(files: Path, task: dict[str, Any], picture: np.ndarray) -> Run:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(
        files / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    return lambda: session.run(None, {task["input"]: picture})


def openvino(files: Path, task: dict[str, Any], picture: np.ndarray, precision: str = "f32") -> Run:
    import openvino as ov

    # With AMX the default would be bfloat16.
    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
    }
    model = ov.Core().compile_model(files / "model.onnx", "CPU", settings)
    request = model.create_infer_request()
    request.set_input_tensor(ov.Tensor(picture, shared_memory=True))

    def run() -> list[Any]:
        request.infer()
        return [request.get_output_tensor(i).data for i in range(len(model.outputs))]

    return run


def openvino_bf16(files: Path, task: dict[str, Any], picture: np.ndarray) -> Run:
    return openvino(files, task, picture, "bf16")


def ncnn(files: Path, task: dict[str, Any], picture: np.ndarray) -> Run:
    import ncnn as runtime

    net = runtime.Net()
    net.opt.num_threads = 1
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = (
        net.opt.use_bf16_storage
    ) = False
    net.load_param(str(files / "model.ncnn.param"))
    net.load_model(str(files / "model.ncnn.bin"))
    planes = runtime.Mat(picture[0]).clone()

    def run() -> list[Any]:
        extractor = net.create_extractor()
        extractor.input("in0", planes)
        return [np.array(extractor.extract(f"out{i}")[1]) for i in range(len(task["outputs"]))]

    return run


def litert(files: Path, task: dict[str, Any], picture: np.ndarray) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    # XNNPACK is its default on a CPU.
    interpreter = Interpreter(str(files / "model.tflite"), num_threads=1)
    place = interpreter.get_input_details()[0]["index"]
    # A file with a batch keeps it; its time is shared out.
    batch = int(interpreter.get_input_details()[0]["shape"][0])
    pixels = np.repeat(picture.transpose(0, 2, 3, 1), batch, 0)
    interpreter.allocate_tensors()
    by_name = {detail["name"]: detail["index"] for detail in interpreter.get_output_details()}
    places = [by_name[name] for name in task["tflite_outputs"]]

    def run() -> list[Any]:
        interpreter.set_tensor(place, pixels)
        interpreter.invoke()
        return [interpreter.get_tensor(index)[:1] for index in places]

    run.batch = batch
    return run


def opencv(files: Path, task: dict[str, Any], picture: np.ndarray) -> Run:
    import cv2

    cv2.setNumThreads(1)
    net = cv2.dnn.readNetFromONNX(str(files / "model.onnx"))

    def run() -> list[Any]:
        net.setInput(picture)
        return list(net.forward(task["outputs"]))

    return run


ENGINES = {
    "onnxruntime": onnxruntime,
    "openvino": openvino,
    "openvino-bf16": openvino_bf16,
    "ncnn": ncnn,
    "litert": litert,
    "opencv": opencv,
}


def memory(field: str) -> int:
    """Returns a field of this process's status in KiB."""
    status = Path("/proc/self/status").read_text()
    return int(
        next(line for line in status.splitlines() if line.startswith(field + ":")).split()[1]
    )


def burst(run: Run, seconds: float, least: int) -> dict[str, Any]:
    batch = getattr(run, "batch", 1)
    times, cpu, start = [], time.process_time(), time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < least:
        before = time.perf_counter()
        run()
        times.append((time.perf_counter() - before) * 1e3 / batch)
    return {"ms": times, "cpu_ms": (time.process_time() - cpu) * 1e3 / len(times) / batch}


def main() -> None:
    engine, files = sys.argv[1], Path(sys.argv[2])
    task = json.loads((files / "task.json").read_text())
    picture = np.fromfile(files / "input.f32", np.float32).reshape(task["shape"])
    before = memory("VmRSS")
    run = ENGINES[engine](files, task, picture)
    run()
    print("ready", flush=True)
    for line in sys.stdin:
        command, *words = line.split()
        if command == "burst":
            answer = burst(run, float(words[0]), int(words[1]))
        elif command == "outputs":
            np.concatenate([np.asarray(output, np.float32).ravel() for output in run()]).tofile(
                words[0]
            )
            answer = {}
        else:
            answer = {"peak_kib": memory("VmHWM"), "before_kib": before}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
