"""Chunks become blocks: nothing is lost, nothing counts twice, wherever the process ends."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from faketagger.bench import chunks as chunking
from faketagger.bench.chunks import add_up
from faketagger.bench.records import SCHEMA
from faketagger.bench.scenario import Job, plan
from faketagger.bench.store import Store
from tests.unit.bench.test_scenario import config

CHUNKS = 7


class Row:
    """A record of a given picture; everything else is of no interest."""

    def __init__(self, picture: str) -> None:
        empty = {pa.string(): "", pa.int32(): 0, pa.float64(): 0.0, pa.bool_(): False}
        self.values = {item.name: empty.get(item.type) for item in SCHEMA} | {"picture": picture}


@pytest.fixture
def job() -> Job:
    return plan(config({"attack": "noise"}))[-1]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(chunking, "BLOCK", 3)
    monkeypatch.setattr("faketagger.bench.records.asdict", lambda row: row.values)
    made = Store(tmp_path / "out")
    made.open({"a": "b"})
    return made


def save(store: Store, job: Job, chunks: range) -> None:
    for chunk in chunks:
        rows: Any = [Row(f"p{chunk}-{i}") for i in range(2)]
        store.chunks.save(job, "tagged", chunk, rows, {"attack": 1.0, "memory_mb": float(chunk)})


def pictures(store: Store) -> list[str]:
    return store.records()["picture"].to_pylist()


EXPECTED = sorted(f"p{chunk}-{i}" for chunk in range(CHUNKS) for i in range(2))


def test_full_blocks_are_one_file_and_count_as_their_chunks(store: Store, job: Job) -> None:
    save(store, job, range(CHUNKS))
    names = sorted(path.name for path in (store.root / "parts" / job.id).iterdir())
    assert names == ["tagged-00006.parquet", "tagged-block-00000.parquet", "tagged-block-00001.parquet"]
    assert store.chunks.missing_of(job, "tagged", range(CHUNKS + 1)) == [CHUNKS]
    assert store.finish_records([job]) == {job.id: {"attack": 7.0, "memory_mb": 6.0}}
    assert pictures(store) == EXPECTED


def test_a_process_that_ends_while_a_block_is_made_loses_nothing_and_counts_nothing_twice(
    store: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink
    for fatal in range(3):

        def dying(path: Path, missing_ok: bool = False, left: list[int] = [fatal]) -> None:  # noqa: B006 counts down
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            unlink(path, missing_ok=missing_ok)

        monkeypatch.setattr(Path, "unlink", dying)
        with pytest.raises(KeyboardInterrupt):
            save(store, job, range(3))
        monkeypatch.setattr(Path, "unlink", unlink)
        assert store.chunks.missing_of(job, "tagged", range(3)) == []
        again = Store(store.root)
        again.open({"a": "b"})
        save(again, job, range(3, CHUNKS))
        assert again.finish_records([job])[job.id]["attack"] == 7.0
        assert pictures(again) == EXPECTED
        for path in (store.root / "parts" / job.id).iterdir():
            unlink(path)


def test_a_block_that_could_not_be_made_before_is_made_when_the_records_are_gathered(
    store: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunking.Chunks, "_seal", lambda *_: None)
    save(store, job, range(CHUNKS))
    monkeypatch.undo()
    monkeypatch.setattr(chunking, "BLOCK", 3)
    assert store.finish_records([job])[job.id]["attack"] == 7.0
    assert len(list((store.root / "parts" / job.id).iterdir())) == 3
    assert pictures(store) == EXPECTED


def test_memory_is_no_sum() -> None:
    assert add_up([{"read": 1.0, "memory_mb": 5.0}, {"read": 2.0, "memory_mb": 3.0}]) == {"read": 3.0, "memory_mb": 5.0}
    assert add_up([]) == {}
