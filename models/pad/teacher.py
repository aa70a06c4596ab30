"""The two MiniFASNet networks (Apache-2.0, minivision-ai), as teacher and as the peer in reports."""

from __future__ import annotations

import pathlib

import cv2
import numpy as np
import onnxruntime

_FILES = (("minifasnet_v2_s2.7_80.onnx", 2.7), ("minifasnet_v1se_s4.0_80.onnx", 4.0))


class Teacher:
    def __init__(self, folder: pathlib.Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._nets = [
            (
                onnxruntime.InferenceSession(str(folder / name), options, ["CPUExecutionProvider"]),
                scale,
            )
            for name, scale in _FILES
        ]

    def bona_fide(self, image: np.ndarray, box: tuple[float, float, float, float]) -> float:
        """Mean of the two networks' probability of "bona fide", for an RGB image and a face box."""
        height, width = image.shape[:2]
        x, y, w, h = box
        scores = []
        for net, wanted in self._nets:
            scale = min((height - 1) / h, (width - 1) / w, wanted)
            new_w, new_h = w * scale, h * scale
            left = min(max(x + w / 2 - new_w / 2, 0), width - 1 - new_w)
            top = min(max(y + h / 2 - new_h / 2, 0), height - 1 - new_h)
            part = image[int(top) : int(top + new_h) + 1, int(left) : int(left + new_w) + 1, ::-1]
            pixels = cv2.resize(part, (80, 80)).astype(np.float32).transpose(2, 0, 1)[None]
            logits = net.run(None, {net.get_inputs()[0].name: pixels})[0][0]
            odds = np.exp(logits - logits.max())
            scores.append(odds[1] / odds.sum())
        return float(np.mean(scores))
