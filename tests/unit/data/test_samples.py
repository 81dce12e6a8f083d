"""Who is in a folder, and who is in which split."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faketagger.data.samples import Identities, Sample, Split, list_folder, split_by_identity
from faketagger.errors import DataError, ImageError

Paint = Callable[[str, int], Path]
THIRDS: dict[Split, float] = {"train": 0.6, "val": 0.2, "test": 0.2}


def test_without_a_manifest_every_picture_is_somebody_else(tmp_path: Path, paint: Paint) -> None:
    paint("a/1.png", 1)
    paint("b/2.png", 2)
    assert [sample.identity for sample in list_folder(tmp_path)] == ["a/1.png", "b/2.png"]
    assert [sample.identity for sample in list_folder(tmp_path, "folder")] == ["a", "b"]


def test_a_manifest_names_people(tmp_path: Path, paint: Paint) -> None:
    paint("1.png", 1)
    paint("2.png", 2)
    paint("unlisted.png", 3)
    (tmp_path / "manifest.csv").write_text("file,identity,more\n1.png,ann,x\n2.png,,x\n")
    assert list_folder(tmp_path) == [Sample(tmp_path / "1.png", "ann"), Sample(tmp_path / "2.png", "2.png")]


@pytest.mark.parametrize("identities", ["auto", "manifest", "folder", "file"])
def test_a_column_divides_people_in_two(tmp_path: Path, paint: Paint, identities: Identities) -> None:
    for number in range(6):
        paint(f"{number}.png", number)
    rows = ["0.png,a,1", "1.png,b,-1", "2.png,c,True", "3.png,d,false", "4.png,e,", "5.png,f,0.5"]
    (tmp_path / "manifest.csv").write_text("\n".join(["file,identity,Male", *rows]))
    assert [sample.group for sample in list_folder(tmp_path, identities, "Male")] == [1, 0, 1, 0, 0, 1]
    assert {sample.group for sample in list_folder(tmp_path, identities)} == {0}


@pytest.mark.parametrize(
    ("group", "sentence", "hint"),
    [
        ("Mal", "has no 'Mal' to group", "Did you mean 'Male'?"),
        ("glasses", "has no 'glasses'", "There are Male, hair."),
        ("hair", "'brown' in the column 'hair'", "CSV"),
    ],
)
def test_groups_that_are_none(tmp_path: Path, paint: Paint, group: str, sentence: str, hint: str) -> None:
    paint("1.png", 1)
    (tmp_path / "manifest.csv").write_text("file,identity,Male,hair\n1.png,a,1,brown\n")
    with pytest.raises(DataError, match=sentence) as caught:
        list_folder(tmp_path, group=group)
    assert hint in str(caught.value.hint)


def test_groups_need_a_manifest(tmp_path: Path, paint: Paint) -> None:
    paint("1.png", 1)
    with pytest.raises(DataError, match=r"manifest\.csv"):
        list_folder(tmp_path, group="Male")


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        ("file,identity\n", "lists no picture"),
        ("path\nx\n", "has the columns"),
        ("file\nx.png\n", "not there"),
    ],
)
def test_bad_manifests(tmp_path: Path, manifest: str, sentence: str) -> None:
    (tmp_path / "manifest.csv").write_text(manifest)
    with pytest.raises(DataError, match=sentence):
        list_folder(tmp_path)


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        list_folder(tmp_path / "gone")
    with pytest.raises(ImageError, match="no picture"):
        list_folder(tmp_path)


@given(people=st.lists(st.integers(0, 12), min_size=1, max_size=80), seed=st.integers(0, 2**20))
def test_nobody_is_in_two_splits(people: list[int], seed: int) -> None:
    samples = [Sample(Path(f"{n}.png"), f"p{person}") for n, person in enumerate(people)]
    if len(set(people)) < len(THIRDS):
        with pytest.raises(DataError, match="identities"):
            split_by_identity(samples, THIRDS, seed)
        return
    divided = split_by_identity(samples, THIRDS, seed)
    assert sorted(s.path for part in divided.values() for s in part) == sorted(s.path for s in samples)
    people_of = [{sample.identity for sample in part} for part in divided.values()]
    assert all(people_of)
    assert sum(len(part) for part in people_of) == len(set(people))
    assert divided == split_by_identity(samples, THIRDS, seed)


def test_shares_are_met_and_the_seed_matters() -> None:
    samples = [Sample(Path(f"{n}.png"), str(n // 2)) for n in range(400)]
    divided = split_by_identity(samples, THIRDS, 1)
    for split, share in THIRDS.items():
        assert len(divided[split]) == pytest.approx(share * 400, abs=4)
    assert divided != split_by_identity(samples, THIRDS, 2)
