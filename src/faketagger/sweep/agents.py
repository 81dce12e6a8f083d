"""The engine ``wandb``: W&B's server draws the trials, its agents run them; more agents may join from anywhere."""

import json
import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from faketagger.errors import FakeTaggerError
from faketagger.sweep.schema import SweepConfig
from faketagger.sweep.trials import SweepFolder, write_json

_ID = "wandb.json"
_INSTEAD = "Without a server: --engine local, or --engine ray."


def run_agents(config: SweepConfig, folder: Path, count: int | None, console: Console) -> None:
    """Create the sweep on the server, or take the one that was created, and run an agent here.

    Args:
        config: The sweep file.
        folder: Remembers the sweep's name; trials that run here lie below it.
        count: Trials that the agent runs; None for as many as there are.
        console: Where it is told how further agents join.

    Raises:
        FakeTaggerError: Two objectives; no key; no server; or the server refuses.
    """
    if config.metrics:
        raise FakeTaggerError("W&B's search takes one metric, this file has two objectives.", _INSTEAD)
    import wandb

    base = str(wandb.setup().settings.base_url)
    check_server(base)
    sweep = SweepFolder(folder)
    with sweep.held():
        sweep.begin(config, 0, 1)
        path = _sweep_path(config, sweep)
        console.print(f"{base}/{path[: path.rindex('/')]}/sweeps/{path.rsplit('/', 1)[1]}", soft_wrap=True)
        console.print(f"further agents, on any machine: wandb agent {path}", soft_wrap=True, highlight=False)
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        os.environ["FAKETAGGER_SWEEP"] = str(sweep.root)
        try:
            wandb.agent(path, count=count)
        except Exception as error:  # the client's own errors share no class
            raise FakeTaggerError(f"The agent ended: {_brief(error)}", "The same call goes on with it.") from error


def check_server(base: str) -> None:
    """Refuse in one sentence what would end in a traceback or a long silence.

    Args:
        base: URL of the server.

    Raises:
        FakeTaggerError: W&B is switched off, there is no key, or nobody answers.
    """
    mode = os.environ.get("WANDB_MODE", "online")
    if mode != "online":
        raise FakeTaggerError(f"--engine wandb needs W&B's server, but WANDB_MODE is {mode!r}.", _INSTEAD)
    if not _has_key(base):
        raise FakeTaggerError(
            "--engine wandb needs a W&B account and its key.", f"Run 'wandb login' or set WANDB_API_KEY. {_INSTEAD}"
        )
    address = urlsplit(base)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), timeout=10).close()
    except OSError as error:
        raise FakeTaggerError(f"W&B's server {base} does not answer ({error.strerror or error}).", _INSTEAD) from error


def _has_key(base: str) -> bool:
    if os.environ.get("WANDB_API_KEY"):
        return True
    import netrc

    try:
        return netrc.netrc().authenticators(urlsplit(base).hostname or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False


def _sweep_path(config: SweepConfig, sweep: SweepFolder) -> str:
    """``entity/project/id`` of the sweep, created the first time."""
    import wandb

    remembered = sweep.root / _ID
    if remembered.is_file():
        return str(json.loads(remembered.read_text())["path"])
    try:
        made = wandb.sweep(config.plain(), entity=config.entity, project=config.project)
        entity = config.entity or wandb.Api().default_entity
    except Exception as error:  # the client's own errors share no class
        raise FakeTaggerError(f"W&B does not take the sweep: {_brief(error)}", _INSTEAD) from error
    path = f"{entity}/{config.project}/{made}"
    write_json(remembered, {"path": path})
    return path


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
