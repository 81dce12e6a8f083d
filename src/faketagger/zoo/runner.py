"""Runs a driver: walls and limits around it, its events read, and everything it started ended."""

import json
import os
import re
import secrets
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from faketagger.zoo import watch
from faketagger.zoo.events import CappedLog, EventReader, ImageEvent
from faketagger.zoo.grace import has_left, let_it_save
from faketagger.zoo.guard import Guard, Outcome, Verdict
from faketagger.zoo.jobs import Job, changes, fingerprint
from faketagger.zoo.manifest import KIT, Adapter, Limits
from faketagger.zoo.sandbox import Sandbox, wrap

_THREADS = [f"{who}_THREADS" for who in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMEXPR_NUM", "TF_NUM_INTRAOP")]
_LAUNCHER = Path(__file__).with_name("launch.py")
_LEFT_BEHIND: tuple[tuple[str, Outcome, str], ...] = (
    (r"Read-only file system", "trespass", "it tried to write outside its folder"),
    (
        r"Network is unreachable|name resolution|Name or service not known",
        "crashed",
        "it asked for the network",
    ),
    (
        r"MemoryError|bad_alloc|Cannot allocate memory|Unable to allocate",
        "memory_limit",
        "it ran out of memory",
    ),
    (r"File too large|No space left on device|SIGXFSZ", "disk_limit", "it ran out of disk"),
    (
        r"Resource temporarily unavailable|can't start new thread",
        "process_limit",
        "it started too many processes",
    ),
    (r"EOF when reading a line|/dev/tty", "crashed", "it asked a question, and nobody answers"),
)


@dataclass(frozen=True)
class RunReport:
    """How a driver's run ended.

    Attributes:
        outcome: ``finished`` only if the driver said done, left with exit code 0 and touched nothing outside.
        reason: One sentence for every other outcome.
        seconds: Wall time of the tool.
        cpu_seconds: CPU time, user and system, of all its processes when they were last looked at.
        peak_memory_mb: Largest resident memory seen.
        sandbox: What held it in.
    """

    outcome: Outcome
    reason: str | None
    seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    sandbox: Sandbox


def run_driver(
    adapter: Adapter,
    phase: Literal["prepare", "apply", "embed", "read"],
    job: Job,
    *,
    python: Path,
    readable: list[Path],
    sandbox: Sandbox,
    log_path: Path,
    wall_s: float,
    device: str = "cpu",
    on_image: Callable[[ImageEvent], None],
    on_progress: Callable[[int, int], None],
) -> RunReport:
    """Run ``driver.py PHASE job.json`` to its end, good or bad; nothing it started outlives this call.

    Args:
        adapter: The adapter; its manifest's limits hold.
        phase: Which call.
        job: A job folder with its job.json written.
        python: Interpreter of the adapter's environment.
        readable: Further folders that the tool reads.
        sandbox: From :func:`faketagger.zoo.sandbox.choose`.
        log_path: File for everything the tool prints.
        wall_s: Seconds for the whole run.
        device: ``cpu`` or ``cuda``.
        on_image: Called at every image event.
        on_progress: Called with (done, total).

    Returns:
        How it ended. What a callback raises, or KeyboardInterrupt, passes through after all is killed.
    """
    limits = adapter.manifest.limits
    marker = f"FAKETAGGER_JOB={secrets.token_hex(8)}"
    tool = [str(python), str(adapter.driver), phase, str(job.file)]
    command = wrap(sandbox, tool, job.folder, [adapter.folder, KIT, *readable], device)
    launch = [
        sys.executable,
        "-I",
        "-S",
        str(_LAUNCHER),
        json.dumps(_rlimits(limits, device)),
        str(os.getpid()),
    ]
    before = _outside(job, adapter, sandbox)
    log = CappedLog(log_path, limits.log_mb * 2**20)
    reader = EventReader(log, on_image, on_progress, phase)
    process = subprocess.Popen(
        [*launch, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=job.box / "work",
        env=_environment(adapter, job, python, sandbox, marker, device),
        start_new_session=True,
    )
    guard = Guard(process, job, limits, wall_s)
    try:
        verdict = None
        try:
            verdict = _pump(process, reader, log, guard)
        finally:
            if phase == "prepare" and limits.grace_s and (verdict is None or verdict[0] in ("wall_limit", "silent")):
                let_it_save(process, tool, marker, log, guard, limits.grace_s)
    finally:
        watch.kill_job(process.pid, marker)
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        log.close()
    seconds = time.monotonic() - guard.started
    trespasses = changes(before, _outside(job, adapter, sandbox))
    if trespasses:
        verdict = ("trespass", f"it wrote outside its folder: {', '.join(trespasses[:3])}")
    if verdict is None:
        verdict = _after_exit(process.returncode, reader.done, log.tail())
    return RunReport(verdict[0], verdict[1], seconds, guard.cpu_s, guard.peak_memory_mb, sandbox)


def _outside(job: Job, adapter: Adapter, sandbox: Sandbox) -> dict[str, tuple[int, int]]:
    """What must not change; nothing where the tool could not change it, so that people may edit while it runs."""
    return {} if sandbox.read_only else job.fingerprint() | fingerprint(adapter.folder)


def _pump(process: subprocess.Popen[bytes], reader: EventReader, log: CappedLog, guard: Guard) -> Verdict | None:
    """Read until the driver has left and its pipes are empty (None), or a limit is passed (the verdict)."""
    assert process.stdout is not None
    assert process.stderr is not None
    left_at: float | None = None
    with selectors.DefaultSelector() as selector:
        for pipe in (process.stdout, process.stderr):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(timeout=0.05):
                data = os.read(key.fd, 65536)
                guard.hear(len(data))
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    reader.feed(data)
                else:
                    log.write(data)
            if left_at is None and has_left(process.pid):
                left_at = time.monotonic()
            if left_at is not None and time.monotonic() - left_at > 0.5:
                break  # somebody it started still holds the pipes
            if left_at is None and (verdict := guard.look()):
                reader.finish()
                return verdict
    while left_at is None and not has_left(process.pid):  # it closed its pipes and goes on
        if verdict := guard.look():
            return verdict
        time.sleep(0.05)
    reader.finish()
    return None


def _after_exit(code: int, done: bool, tail: str) -> Verdict:
    if code == 0:
        return ("finished", None) if done else ("incomplete", "it left with exit code 0 without having said done")
    number = -code if code < 0 else code - 128  # a sandbox tells of a signal as a shell does
    name = signal.Signals(number).name if number in set(signal.Signals) else f"exit code {code}"
    last = next((line.strip() for line in reversed(tail.splitlines()) if line.strip()), "no message")[:300]
    for pattern, outcome, meaning in _LEFT_BEHIND:
        if re.search(pattern, tail + name):
            return outcome, f"{meaning} ({name}: {last})"
    return "crashed", f"it crashed ({name}: {last})"


def _rlimits(limits: Limits, device: str) -> dict[str, int]:
    """Backstops behind the watch; the kernel exempts root from the one on processes."""
    values = {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": limits.disk_mb * 2**20,
        "RLIMIT_NPROC": watch.tasks_of_user() + 64 * limits.processes,
    }
    if device == "cpu":
        values["RLIMIT_DATA"] = (2 * limits.memory_mb + 1024) * 2**20
    return values


def _environment(
    adapter: Adapter, job: Job, python: Path, sandbox: Sandbox, marker: str, device: str
) -> dict[str, str]:
    """A clean environment: nothing of the user's own (keys, tokens, proxies) reaches the tool."""
    temporary = "/tmp" if sandbox.kind == "bubblewrap" else str(job.box / "tmp")
    clean = {
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(job.box / "work"),
        "TMPDIR": temporary,
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "Agg",
        "OMP_WAIT_POLICY": "passive",
    }
    clean |= dict.fromkeys(_THREADS, str(adapter.manifest.limits.threads))
    shims = [str(adapter.folder / "shims")] if (adapter.folder / "shims").is_dir() else []
    clean["PYTHONPATH"] = ":".join([*shims, str(KIT)])
    if device == "cuda":
        clean |= {name: os.environ[name] for name in ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH") if name in os.environ}
    name, value = marker.split("=")
    return clean | adapter.manifest.environment.variables | {name: value}
