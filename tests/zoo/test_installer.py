"""Installing: once, whole, with every hash checked, from any place; and what ``doctor`` says of it."""

import hashlib
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest

from faketagger.errors import AdapterError
from faketagger.zoo import doctor, get_adapter, install, installation
from faketagger.zoo.installation import require
from tests.helpers.rogue_adapters import make_adapter

DATA = b"weights of a very small network"


def weight(origin: str, **changes: Any) -> dict[str, Any]:
    facts = {"path": "net.bin", "origin": origin, "sha256": hashlib.sha256(DATA).hexdigest()}
    return {**facts, "bytes": len(DATA), "licence": "MIT", "without": "it cannot think", **changes}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path / "cache"))


def test_life_of_an_installation(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "rogue", "")
    before = doctor(folder)
    assert (before.state, before.next_command) == ("not_installed", f"faketagger zoo install {folder}")
    said: list[str] = []
    place = install(folder, progress=said.append)
    assert "making a virtual environment" in said
    assert doctor(folder).state == "ready"
    said.clear()
    install(folder, progress=said.append)
    assert said == ["rogue is installed"]
    (place.folder / "installed.json").unlink()
    assert doctor(folder).state == "half_installed"
    install(folder, progress=said.append)
    assert "removing a half-finished installation" in said
    assert doctor(folder).state == "ready"


def test_an_interrupted_installation_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "rogue", "")

    def interrupt(text: str) -> None:
        if "virtual" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(folder, progress=interrupt)
    assert doctor(folder).state == "half_installed"


def test_weights_from_the_user(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "rogue", "", weights=[weight("user")])
    with pytest.raises(AdapterError, match=r"net\.bin is missing; without it: it cannot think") as caught:
        install(folder)
    assert "--weights DIR" in (caught.value.hint or "")
    brought = tmp_path / "brought"
    brought.mkdir()
    (brought / "net.bin").write_bytes(DATA[::-1])
    with pytest.raises(AdapterError, match="wrong sha256"):
        install(folder, weights=brought)
    (brought / "net.bin").write_bytes(DATA)
    place = install(folder, weights=brought)
    assert doctor(folder).state == "ready"
    (place.folder / "weights" / "net.bin").write_bytes(DATA[:-1])
    diagnosis = doctor(folder)
    assert diagnosis.state == "damaged"
    assert "30 bytes instead of 31" in diagnosis.missing[0]


def test_optional_weights_may_be_missing(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "rogue", "", weights=[weight("user", required=False)])
    install(folder)
    diagnosis = doctor(folder)
    assert diagnosis.state == "ready"
    assert any("it cannot think" in line for line in diagnosis.missing)


def test_weights_from_a_url(tmp_path: Path) -> None:
    served = tmp_path / "served.bin"
    served.write_bytes(DATA)
    folder = make_adapter(tmp_path / "rogue", "", weights=[weight("url", url=served.as_uri())])
    place = install(folder)
    assert (place.folder / "weights" / "net.bin").read_bytes() == DATA


@pytest.mark.parametrize("content", [DATA[::-1], DATA * 100, None])
def test_a_url_that_serves_something_else(tmp_path: Path, content: bytes | None) -> None:
    served = tmp_path / "served.bin"
    if content is not None:
        served.write_bytes(content)
    folder = make_adapter(tmp_path / "rogue", "", weights=[weight("url", url=served.as_uri())])
    with pytest.raises(AdapterError):
        install(folder)
    assert doctor(folder).state == "half_installed"
    assert not list((tmp_path / "cache").rglob("net.bin*"))


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_upstream_at_its_pinned_commit(tmp_path: Path) -> None:
    repository = tmp_path / "upstream"
    repository.mkdir()
    git(repository, "init", "--quiet")
    (repository / "tool.py").write_text("old")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "old")
    commit = git(repository, "rev-parse", "HEAD")
    (repository / "tool.py").write_text("new")
    git(repository, "commit", "--quiet", "-am", "new")
    upstream = {"source": "git", "url": "https://example.invalid/x.git", "commit": commit}
    folder = make_adapter(tmp_path / "rogue", "", upstream=upstream)
    place = install(folder, sources={"upstream": str(repository)})
    assert (place.folder / "upstream" / "tool.py").read_text() == "old"
    assert not (place.folder / "upstream" / ".git").exists()
    absent = make_adapter(tmp_path / "absent", "", upstream={**upstream, "commit": "1" * 40})
    with pytest.raises(AdapterError, match="does not hold the commit"):
        install(absent, sources={"upstream": str(repository)})


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "rogue", "", environment={"python": ">=3.90"})
    assert doctor(folder).state == "unsupported"
    with pytest.raises(AdapterError, match=r"needs Python >=3\.90"):
        install(folder)


