"""Every command of docs/scale.md is one that the command line understands."""

import re
import shlex

import pytest
import typer

from faketagger.cli.lazy import LazyCommand, LazyGroup
from faketagger.cli.main import app
from faketagger.config import load_config
from faketagger.places import repository_root

ROOT = repository_root()
BLOCKS = re.findall(r"^```bash\n(.*?)^```", (ROOT / "docs" / "scale.md").read_text(), flags=re.M | re.S)
LINES = [line for block in BLOCKS for line in block.splitlines()]


@pytest.mark.parametrize("line", LINES)
def test_the_command_is_understood(line: str) -> None:
    words = shlex.split(line)
    if words[0] == "sbatch":
        assert (ROOT / words[1]).is_file()
        words = ["faketagger", "train", *words[2:]]
    assert words[0] == "faketagger"
    group = typer.main.get_command(app)
    assert isinstance(group, LazyGroup)
    command = LazyCommand(words[1], LazyGroup.sources[words[1]]).load()
    context = command.make_context(words[1], words[2:])
    for word in words[2:]:
        assert not word.endswith(".yaml") or (ROOT / word).is_file()
    if words[1] == "train":
        from faketagger.training.config import TrainConfig

        load_config(ROOT / words[2], TrainConfig, context.params["overrides"])


def test_there_are_commands() -> None:
    assert {shlex.split(line)[1] for line in LINES} >= {"train", "shard", "tag", "bench", "plan"}
