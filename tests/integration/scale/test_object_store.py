"""Collections in an S3 bucket: listed, read, tagged, drawn from, through the library that a real one needs."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from faketagger.errors import DataError
from faketagger.scale.frozen import freeze
from faketagger.scale.gathering import gather_faces
from faketagger.scale.listing import fetch, list_collection
from faketagger.scale.tagging import Tagging, TagOrder
from tests.helpers.batch_tasks import Painter
from tests.helpers.bucket import NAME, bucket
from tests.helpers.toy_tagger import toy_faces

KEYS = ["a/plain.png", "a/with space.png", "b/100 % and #1?.png", "b/größer.png"]
"""Keys as people have them; all but the first need an encoding in an address."""


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Four pictures by key."""
    files = sorted(toy_faces(tmp_path_factory.mktemp("toy") / "faces").glob("*.png"))
    return {key: file.read_bytes() for key, file in zip(KEYS, files, strict=False)}


@pytest.fixture(scope="module")
def server(contents: dict[str, bytes]) -> Iterator[str]:
    """Host and port of an S3 that holds the pictures, a note and a broken picture."""
    with bucket({**contents, "a/notes.txt": b"no picture", "c/broken.jpg": b"not a picture"}) as address:
        yield address


def _uris(source: str) -> list[str]:
    return [uri for table in list_collection(source) for uri in table.column("uri").to_pylist()]


def test_every_key_is_listed_and_read_back(server: str, contents: dict[str, bytes]) -> None:
    uris = _uris(f"s3://{NAME}")
    assert uris == [f"s3://{NAME}/{quote(key)}" for key in [*KEYS, "c/broken.jpg"]]
    assert [fetch(uri) for uri in uris[:4]] == list(contents.values())
    assert _uris(f"s3://{NAME}/b/") == uris[2:4]
    assert fetch(f"s3://{NAME}/a/with space.png") == contents["a/with space.png"]
    with pytest.raises(FileNotFoundError):
        fetch(f"s3://{NAME}/a/gone.png")


def test_an_endpoint_in_the_address_stays_in_it(
    server: str, contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    uris = _uris(f"s3://{NAME}/b?scheme=http&endpoint_override={quote(server)}")
    assert [fetch(uri) for uri in uris] == [contents[key] for key in KEYS[2:]]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("s3://nobody", "NO_SUCH_BUCKET"),
        (f"s3://{NAME}/d", "cannot be listed"),
        (f"s3://me:secret@{NAME}", "password in it would stand in every record"),
    ],
)
def test_what_cannot_be_listed_is_one_sentence(server: str, source: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        _uris(source)


def test_a_bucket_is_tagged_once(server: str, tmp_path: Path) -> None:
    listing = freeze(list_collection(f"s3://{NAME}"), tmp_path / "listing", 5)
    order = TagOrder(tmp_path, "face-128", "a key", "int:5", None)
    for fresh in (True, False):
        records = Tagging(order, Painter())(listing.read(0), 0).to_pylist()
        assert [record["status"] for record in records] == ["tagged"] * 4 + ["failed"]
        assert all((record["width"] is not None) == fresh for record in records[:4])
        assert "no picture" in records[4]["error"]
    assert {tmp_path / record["output"] for record in records[:4]} == set(tmp_path.rglob("*.png"))


def test_a_benchmark_draws_its_faces_from_a_bucket(
    server: str, contents: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path))
    folder = gather_faces(f"s3://{NAME}/b", 2, 0)
    assert {path.read_bytes() for path in folder.glob("*.png")} == {contents[key] for key in KEYS[2:]}
