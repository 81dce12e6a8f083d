"""CelebA-HQ in its published layout: 30,000 portraits with identities, attributes and the standard split.

Source: T. Karras et al., "Progressive Growing of GANs", ICLR 2018 (pictures); C.-H. Lee et al., "MaskGAN",
CVPR 2020 (the CelebAMask-HQ release whose folders are read here); Z. Liu et al., "Deep Learning Face
Attributes in the Wild", ICCV 2015 (identities, attributes, partition).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from faketagger.data.crops import FaceCrops, FaceItem
from faketagger.data.samples import Sample, Split, unknown_group
from faketagger.errors import DataError

IMAGES = "CelebA-HQ-img"
MAPPING = "CelebA-HQ-to-CelebA-mapping.txt"
IDENTITIES = "identity_CelebA.txt"
PARTITION = "list_eval_partition.txt"
ATTRIBUTES_HQ = "CelebAMask-HQ-attribute-anno.txt"
ATTRIBUTES_CELEBA = "list_attr_celeba.txt"
_PARTITIONS: dict[str, Split] = {"0": "train", "1": "val", "2": "test"}


@dataclass(frozen=True)
class CelebAHQIndex:
    """What the text files of CelebA-HQ say.

    Attributes:
        splits: Samples of the standard split.
        attribute_names: The 40 attributes, in file order.
        attributes: Picture -> one value of -1 or 1 per attribute.
    """

    splits: dict[Split, list[Sample]]
    attribute_names: list[str]
    attributes: dict[Path, list[int]]


def read_index(root: Path, group: str | None = None) -> CelebAHQIndex:
    """Read mapping, identities, partition and attributes.

    The files may lie in the folder itself or in its sub folder ``CelebAMask-HQ``. Attributes come from
    ``CelebAMask-HQ-attribute-anno.txt``, else from ``list_attr_celeba.txt``; without both, items have none.

    Args:
        root: The folder.
        group: The attribute that divides people in two, or None.

    Returns:
        Samples by split, and attributes.

    Raises:
        DataError: A file is missing or malformed, or there is no such attribute.
    """
    images = _locate(root, IMAGES)
    original = {number: name for number, _, name in _rows(_locate(root, MAPPING), 3, header=1)}
    identity = dict(_rows(_locate(root, IDENTITIES), 2))
    partition = dict(_rows(_locate(root, PARTITION), 2))
    names, by_name = _read_attributes(root)
    if group is not None and group not in names:
        raise unknown_group(group, names, f"CelebA-HQ in {root}")
    splits: dict[Split, list[Sample]] = {"train": [], "val": [], "test": []}
    attributes: dict[Path, list[int]] = {}
    for number, celeba in sorted(original.items(), key=lambda pair: int(pair[0])):
        path = images / f"{number}.jpg"
        for table, file in ((identity, IDENTITIES), (partition, PARTITION)):
            if celeba not in table:
                raise DataError(f"{file} does not list {celeba}, the original of {path.name}.", _HINT)
        if partition[celeba] not in _PARTITIONS:
            raise DataError(f"{PARTITION} puts {celeba} into the partition {partition[celeba]!r}.", _HINT)
        values = by_name.get(path.name) or by_name.get(celeba)
        if values is not None:
            attributes[path] = values
        member = int(group is not None and values is not None and values[names.index(group)] > 0)
        splits[_PARTITIONS[partition[celeba]]].append(Sample(path, identity[celeba], member))
    return CelebAHQIndex(splits, names, attributes)


class CelebAHQ(FaceCrops):
    """One split of CelebA-HQ; items also carry ``attributes``, (40,) int8 of -1 and 1, where the files do.

    The standard split has 24,183 / 2,993 / 2,824 pictures. It is CelebA's own partition, drawn by person.

    Args:
        root: Folder of the published layout.
        split: ``train``, ``val`` or ``test``.
        size: Side of the aligned crop in pixels.
        limit: Use only the first pictures of the split; None for all.
        group: The attribute that divides people in two; None puts all into group 0.
        **options: As for :class:`faketagger.data.crops.FaceCrops`.

    Raises:
        DataError: A file is missing or malformed, the attribute is unknown, or no picture has a face.
    """

    def __init__(
        self,
        root: str | Path,
        split: Split = "train",
        size: int = 256,
        *,
        limit: int | None = None,
        group: str | None = None,
        **options: Any,
    ) -> None:
        index = read_index(Path(root), group)
        self.attribute_names = index.attribute_names
        self.attributes = index.attributes
        super().__init__(index.splits[split][:limit], size, **options)

    def __getitem__(self, number: int) -> FaceItem:
        item = super().__getitem__(number)
        values = self.attributes.get(Path(item["path"]))
        if values is not None:
            item["attributes"] = torch.tensor(values, dtype=torch.int8)
        return item


_HINT = "Download CelebAMask-HQ and CelebA's annotation files and put them into one folder."


def _locate(root: Path, name: str) -> Path:
    for candidate in (root / name, root / "CelebAMask-HQ" / name):
        if candidate.exists():
            return candidate
    raise DataError(f"{root} has no {name}.", _HINT)


def _rows(path: Path, columns: int, header: int = 0) -> list[list[str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()[header:]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}.", _HINT) from error
    rows = [line.split() for line in lines if line.strip()]
    for row in rows:
        if len(row) != columns:
            raise DataError(f"{path} has a line of {len(row)} words where {columns} belong.", _HINT)
    return rows


def _read_attributes(root: Path) -> tuple[list[str], dict[str, list[int]]]:
    for name in (ATTRIBUTES_HQ, ATTRIBUTES_CELEBA):
        try:
            path = _locate(root, name)
        except DataError:
            continue
        names = path.read_text(encoding="utf-8").splitlines()[1].split()
        return names, {row[0]: [int(v) for v in row[1:]] for row in _rows(path, len(names) + 1, header=2)}
    return [], {}
