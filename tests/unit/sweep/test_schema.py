"""The sweep file: W&B's schema, mistakes in one sentence."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from faketagger.config import check
from faketagger.errors import ConfigError
from faketagger.places import repository_root
from faketagger.sweep.schema import SweepConfig, load_sweep

SHIPPED = sorted((repository_root() / "experiments" / "sweeps").glob("*.yaml"))


def values(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "name": "a",
        "method": "random",
        "run_cap": 3,
        "metric": {"name": "val/psnr_db"},
        "parameters": {"x": {"min": 0.0, "max": 1.0}},
        "command": ["faketagger"],
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def sweep(**changes: Any) -> SweepConfig:
    return check(values(**changes), SweepConfig, "sweep.yaml")


@pytest.mark.parametrize(
    ("parameter", "kind"),
    [
        ({"value": None}, "constant"),
        ({"values": [1, "a", {"b": 2}]}, "categorical"),
        ({"values": [1, 2], "probabilities": [0.2, 0.8]}, "categorical_w_probabilities"),
        ({"min": 1, "max": 3}, "int_uniform"),
        ({"min": 1, "max": 3.5}, "uniform"),
        ({"distribution": "normal"}, "normal"),
        ({"distribution": "q_beta", "a": 2, "q": 0.1}, "q_beta"),
        ({"parameters": {"y": {"value": 1}}}, "parameters"),
    ],
)
def test_distributions_are_inferred_as_wandb_does(parameter: dict[str, Any], kind: str) -> None:
    assert sweep(parameters={"x": parameter}).parameters["x"].kind == kind


@pytest.mark.parametrize(
    ("changes", "sentence", "hint"),
    [
        ({"metod": "grid"}, "unknown key 'metod'", "'method'"),
        ({"parameters": {"x": {"valeus": [1]}}}, "unknown key 'parameters.x.valeus'", "'values'"),
        ({"method": "gird"}, "'method' is 'gird'", None),
        ({"run_cap": None}, "a random search needs run_cap", None),
        ({"metric": None}, "give either metric, or metrics", None),
        ({"parameters": {"x": {"min": 1}}}, "uniform needs max", None),
        ({"parameters": {"x": {"min": 2.0, "max": 1.0}}}, "min 2.0 is not below max 1.0", None),
        ({"parameters": {"x": {"values": [1], "min": 2}}}, "min does not go with categorical", None),
        ({"parameters": {"x": {"distribution": "log_uniform_values", "min": 0, "max": 1}}}, "above 0", None),
        ({"parameters": {"x": {"distribution": "triangle"}}}, "there is no distribution 'triangle'", None),
        ({"parameters": {"x": {"values": [1, 2], "probabilities": [1]}}}, "one probability for each value", None),
        ({"early_terminate": {"type": "hyperband"}}, "give either min_iter, or max_iter and s", None),
        (
            {"early_terminate": {"type": "hyperband", "min_iter": 1}, "metric": {"name": "bench/bit_accuracy"}},
            "must be one of validation",
            None,
        ),
    ],
)
def test_mistakes_are_one_sentence(changes: dict[str, Any], sentence: str, hint: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        sweep(**changes)
    assert sentence in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "sentence"), [("- a", "holds no keys"), ("a: [", "no readable YAML"), (None, "There is no sweep file")]
)
def test_unreadable_files(tmp_path: Path, text: str | None, sentence: str) -> None:
    path = tmp_path / "sweep.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        load_sweep(path)


def test_rungs_are_said_either_way() -> None:
    rule = {"type": "hyperband", "max_iter": 27, "s": 2}
    read = sweep(early_terminate=rule).early_terminate
    assert read is not None
    assert read.first_rung == 3


def test_the_file_of_the_documentation_is_one() -> None:
    page = (repository_root() / "docs" / "sweeps.md").read_text()
    (block,) = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.M | re.S)
    read = check(yaml.safe_load(block), SweepConfig, "docs/sweeps.md")
    assert read.early_terminate is not None
    for path in SHIPPED:
        assert f"`{path.name}`" in page


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_survive_being_written_down(path: Path) -> None:
    config = load_sweep(path)
    assert check(config.plain(), SweepConfig, "again") == config
    assert config.name == path.stem
