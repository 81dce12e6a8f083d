"""What upstream's data_loader.py reads: a folder of pictures and CelebA's list of their attributes."""

import random
import shutil
from pathlib import Path

HELD_BACK = 1999
WIDTH = 178


def chosen(wanted, labels):
    """Attributes to learn: those asked for that the user's list has, in the order they were asked for.

    Args:
        wanted: Comma-separated names.
        labels: By file, attribute to yes or no.

    Returns:
        The names, and those that are left out because the list does not have them.
    """
    asked = [name.strip() for name in wanted.split(",") if name.strip()]
    known = set.intersection(*(set(row) for row in labels.values())) if labels else set()
    return [name for name in asked if name in known], [name for name in asked if name not in known]


def list_of(labels, names):
    """Text of list_attr_celeba.txt.

    Upstream shuffles the lines with a fixed seed and holds the first 1,999 back as a test set, which would leave
    nothing of a small faceset. The places that it will hold back are filled with repetitions, so it trains on all.

    Args:
        labels: By file, attribute to yes or no.
        names: The attributes to list.
    """
    files = sorted(labels)
    order = list(range(len(files) + HELD_BACK))
    random.Random(1234).shuffle(order)
    rows = [""] * len(order)
    for place, row in enumerate(order):
        file = files[(place - HELD_BACK) % len(files)]
        rows[row] = " ".join([file, *("1" if labels[file][name] else "-1" for name in names)])
    return "\n".join([str(len(rows)), " ".join(names), *rows]) + "\n"


def write_lesson(faces, labels, names, folder):
    """Lay out pictures and list; pictures are scaled so that upstream's crop of 178 pixels is their centred square.

    Args:
        faces: The faceset.
        labels: By file, attribute to yes or no.
        names: The attributes to learn.
        folder: Where ``images`` and ``list_attr_celeba.txt`` go.

    Returns:
        The files that cannot be read.
    """
    from PIL import Image
    from squares import read, write

    shutil.rmtree(folder, ignore_errors=True)
    (folder / "images").mkdir(parents=True)
    broken = []
    for file in sorted(labels):
        try:
            picture = read(Path(faces) / file)
        except (OSError, ValueError):
            broken.append(file)
            continue
        scale = WIDTH / min(picture.size)
        size = tuple(max(WIDTH, round(side * scale)) for side in picture.size)
        write(picture.resize(size, Image.Resampling.LANCZOS) if scale != 1 else picture, folder / "images" / file)
    usable = {file: row for file, row in labels.items() if file not in broken}
    if not usable:
        raise SystemExit("no picture of the faceset can be read")
    (folder / "list_attr_celeba.txt").write_text(list_of(usable, names), encoding="utf-8")
    return broken
