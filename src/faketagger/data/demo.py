"""The built-in demo faces: people rendered by code, and one real photograph that scikit-image carries."""

import csv
import hashlib
import io
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faketagger.data.samples import MANIFEST
from faketagger.imaging import write_atomically
from faketagger.places import cache_root

SIDE = 256
PICTURES_EACH = 2
ASTRONAUT = "astronaut"
DemoFace = tuple[str, str, NDArray[np.uint8]]


def demo_faces(n: int = 48, cache: Path | None = None) -> list[DemoFace]:
    """Rendered portraits, two of each person, and the photograph of an astronaut.

    A picture is rendered once and then kept as PNG; it depends on its number and on the renderer's source only.

    Args:
        n: How many pictures to render.
        cache: Folder of the cache; the user's cache folder if None.

    Returns:
        n + 1 tuples (name, identity, (H, W, 3) uint8 sRGB); the last one is the photograph.
    """
    folder = (cache or cache_root()) / "demo" / _renderer_digest()
    faces: list[DemoFace] = []
    for person in range(-(-n // PICTURES_EACH)):
        pictures = _pictures(folder, person)
        faces += [
            (f"{_identity(person)}-{number}", _identity(person), picture) for number, picture in enumerate(pictures)
        ]
    return [*faces[:n], (ASTRONAUT, ASTRONAUT, _astronaut())]


def materialise_demo(folder: str | Path, n: int = 48) -> Path:
    """Write the demo faces as PNG files with a ``manifest.csv``: file, identity, rendered or not, ``Male`` 1 or 0.

    Args:
        folder: Where to; made if it is not there.
        n: How many pictures to render.

    Returns:
        The folder that holds ``manifest.csv``.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, identity, picture in demo_faces(n):
        _save(picture, folder / f"{name}.png")
        rendered = identity != ASTRONAUT
        male = int(rendered and _is_male(identity))
        rows.append({"file": f"{name}.png", "identity": identity, "rendered": rendered, "Male": male})
    text = io.StringIO()
    table = csv.DictWriter(text, fieldnames=list(rows[0]))
    table.writeheader()
    table.writerows(rows)
    write_atomically(text.getvalue().encode(), folder / MANIFEST)
    return folder


def _identity(person: int) -> str:
    return f"person-{person:03d}"


def _is_male(identity: str) -> bool:
    from faketagger.data.rendered.person import draw_person

    return draw_person(int(identity.removeprefix("person-"))).male > 0.5


def _pictures(folder: Path, person: int) -> list[NDArray[np.uint8]]:
    paths = [folder / f"{_identity(person)}-{number}.png" for number in range(PICTURES_EACH)]
    if not all(path.is_file() for path in paths):
        from faketagger.data.rendered.person import draw_person, draw_shot
        from faketagger.data.rendered.render import render

        who = draw_person(person)
        folder.mkdir(parents=True, exist_ok=True)
        shots = [draw_shot(who, number) for number in range(PICTURES_EACH)]
        for path, picture in zip(paths, render(who, shots, SIDE), strict=True):
            _save(picture, path)
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def _save(picture: NDArray[np.uint8], path: Path) -> None:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, format="PNG")
    write_atomically(content.getvalue(), path)


def _renderer_digest() -> str:
    digest = hashlib.sha256()
    for part in sorted(files("faketagger.data.rendered").iterdir(), key=lambda part: part.name):
        if part.name.endswith((".py", ".npz")):
            digest.update(part.read_bytes())
    return digest.hexdigest()[:12]


def _astronaut() -> NDArray[np.uint8]:
    from skimage.data import astronaut

    # Without the patch on the sleeve, which face finders take for a second face.
    return np.asarray(astronaut()[:320, 60:380], dtype=np.uint8)
