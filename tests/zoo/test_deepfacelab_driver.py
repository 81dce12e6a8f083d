"""DeepFaceLab's driver without DeepFaceLab: a stand-in for main.py writes the output trees that the tool was seen to
write, and fails in the ways in which it was seen to fail."""

import importlib.util
import json
import math
import os
import pickle
import queue
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from faketagger.zoo.manifest import load_manifest

FOLDER = Path(__file__).parents[2] / "adapters" / "deepfacelab"

STAND_IN = """
import os, sys, time
from pathlib import Path
from PIL import Image
a = sys.argv
def value(name): return Path(a[a.index(name) + 1])
broken = Path(__file__).with_name("broken").read_text().split()
if a[1] == "extract":
    if "extract" in broken: print("Error while processing data: Traceback"); sys.exit(0)
    for path in sorted(value("--input-dir").iterdir()):
        if Image.open(path).getpixel((0, 0))[0] > 100 and "faceless" not in broken:
            Image.new("RGB", (256, 256)).save(value("--output-dir") / (path.stem + "_0.jpg"))
elif a[1] == "train":
    folder, name = value("--model-dir"), "run_" + str(value("--model"))
    if "closes" in broken: os.environ["DFL_STOP_FILE"] = "/"
    start = int((folder / "iteration").read_text()) if (folder / "iteration").exists() else 0
    goal = int(os.environ["DFL_ITERATIONS"])
    for i in range(start + 1, goal + 1):
        print(f"[12:00:00][#{i:06d}][0010ms][{3 / i:.4f}][{2 / i:.4f}]", end="\\r", flush=True)
        time.sleep(0.01)
        if os.path.exists(os.environ["DFL_STOP_FILE"]): break
    (folder / "iteration").write_text(str(i))
    for part in ("encoder", "inter", "decoder_src", "decoder_dst"):
        if part not in broken: (folder / f"{name}_{part}.npy").write_bytes(b"w")
    (folder / f"{name}_data.dat").write_bytes(b"d")
    (folder / f"{name}_summary.txt").write_text(f"== Current iteration: {i} ==")
    if i == goal: print("Reached target iteration.")
else:
    assert sys.stdin.readline() == "n\\n"
    for path in sorted(value("--input-dir").iterdir()):
        if path.stem in broken: continue
        image = Image.open(path).convert("RGB")
        mask = Image.new("L", image.size)
        mask.paste(255, (8, 8, 40, 40))
        image.paste((1, 2, 3), (8, 8, 40, 40))
        for folder, picture in (("--output-dir", image), ("--output-mask-dir", mask)):
            value(folder).mkdir(exist_ok=True)
            picture.save(value(folder) / (path.stem + ".png"))
print("Done.")
"""


