"""Installing: once, whole, with every hash checked, from any place; and what ``doctor`` says of it."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from faketagger.errors import AdapterError
from faketagger.zoo import doctor, get_adapter, install, installation
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
    place = install(folder, source=str(repository))
    assert (place.folder / "upstream" / "tool.py").read_text() == "old"
    assert not (place.folder / "upstream" / ".git").exists()
    absent = make_adapter(tmp_path / "absent", "", upstream={**upstream, "commit": "1" * 40})
    with pytest.raises(AdapterError, match="git failed"):
        install(absent, source=str(repository))


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
