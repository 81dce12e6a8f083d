"""Decides when a running tool has had enough: time, silence, memory, disk, processes, output."""

import subprocess
import time
from typing import Literal

from faketagger.zoo import watch
from faketagger.zoo.jobs import Job
from faketagger.zoo.manifest import Limits

Outcome = Literal[
    "finished",
    "incomplete",
    "crashed",
    "wall_limit",
    "silent",
    "memory_limit",
    "disk_limit",
    "process_limit",
    "flooded",
    "trespass",
]
Verdict = tuple[Outcome, str | None]


class Guard:
    """Looks at the clock often and at processes and disk as often as looking stays cheap."""

    def __init__(self, process: subprocess.Popen[bytes], job: Job, limits: Limits, wall_s: float) -> None:
        self.started = self.heard = time.monotonic()
        self.peak_memory_mb = self.cpu_s = 0.0
        self.received = 0
        self._process, self._job, self._limits, self._wall_s = process, job, limits, wall_s
        self._next = {"usage": 0.0, "disk": 0.0}
        self._cpu_then: float | None = None

    def hear(self, count: int) -> None:
        """Note that so many bytes were printed."""
        self.heard = time.monotonic()
        self.received += count
        self._cpu_then = None

    def look(self) -> Verdict | None:
        """The limit that is passed, with one sentence; None if all is well."""
        limits, now = self._limits, time.monotonic()
        if now - self.started > self._wall_s:
            return "wall_limit", f"it ran longer than {self._wall_s:.0f} s"
        if now - self.heard > limits.silence_s:
            self._next = dict.fromkeys(self._next, 0.0)  # whoever is silent because it took too much is named for that
            return self.excess() or ("silent", f"it said nothing for {limits.silence_s:.0f} s {self._signs_of_life()}")
        if self.received > 16 * limits.log_mb * 2**20:
            return "flooded", f"it printed more than {16 * limits.log_mb} MB"
        return self.excess()

    def excess(self) -> Verdict | None:
        """The limit on processes, memory or disk that is passed, whatever the clock says."""
        now = time.monotonic()
        return self._usage(now) or self._disk(now)

    def _usage(self, now: float) -> Verdict | None:
        if now < self._next["usage"]:
            return None
        began = time.thread_time()
        used = watch.usage(self._process.pid)
        self.cpu_s = max(self.cpu_s, used.cpu_s)
        self._cpu_then = used.cpu_s if self._cpu_then is None else self._cpu_then
        if len(used.pids) > self._limits.processes:
            return "process_limit", f"it ran more than {self._limits.processes} processes"
        memory = used.memory_mb
        if memory > self._limits.memory_mb:
            memory = watch.exact_memory_mb(used.pids)
        self.peak_memory_mb = max(self.peak_memory_mb, memory)
        self._wait("usage", began)
        if memory > self._limits.memory_mb:
            return "memory_limit", f"it used more than {self._limits.memory_mb} MB of memory"
        return None

    def _signs_of_life(self) -> str:
        """Whether a silent tool works or waits; one whose helpers have died waits for ever."""
        used = watch.usage(self._process.pid)
        spent = max(0.0, used.cpu_s - (used.cpu_s if self._cpu_then is None else self._cpu_then))
        return f"({len(used.pids)} processes alive, {spent:.1f} s of CPU meanwhile)"

    def _disk(self, now: float) -> Verdict | None:
        if now < self._next["disk"]:
            return None
        began = time.thread_time()
        used = watch.folder_mb(self._job.box)
        self._wait("disk", began)
        if used > self._limits.disk_mb:
            return "disk_limit", f"it wrote more than {self._limits.disk_mb} MB to disk"
        return None

    def _wait(self, what: str, began: float) -> None:
        """Look again so that looking takes no more than a fiftieth of one core, however busy the machine is."""
        self._next[what] = time.monotonic() + max(0.1, 50 * (time.thread_time() - began))
