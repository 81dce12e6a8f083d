"""``zoo check`` passes what keeps the contract and names what does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from faketagger.errors import AdapterError
from faketagger.zoo import check_adapter, install
from tests.helpers.rogue_adapters import LEARNING, WELL_BEHAVED, make_adapter

Make = Callable[..., Path]


def failures(folder: Path, walls: str) -> dict[str, str]:
    results = check_adapter(folder, sandbox=walls)  # type: ignore[arg-type]
    return {result.expectation: result.detail for result in results if result.verdict == "failed"}


def test_well_behaved(adapter: Make, walls: str) -> None:
    results = check_adapter(adapter("well_behaved"), sandbox=walls)  # type: ignore[arg-type]
    verdicts = {result.expectation: result.verdict for result in results}
    network = verdicts.pop("it needs no network")
    assert network == ("passed" if walls == "bubblewrap" else "skipped")
    assert set(verdicts.values()) == {"passed"}
    assert len(verdicts) == 12


@pytest.mark.parametrize(
    ("behaviour", "expectation", "detail"),
    [
        ("unseeded", "the seed fixes the result", "came out differently"),
        ("batch_dependent", "a picture's result does not depend on the batch", "came out differently"),
        ("helpless_without_pictures", "it ends well without any picture", "IndexError"),
        ("copying", "the face is really changed", "passed_through"),
        ("lying", "every picture comes back whole, in its own size", "output is missing"),
        ("crashing", "it ends well with three pictures", "the model fell over"),
        ("silent_liar", "it ends well with three pictures", "without having said done"),
        ("trespassing", "it writes nowhere else", "outside its folder"),
        ("hanging", "it ends well with three pictures", "said nothing for 1 s"),
        ("flooding", "it ends well with three pictures", "printed more than"),
        ("eating_memory", "it ends well with three pictures", "memory"),
    ],
)
def test_each_break_is_named(adapter: Make, walls: str, behaviour: str, expectation: str, detail: str) -> None:
    limits = {"silence_s": 1} if behaviour == "hanging" else {}
    found = failures(adapter(behaviour, limits=limits), walls)
    assert detail in found[expectation]


MASKED = """
for image in images:
    width, height = size(image["name"])
    grey = lambda inside: b"".join((b"\\xff" if inside(x) else b"\\0") * 3 for y in range(height) for x in range(width))
    Path(job["masks"], image["name"]).write_bytes(png(width, height, grey(lambda x: INSIDE)))
    changed = bytearray(open_png(source / image["name"]))
    for y in range(height):
        for x in range(width * 2 // 5):
            for c in range(3):
                changed[(y * width + x) * 3 + c] ^= 0x55
    (target / image["name"]).write_bytes(png(width, height, bytes(changed)))
    say("image", name=image["name"], status="attacked")
say("done")
"""
OPEN_PNG = """
def open_png(path):
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    width, height = size(path.name)
    raw, rows, before, step = zlib.decompress(packed), [], bytes(width * 3), width * 3 + 1
    for y in range(height):
        kind, line = raw[y * step], bytearray(raw[y * step + 1:(y + 1) * step])
        for i in range(len(line)):
            a, b, c = line[i - 3] if i > 2 else 0, before[i], before[i - 3] if i > 2 else 0
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            line[i] = (line[i] + (0, a, b, (a + b) // 2, nearest)[kind]) % 256
        rows.append(bytes(line))
        before = line
    return b"".join(rows)
"""


@pytest.mark.parametrize(
    ("inside", "detail"),
    [
        ("x < width // 2", None),
        ("x >= width // 2", "only 0% of the change of face.png lies in its mask"),
        ("x < width // 8", "of the change of face.png lies in its mask"),
        ("x < width", "of the mask of face.png is changed at all"),
    ],
)
def test_a_mask_has_to_lie_where_the_change_is(
    cache: Path, tmp_path: Path, inside: str, detail: str | None
) -> None:
    driver = OPEN_PNG + MASKED.replace("INSIDE", inside)
    folder = make_adapter(tmp_path / "rogue", driver, masks=True)
    install(folder)
    found = failures(folder, "auto")
    if detail is None:
        assert found == {}
    else:
        assert detail in found["the mask lies where the picture changed"]


STUDENT = """
if sys.argv[1] == "prepare":
    learnt = zlib.crc32(b"".join(path.read_bytes() for path in sorted(Path(job["facesets"]["src"]).iterdir())))
    (target / "learnt").write_text(str(LEARNT))
    say("done")
else:
    learnt = int(Path(job["model"], "learnt").read_text())
    for image in images:
        paint({"name": image["name"], "seed": image["seed"] + learnt})
    say("done")
"""


@pytest.mark.parametrize("learnt", ["learnt", "5"])
def test_a_donor_has_to_matter(
    cache: Path, pictures: list[Path], tmp_path: Path, walls: str, learnt: str
) -> None:
    driver = STUDENT.replace("LEARNT", learnt)
    folder = make_adapter(
        tmp_path / "rogue", driver, facesets=["src", "dst"], roles=["carrier", "donor"], donor="src"
    )
    install(folder)
    untaught = check_adapter(folder)
    assert untaught[-1].verdict == "skipped"
    assert "give src=FOLDER dst=FOLDER" in untaught[-1].detail
    sets = {"src": pictures[:2], "dst": pictures[2:]}
    results = check_adapter(folder, facesets=sets, sandbox=walls)  # type: ignore[arg-type]
    found = {result.expectation: result.detail for result in results if result.verdict == "failed"}
    ignored = {"another donor makes another result": "the pictures of src do not matter"}
    assert found == ({} if learnt == "learnt" else ignored)


def test_a_training_that_fails_is_named(cache: Path, pictures: list[Path], tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "rogue", "raise ValueError('too hard')", facesets=["src"])
    install(folder)
    (failed,) = [one for one in check_adapter(folder, facesets={"src": pictures}) if one.verdict == "failed"]
    assert failed.expectation == "it can be prepared"
    assert "too hard" in failed.detail


def test_parameters_reach_every_run(cache: Path, pictures: list[Path], tmp_path: Path) -> None:
    demanding = "assert job['parameters']['shade'] == 200, 'another shade'\n" + LEARNING
    folder = make_adapter(tmp_path / "rogue", demanding, facesets=["src"])
    install(folder)
    sets = {"src": pictures}
    assert not [one for one in check_adapter(folder, params={"shade": 200}, facesets=sets) if one.verdict == "failed"]
    failed = next(one for one in check_adapter(folder, facesets=sets) if one.verdict == "failed")
    assert "another shade" in failed.detail
    with pytest.raises(AdapterError, match="shade"):
        check_adapter(folder, params={"shade": 999}, facesets=sets)


def test_network_use_is_named(adapter: Make) -> None:
    found = failures(adapter("phoning_home"), "auto")
    assert "it ends well with three pictures" in found


def test_static_breaks(tmp_path: Path, cache: Path) -> None:
    folder = make_adapter(
        tmp_path / "rogue", "import faketagger\n" + WELL_BEHAVED, environment={"requirements": "r.txt"}
    )
    (folder / "r.txt").write_text("numpy>=2\npillow==11.0.0  # fine\n")
    (folder / "README.md").unlink()
    (folder / "helper.py").write_text("import json\n")
    found = failures(folder, "auto")
    assert found["requirements are pinned"] == "not pinned: numpy>=2"
    assert "imports faketagger" in found["the driver is independent of faketagger"]
    assert found["there is a README"] == "README.md is missing"
    assert "zoo install" in found["it is installed"]


def test_a_wrong_manifest(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "rogue", "", famly="x")
    (result,) = check_adapter(folder)
    assert result.verdict == "failed"
    assert "Did you mean 'family'?" in result.detail
