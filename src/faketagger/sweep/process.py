"""Trials in processes of their own, forked from one that has imported torch already.

A trial is what ``command`` says. Words that begin with ``faketagger`` run the installed command in the fork, which
saves ten seconds of imports a trial; any other command is started as it is.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from importlib.metadata import entry_points
from multiprocessing import connection, get_context, parent_process
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from faketagger.sweep.outcomes import conclude, last_words
from faketagger.sweep.trials import LOG, RESULT, SweepFolder, Trial, read_trial
from faketagger.sweep.words import trial_words

_PRELOAD = ["faketagger.training.run", "faketagger.bench.measure", "faketagger.bench.report", "matplotlib.pyplot"]
_FRONT = ("${env}", "/usr/bin/env")
_TRIES = 3
_GRACE = 20.0
"""Seconds that a trial has to save itself once the sweep is interrupted."""


class TrialHost:
    """Runs trials, each in its own process and session; they end when the process that runs them does.

    Args:
        sweep: Their sweep.
    """

    def __init__(self, sweep: SweepFolder) -> None:
        self._sweep, self._config = sweep, sweep.config()
        self._context = get_context("forkserver")
        heavy = _PRELOAD if runs_in_fork(self._config.command) else []
        self._context.set_forkserver_preload([__name__, *heavy])
        self._alive: set[ForkServerProcess] = set()
        self._closing = False

    def run(self, trial: Trial, cores: list[int] | None = None) -> Trial:
        """Run a trial to its end; one that a signal killed is run again, up to three times.

        Args:
            trial: What to run.
            cores: The cores that it may use; None for all.

        Returns:
            What became of it; still ``waiting`` if the sweep was interrupted.
        """
        folder = self._sweep.folder(trial.id)
        began = time.time()
        for _ in range(_TRIES):
            code = self._run_once(folder, trial, cores)
            ended = read_trial(folder)
            if ended.settled or self._closing:
                return ended
        failure = f"its process ended {_TRIES} times without a result, the last time {_how(code)}"
        return conclude(self._config, folder, began, f"{failure}: {last_words(folder / LOG)}")

    def _run_once(self, folder: Path, trial: Trial, cores: list[int] | None) -> int:
        words = trial_words(self._config, trial)
        process = self._context.Process(target=_child, args=(self._sweep.root, folder, words, cores, dict(os.environ)))
        process.start()
        self._alive.add(process)
        try:
            process.join()
        finally:
            self._alive.discard(process)
        return process.exitcode or 0

    def close(self) -> None:
        """Interrupt what runs: a training saves its last step. What does not end in time is killed."""
        self._closing = True
        running = [process for process in self._alive if process.is_alive()]
        for process in running:
            with contextlib.suppress(OSError, TypeError):
                os.kill(process.pid, signal.SIGINT)  # type: ignore[arg-type]
        deadline = time.monotonic() + _GRACE
        for process in running:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()


def _child(
    root: Path, folder: Path, words: list[str], cores: list[int] | None, environment: dict[str, str]
) -> None:
    os.setsid()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with (folder / LOG).open("ab") as log, open(os.devnull, "rb") as nothing:
        for stream, number in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(stream.fileno(), number)
    if cores:
        os.sched_setaffinity(0, cores)
    sweep = SweepFolder(root)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a trial that a killed sweep has left is about to end
        if (folder / RESULT).is_file():
            return
        config, began = sweep.config(), time.time()
        os.environ.clear()  # that of the process it is forked from may be an older one
        os.environ.update(environment)
        os.environ.update(FAKETAGGER_TRIAL=str(folder), WANDB_RUN_GROUP=config.name)
        os.environ.setdefault("WANDB_PROJECT", config.project)
        code = run_words(words)
        if code in (-signal.SIGINT, 128 + signal.SIGINT):
            sys.exit(code)  # interrupted: to be run again
        if code < 0:
            os.kill(os.getpid(), -code)
        conclude(config, folder, began, last_words(folder / LOG) if code else None)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os.killpg(0, signal.SIGKILL)


def run_words(words: list[str]) -> int:
    """Run a command.

    Args:
        words: Of the command line; ``env`` in front is skipped.

    Returns:
        Its exit code, negative for a signal.
    """
    if not runs_in_fork(words):
        try:
            return subprocess.run(words, check=False).returncode
        except OSError as error:
            print(f"error: {words[0]} cannot be started: {error.strerror}", file=sys.stderr)
            return 127
    (entry,) = entry_points(group="console_scripts", name="faketagger")
    sys.argv = words[1:] if words[0] in _FRONT else words
    try:
        entry.load()()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def runs_in_fork(words: list[str]) -> bool:
    """Whether a command is our own, which needs no new interpreter."""
    program = words[1] if words[0] in _FRONT and len(words) > 1 else words[0]
    return Path(program).name == "faketagger"


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
