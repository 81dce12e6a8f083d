"""A 1024 x 1024 face photograph: the shipped tagger against dwtDctSvd and RivaGAN, in turn, on one core.

Detection, alignment and pasting are part of ours; the rivals see the whole picture and look for nothing.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from skimage import data

ROUNDS = 3
BITS = [0, 1] * 16


def photograph() -> np.ndarray:
    """The astronaut's portrait (public domain, comes with scikit-image) at 1024 x 1024, RGB uint8."""
    return cv2.resize(data.astronaut(), (1024, 1024), interpolation=cv2.INTER_CUBIC)


def measure() -> dict[str, float]:
    """Median seconds of embedding, and of embedding and reading, of each; their ratios, ours to theirs."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    picture = photograph()
    pairs = {"faketagger": _ours(picture), "dwtDctSvd": _rival(picture, "dwtDctSvd"), "rivaGan": _riva(picture)}
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in pairs}
    for turn in range(ROUNDS + 1):
        for name, (embed, read) in pairs.items():
            start = time.perf_counter()
            marked = embed()
            between = time.perf_counter()
            read(marked)
            if turn:  # the first one warms up
                spent[name].append((between - start, time.perf_counter() - start))
    found = {f"{name}_s": statistics.median(both for _, both in times) for name, times in spent.items()}
    for name in ("dwtDctSvd", "rivaGan"):
        both = zip(spent["faketagger"], spent[name], strict=True)
        found[f"embed_and_read_to_{name}"] = statistics.median(ours[1] / theirs[1] for ours, theirs in both)
    embeds = zip(spent["faketagger"], spent["dwtDctSvd"], strict=True)
    return {**found, "ratio": statistics.median(ours[0] / theirs[0] for ours, theirs in embeds), "target": 1.0}


def _ours(picture: np.ndarray) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    from faketagger import load

    tagger = load("face-128")
    return lambda: tagger.embed(picture, 1), tagger.read


def _rival(picture: np.ndarray, method: str) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    from imwatermark import WatermarkDecoder, WatermarkEncoder

    encoder, decoder = WatermarkEncoder(), WatermarkDecoder("bits", len(BITS))
    encoder.set_watermark("bits", BITS)
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return lambda: encoder.encode(bgr, method), lambda marked: decoder.decode(marked, method)


def _riva(picture: np.ndarray) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    import imwatermark
    import onnxruntime
    from imwatermark.rivaGan import RivaWatermark

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    folder = imwatermark.__path__[0]  # sessions of our own: those of the package take every core
    RivaWatermark.encoder, RivaWatermark.decoder = (
        onnxruntime.InferenceSession(f"{folder}/rivagan_{name}.onnx", options) for name in ("encoder", "decoder")
    )
    return _rival(picture, "rivaGan")


if __name__ == "__main__":
    for key, value in measure().items():
        print(f"{key} {value:.4g}")
