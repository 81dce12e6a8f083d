"""Sphinx: sphinx-build -W docs runs/docs (every warning is an error)."""

import re
import shutil
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"adapters": ROOT / "docs" / "tools", "checkpoints": ROOT / "docs" / "taggers"}
_project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "FakeTagger"
author = "the FakeTagger contributors"
copyright = author
version = release = _project["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["deflist", "fieldlist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}

html_theme = "furo"
html_title = f"FakeTagger {version}"
html_show_sourcelink = False

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False


def copy_pages(app: Sphinx, config: object) -> None:
    """Every adapter's README, with its pictures, and every tagger's card become pages."""
    for origin, pages in PAGES.items():
        shutil.rmtree(pages, ignore_errors=True)
        for readme in sorted((ROOT / origin).glob("*/README.md")):
            folder = pages / readme.parent.name
            folder.mkdir(parents=True)
            for file in (readme, *readme.parent.glob("*.jpg")):
                shutil.copy(file, folder)


def lead_links_there(app: Sphinx, docname: str, source: list[str]) -> None:
    """Links that are right in the repository, led to the pages made of its files."""
    for origin, pages in PAGES.items():
        source[0] = re.sub(rf"\]\(\.\./{origin}/", f"]({pages.name}/", source[0])
    if docname.startswith(tuple(f"{pages.name}/" for pages in PAGES.values())):
        source[0] = source[0].replace("](../../docs/", "](../../")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("config-inited", copy_pages)
    app.connect("source-read", lead_links_there)
