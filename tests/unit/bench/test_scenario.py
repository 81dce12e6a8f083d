"""A benchmark file becomes jobs; mistakes in it are answered in one sentence."""

from pathlib import Path
from typing import Any

import pytest

from faketagger.bench.protocol import BenchConfig
from faketagger.bench.scenario import plan
from faketagger.config import check, load_config
from faketagger.errors import ConfigError

EXPERIMENTS = sorted(Path(__file__).parents[3].glob("experiments/bench/*.yaml"))


def config(*scenarios: dict[str, Any], **changes: Any) -> BenchConfig:
    values = {"protocol": {"name": "p", "version": 1}, "model": "m", "scenarios": list(scenarios), **changes}
    return check(values, BenchConfig, "test.yaml")


def test_a_grid_of_severities_becomes_jobs_after_the_controls() -> None:
    jobs = plan(config({"attack": "jpeg", "severity": [90, 50.5], "label": "JPEG"}, {"attack": "x", "box": "black"}))
    assert [job.id for job in jobs] == ["no_attack", "align_only", "jpeg-90", "jpeg-50.5", "x"]
    assert [job.label for job in jobs[2:]] == ["JPEG 90", "JPEG 50.5", "x"]
    assert jobs[0].views == ("frame", "face")
    assert jobs[2].scenario_id("face") == "jpeg-90/face"


def test_ids_tell_every_setting_apart_and_fit_file_names() -> None:
    jobs = plan(
        config(
            {"attack": "x", "box": "black"},
            {"attack": "x", "box": "black", "preset": "smoke"},
            {"attack": "x", "box": "black", "role": "donor"},
            {"attack": "x", "box": "black", "params": {"path": "a/../b c", "n": 2}},
            {"attack": "x", "box": "black", "facesets": {"src": {"source": "/some/where/stars"}}},
            {"attack": "x", "box": "black", "facesets": {"src": {"source": "others", "whole": True}}},
        )
    )
    ids = [job.id for job in jobs]
    assert len(set(ids)) == len(ids)
    assert not any(set("/ ") & set(name) for name in ids)


def test_controls_are_read_in_the_views_that_are_used() -> None:
    assert plan(config({"attack": "jpeg", "view": "face"}))[0].views == ("face",)


@pytest.mark.parametrize(
    ("scenario", "says"),
    [
        ({"attack": "jpeg", "severty": 5}, "unknown key"),
        ({"attack": "jpeg", "preset": "smoke"}, "presets belong to adapters"),
        ({"attack": "x", "box": "black", "severity": 3.0}, "no severity"),
        ({"attack": "jpeg", "view": "side"}, "view"),
        ({"attack": "jpeg", "severity": "much"}, "severity"),
        ({"attack": "jpeg", "severity": float("nan")}, "finite"),
        ({"attack": ""}, "attack"),
        ({"attack": "jpeg", "pair": "lonely"}, "needs a white and a black"),
        ({"attack": "jpeg", "facesets": {"src": {"source": "bench"}}}, "facesets belong to adapters"),
        ({"attack": "x", "box": "black", "donors": 3}, "belong to the donor role"),
        ({"attack": "x", "box": "black", "role": "donor", "pair": "p"}, "all share a message"),
        ({"attack": "x", "box": "black", "facesets": {"src": {"count": 3}}}, "source"),
        ({"attack": "x", "box": "black", "facesets": {"src": {"sauce": "bench"}}}, "unknown key"),
    ],
)
def test_mistakes_are_named(scenario: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        config(scenario)


def test_no_scenario_and_no_false_positive_rate_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="scenarios"):
        config()
    with pytest.raises(ConfigError, match="fpr"):
        config({"attack": "jpeg"}, fpr=[0.0])


def test_choices_of_the_command_line_replace_model_and_faces() -> None:
    changed = config({"attack": "jpeg"}).with_choices(["other"], Path("portraits"))
    assert (changed.model, changed.faces.source) == ("other", "portraits")
    assert (changed.faces.size, changed.faces.others) == (256, None)
    assert config({"attack": "jpeg"}).with_choices(None, None, Path("a star")).faces.others == "a star"


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_shipped_files_are_valid_and_name_real_attacks(path: Path) -> None:
    from faketagger.bench.sources import check_attacks

    check_attacks(plan(load_config(path, BenchConfig)))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_shipped_files_agree_with_the_adapters(path: Path) -> None:
    from faketagger.bench.tools import BlackBox

    for job in (job for job in plan(load_config(path, BenchConfig)) if job.box == "black"):
        assert set(job.facesets) <= set(BlackBox(job, 0).manifest.facesets), job.id


def test_there_are_shipped_files() -> None:
    assert {"demo", "smoke", "zoo-smoke", "zoo-paper"} <= {path.stem for path in EXPERIMENTS}