def test_another_pin_is_another_place(tmp_path: Path) -> None:
    one = get_adapter(make_adapter(tmp_path / "one", ""))
    other = {"source": "pypi", "package": "none", "version": "2.0"}
    two = get_adapter(make_adapter(tmp_path / "two", "", upstream=other))
    assert installation(one).folder != installation(two).folder


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path / "file"))
    with pytest.raises(AdapterError, match="cannot be written"):
        install(make_adapter(tmp_path / "rogue", ""))


def test_a_copy_with_holes(tmp_path: Path) -> None:
    """As a snapshot without its largest files, bare, where a clone fails."""
    repository = tmp_path / "upstream"
    repository.mkdir()
    git(repository, "init", "--quiet")
    (repository / "tool.py").write_text("whole")
    (repository / "net.bin").write_bytes(DATA)
    (repository / "large.bin").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (repository / "run.sh").write_text("#!/bin/sh\n")
    (repository / "run.sh").chmod(0o755)
    (repository / "link").symlink_to("tool.py")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "all")
    commit, blob = git(repository, "rev-parse", "HEAD"), git(repository, "rev-parse", "HEAD:net.bin")
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    upstream = {"source": "git", "url": "https://example.invalid/x.git", "commit": commit}
    companions = {"helper": {"source": "git", "url": "https://example.invalid/y.git", "commit": commit}}
    weights = [weight("upstream", required=False, without="dlib takes its place")]
    folder = make_adapter(tmp_path / "rogue", "", upstream=upstream, companions=companions, weights=weights)
    with pytest.raises(AdapterError, match="fetches no repository called 'helpr'"):
        install(folder, sources={"helpr": str(repository)})
    source = str(repository / ".git")
    place = install(folder, sources={"upstream": source, "helper": source})
    for tree in (place.folder / "upstream", place.folder / "companions" / "helper"):
        assert (tree / "tool.py").read_text() == "whole"
        assert (tree / "link").read_text() == "whole"
        assert (tree / "run.sh").stat().st_mode & 0o100
        assert not (tree / "net.bin").exists()
    holes = ["large.bin (only a pointer to large file storage)", "net.bin (absent)"]
    assert place.record["absent"] == {"upstream": holes, "helper": holes}
    diagnosis = doctor(folder)
    assert diagnosis.state == "ready"
    assert any("net.bin is missing; without it: dlib takes its place" in line for line in diagnosis.missing)
    assert any("2 files of helper" in line for line in diagnosis.missing)


def test_a_link_out_of_the_repository_is_not_made(tmp_path: Path) -> None:
    repository = tmp_path / "upstream"
    repository.mkdir()
    git(repository, "init", "--quiet")
    (repository / "link").symlink_to("../../../../etc/passwd")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "all")
    upstream = {"source": "git", "url": "x", "commit": git(repository, "rev-parse", "HEAD")}
    place = install(make_adapter(tmp_path / "rogue", "", upstream=upstream), sources={"upstream": str(repository)})
    assert place.record["absent"] == {"upstream": ["link (a link out of the repository)"]}
    assert not (place.folder / "upstream" / "link").is_symlink()


def test_a_damaged_blob_is_not_taken_for_a_hole(tmp_path: Path) -> None:
    repository = tmp_path / "upstream"
    repository.mkdir()
    git(repository, "init", "--quiet")
    (repository / "tool.py").write_text("whole")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "all")
    commit, blob = git(repository, "rev-parse", "HEAD"), git(repository, "rev-parse", "HEAD:tool.py")
    stored = repository / ".git" / "objects" / blob[:2] / blob[2:]
    stored.chmod(0o644)
    stored.write_bytes(zlib.compress(b"blob 5\0wrong"))
    upstream = {"source": "git", "url": "x", "commit": commit}
    folder = make_adapter(tmp_path / "rogue", "", upstream=upstream)
    with pytest.raises(AdapterError, match=r"tool\.py in .* is damaged|cannot read tool\.py"):
        install(folder, sources={"upstream": str(repository)})


def test_weights_whose_hash_nobody_knows_are_held_to_the_one_recorded(tmp_path: Path) -> None:
    unknown = weight("user")
    del unknown["sha256"], unknown["bytes"]
    folder = make_adapter(tmp_path / "rogue", "", weights=[unknown])
    brought = tmp_path / "brought"
    brought.mkdir()
    (brought / "net.bin").write_bytes(DATA)
    place = install(folder, weights=brought)
    assert place.record["weights"]["net.bin"] == {"bytes": len(DATA), "sha256": hashlib.sha256(DATA).hexdigest()}
    assert doctor(folder).state == "ready"
    (place.folder / "weights" / "net.bin").write_bytes(DATA[::-1])
    assert doctor(folder).state == "damaged"
    with pytest.raises(AdapterError, match="wrong sha256"):
        install(folder)


