"""The driver of deepfakes/faceswap: jobs, command lines, resuming, and what it makes of recorded output trees."""

import importlib.util
import json
import os
import signal
import threading
import time
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "adapters" / "faceswap"
PARAMETERS = {"trainer": "lightweight", "iterations": 12, "batch_size": 4, "color": "avg-color", "mask": "extended"}

# stands for faceswap.py: leaves the files the real one was seen to leave; behaves by the file "wish" beside it
TOOL = """
import json, os, signal, sys, time
import cv2
wish = open("wish").read() if os.path.exists("wish") else ""
verb, options = sys.argv[1], dict(zip(sys.argv[2::2], sys.argv[3::2]))
path = os.path.join
if verb == "extract":
    faces = json.load(open(options["-p"]))
    if wish == "no faces":
        sys.exit(0)
    open(options["-p"].replace(".json", ".fsa"), "w").close()
    for name in faces if "-o" in options else []:
        os.makedirs(options["-o"], exist_ok=True)
        cv2.imwrite(path(options["-o"], name.replace(".png", "_0.png")), cv2.imread(path(options["-i"], name)))
elif verb == "train":
    os.makedirs(options["-m"], exist_ok=True)
    state = path(options["-m"], "lightweight_state.json")
    done = json.load(open(state))["iterations"] if os.path.exists(state) else 0
    open("train_calls", "a").write(options["-i"] + "\\n")
    stop = []
    signal.signal(signal.SIGINT, lambda *_: stop.append(1))
    if wish == "crash":
        print("ERROR    Caught exception in thread: OutOfMemory")
        sys.exit(1)
    for step in range(int(options["-i"])):
        done += 1
        print(f"[#{done:05d}] Loss A: 0.1, Loss B: 0.1", end="\\r", flush=True)
        if wish == "slow":
            time.sleep(0.2)
        if stop or (wish == "short" and step == 2):
            break
    open(path(options["-m"], "lightweight.keras"), "w").close()
    json.dump({"iterations": done}, open(state, "w"))
elif verb == "convert":
    os.makedirs(path(options["-o"], "masks"))
    for index, name in enumerate(sorted(os.listdir(options["-i"]))):
        if wish == "half" and index == 1:
            print("ERROR    Failed to convert image")
            sys.exit(1)
        picture = cv2.imread(path(options["-i"], name))
        mask = 0 * picture[:, :, 0]
        if wish != "nothing":
            mask[8:24, 8:24] = 255
            picture[8:24, 8:24] = 200
        cv2.imwrite(path(options["-o"], name), picture)
        cv2.imwrite(path(options["-o"], "masks", name), mask)
"""


class Bench:
    """A job folder, the stand-in tool, and landmarks that find a face in every picture that is not black."""

    def __init__(self, folder: Path, driver: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.driver, self.capsys = folder, driver, capsys
        for name in ("in", "out", "masks", "work", "model", "a", "b"):
            (folder / name).mkdir()
        self.base = {"contract": 1, "install": {"packages": "/p", "upstream": str(folder / "up")}}
        self.base |= {"work": str(folder / "work"), "parameters": PARAMETERS}
        (folder / "up").mkdir()
        (folder / "up" / "faceswap.py").write_text(TOOL)

    def wish(self, text: str) -> None:
        (self.folder / "up" / "wish").write_text(text)

    def pictures(self, name: str, count: int, black: int = 0) -> list[str]:
        for index in range(count):
            shade = 0 if index < black else 90
            cv2.imwrite(str(self.folder / name / f"{index:05d}.png"), np.full((32, 32, 3), shade, np.uint8))
        return [f"{index:05d}.png" for index in range(count)]

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.capsys.readouterr().out.splitlines()]

    def prepare(self) -> None:
        facesets = {"facesets": {name: str(self.folder / name) for name in "ab"}}
        job = self.driver.Job(self.base | facesets | {"output": str(self.folder / "model")})
        self.driver.prepare(job)

    def apply(self, names: list[str]) -> dict[object, tuple[object, object]]:
        (self.folder / "model" / "model").mkdir(exist_ok=True)
        places = {"input": "in", "output": "out", "masks": "masks", "model": "model"}
        job = self.base | {key: str(self.folder / place) for key, place in places.items()}
        self.driver.apply(self.driver.Job(job | {"images": [{"name": name, "seed": 1} for name in names]}))
        return {event["name"]: (event["status"], event["reason"]) for event in self.events()}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("faceswap_driver", FOLDER / "driver.py")
    assert spec is not None
    assert spec.loader is not None
    driver = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(driver)

    def find(packages: Path, folder: Path, names: list[str], target: Path, *progress: object) -> list[str]:
        found = [name for name in names if cv2.imread(str(folder / name)).any()]
        target.write_text(json.dumps({name: [driver.fs_landmarks.imported([], (1, 2, 3, 4))] for name in found}))
        return found

    monkeypatch.setattr(driver.fs_landmarks, "find", find)
    return Bench(tmp_path, driver, capsys)


