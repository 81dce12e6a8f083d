"""The cache, resuming, seeds, parameters and bad input of ``apply`` and ``prepare``."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faketagger.errors import AdapterError
from faketagger.zoo import apply, install, prepare
from faketagger.zoo.sandbox import choose
from tests.helpers.rogue_adapters import BEHAVIOURS, LEARNING, make_adapter

Make = Callable[..., Path]


def read(path: Path | None) -> np.ndarray:
    assert path is not None
    return np.asarray(Image.open(path))


def test_second_run_comes_from_the_cache(adapter: Make, pictures: list[Path], tmp_path: Path) -> None:
    folder = adapter("counting")
    seen: list[tuple[int, int]] = []
    first = apply(folder, pictures, tmp_path / "one", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    second = apply(folder, pictures, tmp_path / "two")
    assert second.run is None
    assert all(image.cached for image in second.images)
    for a, b in zip(first.images, second.images, strict=True):
        assert (a.status, a.changed, a.psnr_db) == (b.status, b.changed, b.psnr_db)
        assert (read(a.output) == read(b.output)).all()


def test_only_what_is_missing_is_run(adapter: Make, pictures: list[Path], tmp_path: Path) -> None:
    folder = adapter("counting")
    apply(folder, pictures[:1], tmp_path / "one")
    run = apply(folder, pictures, tmp_path / "two")
    assert [image.cached for image in run.images] == [True, False, False]
    assert run.log is not None
    assert "run with 2 pictures" in run.log.read_text()


def test_a_damaged_cache_entry_is_made_again(adapter: Make, pictures: list[Path], tmp_path: Path, cache: Path) -> None:
    folder = adapter("well_behaved")
    first = apply(folder, pictures[:1], tmp_path / "one")
    digest = (tmp_path / "one" / "p0.png").read_bytes()
    (entry,) = [p for p in (cache / "zoo" / "results").rglob("output.png") if p.read_bytes() == digest]
    entry.write_bytes(digest[:50])
    second = apply(folder, pictures[:1], tmp_path / "two")
    assert not second.images[0].cached
    assert (read(first.images[0].output) == read(second.images[0].output)).all()


@pytest.mark.parametrize(
    ("change", "cached"),
    [({"seed": 5}, False), ({"params": {"shade": 9}}, False), ({"params": {"haste": 9}}, True)],
)
def test_key(adapter: Make, pictures: list[Path], tmp_path: Path, change: dict[str, object], cached: bool) -> None:
    folder = adapter("well_behaved")
    apply(folder, pictures, tmp_path / "one")
    run = apply(folder, pictures, tmp_path / "two", **change)  # type: ignore[arg-type]
    assert all(image.cached == cached for image in run.images)


def test_another_driver_is_another_result(adapter: Make, pictures: list[Path], tmp_path: Path) -> None:
    folder = adapter("well_behaved")
    apply(folder, pictures, tmp_path / "one")
    with (folder / "driver.py").open("a") as file:
        file.write("# changed\n")
    assert not any(image.cached for image in apply(folder, pictures, tmp_path / "two").images)


def test_another_helper_module_is_another_result(adapter: Make, pictures: list[Path], tmp_path: Path) -> None:
    folder = adapter("well_behaved")
    (folder / "helper.py").write_text("")
    apply(folder, pictures, tmp_path / "one")
    (folder / "README.md").write_text("# Other words\n")
    assert all(image.cached for image in apply(folder, pictures, tmp_path / "two").images)
    (folder / "helper.py").write_text("# changed\n")
    assert not any(image.cached for image in apply(folder, pictures, tmp_path / "two").images)


@pytest.mark.parametrize("changes", [{"required": False, "sha256": "0" * 64, "bytes": 1}, {}])
def test_other_weights_are_another_result(
    cache: Path, pictures: list[Path], tmp_path: Path, changes: dict[str, object]
) -> None:
    weight = {"path": f"{tmp_path.name}.bin", "origin": "user", "licence": "MIT", "without": "-", **changes}
    if changes:
        weight |= {"sha256": hashlib.sha256(b"1").hexdigest()}
    folder = make_adapter(tmp_path / "rogue", BEHAVIOURS["well_behaved"], weights=[weight], name=f"w{len(changes)}")
    brought = tmp_path / "brought"
    brought.mkdir()
    (brought / weight["path"]).write_bytes(b"0")  # type: ignore[operator]
    install(folder, weights=None if changes else brought)
    apply(folder, pictures, tmp_path / "one")
    assert all(image.cached for image in apply(folder, pictures, tmp_path / "two").images)
    (brought / weight["path"]).write_bytes(b"1")  # type: ignore[operator]
    install(folder, weights=brought)
    assert not any(image.cached for image in apply(folder, pictures, tmp_path / "two").images)


def test_people_may_edit_an_adapter_while_it_runs(adapter: Make, pictures: list[Path], tmp_path: Path) -> None:
    if choose().kind != "bubblewrap":
        pytest.skip(choose().note)
    folder = adapter("well_behaved")
    run = apply(folder, pictures, tmp_path / "out", progress=lambda *_: (folder / "README.md").write_text(str(_)))
    assert run.count("attacked") == 3


def test_unreadable_pictures_fail_alone(adapter: Make, pictures: list[Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(pictures[0].read_bytes()[:40])
    run = apply(adapter("well_behaved"), [broken, tmp_path / "absent.png", pictures[0]], tmp_path / "out")
    assert [image.status for image in run.images] == ["failed", "failed", "attacked"]
    assert all(image.reason for image in run.images[:2])


def test_one_name_twice(adapter: Make, pictures: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other" / pictures[0].name
    other.parent.mkdir()
    other.write_bytes(pictures[1].read_bytes())
    run = apply(adapter("well_behaved"), [pictures[0], other, pictures[0]], tmp_path / "out")
    assert [image.output.name for image in run.images if image.output] == ["p0.png", "p0-1.png", "p0-2.png"]
    assert read(run.images[1].output).shape == read(other).shape


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"params": {"shad": 1}}, "no parameter 'shad'"),
        ({"params": {"shade": 999}}, "above 255"),
        ({"params": {"shade": True}}, "is no int"),
        ({"preset": "smok"}, "no preset 'smok'"),
        ({"device": "cuda"}, "does not run on 'cuda'"),
        ({"prepared": Path("/tmp")}, "needs no preparation"),
    ],
)
def test_wrong_arguments(
    adapter: Make, pictures: list[Path], tmp_path: Path, arguments: dict[str, object], words: str
) -> None:
    with pytest.raises(AdapterError, match=words):
        apply(adapter("well_behaved"), pictures, tmp_path / "out", **arguments)  # type: ignore[arg-type]


def test_not_installed(tmp_path: Path, pictures: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path / "empty"))
    folder = make_adapter(tmp_path / "rogue", "")
    with pytest.raises(AdapterError, match="not installed") as caught:
        apply(folder, pictures, tmp_path / "out")
    assert caught.value.hint == f"Run: faketagger zoo install {folder}"


def test_interrupt_keeps_what_was_finished(adapter: Make, pictures: list[Path], tmp_path: Path, cache: Path) -> None:
    folder = adapter("well_behaved")
    driver = (folder / "driver.py").read_text()
    slow = driver.replace("\n    paint(image)", "\n    paint(image)\n    time.sleep(60)")
    (folder / "driver.py").write_text(slow)
    script = (
        "import sys; from pathlib import Path; from faketagger.zoo import apply\n"
        "apply(sys.argv[1], [Path(p) for p in sys.argv[3:]], Path(sys.argv[2]),"
        " progress=lambda done, total: print(done, flush=True))\n"
    )
    command = [sys.executable, "-c", script, str(folder), str(tmp_path / "out"), *map(str, pictures)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "1":
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in errors
    assert not any(path.name.startswith(f"{process.pid}-") for path in (cache / "zoo" / "jobs").iterdir())
    resumed = apply(folder, pictures[:1], tmp_path / "out")
    assert resumed.images[0].cached


def test_a_killed_caller_takes_the_tool_with_it(adapter: Make, pictures: list[Path], tmp_path: Path) -> None:
    from faketagger.zoo.watch import marked

    variables = {"FAKETAGGER_TEST": tmp_path.name}
    folder = adapter("hanging", environment={"variables": variables})
    script = (
        "import sys; from pathlib import Path; from faketagger.zoo import apply\n"
        "apply(sys.argv[1], [Path(sys.argv[3])], Path(sys.argv[2]))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(folder), str(tmp_path / "out"), str(pictures[0])])
    marker = f"FAKETAGGER_TEST={tmp_path.name}"
    deadline = time.monotonic() + 20
    while not marked(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert marked(marker)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 5
    while marked(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert marked(marker) == []


def test_jobs_of_killed_runs_are_swept(adapter: Make, pictures: list[Path], tmp_path: Path, cache: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    stale = cache / "zoo" / "jobs" / f"{process.pid}-abc"
    stale.mkdir(parents=True)
    mine = cache / "zoo" / "jobs" / f"{os.getpid()}-abc"
    mine.mkdir()
    apply(adapter("well_behaved"), pictures, tmp_path / "out")
    assert not stale.exists()
    assert mine.exists()
    mine.rmdir()


def test_prepare_then_apply(cache: Path, pictures: list[Path], tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "learner", LEARNING, name="learner", facesets=["src", "dst"])
    install(folder)
    with pytest.raises(AdapterError, match="must be prepared first"):
        apply(folder, pictures, tmp_path / "out")
    sets = {"src": pictures[:1], "dst": pictures[1:]}
    first = prepare(folder, sets)
    assert json.loads((first.folder / "model.json").read_text()) == {"src": 1, "dst": 2}
    assert prepare(folder, sets).cached
    other = prepare(folder, {"src": pictures[1:], "dst": pictures[:1]})
    assert other.folder != first.folder
    run = apply(folder, pictures, tmp_path / "out", prepared=first.folder)
    assert run.count("attacked") == 3
    assert run.log is not None
    assert 'model {"src": 1, "dst": 2}' in run.log.read_text()
    with pytest.raises(AdapterError, match="each of: src, dst"):
        prepare(folder, {"src": pictures})


def test_the_tools_own_cpu_time_is_told(
    cache: Path, pictures: list[Path], tmp_path: Path, walls: str
) -> None:
    spin = "import time\\nwhile time.process_time() < 0.6: pass"
    busy = f'subprocess.run([sys.executable, "-c", "{spin}"])\n'
    folder = make_adapter(tmp_path / "busy", busy + "time.sleep(1)\n" + BEHAVIOURS["well_behaved"])
    install(folder)
    run = apply(folder, pictures, tmp_path / "out", sandbox=walls)  # type: ignore[arg-type]
    assert run.run is not None
    assert run.run.outcome == "finished"
    assert 0.5 <= run.run.cpu_seconds <= run.run.seconds - 0.8


def test_prepare_says_what_went_wrong(cache: Path, pictures: list[Path], tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "dunce", "raise ValueError('too hard')", name="dunce", facesets=["src"])
    install(folder)
    with pytest.raises(AdapterError, match="too hard"):
        prepare(folder, {"src": pictures})
