"""Time to save for a driver that is being stopped: one SIGINT to it alone, under the same watch as before."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from faketagger.zoo import watch
from faketagger.zoo.events import CappedLog
from faketagger.zoo.guard import Guard


def let_it_save(
    process: subprocess.Popen[bytes],
    tool: list[str],
    marker: str,
    log: CappedLog,
    guard: Guard,
    grace_s: float,
) -> None:
    """Interrupt a driver that still runs and wait until it has left, its time is over or it takes too much.

    The signal goes to the driver and to nobody else: a sandbox around it would die of it and take the driver along,
    and what the driver has started is the driver's to stop.

    Args:
        process: The launched process, the sandbox or the driver itself.
        tool: The driver's command line, by which it is found inside a sandbox.
        marker: ``NAME=value`` in the environment of the job's processes.
        log: Gets what it still prints.
        guard: Still watches memory, disk and processes.
        grace_s: Seconds to wait.
    """
    if has_left(process.pid):
        return
    driver = _find(tool, marker)
    if driver is None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(driver, signal.SIGINT)
    until = time.monotonic() + grace_s
    while time.monotonic() < until and not has_left(process.pid) and guard.excess() is None:
        for pipe in (process.stdout, process.stderr):
            with contextlib.suppress(BlockingIOError):
                log.write(os.read(pipe.fileno(), 65536) if pipe is not None else b"")
        time.sleep(0.05)


def has_left(pid: int) -> bool:
    """Whether a child has ended; left unreaped, so that its number stays its own until all is killed."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _find(tool: list[str], marker: str) -> int | None:
    """The driver among a job's processes; copies that it forked of itself have it as their parent."""
    wanted = [os.fsencode(word) for word in tool]
    same = {pid: watch.parent(pid) for pid in watch.marked(marker) if _command_line(pid) == wanted}
    return next((pid for pid, parent in sorted(same.items()) if parent not in same), None)


def _command_line(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return []
