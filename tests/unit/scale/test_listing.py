"""What a collection consists of, laid down in batches that never change; claims that only one can make."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faketagger.errors import DataError
from faketagger.ray_cluster import ScaleError
from faketagger.scale.claims import TRIES, Claims, content_key
from faketagger.scale.frozen import freeze
from faketagger.scale.listing import fetch, is_collection, list_collection, listed


def _listed(source: str) -> list[tuple[str, str | None]]:
    rows = [row for table in list_collection(source) for row in table.to_pylist()]
    return [(row["uri"], row["payload"]) for row in rows]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.jpg", "a.PNG", "sub/c.webp", "notes.txt", ".hidden.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "photos"


def test_a_folder_is_listed_in_order(folder: Path) -> None:
    names = [Path(uri).relative_to(folder).as_posix() for uri, _ in _listed(str(folder))]
    assert names == ["a.PNG", "b.jpg", "sub/c.webp"]


def test_an_object_store_lists_the_same_and_can_be_read(folder: Path) -> None:
    uris = [uri for uri, _ in _listed(f"file://{folder}")]
    assert [uri.split("/photos/")[1] for uri in uris] == ["a.PNG", "b.jpg", "sub/c.webp"]
    assert fetch(uris[-1]) == b"sub/c.webp"
    with pytest.raises(OSError, match="gone"):
        fetch(f"file://{folder}/gone.jpg")


def test_manifests_keep_payloads_as_text_and_paths_from_their_own_folder(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("name,file,payload\nx,a.jpg,007\ny,/abs/b.jpg,\nz,s3://bucket/c.jpg,0x00c0de\n")
    expected = [(str(tmp_path / "a.jpg"), "007"), ("/abs/b.jpg", None), ("s3://bucket/c.jpg", "0x00c0de")]
    assert _listed(str(tmp_path / "m.csv")) == expected
    pq.write_table(pa.table({"uri": ["a.jpg"], "payload": [7]}), tmp_path / "m.parquet")
    assert _listed(str(tmp_path / "m.parquet")) == [(str(tmp_path / "a.jpg"), "7")]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [("nowhere", "no folder"), ("m.csv", "no manifest"), ("bad.csv", "has the columns colour"), ("empty", "no picture"),
     ("bad.parquet", "no readable manifest"), ("what://x/y", "cannot be opened")],
)  # fmt: skip
def test_what_is_no_collection_is_one_sentence(tmp_path: Path, source: str, sentence: str) -> None:
    (tmp_path / "bad.csv").write_text("colour\nred\n")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=sentence):
        _listed(source if "://" in source else str(tmp_path / source))


def test_what_can_only_be_a_collection() -> None:
    assert [is_collection(one) for one in ("m.csv", "M.PARQUET", "s3://b/p", "photos", "a.jpg")] == [1, 1, 1, 0, 0]


@settings(max_examples=25)
@given(
    sizes=st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(any),
    batch=st.integers(1, 9),
    groups=st.integers(1, 4),
)
def test_batches_are_the_listing_in_order(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], batch: int, groups: int
) -> None:
    names = [f"{number}.jpg" for number in range(sum(sizes))]
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    tables = [
        listed(names[start : start + size])
        for start, size in zip(starts, sizes, strict=True)
    ]
    folder = tmp_path_factory.mktemp("listing")
    listing = freeze(iter(tables), folder, batch, groups)
    parts = [listing.read(number).column("uri").to_pylist() for number in range(listing.batches)]
    assert [name for part in parts for name in part] == names
    assert [len(part) for part in parts] == [listing.size(number) for number in range(listing.batches)]
    assert freeze(iter([]), folder, batch + 1) == listing


def test_only_one_gets_a_content(tmp_path: Path) -> None:
    claims, key = Claims(tmp_path), content_key(b"a picture", "int:1")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda row: claims.take(key, row), range(40)))
    owners = {owner for owner, _ in answers}
    assert len(owners) == 1
    assert sum(fresh for _, fresh in answers) == 1
    owner = next(iter(owners))
    assert [claims.take(key, owner) for _ in range(TRIES)] == [(owner, False)] * TRIES
    with pytest.raises(ScaleError, match="died or was stopped each time"):
        claims.take(key, owner)
    assert claims.take(key, owner + 1) == (owner, False)
    assert content_key(b"a picture", "int:2") != key != content_key(b"another", "int:1")
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]