def test_weights_of_an_unknown_hash_may_be_exchanged(tmp_path: Path) -> None:
    unknown = weight("user")
    del unknown["sha256"], unknown["bytes"]
    folder = make_adapter(tmp_path / "rogue", "", weights=[unknown])
    brought = tmp_path / "brought"
    (brought / "deep").mkdir(parents=True)
    (brought / "net.bin").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(AdapterError, match="only a pointer"):
        install(folder, weights=brought)
    for content in (DATA, DATA[::-1]):
        (brought / "net.bin").write_bytes(content)
        place = install(folder, weights=brought)
        assert place.record["weights"]["net.bin"]["sha256"] == hashlib.sha256(content).hexdigest()
    for wrong, message in ((brought / "deep", "holds no weight file of rogue"), (brought / "no", "no folder")):
        with pytest.raises(AdapterError, match=message):
            install(folder, weights=wrong)


def test_needed_weights_may_come_later_without_building_again(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "rogue", "", weights=[weight("user", url="https://example.org/net.bin")])
    fresh = doctor(folder)
    assert any("bring it with --weights DIR" in line for line in fresh.missing)
    said: list[str] = []
    with pytest.raises(AdapterError, match="without it: it cannot think"):
        install(folder, progress=said.append)
    diagnosis = doctor(folder)
    assert (diagnosis.state, diagnosis.next_command) == (
        "lacks_weights",
        f"faketagger zoo install {folder} --weights DIR",
    )
    assert any("from https://example.org/net.bin" in line for line in diagnosis.missing)
    with pytest.raises(AdapterError, match="rogue lacks weights"):
        require(get_adapter(folder))
    assert said.count("making a virtual environment") == 1
    brought = tmp_path / "brought"
    brought.mkdir()
    (brought / "net.bin").write_bytes(DATA)
    install(folder, weights=brought, progress=said.append)
    assert said.count("making a virtual environment") == 1
    assert doctor(folder).state == "ready"


def test_a_fuller_copy_fills_the_holes(tmp_path: Path) -> None:
    full, holed = tmp_path / "full", tmp_path / "holed"
    full.mkdir()
    git(full, "init", "--quiet")
    (full / "tool.py").write_text("whole")
    (full / "net.bin").write_bytes(DATA)
    git(full, "add", ".")
    git(full, "commit", "--quiet", "-m", "all")
    commit, blob = git(full, "rev-parse", "HEAD"), git(full, "rev-parse", "HEAD:net.bin")
    shutil.copytree(full, holed)
    (holed / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    weights = [weight("upstream", sha256=None, bytes=None)]
    upstream = {"source": "git", "url": "https://example.invalid/x.git", "commit": commit}
    folder = make_adapter(tmp_path / "rogue", "", upstream=upstream, weights=weights)
    with pytest.raises(AdapterError, match=r"net\.bin is missing"):
        install(folder, sources={"upstream": str(holed)})
    diagnosis = doctor(folder)
    assert diagnosis.state == "lacks_weights"
    assert any("--source COPY" in line and "net.bin (absent)" in line for line in diagnosis.missing)
    place = install(folder, sources={"upstream": str(full)})
    assert (place.folder / "upstream" / "net.bin").read_bytes() == DATA
    assert place.record["absent"] == {}
    assert doctor(folder).state == "ready"


def test_code_that_cannot_be_had_fails_before_the_environment_is_made(tmp_path: Path) -> None:
    upstream = {"source": "git", "url": str(tmp_path / "nowhere"), "commit": "1" * 40}
    said: list[str] = []
    with pytest.raises(AdapterError, match="git failed"):
        install(make_adapter(tmp_path / "rogue", "", upstream=upstream), progress=said.append)
    assert "making a virtual environment" not in said


def test_optional_weights_may_come_later(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "rogue", "", weights=[weight("user", required=False)])
    assert install(folder).record["missing"] == ["net.bin"]
    brought = tmp_path / "brought"
    brought.mkdir()
    (brought / "net.bin").write_bytes(DATA)
    assert install(folder, weights=brought).record["missing"] == []
    assert not doctor(folder).missing or "net.bin" not in doctor(folder).missing[0]


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    environment = {"programs": {"no-such-program": "apt-get install nothing"}}
    folder = make_adapter(tmp_path / "rogue", "", environment=environment)
    install(folder)
    diagnosis = doctor(folder)
    assert (diagnosis.state, diagnosis.next_command) == ("lacks_program", "apt-get install nothing")
    with pytest.raises(AdapterError, match="needs the program no-such-program"):
        require(get_adapter(folder))
