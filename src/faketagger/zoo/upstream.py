"""Fetches a tool's code at one commit into the cache: file by file, so that a copy with holes is still of use."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from faketagger.errors import AdapterError

POINTER = b"version https://git-lfs.github.com/spec/"
"""How a file begins that stands for one in large file storage."""

_LINK, _SUBMODULE = "120000", "160000"


@dataclass(frozen=True)
class _Item:
    """One line of git's listing of a tree."""

    mode: str
    kind: str
    name: str
    path: str


def fetch_commit(source: str, commit: str, target: Path, only: Collection[str] | None = None) -> tuple[str, ...]:
    """Export one commit of a git repository into a folder without history.

    A local repository is read where it lies, bare or not, also if it lacks some of its larger files.

    Args:
        source: URL or local path of the repository.
        commit: 40 hex digits.
        target: Folder to make; must not exist unless ``only`` is given.
        only: Paths to export into a folder that lacks them; all by default.

    Returns:
        What the commit names and could not be exported: ``path (why)``.

    Raises:
        AdapterError: git is missing, the repository cannot be reached or lacks the commit.
    """
    if not shutil.which("git"):
        raise AdapterError("git is needed to fetch this tool.", "Install it: apt-get install git")
    if Path(source).is_dir():
        return _export(Path(source).resolve(), commit, target, only)
    work = target.with_name(target.name + ".git")
    shutil.rmtree(work, ignore_errors=True)
    try:
        _git("init", "--quiet", "--bare", str(work))
        try:
            _git("-C", str(work), "fetch", "--quiet", "--depth", "1", "--", source, commit)
        except AdapterError:  # servers may refuse a bare commit; then everything is fetched
            _git("-C", str(work), "fetch", "--quiet", "--", source, "+refs/*:refs/all/*")
        return _export(work, commit, target, only)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _export(repository: Path, commit: str, target: Path, only: Collection[str] | None) -> tuple[str, ...]:
    try:
        listing = _git("-C", str(repository), "ls-tree", "-r", "-z", "--full-tree", commit)
    except AdapterError:
        raise AdapterError(
            f"{repository} does not hold the commit {commit}.", "Give --source another copy of the repository."
        ) from None
    items = [_item(line) for line in listing.split(b"\0") if line]
    items = [item for item in items if only is None or item.path in only]
    files = [item for item in items if item.mode != _SUBMODULE]
    absent = [f"{item.path} (a repository of its own)" for item in items if item.mode == _SUBMODULE]
    links: list[tuple[_Item, bytes]] = []
    target.mkdir(parents=True, exist_ok=only is not None)
    for item, content in zip(files, _contents(repository, files), strict=True):
        if content is None:
            absent.append(f"{item.path} (absent)")
        elif content.startswith(POINTER):
            absent.append(f"{item.path} (only a pointer to large file storage)")
        elif item.mode == _LINK:
            links.append((item, content))
        else:
            _write(target, item, content)
    absent += [f"{item.path} (a link out of the repository)" for item, aim in links if not _link(target, item, aim)]
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
            env=_environment() | {"GIT_ALLOW_PROTOCOL": "none"},  # a partial clone would fetch what it lacks
        )
    assert process.stdout is not None
    try:
        for item in items:
            words = process.stdout.readline().split()
            if words[1:] == [b"missing"]:
                yield None
                continue
            if len(words) != 3:
                raise AdapterError(f"git cannot read {item.path} in {repository}.", "Give --source another copy.")
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
    path = _place(target, item)
    path.write_bytes(content)
    if item.mode == "100755":
        path.chmod(0o755)


def _link(target: Path, item: _Item, aim: bytes) -> bool:
    """Make a link, unless it leads out of the folder. Links come last, so that no file is written through one."""
    path = _place(target, item)
    if not (path.parent / os.fsdecode(aim)).resolve().is_relative_to(target.resolve()):
        return False
    path.unlink(missing_ok=True)
    path.symlink_to(os.fsdecode(aim))
    return True


def _place(target: Path, item: _Item) -> Path:
    inside = PurePosixPath(item.path)
    if inside.is_absolute() or ".." in inside.parts:
        raise AdapterError(f"The repository holds a file outside itself: {item.path}.")
    path = target / inside
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _environment() -> dict[str, str]:
    return os.environ | {"GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_NO_LAZY_FETCH": "1"}


def _git(*arguments: str) -> bytes:
    command = ["git", "-c", "safe.directory=*", *arguments]
    done = subprocess.run(command, capture_output=True, env=_environment(), check=False)
    if done.returncode != 0:
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"])[-1]
        raise AdapterError(f"git failed: {last}", "Check the network, or give --source PATH_OF_A_LOCAL_COPY.")
    return done.stdout
