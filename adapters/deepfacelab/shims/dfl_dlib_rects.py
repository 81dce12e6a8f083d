"""Stands in for facelib.S3FDExtractor: faces by dlib's frontal detector."""

import cv2
import dlib
import numpy as np

LARGEST_SIDE = 640
SMALLEST_FACE = 40


class S3FDExtractor:
    """The part of upstream's class that the extractor calls."""

    def __init__(self, place_model_on_cpu=False):
        self.detector = dlib.get_frontal_face_detector()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def extract(self, input_image, is_bgr=True, is_remove_intersects=False):
        """Rectangles (left, top, right, bottom) in pixels, the largest first.

        Args:
            input_image: H x W x 3, 8 bit.
            is_bgr: Order of the channels.
            is_remove_intersects: dlib's rectangles do not overlap, so there is nothing to remove.
        """
        image = np.ascontiguousarray(input_image[:, :, ::-1] if is_bgr else input_image)
        height, width = image.shape[:2]
        scale = max(1.0, max(height, width) / LARGEST_SIDE)
        if scale > 1:
            image = cv2.resize(image, (int(width / scale), int(height / scale)), interpolation=cv2.INTER_AREA)
        found = [[side * scale for side in (r.left(), r.top(), r.right(), r.bottom())] for r in self.detector(image, 1)]
        large = [r for r in found if min(r[2] - r[0], r[3] - r[1]) >= SMALLEST_FACE]
        large.sort(key=lambda r: (r[2] - r[0]) * (r[3] - r[1]), reverse=True)
        return [tuple(map(int, r)) for r in large]
