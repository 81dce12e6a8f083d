"""CelebA-HQ in its published layout, made small by code."""

from collections.abc import Callable
from pathlib import Path

import pytest

from faketagger.data.celebahq import CelebAHQ, read_index
from faketagger.errors import DataError

Paint = Callable[[str, int], Path]
PARTITIONS = [0, 0, 1, 2, 0, 1]


@pytest.fixture
def root(tmp_path: Path, paint: Paint) -> Path:
    for number in range(6):
        paint(f"hq/CelebAMask-HQ/CelebA-HQ-img/{number}.jpg", number + 1)
    folder = tmp_path / "hq"
    rows = [f"    {n}      {119613 + n}    {119614 + n}.jpg" for n in range(6)]
    header = "    idx    orig_idx    orig_file"
    (folder / "CelebAMask-HQ" / "CelebA-HQ-to-CelebA-mapping.txt").write_text("\n".join([header, *rows]) + "\n")
    originals = [f"{119614 + n}.jpg" for n in range(6)]
    (folder / "identity_CelebA.txt").write_text(
        "".join(f"{name} {2880 + PARTITIONS[n]}\n" for n, name in enumerate(originals))
    )
    (folder / "list_eval_partition.txt").write_text(
        "".join(f"{name} {PARTITIONS[n]}\n" for n, name in enumerate(originals))
    )
    return folder


def test_the_split_goes_through_the_mapping(root: Path, tmp_path: Path, finder: list[int]) -> None:
    names = {}
    for split in ("train", "val", "test"):
        faces = CelebAHQ(root, split, size=32, cache=tmp_path / "cache")
        names[split] = [sample.path.name for sample in faces.samples]
        assert "attributes" not in faces[0]
    assert names == {"train": ["0.jpg", "1.jpg", "4.jpg"], "val": ["2.jpg", "5.jpg"], "test": ["3.jpg"]}
    assert CelebAHQ(root, "train", 32, limit=2, cache=tmp_path / "cache").identities == ["2880", "2880"]


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("CelebAMask-HQ/CelebAMask-HQ-attribute-anno.txt", [f"{n}.jpg" for n in range(6)]),
        ("list_attr_celeba.txt", [f"{119614 + n}.jpg" for n in range(6)]),
    ],
)
def test_attributes_of_both_releases(
    root: Path, tmp_path: Path, finder: list[int], file: str, names: list[str]
) -> None:
    lines = [f"{name}  {1 if n % 2 else -1} -1 1" for n, name in enumerate(names)]
    (root / file).write_text("\n".join(["6", "Bald Male Young", *lines]) + "\n")
    faces = CelebAHQ(root, "train", size=32, cache=tmp_path / "cache")
    assert faces.attribute_names == ["Bald", "Male", "Young"]
    assert [faces[i]["attributes"].tolist() for i in range(3)] == [[-1, -1, 1], [1, -1, 1], [-1, -1, 1]]
    assert [faces[i]["group"] for i in range(3)] == [0, 0, 0]
    bald = CelebAHQ(root, "train", size=32, cache=tmp_path / "cache", group="Bald")
    assert [bald[i]["group"] for i in range(3)] == [0, 1, 0]
    with pytest.raises(DataError, match="'Balt'") as caught:
        read_index(root, "Balt")
    assert caught.value.hint == "Did you mean 'Bald'?"


def test_grouping_without_attributes_is_an_error(root: Path) -> None:
    with pytest.raises(DataError, match="'Male'") as caught:
        read_index(root, "Male")
    assert caught.value.hint == "It has none at all."


@pytest.mark.parametrize("file", ["identity_CelebA.txt", "list_eval_partition.txt"])
def test_missing_files_are_named(root: Path, file: str) -> None:
    (root / file).unlink()
    with pytest.raises(DataError, match=file):
        read_index(root)


def test_malformed_and_incomplete_files_are_named(root: Path) -> None:
    partition = root / "list_eval_partition.txt"
    lines = partition.read_text().splitlines()
    partition.write_text("\n".join(lines[:-1]))
    with pytest.raises(DataError, match=r"119619\.jpg"):
        read_index(root)
    partition.write_text("119614.jpg\n")
    with pytest.raises(DataError, match="1 words where 2 belong"):
        read_index(root)
    partition.write_text("".join(line.replace(" 2", " 7") + "\n" for line in lines))
    with pytest.raises(DataError, match="partition '7'"):
        read_index(root)
