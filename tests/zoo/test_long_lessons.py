"""Trainings that are stopped go on where they were: nothing learnt is lost, nobody does the same work twice."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from faketagger.errors import AdapterError
from faketagger.zoo import Prepared, doctor, install, prepare
from tests.helpers.rogue_adapters import make_adapter

SLOW = """
import signal
steps, child = Path(job["work"], "steps"), None
done = int(steps.read_text()) if steps.exists() else 0

def save(*_):
    time.sleep(SAVING)
    state = "gone" if child.poll() is not None else "there"
    steps.write_text(str(done))
    Path(job["work"], "child").write_text(state)
    sys.exit(0)

child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
signal.signal(signal.SIGINT, save)
print("work is", job["work"])
while done < 60:
    time.sleep(0.05)
    done += 1
    say("progress", done=done, total=60)
(target / "steps").write_text(str(done))
child.kill()
say("done")
"""
CALL = """
import sys
from pathlib import Path
from faketagger.zoo import prepare
prepare(sys.argv[1], {"faces": [Path(sys.argv[2])]}, progress=lambda done, total: print(done, flush=True))
"""
Learner = Callable[..., Path]


@pytest.fixture
def learner(cache: Path, tmp_path: Path) -> Learner:
    """Makes and installs an adapter that takes 3 s to learn; nothing of earlier tests is left to go on with."""
    shutil.rmtree(cache / "zoo" / "unfinished", ignore_errors=True)

    def make(saving: float = 0, driver: str = SLOW, **limits: float) -> Path:
        driver = driver.replace("SAVING", str(saving))
        folder = make_adapter(tmp_path / "rogue", driver, facesets=["faces"], limits=limits)
        install(folder)
        return folder

    return make


def stop_at_20(done: int, total: int) -> None:
    if done == 20:
        raise KeyboardInterrupt


def kept_work(cache: Path) -> list[Path]:
    return [path for path in (cache / "zoo" / "unfinished" / "rogue").glob("*/box/work") if path.is_dir()]


def test_a_stopped_training_saves_and_goes_on(
    learner: Learner, cache: Path, pictures: list[Path], walls: str, tmp_path: Path
) -> None:
    folder = learner(saving=1, grace_s=10)
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    with pytest.raises(KeyboardInterrupt):
        prepare(folder, {"faces": pictures[:1]}, progress=stop_at_20, sandbox=walls, log=logs[0])  # type: ignore[arg-type]
    (work,) = kept_work(cache)
    assert int((work / "steps").read_text()) >= 20
    assert (work / "child").read_text() == "there"
    assert [path.name for path in work.parent.iterdir()] == ["work"]
    assert any("goes on with" in line for line in doctor(folder).present)
    seen: list[int] = []
    made = prepare(
        folder,
        {"faces": pictures[:1]},
        progress=lambda done, total: seen.append(done),
        sandbox=walls,  # type: ignore[arg-type]
        log=logs[1],
    )
    assert seen[0] >= 20
    assert (made.folder / "steps").read_text() == "60"
    assert kept_work(cache) == []
    assert logs[0].read_text() == logs[1].read_text()


def test_ctrl_c_says_that_it_waits_for_the_save(
    learner: Learner, cache: Path, pictures: list[Path], tmp_path: Path
) -> None:
    folder = learner(saving=0.2, grace_s=10)
    (tmp_path / "one").mkdir()
    shutil.copy(pictures[0], tmp_path / "one")
    call = [sys.executable, "-m", "faketagger.cli.main", "zoo", "prepare", str(folder), f"faces={tmp_path / 'one'}"]
    mine = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=mine)
    deadline = time.monotonic() + 40
    while not (begun := kept_work(cache)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert begun
    time.sleep(1)
    command.send_signal(signal.SIGINT)
    _, errors = command.communicate(timeout=40)
    assert "stopping; it has up to 10 s to save" in errors
    assert command.returncode == 130
    assert (kept_work(cache)[0] / "steps").is_file()


def test_without_grace_it_begins_again(learner: Learner, cache: Path, pictures: list[Path]) -> None:
    folder = learner()
    seen: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        prepare(folder, {"faces": pictures[:1]}, progress=stop_at_20)
    assert kept_work(cache) == []
    prepare(folder, {"faces": pictures[:1]}, progress=lambda done, total: seen.append(done))
    assert seen[0] == 1


def test_the_wall_limit_saves_too_and_says_how_to_go_on(
    learner: Learner, cache: Path, pictures: list[Path], walls: str
) -> None:
    folder = learner(grace_s=10, wall_s=1.5)
    with pytest.raises(AdapterError, match="longer than 2 s") as caught:
        prepare(folder, {"faces": pictures[:1]}, sandbox=walls)  # type: ignore[arg-type]
    assert "goes on where it stopped" in str(caught.value.hint)
    (work,) = kept_work(cache)
    assert int((work / "steps").read_text()) > 5
    seen: list[int] = []

    def watch(done: int, total: int) -> None:
        seen.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(folder, {"faces": pictures[:1]}, progress=watch, fresh=True, sandbox=walls)  # type: ignore[arg-type]
    assert seen == [1]


DEAF = """
import signal
signal.signal(signal.SIGINT, lambda *_: REACTION())

