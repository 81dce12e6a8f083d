"""The offline backend: dlib's HOG detector and 68-point predictor, looked at more than once.

Reading a tag means finding the face again after the picture was blurred, compressed or rescaled, so what counts
is that the landmarks come out where they were. A weak detection counts if it shows up at two scales. Landmarks are
predicted on a crop of fixed size, turned upright, whatever the picture's size. They are the mean over a few boxes
laid around the face, and what gives scattered predictions is no face.

Source: N. Dalal and B. Triggs, "Histograms of oriented gradients", CVPR 2005; V. Kazemi and J. Sullivan, "One
millisecond face alignment with an ensemble of regression trees", CVPR 2014.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from faketagger.errors import FaceError
from faketagger.faces.face import Face
from faketagger.faces.template import STABLE, TEMPLATE

_PREDICTOR = Path("models") / "shape_predictor_68_face_landmarks.dat"

_FIRST_LOOK = 320
"""Long side in pixels; the smallest face dlib sees is then a quarter of the picture."""
_SECOND_LOOKS = (400, 240)
"""Long sides tried where the first look is in doubt."""
_CLOSE_LOOK = 1200
"""Long side, but at most twice the picture's own."""
_CROWD = 0.35
"""If the largest sure face is below this share of the long side, a close look searches for more."""
_SURE, _DOUBTFUL = -0.2, -0.6
"""Detector scores: accepted at once; accepted if two looks agree."""
_GUESS = -1.0
_GUESSING_LOOKS = (160, 200, 240, 320, 400)
"""Score from which two of these looks make a guess; photographs score so somewhere, with a face or without one."""
_ANOTHER = 0.35
"""Score from which further faces beside the best one are believed: sleeves and patterns score less."""
_SAME_FACE = 0.4
"""Overlap (intersection over union) above which two boxes are one face."""

_CROP = 256
_BOX = (0.156, 0.217, 0.842, 0.903)
"""Where the detector's box lies in the aligned crop: median over 120 portraits."""
_SHIFT = 0.03
_SHIFTS = ((1, 1, 1), (-1, 1, -1), (1, -1, -1), (-1, -1, 1))
"""Right, down, larger: steps of ``_SHIFT`` box sides for the boxes whose predictions are averaged."""
_MAX_SPREAD = 0.12
"""In eye distances; a face gives 0.01, 0.07 at the 99th percentile, a round sleeve patch 0.19."""
_EYE_DISTANCE = 0.30
"""Between the eye centres of the aligned crop, in sides."""

_Box = np.ndarray


class DlibBackend:
    """Finder whose models come from the package registry.

    Raises:
        FaceError: If dlib or its landmark model is not installed.
    """

    name = "dlib"

    def __init__(self) -> None:
        spec = importlib.util.find_spec("face_recognition_models")
        folders = list(spec.submodule_search_locations or []) if spec else []
        model = Path(folders[0]) / _PREDICTOR if folders else _PREDICTOR
        try:
            import dlib
        except ImportError as error:
            raise FaceError(f"dlib cannot be loaded ({error}).", "pip install dlib-bin") from error
        if not model.is_file():
            raise FaceError("dlib's landmark model is missing.", "pip install face-recognition-models")
        self._rectangle: Any = dlib.rectangle
        self._detector: Any = dlib.get_frontal_face_detector()
        self._predictor: Any = dlib.shape_predictor(str(model))

    def find(self, image: np.ndarray) -> list[Face]:
        """Find faces.

        Args:
            image: (H, W, 3) uint8 sRGB.

        Returns:
            The faces in any order.
        """
        grey = _grey(image)
        faces = self._with_landmarks(grey, self._detect(grey))
        enough = min(_ANOTHER, max((face.score for face in faces), default=_ANOTHER))
        return [face for face in faces if face.score >= enough]

    def guess(self, image: np.ndarray) -> list[Face]:
        """What looks most like a face where none was found.

        Args:
            image: (H, W, 3) uint8 sRGB.

        Returns:
            One face at most.
        """
        grey = _grey(image)
        boxes = _agreed([self._look(grey, side, _GUESS) for side in _GUESSING_LOOKS])
        return self._with_landmarks(grey, boxes)[:1]

    def _with_landmarks(self, grey: np.ndarray, boxes: list[tuple[_Box, float]]) -> list[Face]:
        faces = []
        for box, score in boxes:
            landmarks, spread = self._landmarks(grey, box)
            if spread < _MAX_SPREAD:
                faces.append(Face(landmarks, box.astype(np.float32), score))
        return faces

    def _detect(self, grey: np.ndarray) -> list[tuple[_Box, float]]:
        long_side = max(grey.shape)
        seen = self._look(grey, _FIRST_LOOK)
        found = [(box, score) for box, score in seen if score >= _SURE]
        if not found:
            found = _agreed([seen, *(self._look(grey, side) for side in _SECOND_LOOKS)])
        largest = max((box[2] - box[0] for box, score in found if score >= _SURE), default=0.0)
        close_side = min(_CLOSE_LOOK, 2 * long_side)
        if largest < _CROWD * long_side and close_side > 1.5 * _FIRST_LOOK:
            close = [(box, score) for box, score in self._look(grey, close_side) if score >= _SURE]
            found = _best([*found, *close])
        return found

    def _look(self, grey: np.ndarray, side: int, least: float = _DOUBTFUL) -> list[tuple[_Box, float]]:
        """Run the detector on a copy of the given long side; boxes come back in the picture's pixels."""
        import cv2

        height, width = grey.shape
        scale = side / max(height, width)
        small = cv2.resize(
            grey,
            (max(1, round(width * scale)), max(1, round(height * scale))),
            interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
        )
        boxes, scores, _ = self._detector.run(small, 0, least)
        return [
            (np.array([b.left(), b.top(), b.right() + 1, b.bottom() + 1]) / scale, float(s))
            for b, s in zip(boxes, scores, strict=True)
        ]

    def _predict(self, grey: np.ndarray, box: _Box) -> np.ndarray:
        shape = self._predictor(grey, self._rectangle(*(round(float(v)) for v in box)))
        return np.array([(p.x, p.y) for p in shape.parts()], dtype=np.float64)

    def _landmarks(self, grey: np.ndarray, box: _Box) -> tuple[np.ndarray, float]:
        """Landmarks, and how far the single predictions lie from their mean in eye distances.

        Predicted once roughly, then around the box that the rough landmarks imply.
        """
        to_crop = _upright_crop(self._predict(grey, box))
        crop = _cut(grey, to_crop)
        left, top, right, bottom = (v * _CROP for v in _BOX)
        side = right - left
        centre = np.array([left + right, top + bottom]) / 2
        shapes = []
        for right_step, down_step, grow in _SHIFTS:
            middle = centre + np.array([right_step, down_step]) * _SHIFT * side
            half = side / 2 * np.exp(grow * _SHIFT)
            shapes.append(self._predict(crop, np.concatenate([middle - half, middle + half])))
        mean = np.mean(shapes, axis=0)
        spread = float(np.linalg.norm(shapes - mean, axis=2).mean()) / (_EYE_DISTANCE * _CROP)
        back = np.linalg.inv(to_crop)
        return (mean @ back[:2, :2].T + back[:2, 2]).astype(np.float32), spread


