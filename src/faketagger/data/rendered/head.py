"""The head asset: surfaces, and shape targets that are mixed into a person with an expression."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from faketagger.data.rendered.raster import Floats, Ints


@dataclass(frozen=True)
class Head:
    """Surfaces above the chest, from MakeHuman's base mesh (CC0).

    Attributes:
        vertices: (V, 3) decimetres, y up, face towards +z, x towards its left.
        triangles: (T, 3) vertex numbers.
        material: (T,) index into ``materials``.
        materials: Names of the surfaces.
        occlusion: (V,) share of open sky in the base shape, 0 to 1.
        targets: Name -> (vertex numbers, (K, 3) displacements).
    """

    vertices: Floats
    triangles: Ints
    material: Ints
    materials: tuple[str, ...]
    occlusion: Floats
    targets: Mapping[str, tuple[Ints, Floats]]

    def shape(self, weights: Mapping[str, float]) -> Floats:
        """Mix targets into the base shape.

        Args:
            weights: Target name -> weight, 1 for the target as it was sculpted.

        Returns:
            (V, 3) vertices.
        """
        shaped = self.vertices.copy()
        for name, weight in weights.items():
            vertex, delta = self.targets[name]
            shaped[vertex] += np.float32(weight) * delta
        return shaped

    def part(self, *names: str) -> Ints:
        """(T', 3) triangles of the named materials."""
        wanted = [self.materials.index(name) for name in names]
        return self.triangles[np.isin(self.material, wanted)]


@cache
def load_head() -> Head:
    """Read the asset that :mod:`faketagger.data.rendered.derive` made.

    Returns:
        The head; loaded once.
    """
    with (files(__package__) / "head.npz").open("rb") as file, np.load(file) as table:
        quads = table["quads"].astype(np.int64)
        triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        solid = (triangles[:, 1] != triangles[:, 2]) & (triangles[:, 0] != triangles[:, 2])
        starts = table["target_start"]
        vertex = table["target_vertex"].astype(np.int64)
        delta = table["target_delta"].astype(np.float32) * table["target_scale"]
        targets = {
            str(name): (vertex[begin:end], delta[begin:end])
            for name, begin, end in zip(table["target_names"], starts[:-1], starts[1:], strict=True)
        }
        return Head(
            vertices=table["vertices"],
            triangles=triangles[solid],
            material=np.tile(table["material"], 2)[solid].astype(np.int64),
            materials=tuple(str(name) for name in table["materials"]),
            occlusion=table["occlusion"].astype(np.float32) / 255,
            targets=targets,
        )
