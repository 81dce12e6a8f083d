"""Runs one DeepFaceLab command and notices every way in which it is known to fail without saying so.

Upstream exits 0 after an error, hangs for ever when a sample generator dies, and waits at prompts. So its output is
read as it comes, its processes are counted, and silence has a limit.
"""

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time

FATAL = re.compile(r"Traceback \(most recent call last\)|^Error: |Unable to execute program", re.MULTILINE)
LOOK_S = 0.5
LAST_WORDS_S = 2.0
KEPT = 65536


class ToolError(Exception):
    """The tool failed; the text is one sentence for the user."""


class Stopped(Exception):
    """The driver was asked to stop and the tool has saved its work."""


class Stop:
    """A request to stop, told to the tool by a file that the training loop looks for.

    Args:
        file: Created when the driver is interrupted.
        grace_s: Seconds that the tool gets to save.
    """

    def __init__(self, file, grace_s):
        self.file, self.grace_s, self.asked_at = file, grace_s, None
        file.unlink(missing_ok=True)

    def listen(self):
        """Take SIGINT and SIGTERM of this process as the request."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.ask())

    def ask(self):
        """Ask the tool to save and close."""
        self.file.touch()
        self.asked_at = self.asked_at or time.monotonic()


class Watcher:
    """What is expected of one command; subclasses read the output. This one only limits silence."""

    fatal = None
    stall_s = 600.0

    def read(self, text):
        """Take note of new output."""

    def look(self, pids):
        """Take note of the living descendants of the tool; raise ToolError if something is wrong."""


def run(name, command, *, folder, environment, log, watcher, answers="", stop=None):
    """Run one command to its end.

    Args:
        name: What is done, for messages: ``training``.
        command: Program and arguments.
        folder: Where it runs.
        environment: All of its environment variables.
        log: File that gets all of its output.
        watcher: Reads the output and looks at the processes.
        answers: What is typed at its prompts; afterwards they see the end of the input and take their defaults.
        stop: A request to stop; without one an interrupt ends the driver as usual.

    Raises:
        ToolError: It failed, hung or left with an exit code.
        Stopped: It ended because it was asked to.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        problem, tail = _follow(process, name, log, watcher, answers, stop)
    finally:
        _end(process)
    if problem is None and stop is not None and stop.asked_at is not None:
        raise Stopped(f"{name} was stopped")
    if problem is None and process.returncode != 0:
        problem = f"{name} left with exit code {process.returncode}"
    if problem:
        last = last_words(tail)
        raise ToolError(f"{problem}: {last}" if last else problem)


def _follow(process, name, log, watcher, answers, stop):
    """Read until the process ends (None) or something is wrong (a sentence); returns that and the last output."""
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(answers.encode())
        process.stdin.close()
    tail, heard, wrong_at, problem = "", time.monotonic(), None, None
    os.set_blocking(process.stdout.fileno(), False)
    with log.open("ab") as file, selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            ended = _has_left(process)
            data = os.read(process.stdout.fileno(), KEPT) if selector.select(0 if ended else LOOK_S) else None
            now = time.monotonic()
            if data:
                file.write(data)
                file.flush()
                text, heard = data.decode(errors="replace"), now
                tail = (tail + text)[-KEPT:]
                watcher.read(text)
            if problem is None and watcher.fatal and data and watcher.fatal.search(tail):
                problem, wrong_at = f"{name} failed", now
            if problem is not None:
                if ended or now - wrong_at > LAST_WORDS_S:
                    return problem, tail
            elif ended:
                if not data:
                    return None, tail
            elif now - heard > watcher.stall_s:
                return f"{name} hung: it printed nothing for {watcher.stall_s:.0f} s", tail
            elif stop is not None and stop.asked_at is not None and now - stop.asked_at > stop.grace_s:
                return f"{name} did not stop within {stop.grace_s:.0f} s of being asked", tail
            if problem is None and not ended:
                try:
                    watcher.look(descendants(process.pid))
                except ToolError as error:
                    problem, wrong_at = str(error), now
            if not data and not ended:
                time.sleep(LOOK_S / 5)


def _has_left(process):
    """Whether the tool has ended; left unreaped, so that its number stays its own until all is killed."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(process):
    """Kill the tool and whatever it left running in its session."""
    for pid in descendants(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def descendants(pid):
    """Living processes below ``pid`` (zombies are not alive)."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state not in "ZX":
            children.setdefault(int(parent), []).append(int(name))
    found, queue = set(), [pid]
    while queue:
        for child in children.get(queue.pop(), []):
            if child not in found:
                found.add(child)
                queue.append(child)
    return found


def last_words(text):
    """The line that says most about a failure: the last exception of the output, else its last line."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    errors = [line for line in lines if re.match(r"(\w+\.)*\w*(Error|Exception|Interrupt)\b.*:|Error: ", line)]
    return (errors or lines or [""])[-1][:300]
