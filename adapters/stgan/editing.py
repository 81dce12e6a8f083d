"""Upstream's test.py as a child process: which edits, its folder, its command line, what it leaves behind."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from sight import HAIR
from training import ENDINGS, RUN

MODEL, SETTINGS = "model.ckpt", "setting.txt"
WHOLE = ("img_size", "dis_dim", "dis_fc_dim", "dis_layers")


def read_settings(path):
    """Upstream's record of a training.

    Raises:
        SystemExit: It is none.
    """
    try:
        settings = json.loads(Path(path).read_text(encoding="utf-8"))
        fits = all(type(settings[name]) is int and settings[name] > 0 for name in WHOLE)
        fits = fits and len(settings["atts"]) > 1 and all(type(name) is str for name in settings["atts"])
    except (OSError, ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise SystemExit(f"{Path(path).name} is no record of a training of STGAN")
    return settings


def keep(checkpoint, settings, output):
    """Hand a trained network over to ``apply``.

    Args:
        checkpoint: Path without an ending.
        settings: Upstream's record of its training.
        output: Folder.
    """
    for end in ENDINGS:
        shutil.copyfile(f"{checkpoint}{end}", output / f"{MODEL}{end}")
    (output / "checkpoint").write_text(f'model_checkpoint_path: "{MODEL}"\n', encoding="utf-8")
    shutil.copyfile(settings, output / SETTINGS)


def wanted_edits(text, names):
    """The attributes to turn round.

    Args:
        text: The parameter ``edits``: comma-separated names.
        names: The attributes that were learned.

    Raises:
        SystemExit: One sentence on what cannot be done.
    """
    edits = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not edits:
        raise SystemExit(f"no edit is named; this model has learned {', '.join(names)}")
    if unknown := [name for name in edits if name not in names]:
        raise SystemExit(f"{', '.join(unknown)} was not learned; this model has learned {', '.join(names)}")
    if len([name for name in edits if name in HAIR]) > 1:
        raise SystemExit("hair has one colour at a time: name one of them")
    return edits


def lay_out(work, model, settings):
    """What test.py expects in its current folder. The squares are cut already, whatever the training was told.

    Args:
        work: That folder.
        model: Folder that :func:`keep` filled.
        settings: Its record.
    """
    run = Path(work) / "output" / RUN
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    (run / "checkpoints").symlink_to(Path(model).resolve())
    (run / SETTINGS).write_text(json.dumps({**settings, "use_cropped_img": True}), encoding="utf-8")


def command(script, count, edits):
    """The command line that edits the first ``count`` pictures of the folder ``pictures``."""
    images = [str(number) for number in range(1, count + 1)]
    options = ["--experiment_name", RUN, "--dataroot", "pictures", "--img", *images, "--test_atts", *edits]
    return [sys.executable, "-u", str(script), *options]


def edit(script, work, count, edits, device, tell):
    """Run test.py to its end.

    Args:
        script: Upstream's test.py.
        work: Of :func:`lay_out`.
        count: How many pictures there are.
        edits: Attributes to turn round.
        device: ``cpu`` or ``cuda``.
        tell: Told how many pictures are done.

    Returns:
        What it said that says most about a failure; its exit code does not tell one.
    """
    environment = {**os.environ, **({"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {})}
    said, done = [], 0
    with subprocess.Popen(
        command(script, count, edits),
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        try:
            for line in child.stdout:
                if re.match(r"\d{6}\.png done!", line):
                    done += 1
                    tell(done)
                elif line.strip():
                    said.append(line.rstrip())
        finally:
            child.kill()
    errors = [line for line in said if re.search(r"Error\b|Exception\b", line)]
    return (errors or said or ["it said nothing"])[-1][:200]


def collect(work, number, size):
    """The edit in what test.py left for a picture: a strip of input, gap and edit.

    Args:
        work: Of :func:`lay_out`.
        number: Of the picture, from 1.
        size: Of the network in pixels.

    Returns:
        (size, size, 3) uint8; None where there is no such strip.
    """
    from zoo_driver import read_rgb

    for path in (Path(work) / "output" / RUN / "sample_testing_multi").glob(f"{number:06d}_*.png"):
        try:
            strip = read_rgb(path)
        except (OSError, ValueError):
            return None
        return strip[:, -size:] if strip.shape == (size, 2 * size + size // 10, 3) else None
    return None
