"""Fetches a tool's code at one commit into the cache, and weights by their hash."""

import hashlib
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from faketagger.errors import AdapterError
from faketagger.zoo.manifest import Weight


def fetch_commit(source: str, commit: str, target: Path) -> None:
    """Export one commit of a git repository into a folder without history.

    Args:
        source: URL or local path of the repository.
        commit: 40 hex digits.
        target: Folder to make; must not exist.

    Raises:
        AdapterError: git is missing, the repository cannot be reached or lacks the commit.
    """
    if not shutil.which("git"):
        raise AdapterError("git is needed to fetch this tool.", "Install it: apt-get install git")
    work = target.with_name(target.name + ".git")
    shutil.rmtree(work, ignore_errors=True)
    try:
        _git("init", "--quiet", "--bare", str(work))
        try:
            _git("-C", str(work), "fetch", "--quiet", "--depth", "1", "--", source, commit)
        except AdapterError:  # servers may refuse a bare commit; then everything is fetched
            _git("-C", str(work), "fetch", "--quiet", "--", source, "+refs/*:refs/all/*")
        target.mkdir(parents=True)
        _git("-C", str(work), f"--work-tree={target}", "checkout", "--quiet", "--force", commit, "--", ".")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def check_weight(path: Path, weight: Weight) -> str | None:
    """What is wrong with a weight file on disk, or None.

    Args:
        path: Where it should be.
        weight: Its size and hash.
    """
    if not path.is_file():
        return "is missing"
    if path.stat().st_size != weight.bytes:
        return f"has {path.stat().st_size:,} bytes instead of {weight.bytes:,}"
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return None if found == weight.sha256 else f"has the wrong sha256 {found[:12]}…"


def download(weight: Weight, target: Path, progress: Callable[[str], None]) -> None:
    """Fetch a weight file and keep it only if its hash is right.

    Args:
        weight: With a URL.
        target: File to make.
        progress: Told what happens.

    Raises:
        AdapterError: It cannot be fetched or is another file than expected.
    """
    progress(f"fetching {weight.path} ({weight.bytes / 2**20:.0f} MB)")
    part = target.with_name(target.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(str(weight.url), timeout=60) as answer, part.open("wb") as file:
            while (block := answer.read(2**20)) and file.tell() <= weight.bytes:
                file.write(block)
    except (urllib.error.URLError, OSError, ValueError) as error:
        part.unlink(missing_ok=True)
        raise AdapterError(
            f"{weight.path} cannot be fetched: {error}.", "Get it by hand and give its folder with --weights."
        ) from error
    if problem := check_weight(part, weight):
        part.unlink()
        raise AdapterError(f"The fetched {weight.path} {problem}.", "The link serves another file than it did.")
    os.replace(part, target)


def _git(*arguments: str) -> None:
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1"}
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise AdapterError(f"git failed: {last}", "Check the network, or give --source PATH_OF_A_LOCAL_COPY.")