def _load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location(f"deepfacelab_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return _load("dfl_commands", monkeypatch)


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("dfl_tool")


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return _load("dfl_outputs", monkeypatch)


def _parameters(preset: str = "smoke", **given: Any) -> dict[str, Any]:
    return load_manifest(FOLDER).manifest.resolve(preset, given)


class _Place:
    """A job on disk with the stand-in for upstream."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("up", "src", "dst", "in", "box/out", "box/work", "box/masks"):
            (folder / name).mkdir(parents=True)
        (folder / "up/main.py").write_text(STAND_IN)
        self.breaks()
        for side in ("src", "dst"):
            self.picture(side, "00000.png", 200)
            self.picture(side, "00001.png", 0)

    def breaks(self, *what: str) -> None:
        (self.folder / "up/broken").write_text(" ".join(what))

    def picture(self, where: str, name: str, grey: int, size: tuple[int, int] = (130, 140)) -> None:
        Image.new("RGB", size, (grey, grey, grey)).save(self.folder / where / name)

    def write(self, phase: str, model: Path | None = None, **parameters: Any) -> list[str]:
        description = {
            "contract": 1,
            "input": str(self.folder / "in"),
            "output": str(self.folder / "box/out"),
            "work": str(self.folder / "box/work"),
            "masks": str(self.folder / "box/masks"),
            "model": str(model) if model else None,
            "install": {"upstream": str(self.folder / "up")},
            "parameters": _parameters(**parameters),
        }
        if phase == "prepare":
            description["facesets"] = {side: str(self.folder / side) for side in ("src", "dst")}
        else:
            description["images"] = [{"name": p.name, "seed": 1} for p in sorted((self.folder / "in").iterdir())]
        job = self.folder / "job.json"
        job.write_text(json.dumps(description))
        return [sys.executable, str(FOLDER / "driver.py"), phase, str(job)]

    def run(self, phase: str, model: Path | None = None, **parameters: Any) -> SimpleNamespace:
        done = subprocess.run(self.write(phase, model, **parameters), capture_output=True, text=True, timeout=60)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        images = {e["name"]: (e["status"], e["reason"]) for e in events if e["event"] == "image"}
        return SimpleNamespace(code=done.returncode, error=done.stderr, events=events, images=images)


@pytest.fixture
def place(tmp_path: Path) -> _Place:
    return _Place(tmp_path)


def test_the_manifest_offers_both_roles_and_a_paper_preset_of_upstreams_own_sizes() -> None:
    manifest = load_manifest(FOLDER).manifest
    assert manifest.donor == "src"
    assert manifest.masks
    assert set(manifest.roles) == {"carrier", "donor"}
    paper = _parameters("paper")
    sizes = [paper[name] for name in ("archi", "ae_dims", "e_dims", "d_dims", "d_mask_dims")]
    assert sizes == ["liae-ud", 256, 64, 64, 22]


def test_the_mergers_prompts_are_answered_one_line_each(commands: ModuleType) -> None:
    assert commands.merge_answers(_parameters(), 2) == "n\n1\n1\n0\n20\n0\n0\nrct\n0\n0\n0\n0\n0\n2\n"
    given = commands.merge_answers(_parameters(mask_mode="learned-dst", blur=7, erode=-3, colour="none"), 1)
    assert given.split("\n") == ["n", "1", "3", "-3", "7", "0", "0", "", "0", "0", "0", "0", "0", "1", ""]


def test_what_training_executes_is_the_same_text_for_every_job(commands: ModuleType) -> None:
    one = commands.train("SAEHD", Path("/a'; evil()"), Path("/b"), Path("/c"))
    programs = [one[i + 2] for i, word in enumerate(one) if word == "--execute-program"]
    assert programs == [commands.CLOSE_WHEN_DONE, commands.SAVE]
    assert not any("evil" in program for program in programs)


@pytest.mark.parametrize(("iteration", "stopped", "closes"), [(3, False, False), (5, False, True), (3, True, True)])
def test_training_closes_at_its_goal_or_when_asked(
    commands: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, iteration: int, stopped: bool, closes: bool
) -> None:
    file = tmp_path / "stop"
    if stopped:
        file.touch()
    monkeypatch.setenv("DFL_ITERATIONS", "5")
    monkeypatch.setenv("DFL_STOP_FILE", str(file))
    model = SimpleNamespace(target_iter=0)
    model.is_reached_iter_goal = lambda: model.target_iter != 0 and iteration >= model.target_iter
    orders: queue.Queue[dict[str, str]] = queue.Queue()
    exec(commands.CLOSE_WHEN_DONE, {"os": os, "model": model, "s2c": orders})
    assert model.target_iter == 5
    assert orders.empty() is not closes


def test_saehds_defaults_are_the_parameters(commands: ModuleType, tmp_path: Path) -> None:
    commands.write_options(tmp_path, _parameters(iterations=77, archi="liae-ud"))
    options = pickle.loads((tmp_path / "SAEHD_default_options.dat").read_bytes())
    assert (options["target_iter"], options["archi"], options["resolution"]) == (77, "liae-ud", 64)
    assert options["pretrain"] is False
    assert options["write_preview_history"] is False


@pytest.mark.parametrize(
    ("model", "archi", "part"),
    [("SAEHD", "df-ud", "inter"), ("SAEHD", "liae", "inter_AB"), ("Quick96", "liae", "inter")],
)
def test_the_files_of_a_model_follow_its_architecture(commands: ModuleType, model: str, archi: str, part: str) -> None:
    names = commands.model_files(_parameters(model=model, archi=archi))
    assert f"run_{model}_{part}.npy" in names
    assert f"run_{model}_data.dat" in names
    assert not any("opt" in name for name in names)


def _training(commands: ModuleType, said: list[int] | None = None) -> Any:
    stop = SimpleNamespace(asked_at=None)
    return commands.Training(100, lambda done, total: (said if said is not None else []).append(done), stop)


def test_iterations_and_losses_are_read_from_torn_output(commands: ModuleType) -> None:
    said: list[int] = []
    training = _training(commands, said)
    text = "\nSaving....\r[02:05:28][#000033][0945ms][3.0967][3.2163]\r[02:05:29][#000034][12.34s][2.5][2.25]\r"
    for start in range(0, len(text), 7):
        training.read(text[start : start + 7])
    assert (training.iteration, training.first, training.last) == (34, (3.0967, 3.2163), (2.5, 2.25))
    assert said[0] == 0
    assert not training.reached
    training.read("Reached target itera")
    training.read("tion.\n")
    assert training.reached


def test_a_loss_that_is_no_number_ends_training(commands: ModuleType, tool: ModuleType) -> None:
    with pytest.raises(tool.ToolError, match="iteration 9"):
        _training(commands).read(f"[12:00:00][#000009][0010ms][{math.nan}][1.0]\r")


def test_a_lost_sample_generator_is_noticed_unless_training_is_over(
    commands: ModuleType, tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = _training(commands)
    training.look({1, 2, 3})
    training.read("[12:00:00][#000001][0010ms][1.0][1.0]\r")
    training.look({4, 5, 6})
    training.look({4, 5, 6, 7})
    training.look({4, 6})
    training.look({4, 6})
    monkeypatch.setattr(commands, "LOST_S", -1.0)
    with pytest.raises(tool.ToolError, match="sample generator of the training died after iteration 1"):
        training.look({4, 6})
    training.reached = True
    training.look(set())


def _run(tool: ModuleType, folder: Path, program: str, watcher: Any = None, stop: Any = None) -> None:
    tool.run(
        "training",
        [sys.executable, "-c", program],
        folder=folder,
        environment=dict(os.environ),
        log=folder / "log",
        watcher=watcher or tool.Watcher(),
        stop=stop,
    )


def test_an_error_with_exit_code_0_is_an_error_and_its_last_line_is_told(
    tool: ModuleType, commands: ModuleType, tmp_path: Path
) -> None:
    program = "import traceback\ntry: [][1]\nexcept IndexError: traceback.print_exc()\nprint('Done.')"
    with pytest.raises(tool.ToolError, match="training failed: IndexError: list index out of range"):
        _run(tool, tmp_path, program, _training(commands))


def test_endless_silence_is_named_and_nothing_is_left_running(tool: ModuleType, tmp_path: Path) -> None:
    watcher = tool.Watcher()
    watcher.stall_s = 0.5
    program = "import subprocess, time; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); time.sleep(60)"
    with pytest.raises(tool.ToolError, match="training hung: it printed nothing"):
        _run(tool, tmp_path, program, watcher)
    child = int((tmp_path / "log").read_text())
    until = time.monotonic() + 10
    while _runs(child) and time.monotonic() < until:  # a killed process takes a moment to be gone
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_a_killed_generator_process_ends_the_run_at_once(
    tool: ModuleType, commands: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import subprocess, time\nchild = subprocess.Popen(['sleep', '60'])\n"
        "print('[12:00:00][#000001][0010ms][1.0][1.0]', flush=True)\ntime.sleep(1.5)\nchild.kill()\ntime.sleep(60)"
    )
    monkeypatch.setattr(commands, "LOST_S", 1.0)
    begun = time.monotonic()
    with pytest.raises(tool.ToolError, match="sample generator"):
        _run(tool, tmp_path, program, _training(commands))
    assert time.monotonic() - begun < 30


def test_a_tool_that_was_asked_to_stop_stops_or_is_ended(tool: ModuleType, tmp_path: Path) -> None:
    stop = tool.Stop(tmp_path / "stop", 30.0)
    stop.ask()
    program = f"import os, time\nwhile not os.path.exists({str(stop.file)!r}): time.sleep(0.01)"
    with pytest.raises(tool.Stopped):
        _run(tool, tmp_path, program, stop=stop)
    deaf = tool.Stop(tmp_path / "deaf", 0.3)
    deaf.ask()
    with pytest.raises(tool.ToolError, match="did not stop"):
        _run(tool, tmp_path, "import time; time.sleep(60)", stop=deaf)


def test_s3fd_is_taken_only_where_both_weight_files_are_whole(
    outputs: ModuleType, tool: ModuleType, tmp_path: Path
) -> None:
    assert outputs.choose_detector("auto", tmp_path) == "dlib"
    with pytest.raises(tool.ToolError, match=r"2DFAN\.npy"):
        outputs.choose_detector("s3fd", tmp_path)
    (tmp_path / "facelib").mkdir()
    for name, size in outputs.NATIVE.items():
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    assert outputs.choose_detector("auto", tmp_path) == "s3fd"
    assert outputs.choose_detector("dlib", tmp_path) == "dlib"
    (tmp_path / "facelib/S3FD.npy").write_bytes(b"version https://git-lfs")
    assert outputs.choose_detector("auto", tmp_path) == "dlib"


def test_a_cut_off_save_is_finished(outputs: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "run_SAEHD_data.dat.tmp").write_bytes(b"new")
    (tmp_path / "run_SAEHD_inter.npy").write_bytes(b"old")
    (tmp_path / "run_SAEHD_inter.npy.tmp").write_bytes(b"half")
    outputs.rescue_half_saved(tmp_path)
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert found == {"run_SAEHD_data.dat": b"new", "run_SAEHD_inter.npy": b"old"}


@pytest.mark.parametrize(
    ("merged", "mask", "status", "word"),
    [
        ("changed", "box", "attacked", None),
        ("same", "box", "passed_through", "no pixel"),
        ("changed", "empty", "passed_through", "mask is empty"),
        ("small", "box", "failed", "pixels instead of"),
        ("broken", "box", "failed", "cannot be decoded"),
        ("missing", "box", "failed", "wrote no picture"),
    ],
)
def test_a_merged_picture_is_believed_only_after_a_look(
    outputs: ModuleType, tmp_path: Path, merged: str, mask: str, status: str, word: str | None
) -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 200, (48, 40, 3), dtype=np.uint8)
    given, made, alpha = tmp_path / "given.png", tmp_path / "made.png", tmp_path / "alpha.png"
    Image.fromarray(pixels).save(given)
    changed = pixels.copy()
    changed[4:9, 4:9] = 255
    variants = {"changed": changed, "same": pixels, "small": changed[:-2]}
    if merged in variants:
        Image.fromarray(variants[merged]).save(made)
    elif merged == "broken":
        made.write_bytes(given.read_bytes()[:60])
    area = np.zeros((48, 40), np.uint8)
    area[4:9, 4:9] = 255 if mask == "box" else 0
    Image.fromarray(area).save(alpha)
    out, masks = tmp_path / "out", tmp_path / "masks"
    out.mkdir()
    masks.mkdir()
    found = outputs.collect("x.png", given, made, alpha, out, masks)
    assert found[0] == status
    assert word is None or word in found[1]
    if status == "attacked":
        assert np.array_equal(np.asarray(Image.open(out / "x.png")), changed)
        assert np.array_equal(np.asarray(Image.open(masks / "x.png")), area)
    else:
        assert not list(out.iterdir())
        assert not list(masks.iterdir())


def test_prepare_then_apply_report_every_picture(place: _Place) -> None:
    made = place.run("prepare", iterations=5)
    assert made.events[-1] == {"event": "done"}, made.error
    assert made.code == 0
    output = place.folder / "box/out"
    record = json.loads((output / "prepared.json").read_text())
    assert record["detector"] == "dlib"
    assert record["faces"] == {"src": 1, "dst": 1}
    assert record["iterations"] == 5
    model = output.rename(place.folder / "model")
    output.mkdir()
    place.picture("in", "00000.png", 200)
    place.picture("in", "00001.png", 0)
    place.picture("in", "00002.png", 0, (100, 90))
    place.picture("in", "00003.png", 220)
    place.breaks("00003")
    done = place.run("apply", model)
    assert done.events[-1] == {"event": "done"}, done.error
    assert done.code == 0
    assert done.images["00000.png"] == ("attacked", None)
    assert done.images["00001.png"] == ("passed_through", "no face was found by dlib")
    assert done.images["00002.png"][0] == "passed_through"
    assert "100x90" in done.images["00002.png"][1]
    assert done.images["00003.png"][0] == "failed"
    assert [path.name for path in sorted((place.folder / "box/masks").iterdir())] == ["00000.png"]


def test_no_pictures_and_no_model(place: _Place) -> None:
    assert place.run("apply").events == [{"event": "done"}]
    place.picture("in", "00000.png", 200)
    done = place.run("apply")
    assert done.code != 0
    assert "run prepare first" in done.error


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("faceless", "no face was found in any of the 2 pictures of src"),
        ("extract", "extracting src failed on every picture"),
        ("decoder_src", "training left no run_SAEHD_decoder_src.npy"),
        ("closes", "training ended by itself at iteration 1 of 3"),
    ],
)
def test_an_exit_code_of_0_with_nothing_done_is_named(place: _Place, broken: str, sentence: str) -> None:
    place.breaks(broken)
    done = place.run("prepare", iterations=3)
    assert done.code != 0
    assert sentence in done.error
    assert {"event": "done"} not in done.events


def test_an_interrupted_training_is_saved_and_goes_on(place: _Place) -> None:
    command = place.write("prepare", iterations=100000)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("done", 0) > 0:
            break
    process.send_signal(2)
    _, error = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "goes on with it" in error
    reached = int((place.folder / "box/work/model/iteration").read_text())
    assert 0 < reached < 100000
    done = place.run("prepare", iterations=reached + 4)
    record = json.loads((place.folder / "box/out/prepared.json").read_text())
    assert done.code == 0
    assert (record["resumed_at"], record["iterations"]) == (reached, reached + 4)
    assert any("from the run before" in event.get("message", "") for event in done.events)
