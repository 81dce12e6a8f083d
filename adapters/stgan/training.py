"""Upstream's train.py as a child process: its command line, its progress, how it is stopped and goes on."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from lesson import TRAINED

RUN = "run"
SAVES, SAVE_EVERY = 10, 50
STEP = re.compile(r"Epoch: \( *(\d+)\) \( *(\d+)/ *(\d+)\)")
SAVED = re.compile(r"Epoch_\((\d+)\)_\((\d+)of(\d+)\)\.ckpt$")


def newest(checkpoints):
    """The newest whole checkpoint.

    Args:
        checkpoints: Upstream's folder of that name.

    Returns:
        Its iterations and its path without an ending; (0, None) if there is none.
    """
    try:
        written = (Path(checkpoints) / "checkpoint").read_text(encoding="utf-8")
    except OSError:
        return 0, None
    named = re.search(r'^model_checkpoint_path: "(.*)"', written, re.MULTILINE)
    path = Path(checkpoints) / Path(named[1] if named else "").name
    found = SAVED.search(path.name)
    if found is None or not all(path.with_name(path.name + end).is_file() for end in ENDINGS):
        return 0, None
    epoch, step, length = map(int, found.groups())
    return epoch * length + step, path


ENDINGS = (".index", ".data-00000-of-00001")


def command(script, names, parameters):
    """The command line of a training; upstream goes on by itself where its folder was left.

    Args:
        script: Upstream's train.py.
        names: The attributes to learn.
        parameters: Of the phase ``prepare``.
    """
    length = max(1, TRAINED // (parameters["batch_size"] * (parameters["critic"] + 1)))
    epochs = -(-parameters["iterations"] // length)
    options = {
        "experiment_name": RUN,
        "dataroot": "lesson",
        "img_size": parameters["image_size"],
        **{f"{part}_dim": parameters["filters"] for part in ("enc", "dec", "dis", "stu")},
        **{f"{part}_layers": parameters["layers"] for part in ("enc", "dec", "dis")},
        **{f"{part}_layers": parameters["layers"] - 1 for part in ("stu", "stu_inject", "shortcut", "inject")},
        "dis_fc_dim": parameters["head"],
        "rec_loss_weight": parameters["reconstruction"],
        "epoch": epochs,
        "init_epoch": max(1, epochs // 2),
        "batch_size": parameters["batch_size"],
        "lr": parameters["rate"],
        "n_d": parameters["critic"],
        "n_sample": 2,
        "save_freq": max(SAVE_EVERY, parameters["iterations"] // SAVES),
        "num_ckpt": 2,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return [sys.executable, "-u", str(script), "--use_cropped_img", *words, "--atts", *names]


def train(script, work, names, parameters, seed, device, say):
    """Train to the wanted iteration.

    Upstream saves when it is interrupted. So it is, once, at the wanted iteration, and whenever this process is.

    Args:
        script: Upstream's train.py.
        work: Holds the folder ``lesson``; upstream writes to ``output`` beside it.
        names: The attributes to learn.
        parameters: Of the phase ``prepare``.
        seed: Of this training.
        device: ``cpu`` or ``cuda``.
        say: Prints an event.

    Returns:
        The checkpoint's path without an ending.

    Raises:
        SystemExit: Upstream ended without its last checkpoint, or this process was interrupted.
    """
    checkpoints, total = Path(work) / "output" / RUN / "checkpoints", parameters["iterations"]
    done, path = newest(checkpoints)
    if done >= total:
        return path
    environment = {**os.environ, "STGAN_SEED": str((seed + done) % 2**31)}
    if device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    child = subprocess.Popen(
        command(script, names, parameters),
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    interrupted, last = follow(child, total, say)
    done, path = newest(checkpoints)
    if interrupted:
        raise SystemExit(f"interrupted; {done} of {total} iterations are saved")
    if done < total:
        raise SystemExit(f"train.py ended after {done} of {total} iterations: {last[:200]}")
    return path


def follow(child, total, say):
    """Tell the progress of a training and interrupt it, once, at its end or when this process is interrupted.

    Returns:
        Whether this process was interrupted, and the last line of what upstream said.
    """
    sent, interrupted, last = [], [], "it said nothing"

    def stop():
        if not sent:
            sent.append(True)
            child.send_signal(signal.SIGINT)

    def pass_on(number, frame):
        interrupted.append(number)
        stop()

    before = signal.signal(signal.SIGINT, pass_on)
    try:
        for line in child.stdout:
            if found := STEP.search(line):
                epoch, step, length = map(int, found.groups())
                done = epoch * length + step
                say("progress", done=min(done, total), total=total)
                if done >= total:
                    stop()
                continue
            last = line.strip() or last
            say("log", message=line.rstrip())
        child.wait()
    finally:
        signal.signal(signal.SIGINT, before)
        if child.poll() is None:
            child.kill()
            child.wait()
    return bool(interrupted), last
