"""The Surrey Face Model fitted by eos: 3448 vertices, identity by PCA, six expressions."""

from pathlib import Path


class Surrey:
    """Fits the model of patrikhuber/eos to landmarks; expressions are six non-negative blendshape coefficients."""

    def __init__(self, upstream):
        import eos
        import numpy as np

        share = Path(upstream) / "share"
        self._eos = eos
        shape = eos.morphablemodel.load_model(str(share / "sfm_shape_3448.bin"))
        blendshapes = eos.morphablemodel.load_blendshapes(str(share / "expression_blendshapes_3448.bin"))
        self._model = eos.morphablemodel.MorphableModel(
            shape.get_shape_model(), blendshapes, shape.get_color_model(), None, shape.get_texture_coordinates()
        )
        self._mapper = eos.core.LandmarkMapper(str(share / "ibug_to_sfm.txt"))
        self._edges = eos.morphablemodel.load_edge_topology(str(share / "sfm_3448_edge_topology.json"))
        self._contour = eos.fitting.ContourLandmarks.load(str(share / "ibug_to_sfm.txt"))
        self._model_contour = eos.fitting.ModelContour.load(str(share / "sfm_model_contours.json"))
        self._basis = np.stack([np.asarray(blendshape.deformation) for blendshape in blendshapes], axis=1)
        self.triangles = np.array(shape.get_shape_model().get_triangle_list())

    def fit(self, points, width, height):
        """Fit identity, pose and expression to the landmarks of one picture.

        Args:
            points: (68, 2) x, y in pixels.
            width, height: Size of the picture.

        Returns:
            A fit with ``expression`` (6,) and ``place(expression)``.
        """
        import numpy as np

        eos = self._eos
        landmarks = [eos.core.Landmark(str(number), [float(x), float(y)]) for number, (x, y) in enumerate(points, 1)]
        mesh, pose, _, expression = eos.fitting.fit_shape_and_pose(
            self._model, landmarks, self._mapper, width, height, self._edges, self._contour, self._model_contour
        )
        return SurreyFit(np.array(mesh.vertices)[:, :3], pose, np.array(expression), self._basis, (width, height))


class SurreyFit:
    """One face: its vertices, its pose, its expression."""

    def __init__(self, vertices, pose, expression, basis, size):
        self.expression = expression
        self._vertices, self._pose, self._basis, self._size = vertices, pose, basis, size

    def place(self, expression):
        """(3, V) vertices with another expression: x right and y down in pixels, depth larger where nearer."""
        import numpy as np

        moved = self._vertices + (self._basis @ (expression - self.expression)).reshape(-1, 3)
        seen = np.array(self._pose.get_modelview()) @ np.c_[moved, np.ones(len(moved))].T
        clip = np.array(self._pose.get_projection()) @ seen
        x, y = clip[0] / clip[3], clip[1] / clip[3]
        width, height = self._size
        return np.stack([(x + 1) / 2 * width, (1 - y) / 2 * height, seen[2]])
