"""Who a face looks like, as 128 numbers: distances below 0.6 mean the same person more often than not.

The network's weights come with the installed package face_recognition_models.

Source: D. King, "High quality face recognition with deep metric learning", dlib 2017 (ResNet-29, 99.38 % on LFW).
"""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faketagger.errors import FaceError

SAME_PERSON = 0.6
"""Distance that dlib's author recommends as the limit between one person and two."""

_MODEL = Path("models") / "dlib_face_recognition_resnet_model_v1.dat"
_local = threading.local()


def embed_face(image: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """Describe a face.

    Args:
        image: (H, W, 3) uint8 sRGB.
        landmarks: (68, 2) pixel coordinates.

    Returns:
        (128,) of which only distances mean something.

    Raises:
        FaceError: If dlib or its model is not installed, or the arrays are no picture with landmarks.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise FaceError(f"Faces are described in H x W x 3 uint8 pictures, not {image.dtype} {image.shape}.")
    if landmarks.shape != (68, 2) or not np.isfinite(landmarks).all():
        raise FaceError("A face is described by 68 landmarks; some are missing.")
    dlib, network = _network()
    low, high = np.floor(landmarks.min(0)).astype(int), np.ceil(landmarks.max(0)).astype(int)
    box = dlib.rectangle(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    points = [dlib.point(round(float(x)), round(float(y))) for x, y in landmarks]
    shape = dlib.full_object_detection(box, points)
    return np.asarray(network.compute_face_descriptor(np.ascontiguousarray(image), shape), dtype=np.float64)


def face_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Euclidean distance of two embeddings.

    Args:
        a: (128,).
        b: (128,).
    """
    return float(np.linalg.norm(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)))


def _network() -> tuple[Any, Any]:
    """dlib and one network a thread."""
    if "network" not in _local.__dict__:
        try:
            import dlib
        except ImportError as error:
            raise FaceError(f"dlib cannot be loaded ({error}).", "pip install dlib-bin") from error
        spec = importlib.util.find_spec("face_recognition_models")
        folders = list(spec.submodule_search_locations or []) if spec else []
        model = Path(folders[0]) / _MODEL if folders else _MODEL
        if not model.is_file():
            raise FaceError("dlib's face recognition model is missing.", "pip install face-recognition-models")
        _local.network = (dlib, dlib.face_recognition_model_v1(str(model)))
    found: tuple[Any, Any] = _local.network
    return found
