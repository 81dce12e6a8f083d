"""pix2pix.py as a child process: its command line, its progress, and where it goes on after a stop."""

import re
import subprocess
import sys
from pathlib import Path

SAVE_EVERY = 100
TELL_EVERY = 10


def steps_done(folder):
    """Steps that the newest complete checkpoint of a folder has behind it; 0 if there is none.

    Args:
        folder: The ``--output_dir`` of pix2pix.py.
    """
    try:
        written = (Path(folder) / "checkpoint").read_text(encoding="utf-8")
    except OSError:
        return 0
    found = re.search(r'^model_checkpoint_path: ".*?model-(\d+)"', written, re.MULTILINE)
    return int(found[1]) if found and (Path(folder) / f"model-{found[1]}.index").is_file() else 0


def command(script, pairs, folder, parameters, seed):
    """The command line that brings a training to its end.

    Args:
        script: Upstream's pix2pix.py.
        pairs: Folder with the training pictures.
        folder: Where checkpoints are kept; if there is one already, training goes on from it.
        parameters: ``steps`` (all of them) and ``filters``.
        seed: Of the training.

    Returns:
        List of arguments, or None if all steps are done.
    """
    done = steps_done(folder)
    # upstream counts the steps of one call only
    left = parameters["steps"] - done
    if left <= 0:
        return None
    arguments = [sys.executable, str(script), "--mode", "train", "--input_dir", str(pairs), "--output_dir", str(folder)]
    arguments += ["--which_direction", "AtoB", "--max_steps", str(left), "--seed", str((seed + done) % 2**31)]
    arguments += ["--ngf", str(parameters["filters"]), "--ndf", str(parameters["filters"])]
    arguments += ["--save_freq", str(SAVE_EVERY), "--progress_freq", str(TELL_EVERY), "--summary_freq", "0"]
    return arguments + (["--checkpoint", str(folder)] if done else [])


def train(script, pairs, folder, parameters, seed, say):
    """Train to the end; raises SystemExit with one sentence if upstream ends without its last checkpoint.

    An interrupt ends the child at once: upstream saves every 100 steps and has no way to be asked for it.
    """
    arguments = command(script, pairs, folder, parameters, seed)
    if arguments is None:
        return
    done, total, last = steps_done(folder), parameters["steps"], "it said nothing"
    child = subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for line in child.stdout:
            last = line.strip() or last
            if line.startswith("progress "):
                done = min(done + TELL_EVERY, total)
                say("progress", done=done, total=total)
            else:
                say("log", message=line.rstrip())
    finally:
        child.kill()
        child.wait()
    if steps_done(folder) < total:
        raise SystemExit(f"pix2pix.py ended after {steps_done(folder)} of {total} steps: {last[:200]}")
