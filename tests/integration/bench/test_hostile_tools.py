"""Every failure seen in a real tool, all in one benchmark with one tool that works: each is named, the others go on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from faketagger.errors import AdapterError
from faketagger.zoo import install
from tests.helpers.rogue_adapters import BEHAVIOURS, make_adapter

Bench = Callable[..., dict[str, Any]]
FAILING = {
    "silent_liar": "exit code 0 without having said done",
    "doing_nothing": "never reported on it",
    "lying": "its output is missing",
    "hanging": "said nothing for 2 s",
    "dead_helpers": "processes alive",
    "chattering": "ran longer than 3 s",
    "white_garbage": "nearly all white",
    "garbage_output": "cannot be decoded",
    "asking": "asked a question",
    "fork_bomb": "more than 12 processes",
    "eating_memory": "memory",
    "filling_disk": "disk",
    "flooding": "printed more than",
    "trespassing": "outside its folder",
    "phoning_home": "crashed|network",
}
"""By behaviour what the records have to say."""

UNTEACHABLE = {
    "hanging": "said nothing for 2 s",
    "dead_helpers": "processes alive",
    "asking": "asked a question",
    "silent_liar": "exit code 0 without having said done",
    "doing_nothing": "said it was prepared and wrote nothing",
    "eating_memory": "memory",
    "filling_disk": "disk",
    "fork_bomb": "more than 12 processes",
    "trespassing": "outside its folder",
}
"""By behaviour while learning what the rows have to say."""

WEIGHT = {
    "path": "net.bin",
    "origin": "user",
    "sha256": "0" * 64,
    "bytes": 9,
    "licence": "MIT",
    "without": "it cannot think",
}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes adapters that are found by name."""
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FAKETAGGER_ADAPTERS", str(tmp_path / "adapters"))

    def make(name: str, behaviour: str, **changes: Any) -> Path:
        return make_adapter(tmp_path / "adapters" / name, BEHAVIOURS[behaviour], name=name, **changes)

    return make


def black(name: str) -> dict[str, str]:
    return {"attack": name, "box": "black", "view": "frame"}


def limits_of(behaviour: str) -> dict[str, float]:
    """Short patience only where patience is what ends it; on a busy machine the others take their time."""
    silent = behaviour in ("hanging", "dead_helpers")
    return {"silence_s": 2 if silent else 60, "wall_s": 3 if behaviour == "chattering" else 60}


@pytest.mark.slow
def test_each_is_named_and_the_others_go_on(bench: Bench, shelf: Callable[..., Path], tmp_path: Path) -> None:
    install(shelf("good", "well_behaved"))
    for behaviour in FAILING:
        install(shelf(behaviour, behaviour, limits=limits_of(behaviour)))
    install(shelf("copying", "copying"))
    shelf("weightless", "well_behaved", weights=[WEIGHT])
    with pytest.raises(AdapterError, match="it cannot think"):
        install("weightless")
    summary = bench(scenarios=[black(name) for name in (*FAILING, "weightless", "copying", "good")])
    rows = {row["attack"]: row for row in summary["scenarios"]}
    assert (rows["good"]["attacked"], rows["good"]["failed"]) == (12, 0)
    assert (rows["copying"]["attacked"], rows["copying"]["passed_through"]) == (0, 12)
    flagged = {flag["scenario"] for flag in summary["flags"] if flag["flag"] == "attack_did_nothing"}
    assert "copying/frame" in flagged
    assert rows["weightless"]["status"] == "not run"
    assert "net.bin is missing; without it: it cannot think" in rows["weightless"]["reason"]
    assert rows["weightless"]["command"] == "faketagger zoo install weightless --weights DIR"
    records = pq.read_table(tmp_path / "out" / "records.parquet").to_pandas()
    for behaviour, words in FAILING.items():
        assert (rows[behaviour]["attacked"], rows[behaviour]["failed"]) == (0, 12), behaviour
        mine = records[(records.scenario == f"{behaviour}/frame") & (records.kind == "tagged")]
        assert mine.reason.str.contains(words).all(), (behaviour, set(mine.reason))


@pytest.mark.slow
def test_each_is_named_while_it_learns_too(bench: Bench, shelf: Callable[..., Path]) -> None:
    install(shelf("good", "well_behaved"))
    for behaviour in UNTEACHABLE:
        install(shelf(behaviour, behaviour, limits=limits_of(behaviour), facesets=["faces"]))
    summary = bench(scenarios=[black(name) for name in (*UNTEACHABLE, "good")])
    rows = {row["attack"]: row for row in summary["scenarios"]}
    assert rows["good"]["attacked"] == 12
    for behaviour, words in UNTEACHABLE.items():
        assert rows[behaviour]["status"] == "not run", behaviour
        assert words in rows[behaviour]["reason"], behaviour
