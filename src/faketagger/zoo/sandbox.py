"""The walls around a tool: bubblewrap where it works, and what is said where it does not."""

import functools
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from faketagger.errors import AdapterError

Wish = Literal["auto", "bubblewrap", "rlimits"]
_WALLS = ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent")


@dataclass(frozen=True)
class Sandbox:
    """What held a tool in.

    Attributes:
        kind: ``bubblewrap``: read-only file system, no network, own process space; ``rlimits``: resource
            limits and the runner's watch alone.
        network_blocked: Whether the tool could reach a network.
        read_only: Whether everything outside the job folder was read-only.
        note: Why bubblewrap was not used, or an empty text.
    """

    kind: Literal["bubblewrap", "rlimits"]
    network_blocked: bool
    read_only: bool
    note: str = ""

    def to_dict(self) -> dict[str, str | bool]:
        """The same as plain values."""
        return asdict(self)


def choose(wish: Wish = "auto") -> Sandbox:
    """Pick the strongest walls that work here.

    Args:
        wish: ``auto``, or one kind only.

    Raises:
        AdapterError: bubblewrap was asked for and does not work here.
    """
    if wish == "rlimits":
        return Sandbox("rlimits", False, False, "asked for")
    problem = _bubblewrap_problem()
    if problem is None:
        return Sandbox("bubblewrap", True, True)
    if wish == "bubblewrap":
        raise AdapterError(f"There is no bubblewrap sandbox: {problem}.", "Install it: apt-get install bubblewrap")
    return Sandbox("rlimits", False, False, problem)


def wrap(sandbox: Sandbox, command: list[str], job: Path, readable: list[Path], device: str) -> list[str]:
    """The command line that runs a command inside the walls.

    Args:
        sandbox: From :func:`choose`.
        command: Absolute program and arguments.
        job: Job folder; only its ``box`` can be written, and ``box/tmp`` is shown as ``/tmp``.
        readable: Folders the tool reads; named because they may lie below ``/tmp``.
        device: ``cpu`` or ``cuda`` (which needs the host's device files).

    Returns:
        The command line.
    """
    if sandbox.kind == "rlimits":
        return command
    box = job / "box"
    devices = ["--dev-bind", "/dev", "/dev"] if device == "cuda" else ["--dev", "/dev"]
    walls = ["--ro-bind", "/", "/", *devices, "--proc", "/proc"]
    walls += ["--bind", str(box / "tmp"), "/tmp", "--bind", str(box / "shm"), "/dev/shm"]
    for folder in [*readable, job]:
        walls += ["--ro-bind", str(folder), str(folder)]
    walls += ["--bind", str(box), str(box), "--chdir", str(box / "work")]
    return [_bubblewrap(), *_WALLS, *walls, "--", *command]


@functools.cache
def _bubblewrap_problem() -> str | None:
    """Why bubblewrap cannot be used, tried for real; None if it can."""
    if not _bubblewrap():
        return "bubblewrap (bwrap) is not installed"
    trial = [
        _bubblewrap(),
        *_WALLS,
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--",
        "/bin/true",
    ]
    try:
        done = subprocess.run(trial, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start ({error})"
    return None if done.returncode == 0 else f"bubblewrap does not work here ({done.stderr.strip()[:160]})"


def _bubblewrap() -> str:
    return shutil.which("bwrap") or ""
