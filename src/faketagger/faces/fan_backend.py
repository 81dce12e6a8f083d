"""The face-alignment package as backend: a neural detector and 68-point network, used where its weights are.

Source: A. Bulat and G. Tzimiropoulos, "How far are we from solving the 2D & 3D face alignment problem?", ICCV 2017.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np

from faketagger.errors import FaceError
from faketagger.faces.face import Face

_MAX_SIDE = 1024
_DETECTOR_FILE = "s3fd-619a316812.pth"
_LANDMARK_FILE = "2DFAN4-11f355bf06.pth.tar"


def weights_present() -> bool:
    """Whether the package is installed and both of its weight files lie in torch's download cache."""
    if importlib.util.find_spec("face_alignment") is None:
        return False
    folder = _hub() / "checkpoints"
    return all((folder / name).is_file() for name in (_DETECTOR_FILE, _LANDMARK_FILE))


def _hub() -> Path:
    """``torch.hub.get_dir()``, told without the seconds that importing torch costs every face finder's process."""
    if "torch" in sys.modules:
        return Path(sys.modules["torch"].hub.get_dir())
    home = os.environ.get("TORCH_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "torch")
    return Path(home).expanduser() / "hub"


class FanBackend:
    """Finder made of S3FD and 2DFAN; downloads its weights at first use.

    Raises:
        FaceError: If the package or its weights cannot be had.
    """

    name = "face_alignment"

    def __init__(self) -> None:
        try:
            import face_alignment
            import torch

            self._aligner = face_alignment.FaceAlignment(
                face_alignment.LandmarksType.TWO_D,
                device="cuda" if torch.cuda.is_available() else "cpu",
                compile=False,
            )
        except Exception as error:
            raise FaceError(
                f"The face_alignment backend cannot start ({error}).",
                'Its weights are downloaded at first use; offline, choose backend="dlib".',
            ) from error

    def find(self, image: np.ndarray) -> list[Face]:
        """Find faces.

        Args:
            image: (H, W, 3) uint8 sRGB.

        Returns:
            The faces in any order.
        """
        import cv2

        scale = min(1.0, _MAX_SIDE / max(image.shape[:2]))
        small = image
        if scale < 1.0:
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        factor = np.array([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]])
        shapes, _, boxes = self._aligner.get_landmarks_from_image(small, return_bboxes=True) or ([], [], [])
        return [
            Face(
                ((np.asarray(shape) + 0.5) * factor - 0.5).astype(np.float32),
                (np.asarray(box[:4]) * np.tile(factor, 2)).astype(np.float32),
                float(box[4]),
            )
            for shape, box in zip(shapes or [], boxes or [], strict=True)
        ]
