"""Single questions of the conformance suite: each answers with one sentence on what is wrong, or None."""

import ast
from pathlib import Path

import numpy as np

from faketagger.zoo.manifest import Adapter
from faketagger.zoo.outputs import read_png, write_png
from faketagger.zoo.results import AttackRun

_ENOUGH = 0.5


def check_pictures(folder: Path) -> list[Path]:
    """Write a face, a picture of nothing, and an odd-sized one."""
    from skimage import data

    folder.mkdir()
    rows, columns = np.mgrid[0:80, 0:96]
    scene = np.stack([rows * 3, columns * 2, 255 - rows], axis=2).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (65, 97, 3), dtype=np.uint8)
    arrays = {"face": data.astronaut()[:256, 96:352], "scene": scene, "odd": noise}
    for name, pixels in arrays.items():
        write_png(np.ascontiguousarray(pixels), folder / f"{name}.png")
    return [folder / f"{name}.png" for name in arrays]



def mirrored(pictures: list[Path], folder: Path) -> list[Path]:
    """The same faces the other way round, which a face finder still finds."""
    from faketagger.imaging import read_photo

    folder.mkdir()
    for index, path in enumerate(pictures):
        write_png(np.ascontiguousarray(read_photo(path).rgb8[:, ::-1]), folder / f"{index:05d}.png")
    return sorted(folder.iterdir())


def difference(first: AttackRun, second: AttackRun) -> str | None:
    """Which picture of a second run came out differently."""
    by_name = {image.input.name: image for image in first.images}
    for image in second.images:
        other = by_name[image.input.name]
        if image.status != other.status:
            return f"{image.input.name} was {other.status}, then {image.status}"
        if image.output and other.output and (read_png(image.output) != read_png(other.output)).any():
            return f"{image.input.name} came out differently"
    return None


def unpinned(adapter: Adapter) -> str | None:
    """Requirements that name no exact version."""
    name = adapter.manifest.environment.requirements
    if not name:
        return None
    lines = (line.split("#")[0].strip() for line in (adapter.folder / name).read_text().splitlines())
    loose = [line for line in lines if line and not line.startswith("-") and "==" not in line and "@" not in line]
    return f"not pinned: {', '.join(loose)}" if loose else None


def imports_faketagger(adapter: Adapter) -> str | None:
    """A file of the adapter that leans on this package, or is no Python."""
    for path in sorted(adapter.folder.glob("*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError, ValueError) as error:
            return f"{path.name} is no Python: {error}"
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "faketagger" for name in names):
                return f"{path.name} imports faketagger in line {getattr(node, 'lineno', 0)}"
    return None


def misplaced_mask(run: AttackRun) -> str | None:
    """A mask that lies beside the change, or claims much that did not change: the face view would flatter."""
    for image in run.images:
        if image.status != "attacked" or image.output is None:
            continue
        if image.mask is None:
            return f"{image.input.name} has none"
        before, after = (read_png(path).astype(np.int16) for path in (image.input, image.output))
        change, mask = np.abs(after - before).sum(axis=2), read_png(image.mask)[..., 0]
        inside = float((change * (mask / 255)).sum() / change.sum())
        if inside < _ENOUGH:
            return f"only {inside:.0%} of the change of {image.input.name} lies in its mask"
        touched = float((change[mask > 127] > 0).mean()) if (mask > 127).any() else 1.0
        if touched < _ENOUGH:
            return f"only {touched:.0%} of the mask of {image.input.name} is changed at all"
    return None
