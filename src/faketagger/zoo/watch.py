"""What the processes of a job are using right now, read from /proc, and the end of all of them."""

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Living processes of a job.

    Attributes:
        pids: Their numbers.
        memory_mb: Resident memory (shared pages counted once a process).
        cpu_s: Seconds of CPU that they and the children they waited for have used so far.
    """

    pids: tuple[int, ...]
    memory_mb: float
    cpu_s: float


def usage(leader: int) -> Usage:
    """Count the members of the leader's session and all descendants of the leader.

    Args:
        leader: Process id of the session leader.
    """
    parents: dict[int, int] = {}
    sessions: dict[int, int] = {}
    pages: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for pid in _all_pids():
        fields = _stat(pid)
        if fields:
            parents[pid], sessions[pid], pages[pid] = int(fields[1]), int(fields[3]), int(fields[21])
            ticks[pid] = sum(map(int, fields[11:15]))  # its own, and of the children that it has waited for
    members = {pid for pid, session in sessions.items() if session == leader}
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    queue = [leader, *members]
    while queue:
        for child in children.get(queue.pop(), []):
            if child not in members:
                members.add(child)
                queue.append(child)
    memory, cpu = (sum(each[pid] for pid in members) for each in (pages, ticks))
    return Usage(tuple(sorted(members)), memory * _PAGE_MB, cpu * _TICK_S)


def exact_memory_mb(pids: tuple[int, ...]) -> float:
    """Memory in which pages shared by several processes count once; dearer to get than :func:`usage`."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(text.split("\nPss:", 1)[1].split()[0])
    return total / 1024


def folder_mb(folder: Path) -> float:
    """Megabytes on disk below a folder; what vanishes meanwhile does not count."""
    total = 0
    queue = [str(folder)]
    while queue:
        with contextlib.suppress(OSError), os.scandir(queue.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        queue.append(entry.path)
    return total / 2**20


def kill_job(leader: int, marker: str) -> None:
    """Kill the leader's process group, then everything else that belongs to the job, until nothing is left.

    Args:
        leader: Session leader, not yet reaped (so that its number cannot belong to somebody else).
        marker: ``NAME=value`` in the environment of the job's processes; finds those that left the session.
    """
    for _ in range(50):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
        left = [pid for pid in marked(marker) if pid != leader]
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def tasks_of_user() -> int:
    """Threads of all processes of this user, the number that RLIMIT_NPROC counts."""
    own = os.getuid()
    total = 0
    for pid in _all_pids():
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}").st_uid == own:
                fields = _stat(pid)
                total += int(fields[17]) if fields else 0
    return total


def marked(marker: str) -> list[int]:
    """Processes that have ``NAME=value`` in their environment."""
    wanted = marker.encode()
    found = []
    for pid in _all_pids():
        with contextlib.suppress(OSError):
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(pid)
    return found


def parent(pid: int) -> int | None:
    """Parent of a living process."""
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat after the name: state, ppid, pgrp, session, ...; None for a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b") ")[2].decode().split()
    except OSError:
        return None
    return fields if fields and fields[0] not in "ZX" else None
