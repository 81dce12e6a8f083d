"""Lets unmodified DeepFaceLab run headlessly on one core and on today's libraries.

Python imports this in the main process and in every child that multiprocessing spawns, so nothing upstream is
edited. Without ``DFL_SHIM`` in the environment it does nothing.

- ``DFL_LANDMARKS=dlib``: S3FD and FAN, whose weights may be missing, give way to dlib's detector and 68 points.
- ``DFL_CPUS``: what upstream takes for the number of cores. With one core it starts no extractor and fails.
- OpenCV since 4.5 refuses numpy integers in ``getRotationMatrix2D``, which kills SAEHD's sample generators.
- ``os.nice`` does nothing: upstream would put itself at the lowest priority.
"""

import importlib.abc
import importlib.util
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_DLIB = {
    "facelib.S3FDExtractor": os.path.join(_HERE, "dfl_dlib_rects.py"),
    "facelib.FANExtractor": os.path.join(_HERE, "dfl_dlib_landmarks.py"),
}


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, replaced, changed):
        self._replaced, self._changed = replaced, changed

    def find_spec(self, name, path=None, target=None):
        if name in self._replaced:
            return importlib.util.spec_from_file_location(name, self._replaced[name])
        if name not in self._changed:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def run_and_change(module):
            run(module)
            self._changed[name](module)

        spec.loader.exec_module = run_and_change
        return spec


def _float_points(cv2):
    plain = cv2.getRotationMatrix2D

    def rotation(center, angle, scale):
        return plain((float(center[0]), float(center[1])), float(angle), float(scale))

    cv2.getRotationMatrix2D = rotation


def _install():
    import multiprocessing

    os.nice = lambda _: 0
    cores = int(os.environ.get("DFL_CPUS", "0"))
    if cores:
        multiprocessing.cpu_count = lambda: cores
    replaced = _DLIB if os.environ.get("DFL_LANDMARKS") == "dlib" else {}
    sys.meta_path.insert(0, _Finder(replaced, {"cv2": _float_points}))


if os.environ.get("DFL_SHIM"):
    _install()