def _grey(image: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.transform(image, np.full((1, 3), 1 / 3, np.float32))


def _agreed(looks: list[list[tuple[_Box, float]]]) -> list[tuple[_Box, float]]:
    """What any look is sure of or two looks agree on, best first, each face once."""
    found: list[tuple[_Box, float]] = []
    every = [(i, box, score) for i, look in enumerate(looks) for box, score in look]
    for i, box, score in sorted(every, key=lambda item: -item[2]):
        confirmed = any(j != i and _overlap(box, other) > _SAME_FACE for j, other, _ in every)
        if (score >= _SURE or confirmed) and all(_overlap(box, old) < _SAME_FACE for old, _ in found):
            found.append((box, score))
    return found


def _best(boxes: list[tuple[_Box, float]]) -> list[tuple[_Box, float]]:
    """Each face once, at its highest score."""
    found: list[tuple[_Box, float]] = []
    for box, score in sorted(boxes, key=lambda item: -item[1]):
        if all(_overlap(box, old) < _SAME_FACE for old, _ in found):
            found.append((box, score))
    return found


def _overlap(a: _Box, b: _Box) -> float:
    shared = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0.0))
    return float(shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared))


def _upright_crop(landmarks: np.ndarray) -> np.ndarray:
    """(3, 3) similarity from the picture to the aligned crop: the least-squares fit of the stable landmarks."""
    source, target = landmarks[STABLE], np.array(TEMPLATE) * _CROP - 0.5
    a, b = source - source.mean(0), target - target.mean(0)
    norm = max(float((a**2).sum()), 1e-6)
    cosine, sine = (a * b).sum() / norm, (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / norm
    matrix = np.eye(3)
    matrix[:2, :2] = (cosine, -sine), (sine, cosine)
    matrix[:2, 2] = target.mean(0) - matrix[:2, :2] @ source.mean(0)
    return matrix


def _cut(grey: np.ndarray, to_crop: np.ndarray) -> np.ndarray:
    """Warp the aligned crop out of the picture, shrinking by area first so that nothing aliases."""
    import cv2

    corners = np.array([(x, y, 1.0) for x in (0, _CROP) for y in (0, _CROP)]) @ np.linalg.inv(to_crop).T
    left, top = np.clip(np.floor(corners[:, :2].min(0)).astype(int) - 4, 0, [s - 1 for s in grey.shape[::-1]])
    right, bottom = np.maximum(np.ceil(corners[:, :2].max(0)).astype(int) + 5, [left + 1, top + 1])
    part = grey[top:bottom, left:right]
    move = np.array([[1.0, 0.0, left], [0.0, 1.0, top], [0.0, 0.0, 1.0]])
    scale = float(np.sqrt(abs(np.linalg.det(to_crop[:2, :2]))))
    if scale < 0.75:
        height, width = part.shape
        size = max(1, round(width * scale)), max(1, round(height * scale))
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        fx, fy = width / size[0], height / size[1]
        move = move @ np.array([[fx, 0.0, fx / 2 - 0.5], [0.0, fy, fy / 2 - 0.5], [0.0, 0.0, 1.0]])
    return cv2.warpAffine(part, (to_crop @ move)[:2], (_CROP, _CROP), borderMode=cv2.BORDER_REPLICATE)
