"""Embedding a 1024 x 1024 face photograph: the shipped tagger against invisible-watermark's dwtDctSvd, in turn."""

import statistics
import time

import cv2
import numpy as np
import torch
from skimage import data

ROUNDS = 7


def photograph() -> np.ndarray:
    """The astronaut's portrait (public domain, comes with scikit-image) at 1024 x 1024, RGB uint8."""
    return cv2.resize(data.astronaut(), (1024, 1024), interpolation=cv2.INTER_CUBIC)


def measure() -> dict[str, float]:
    """Median seconds of each and their ratio; detection, alignment and pasting are part of ours."""
    from imwatermark import WatermarkEncoder

    from faketagger import load

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    picture = photograph()
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    rival = WatermarkEncoder()
    rival.set_watermark("bits", [0, 1] * 16)
    tagger = load("face-128")
    tagger.embed(picture, 1)
    rival.encode(bgr, "dwtDctSvd")
    ours, theirs = [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        tagger.embed(picture, 1)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        rival.encode(bgr, "dwtDctSvd")
        theirs.append(time.perf_counter() - start)
    return {
        "faketagger_s": statistics.median(ours),
        "dwtDctSvd_s": statistics.median(theirs),
        "ratio": statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
        "target": 1.0,
    }
