"""A virtual X display for the tool's OpenGL window."""

import contextlib
import os
import selectors
import subprocess

START_S = 60


@contextlib.contextmanager
def display(width, height, program="Xvfb"):
    """Start Xvfb on a free display and end it afterwards.

    Its socket lies in ``/tmp``, which inside the sandbox is the job's own folder, and in no network.

    Args:
        width: Pixels of the screen; the tool's window must fit or what it draws cannot be read back.
        height: Likewise.
        program: The X server.

    Yields:
        The value for ``DISPLAY``.
    """
    reading, writing = os.pipe()
    command = [program, "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
    try:
        server = subprocess.Popen([*command, "-noreset"], pass_fds=[writing], stdout=2)
    except FileNotFoundError:
        raise SystemExit(f"{program} is not installed (apt-get install xvfb)") from None
    finally:
        os.close(writing)
    try:
        yield f":{_number(reading, server, program)}"
    finally:
        os.close(reading)
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()


def _number(reading, server, program):
    """The number that the server writes when it is ready to be used."""
    text = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while not text.endswith(b"\n"):
            if not selector.select(START_S):
                raise SystemExit(f"{program} was not ready after {START_S} s")
            part = os.read(reading, 64)
            if not part:
                raise SystemExit(f"{program} ended at once (exit code {server.wait()}); its message is in the log")
            text += part
    return int(text)
