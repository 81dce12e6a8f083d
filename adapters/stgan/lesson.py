"""What upstream's data.py reads: a folder of square pictures and CelebA's list of their attributes."""

import shutil
from pathlib import Path

TRAINED, ROWS = 182000, 182637
CELEBA = (
    "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose Black_Hair Blond_Hair "
    "Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee Gray_Hair Heavy_Makeup High_Cheekbones Male "
    "Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks "
    "Sideburns Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace "
    "Wearing_Necktie Young"
).split()
FEWEST = 2


def chosen(wanted, labels):
    """Attributes to learn: those asked for that the user's list has, in the order they were asked for.

    Args:
        wanted: Comma-separated names.
        labels: By file, attribute to yes or no.

    Returns:
        The names, and those that are left out because the list does not have them.

    Raises:
        SystemExit: Upstream cannot learn these.
    """
    asked = list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
    if unknown := [name for name in asked if name not in CELEBA]:
        raise SystemExit(f"{', '.join(unknown)} is none of the 40 attributes of CelebA, which are all that STGAN knows")
    known = set.intersection(*(set(row) for row in labels.values())) if labels else set()
    names = [name for name in asked if name in known]
    if len(names) < FEWEST:
        raise SystemExit(f"the list has {len(names)} of {wanted}; STGAN learns {FEWEST} attributes or more")
    return names, [name for name in asked if name not in known]


def list_of(rows):
    """Text of list_attr_celeba.txt; upstream finds its columns by their place among CelebA's 40.

    Args:
        rows: (file, attributes that it has) for each picture, in order.
    """
    lines = [" ".join([file, *("1" if name in has else "-1" for name in CELEBA)]) for file, has in rows]
    return "\n".join([str(len(lines)), " ".join(CELEBA), *lines]) + "\n"


def padded(rows):
    """Rows repeated until upstream's split, whose places are fixed numbers, has pictures to train and to validate on.

    Args:
        rows: Of the pictures that there are.
    """
    return [rows[index % len(rows)] for index in range(max(len(rows), ROWS))]


def write_folder(folder, squares, rows):
    """A data root of upstream.

    Args:
        folder: Made anew.
        squares: (file, pixels) for each picture.
        rows: Of the list.
    """
    from zoo_driver import write_png

    shutil.rmtree(folder, ignore_errors=True)
    (folder / "img_crop_celeba_png").mkdir(parents=True)
    for file, pixels in squares:
        write_png(pixels, folder / "img_crop_celeba_png" / file)
    (folder / "list_attr_celeba.txt").write_text(list_of(rows), encoding="utf-8")


def write_lesson(faces, labels, folder, size):
    """Lay out everything that is trained on.

    Args:
        faces: The faceset.
        labels: By file, attribute to yes or no.
        folder: The data root.
        size: Side of the squares in pixels.

    Returns:
        The files that cannot be read.
    """
    from squares import cut
    from zoo_driver import read_rgb

    squares, rows, broken = [], [], []
    for file in sorted(labels):
        try:
            squares.append((f"{len(rows) + 1:06d}.png", cut(read_rgb(Path(faces) / file), size)))
        except (OSError, ValueError):
            broken.append(file)
            continue
        rows.append((squares[-1][0], {name for name, there in labels[file].items() if there}))
    if not rows:
        raise SystemExit("no picture of the faceset can be read")
    write_folder(folder, squares, padded(rows))
    return broken
