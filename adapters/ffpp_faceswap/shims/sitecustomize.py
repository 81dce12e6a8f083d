"""Lets the unmodified FaceForensics++ FaceSwap and Kowalski's FaceSwap run on numpy 2 and OpenCV 5.

Four things, each applied right after the module concerned has been loaded:

- numpy lost the binary mode of ``fromstring``, with which the rendered picture is read.
- OpenCV wants points of plain floats.
- FaceForensics++ calls ``utils.getShapeTextureCoords``, which Kowalski's public code lacks: it is the second half of
  his ``getFaceTextureCoords`` (fit the mesh to given landmarks) and is put together here from his own functions.
- The pictures of a job are unrelated, but the script takes them for a video and follows the face that is nearest to the
  one before. It is shown the widest face alone, which is what it picks in a first frame, so that a result does not
  depend on what else is in the batch.
"""

import importlib.abc
import importlib.util
import sys


def _numpy(numpy):
    def fromstring(data, dtype=float, count=-1, sep=""):
        return numpy.frombuffer(data, dtype, count).copy()

    numpy.fromstring = fromstring


def _cv2(cv2):
    measure = cv2.pointPolygonTest

    def point_polygon_test(contour, point, measure_distance):
        return measure(contour, (float(point[0]), float(point[1])), measure_distance)

    cv2.pointPolygonTest = point_polygon_test


def _utils(utils):
    find = utils.getFaceKeypoints

    def widest_face(img, detector, predictor, *options):
        shapes = find(img, detector, predictor, *options)
        return shapes and [max(shapes, key=lambda shape: shape[0].max() - shape[0].min())]

    def texture_coordinates(shape2d, mean_shape, blendshapes, idxs2d, idxs3d):
        projection = utils.models.OrthographicProjectionBlendshapes(blendshapes.shape[0])
        seen, known = shape2d[:, idxs2d], mean_shape[:, idxs3d]
        parameters = utils.NonLinearLeastSquares.GaussNewton(
            projection.getInitialParameters(known, seen),
            projection.residual,
            projection.jacobian,
            ([known, blendshapes[:, :, idxs3d]], seen),
            verbose=0,
        )
        return projection.fun([mean_shape, blendshapes], parameters)

    utils.getFaceKeypoints = widest_face
    utils.getShapeTextureCoords = texture_coordinates


class _AfterLoading(importlib.abc.MetaPathFinder):
    """Runs a change on a module once it is loaded."""

    changes = {"numpy": _numpy, "cv2": _cv2, "FaceSwap.utils": _utils}

    def find_spec(self, name, path=None, target=None):
        change = self.changes.pop(name, None)
        if change is None:
            return None
        spec = next(
            (found for finder in sys.meta_path if finder is not self and (found := finder.find_spec(name, path))), None
        )
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            change(module)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, _AfterLoading())
