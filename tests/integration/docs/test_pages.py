"""The documentation is built without a warning, and what it tells people to type works."""

import shlex
import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

import pytest
from PIL import Image
from sybil import Document, Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

from faketagger.cli.main import run
from faketagger.data.demo import demo_faces
from faketagger.places import repository_root
from tests.helpers.clips import make_clip

ROOT = repository_root()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHELL = ("bash", "sh", "shell", "console")
BRIEF = ["trainer.max_steps=2", "trainer.validate_every=2", "data.batch_size=2", "data.demo_faces=6"]


def type_in(example: Example) -> None:
    """Run the ``faketagger`` lines of a shell block in this process; a line of anything else is a mistake.

    Trainings are cut down to two steps.
    """
    text = str(example.parsed).replace("\\\n", " ")
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        assert words[0] == "faketagger", f"not run by any test: {line}"
        brief = BRIEF if words[1] == "train" else []
        assert run([*words[1:], *brief]) == 0, line


SYBIL = Sybil(
    parsers=[
        PythonCodeBlockParser(),
        *(CodeBlockParser(language=language, evaluator=type_in) for language in SHELL),
        SkipParser(),
    ],
)


def documents() -> list[tuple[Path, Document]]:
    """The pages that have something to run."""
    parsed = [(page, SYBIL.parse(page)) for page in PAGES]
    return [(page, document) for page, document in parsed if list(document.examples())]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def desk(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the pages speak of, beside the repository's own files."""
    faces = [picture for _, _, picture in demo_faces(6, cache)]
    (tmp_path / "photos").mkdir()
    (tmp_path / "suspects").mkdir()
    for number, picture in enumerate(faces):
        Image.fromarray(picture).save(tmp_path / "photos" / f"{number}.png")
    Image.fromarray(faces[-1]).save(tmp_path / "photo.jpg", quality=95)
    for name in ("suspect.jpg", "suspects/a.jpg"):
        Image.fromarray(faces[0]).save(tmp_path / name, quality=90)
    for name in ("clip.mp4", "talk.mp4", "suspect.mp4"):
        make_clip(tmp_path / name, [faces[-1]] * 3)
    for name in ("experiments", "adapters", "checkpoints"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("FAKETAGGER_CACHE", str(cache))
    return tmp_path


@pytest.mark.parametrize(
    ("page", "document"), [pytest.param(*found, id=found[0].name) for found in documents()]
)
def test_what_a_page_says_can_be_typed(page: Path, document: Document, desk: Path) -> None:
    for example in document.examples():
        try:
            example.evaluate()
        except SkipTest:
            continue


def test_the_documentation_is_built_without_a_warning(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(ROOT / "docs"), str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index.html").is_file()
