"""Candide-3 as MarekKowalski/FaceSwap carries it: 113 vertices, 14 animation units, an orthographic camera."""

import sys
import warnings
from pathlib import Path

ITERATIONS = 20
NOSE_TIP, JAW_CORNERS = 30, [0, 16]
RESTRAINT = 0.01  # squared landmark error, in units of the model, that a coefficient of one is worth


class Candide:
    """Fits Candide-3 with upstream's camera; free for any use (MIT).

    Upstream's own Gauss-Newton leaves the coefficients free. The two units of the eyelids are nearly the same, so they
    come out at plus and minus four, and carried to another face they tear its eyes. The solver here restrains them.
    """

    def __init__(self, companion):
        import numpy as np

        folder = Path(companion)
        sys.path.insert(0, str(folder / "FaceSwap"))
        import models

        with np.load(folder / "candide.npz", allow_pickle=False) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # numpy's advice to save a file of Python 2 again
            self.mean, self.blendshapes = file["mean3DShape"], file["blendshapes"]
            self.triangles, self._vertices, self._points = file["mesh"], file["idxs3D"], file["idxs2D"]
        self._camera = models.OrthographicProjectionBlendshapes(len(self.blendshapes))
        at = dict(zip(self._points.tolist(), self._vertices.tolist(), strict=True))
        self.nose, self.jaw = at[NOSE_TIP], [at[corner] for corner in JAW_CORNERS]

    def fit(self, points, width, height):
        """Fit pose and animation units to the landmarks of one picture; the size of the picture does not matter here.

        Args:
            points: (68, 2) x, y in pixels.
            width, height: Size of the picture.

        Returns:
            A fit with ``expression`` (14,) and ``place(expression)``.
        """
        import numpy as np

        wanted = points.T[:, self._points]
        mean, blendshapes = self.mean[:, self._vertices], self.blendshapes[:, :, self._vertices]
        model = [mean, blendshapes]
        found = self._camera.getInitialParameters(mean, wanted)
        units = np.r_[np.zeros(6), np.ones(len(blendshapes))]
        for _ in range(ITERATIONS):
            restraint = RESTRAINT * found[0] ** 2 * units
            slope = self._camera.jacobian(found, model, wanted)
            ahead = slope.T @ self._camera.residual(found, model, wanted) - restraint * found
            found = found + np.linalg.solve(slope.T @ slope + np.diag(restraint), ahead)
        return CandideFit(self, found)


class CandideFit:
    """One face: six numbers of pose, then its animation units."""

    def __init__(self, model, parameters):
        self._model, self._pose = model, parameters[:6]
        self.expression = parameters[6:]

    def place(self, expression):
        """(3, V) vertices with another expression: x right and y down in pixels, depth larger where nearer."""
        import cv2
        import numpy as np

        scale, turn, shift = self._pose[0], self._pose[1:4], self._pose[4:]
        shape = self._model.mean + np.tensordot(expression, self._model.blendshapes, axes=1)
        placed = scale * (cv2.Rodrigues(turn)[0] @ shape)
        placed[:2] += shift[:, np.newaxis]
        if placed[2, self._model.nose] < placed[2, self._model.jaw].mean():
            placed[2] *= -1
        return placed