def test_prepare_keeps_the_model(bench: Bench) -> None:
    bench.pictures("a", 30)
    bench.pictures("b", 26)
    bench.prepare()
    assert sorted(path.name for path in (bench.folder / "model/model").iterdir()) == [
        "lightweight.keras",
        "lightweight_state.json",
    ]
    steps = [event["done"] for event in bench.events() if event["event"] == "progress"]
    assert steps == sorted(steps)
    assert steps[-1] == PARAMETERS["iterations"]


def test_too_few_faces_are_refused_before_training(bench: Bench) -> None:
    bench.pictures("a", 30, black=8)
    bench.pictures("b", 30)
    with pytest.raises(SystemExit, match="faceset a has 22 faces in 30 pictures; 25 are needed"):
        bench.prepare()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("no faces", "extracting faceset a made 0 faces"),
        ("crash", "after iteration 0 of 12: .*OutOfMemory"),
        ("short", "after iteration 3 of 12"),
    ],
)
def test_what_ends_early_is_named(bench: Bench, wish: str, words: str) -> None:
    bench.pictures("a", 25)
    bench.pictures("b", 25)
    bench.wish(wish)
    with pytest.raises(SystemExit, match=words):
        bench.prepare()
    assert not (bench.folder / "model/model").exists()


def test_a_stopped_training_is_saved_and_goes_on(bench: Bench) -> None:
    bench.pictures("a", 25)
    bench.pictures("b", 25)
    bench.wish("slow")
    state = bench.folder / "work/faceswap/train_calls"

    def stop() -> None:
        while not state.exists():
            time.sleep(0.05)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(SystemExit, match=r"stopped after iteration \d+ of 12, which is saved"):
        bench.prepare()
    thread.join()
    begun = bench.driver.fs_tool.steps_done(bench.folder / "work/model")
    assert 0 < begun < 12
    bench.wish("")
    bench.prepare()
    assert state.read_text() == f"{12 - begun}\n"
    assert bench.driver.fs_tool.steps_done(bench.folder / "model/model") == 12


def test_apply(bench: Bench) -> None:
    said = bench.apply(bench.pictures("in", 3, black=1))
    assert said["00000.png"] == ("passed_through", "no face was found in it")
    assert said["00001.png"] == said["00002.png"] == ("attacked", None)
    assert not cv2.imread(str(bench.folder / "out/00000.png")).any()
    assert not (bench.folder / "masks/00000.png").exists()
    mask = cv2.imread(str(bench.folder / "masks/00001.png"), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (32, 32)
    assert (mask[16, 16], mask[2, 2]) == (255, 0)
    assert (cv2.imread(str(bench.folder / "out/00001.png"))[16, 16] == 200).all()
    settings = (bench.folder / "work/faceswap/config/convert.ini").read_text()
    assert "separate_mask = True" in settings


def test_a_conversion_that_does_nothing_is_passed_through(bench: Bench) -> None:
    bench.wish("nothing")
    said = bench.apply(bench.pictures("in", 2))
    assert {status for status, _ in said.values()} == {"passed_through"}


def test_a_conversion_that_breaks_off_keeps_what_is_done(bench: Bench) -> None:
    bench.wish("half")
    said = bench.apply(bench.pictures("in", 3))
    assert [status for status, _ in said.values()] == ["attacked", "failed", "failed"]
    assert "Failed to convert" in str(said["00001.png"][1])


def test_no_face_at_all_needs_no_tool(bench: Bench) -> None:
    (bench.folder / "up/faceswap.py").unlink()
    assert {status for status, _ in bench.apply(bench.pictures("in", 2, black=2)).values()} == {"passed_through"}
    assert bench.apply([]) == {}


def test_no_alignments_are_named(bench: Bench) -> None:
    bench.wish("no faces")
    with pytest.raises(SystemExit, match="no alignments file"):
        bench.apply(bench.pictures("in", 2))


def test_command_lines(bench: Bench) -> None:
    tool = bench.driver.fs_tool
    assert " ".join(tool.extract_command("in", "l.json")) == "extract -i in -p l.json -D file -A file"
    assert tool.extract_command("in", "l.json", "faces")[-2:] == ["-o", "faces"]
    train = tool.train_command("fa", "fb", "m", PARAMETERS, 7)
    assert " ".join(train) == "train -A fa -B fb -m m -t lightweight -b 4 -i 7 -s 100"
    convert = tool.convert_command("in", "l.fsa", "m", "out", PARAMETERS)
    assert " ".join(convert) == "convert -i in -p l.fsa -m m -o out -c avg-color -M extended -w opencv -j 1"


def test_a_broken_state_counts_as_nothing(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "x_state.json").write_text('{"iterations": 9}')
    assert bench.driver.fs_tool.steps_done(folder) == 0
    (folder / "x.keras").touch()
    assert bench.driver.fs_tool.steps_done(folder) == 9
    (folder / "x_state.json").write_text('{"iterat')
    assert bench.driver.fs_tool.steps_done(folder) == 0


def test_contract_and_installation(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"faceswap\.py is missing"):
        bench.driver.fs_tool.copy_code(tmp_path / "none", tmp_path / "code")


def test_the_last_error_wins(bench: Bench) -> None:
    printed = "INFO start\r10%\rERROR    no memory\nINFO bye\n"
    assert bench.driver.fs_tool.last_error(printed) == "ERROR    no memory"
    assert bench.driver.fs_tool.last_error("") == "no message"
