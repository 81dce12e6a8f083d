"""``zoo check`` passes what keeps the contract and names what does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from faketagger.zoo import check_adapter
from tests.helpers.rogue_adapters import WELL_BEHAVED, make_adapter

Make = Callable[..., Path]


def failures(folder: Path, walls: str) -> dict[str, str]:
    results = check_adapter(folder, sandbox=walls)  # type: ignore[arg-type]
    return {result.expectation: result.detail for result in results if result.verdict == "failed"}


def test_well_behaved(adapter: Make, walls: str) -> None:
    results = check_adapter(adapter("well_behaved"), sandbox=walls)  # type: ignore[arg-type]
    verdicts = {result.expectation: result.verdict for result in results}
    network = verdicts.pop("it needs no network")
    assert network == ("passed" if walls == "bubblewrap" else "skipped")
    assert set(verdicts.values()) == {"passed"}
    assert len(verdicts) == 12


@pytest.mark.parametrize(
    ("behaviour", "expectation", "detail"),
    [
        ("unseeded", "the seed fixes the result", "came out differently"),
        ("batch_dependent", "a picture's result does not depend on the batch", "came out differently"),
        ("helpless_without_pictures", "it ends well without any picture", "IndexError"),
        ("copying", "the face is really changed", "passed_through"),
        ("lying", "every picture comes back whole, in its own size", "output is missing"),
        ("crashing", "it ends well with three pictures", "the model fell over"),
        ("silent_liar", "it ends well with three pictures", "without having said done"),
        ("trespassing", "it writes nowhere else", "outside its folder"),
        ("hanging", "it ends well with three pictures", "said nothing for 1 s"),
        ("flooding", "it ends well with three pictures", "printed more than"),
        ("eating_memory", "it ends well with three pictures", "memory"),
    ],
)
def test_each_break_is_named(adapter: Make, walls: str, behaviour: str, expectation: str, detail: str) -> None:
    limits = {"silence_s": 1} if behaviour == "hanging" else {}
    found = failures(adapter(behaviour, limits=limits), walls)
    assert detail in found[expectation]


def test_network_use_is_named(adapter: Make) -> None:
    found = failures(adapter("phoning_home"), "auto")
    assert "it ends well with three pictures" in found


def test_static_breaks(tmp_path: Path, cache: Path) -> None:
    folder = make_adapter(
        tmp_path / "rogue", "import faketagger\n" + WELL_BEHAVED, environment={"requirements": "r.txt"}
    )
    (folder / "r.txt").write_text("numpy>=2\npillow==11.0.0  # fine\n")
    (folder / "README.md").unlink()
    found = failures(folder, "auto")
    assert found["requirements are pinned"] == "not pinned: numpy>=2"
    assert "imports faketagger" in found["the driver is independent of faketagger"]
    assert found["there is a README"] == "README.md is missing"
    assert "zoo install" in found["it is installed"]


def test_a_wrong_manifest(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "rogue", "", famly="x")
    (result,) = check_adapter(folder)
    assert result.verdict == "failed"
    assert "Did you mean 'family'?" in result.detail
