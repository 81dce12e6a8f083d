"""Largest resident memory of this process, step by step: Linux lets a process start its own high-water mark anew."""

import contextlib
import resource
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_START_ANEW = "5"


class PeakMemory:
    """The high-water mark since :meth:`restart`, and the highest of all.

    Source: ``proc(5)``, ``/proc/pid/clear_refs`` (value 5) and ``VmHWM`` of ``/proc/pid/status``.
    """

    def __init__(self) -> None:
        self._highest = 0.0

    def restart(self) -> None:
        """Begin a step. Where the kernel does not offer it the mark of the whole process stays."""
        self._highest = max(self._highest, self.megabytes())
        with contextlib.suppress(OSError):
            _CLEAR.write_text(_START_ANEW)

    def megabytes(self) -> float:
        """Of the step that :meth:`restart` began."""
        try:
            lines = _STATUS.read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
        except (OSError, StopIteration):
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def highest(self) -> float:
        """Of the whole process and of its largest finished child."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return max(self._highest, self.megabytes(), children)


PEAK = PeakMemory()
"""Of this process; a restart is seen by everybody, so there is one."""
