"""Upstream's main.py as a child process: its command line, its progress, and where it goes on after a stop."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

SAVES = (1000, 500, 100, 50, 25, 10, 5, 1)
TELL_EVERY = 10


def save_every(iterations):
    """Iterations between two checkpoints: a divisor of all, so that the last one is saved."""
    return next(step for step in SAVES if iterations % step == 0 and (step * 4 <= iterations or step == 1))


def checkpoints(folder):
    """Iterations of the checkpoints whose two files are whole, in order."""
    found = []
    for path in Path(folder).glob("*-G.ckpt"):
        step = path.name.split("-")[0]
        # the index of the zip file is written last
        if step.isdigit() and all(zipfile.is_zipfile(path.with_name(f"{step}-{net}.ckpt")) for net in "GD"):
            found.append(int(step))
    return sorted(found)


def command(script, lesson, folder, names, parameters):
    """The command line that brings a training to its end, or None if it is there.

    Args:
        script: Upstream's main.py.
        lesson: Folder with ``images`` and ``list_attr_celeba.txt``.
        folder: Where checkpoints are kept; training goes on from the newest.
        names: The attributes to learn.
        parameters: ``iterations`` (all of them), ``image_size``, ``batch_size``, ``filters`` and ``critic``.
    """
    total, done = parameters["iterations"], max(checkpoints(folder), default=0)
    if done >= total:
        return None
    beside = Path(folder).parent
    options = {
        "mode": "train",
        "dataset": "CelebA",
        "image_size": parameters["image_size"],
        "batch_size": parameters["batch_size"],
        "c_dim": len(names),
        "g_conv_dim": parameters["filters"],
        "d_conv_dim": parameters["filters"],
        "g_repeat_num": parameters["repeats"],
        "n_critic": parameters["critic"],
        "g_lr": parameters["rate"],
        "d_lr": parameters["rate"],
        "num_iters": total,
        "num_iters_decay": max(1, total // 2),
        "num_workers": 0,
        "use_tensorboard": "false",
        "log_step": TELL_EVERY,
        "sample_step": 10 * total,
        "model_save_step": save_every(total),
        "celeba_image_dir": Path(lesson) / "images",
        "attr_path": Path(lesson) / "list_attr_celeba.txt",
        "model_save_dir": folder,
        "log_dir": beside / "logs",
        "sample_dir": beside / "samples",
        "result_dir": beside / "results",
    }
    if done:
        options["resume_iters"] = done
    arguments = [sys.executable, "-u", str(script)]
    for name, value in options.items():
        arguments += [f"--{name}", str(value)]
    return [*arguments, "--selected_attrs", *names]


def sweep(folder):
    """Delete all checkpoints but the newest two whole ones; 200,000 iterations would leave hundreds."""
    for step in checkpoints(folder)[:-2]:
        for net in "GD":
            (Path(folder) / f"{step}-{net}.ckpt").unlink(missing_ok=True)


def train(script, lesson, folder, names, parameters, seed, device, say):
    """Train to the end; raises SystemExit with one sentence if upstream ends without its last checkpoint.

    An interrupt ends the child at once: upstream saves at fixed steps and has no way to be asked for it.
    """
    arguments = command(script, lesson, folder, names, parameters)
    if arguments is None:
        return
    total, done, last = parameters["iterations"], max(checkpoints(folder), default=0), "it said nothing"
    environment = {**os.environ, "STARGAN_SEED": str((seed + done) % 2**63)}
    if device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    child = subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    try:
        for line in child.stdout:
            last = line.strip() or last
            if found := re.search(r"Iteration \[(\d+)/", line):
                say("progress", done=int(found[1]), total=total)
            if line.startswith("Saved model"):
                sweep(folder)
            say("log", message=line.rstrip())
    finally:
        child.kill()
        child.wait()
    reached = max(checkpoints(folder), default=0)
    if reached < total:
        raise SystemExit(f"main.py ended after {reached} of {total} iterations: {last[:200]}")
