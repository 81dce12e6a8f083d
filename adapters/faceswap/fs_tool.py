"""Runs deepfakes/faceswap: its own copy of the code, its command lines, what it leaves behind."""

import json
import re
import shutil
import signal
import subprocess
import sys

SETTINGS = "[writer.opencv]\nformat = png\ndraw_transparent = True\nseparate_mask = True\n"
STEP = re.compile(r"\[#(\d+)\]")


def copy_code(upstream, folder):
    """A copy of the code that may be written to: it keeps settings, logs and caches beside its sources.

    The settings ask the converter for its mask as a picture of its own.
    """
    if not (upstream / "faceswap.py").is_file():
        raise SystemExit("the installation is not whole: faceswap.py is missing")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(upstream, folder, ignore=shutil.ignore_patterns("tests", "docs", ".git*", ".install"))
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config" / "convert.ini").write_text(SETTINGS)


def extract_command(pictures, landmarks, faces=None):
    """Makes an alignments file of a landmark file, and the aligned faces if they are wanted."""
    command = ["extract", "-i", str(pictures), "-p", str(landmarks), "-D", "file", "-A", "file"]
    return command + (["-o", str(faces)] if faces else [])


def train_command(faces_a, faces_b, model, parameters, iterations):
    """A session of ``iterations`` further steps; ``--no-logs`` would crash at the first save."""
    options = {"-t": parameters["trainer"], "-b": parameters["batch_size"], "-i": iterations, "-s": 100}
    command = ["train", "-A", str(faces_a), "-B", str(faces_b), "-m", str(model)]
    return command + [str(word) for pair in options.items() for word in pair]


def convert_command(pictures, alignments, model, out, parameters):
    """Puts identity B on every face of the alignments file."""
    options = {"-c": parameters["color"], "-M": parameters["mask"], "-w": "opencv", "-j": 1}
    command = ["convert", "-i", str(pictures), "-p", str(alignments), "-m", str(model), "-o", str(out)]
    return command + [str(word) for pair in options.items() for word in pair]


def run(code, arguments, hear=lambda text: None):
    """Run one command to its end; its output goes to the log. SIGINT is passed on, once, so that training is saved.

    Args:
        code: Folder made by :func:`copy_code`.
        arguments: From one of the functions above.
        hear: Told every piece of output.

    Returns:
        (exit code, whether a SIGINT came, the last lines)
    """
    process = subprocess.Popen(
        [sys.executable, "faceswap.py", *arguments],
        cwd=code,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    stopped = []

    def pass_on(number, frame):
        if not stopped:
            stopped.append(number)
            process.send_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, pass_on)
    tail = b""
    try:
        while piece := process.stdout.read1(4096):
            tail = (tail + piece)[-8000:]
            sys.stderr.buffer.write(piece.replace(b"\r", b"\n"))
            sys.stderr.flush()
            hear(piece.decode("utf-8", "replace"))
        code_left = process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
        if process.poll() is None:
            process.kill()
            process.wait()
    return code_left, bool(stopped), tail.decode("utf-8", "replace")


def last_error(printed):
    """The line that says most about a failure: the last error, else the last line."""
    lines = [line.strip() for line in printed.replace("\r", "\n").splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"ERROR|CRITICAL|Error:", line)]
    return (errors or lines or ["no message"])[-1][:240]


def steps_done(model):
    """Iterations in a model folder's state file; 0 if nothing whole was saved."""
    for state in sorted(model.glob("*_state.json")):
        try:
            if any(model.glob("*.keras")):
                return int(json.loads(state.read_text())["iterations"])
        except (ValueError, KeyError, TypeError):
            return 0
    return 0
