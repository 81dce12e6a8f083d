"""Fetches a tool's code at one commit into the cache: file by file, so that a copy with holes is still of use."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from faketagger.errors import AdapterError

_POINTER = b"version https://git-lfs.github.com/spec/"
_LINK, _SUBMODULE = "120000", "160000"


@dataclass(frozen=True)
class _Item:
    """One line of git's listing of a tree."""

    mode: str
    kind: str
    name: str
    path: str


def fetch_commit(source: str, commit: str, target: Path) -> tuple[str, ...]:
    """Export one commit of a git repository into a folder without history.

    A local repository is read where it lies, bare or not, also if it lacks some of its larger files.

    Args:
        source: URL or local path of the repository.
        commit: 40 hex digits.
        target: Folder to make; must not exist.

    Returns:
        What the commit names and the repository does not hold: ``path (why)``.

    Raises:
        AdapterError: git is missing, the repository cannot be reached or lacks the commit.
    """
    if not shutil.which("git"):
        raise AdapterError("git is needed to fetch this tool.", "Install it: apt-get install git")
    if Path(source).is_dir():
        return _export(Path(source).resolve(), commit, target)
    work = target.with_name(target.name + ".git")
    shutil.rmtree(work, ignore_errors=True)
    try:
        _git("init", "--quiet", "--bare", str(work))
        try:
            _git("-C", str(work), "fetch", "--quiet", "--depth", "1", "--", source, commit)
        except AdapterError:  # servers may refuse a bare commit; then everything is fetched
            _git("-C", str(work), "fetch", "--quiet", "--", source, "+refs/*:refs/all/*")
        return _export(work, commit, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _export(repository: Path, commit: str, target: Path) -> tuple[str, ...]:
    try:
        listing = _git("-C", str(repository), "ls-tree", "-r", "-z", commit)
    except AdapterError:
        raise AdapterError(
            f"{repository} does not hold the commit {commit}.", "Give --source another copy of the repository."
        ) from None
    items = [_item(line) for line in listing.split(b"\0") if line]
    files = [item for item in items if item.mode != _SUBMODULE]
    absent = [f"{item.path} (a repository of its own)" for item in items if item.mode == _SUBMODULE]
    target.mkdir(parents=True)
    for item, content in zip(files, _contents(repository, files), strict=True):
        if content is None:
            absent.append(f"{item.path} (absent)")
        elif content.startswith(_POINTER):
            absent.append(f"{item.path} (only a pointer to large file storage)")
        else:
            _write(target, item, content)
    return tuple(sorted(absent))


def _item(line: bytes) -> _Item:
    facts, path = line.decode("utf-8", "surrogateescape").split("\t", 1)
    mode, kind, name = facts.split(" ")
    return _Item(mode, kind, name, path)


def _contents(repository: Path, items: list[_Item]) -> Iterator[bytes | None]:
    """The content of each file, checked against its name; None where the repository lacks it."""
    with tempfile.TemporaryFile() as names:  # a pipe that is full both ways would wait for ever
        names.write("".join(f"{item.name}\n" for item in items).encode())
        names.seek(0)
        process = subprocess.Popen(
            ["git", "-c", "safe.directory=*", "-C", str(repository), "cat-file", "--batch", "--buffer"],
            stdin=names,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
    assert process.stdout is not None
    try:
        for item in items:
            words = process.stdout.readline().split()
            if len(words) != 3:
                yield None
                continue
            content = process.stdout.read(int(words[2]))
            process.stdout.read(1)
            algorithm = hashlib.sha1 if len(item.name) == 40 else hashlib.sha256
            if algorithm(f"blob {len(content)}\0".encode() + content).hexdigest() != item.name:
                raise AdapterError(f"{item.path} in {repository} is damaged.", "Give --source another copy.")
            yield content
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _write(target: Path, item: _Item, content: bytes) -> None:
    place = PurePosixPath(item.path)
    if place.is_absolute() or ".." in place.parts:
        raise AdapterError(f"The repository holds a file outside itself: {item.path}.")
    path = target / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if item.mode == _LINK:
        aim = (path.parent / os.fsdecode(content)).resolve()
        if not aim.is_relative_to(target.resolve()):
            raise AdapterError(f"The repository holds a link out of itself: {item.path}.")
        path.symlink_to(os.fsdecode(content))
        return
    path.write_bytes(content)
    if item.mode == "100755":
        path.chmod(0o755)


def _environment() -> dict[str, str]:
    return os.environ | {"GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_NO_LAZY_FETCH": "1"}


def _git(*arguments: str) -> bytes:
    command = ["git", "-c", "safe.directory=*", *arguments]
    done = subprocess.run(command, capture_output=True, env=_environment(), check=False)
    if done.returncode != 0:
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"])[-1]
        raise AdapterError(f"git failed: {last}", "Check the network, or give --source PATH_OF_A_LOCAL_COPY.")
    return done.stdout