def eat():
    held = []
    while len(held) < 200:
        held.append(bytearray(b"x" * 2**23))
        time.sleep(0.01)

say("progress", done=1, total=2)
time.sleep(3600)
"""


@pytest.mark.parametrize(("reaction", "grace_s", "longest"), [("eat", 40, 20), ("str", 1, 12)])
def test_grace_ends(
    learner: Learner, pictures: list[Path], walls: str, reaction: str, grace_s: float, longest: float
) -> None:
    """Who eats memory instead of saving is ended at once, who does nothing when the time is over."""
    folder = learner(driver=DEAF.replace("REACTION", reaction), grace_s=grace_s)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        prepare(folder, {"faces": pictures[:1]}, progress=stop, sandbox=walls)  # type: ignore[arg-type]
    assert time.monotonic() - started < longest


def test_two_identical_calls_learn_once(learner: Learner, cache: Path, pictures: list[Path]) -> None:
    folder = learner(grace_s=5)
    made: list[Prepared] = []
    threads = [
        threading.Thread(target=lambda: made.append(prepare(folder, {"faces": pictures[:1]}))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(one.cached for one in made) == [False, True]
    assert made[0].folder == made[1].folder


def test_a_killed_caller_loses_nothing_that_was_saved(learner: Learner, cache: Path, pictures: list[Path]) -> None:
    saving = SLOW.replace("    done += 1\n", "    done += 1\n    steps.write_text(str(done))\n")
    folder = learner(driver=saving, grace_s=5)
    process = subprocess.Popen([sys.executable, "-c", CALL, str(folder), str(pictures[0])], stdout=subprocess.PIPE)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == 20:
            break
    process.kill()
    process.communicate()
    seen: list[int] = []
    prepare(folder, {"faces": pictures[:1]}, progress=lambda done, total: seen.append(done))
    assert seen[0] >= 20
    assert kept_work(cache) == []


def test_an_interrupted_program_saves_also_in_a_background_job(
    learner: Learner, cache: Path, pictures: list[Path]
) -> None:
    """A shell starts its background jobs deaf to SIGINT; the driver must hear it all the same."""
    folder = learner(saving=0.5, grace_s=10, wall_s=2)
    call = [sys.executable, "-c", CALL, str(folder), str(pictures[0])]
    script = "trap '' INT; exec \"$@\""
    done = subprocess.run(["sh", "-c", script, "sh", *call], capture_output=True, text=True, check=False, timeout=60)
    assert "longer than 2 s" in done.stderr
    (work,) = kept_work(cache)
    assert json.loads((work / "steps").read_text()) > 5
