"""Sphinx: sphinx-build -W docs runs/docs (every warning is an error)."""

import re
import shutil
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "docs" / "tools"
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


def copy_tool_pages(app: Sphinx, config: object) -> None:
    """Every adapter's README, with its pictures, becomes a page."""
    shutil.rmtree(TOOLS, ignore_errors=True)
    for readme in sorted((ROOT / "adapters").glob("*/README.md")):
        folder = TOOLS / readme.parent.name
        folder.mkdir(parents=True)
        for file in (readme, *readme.parent.glob("*.jpg")):
            shutil.copy(file, folder)


def lead_links_there(app: Sphinx, docname: str, source: list[str]) -> None:
    """Links that are right in the repository, led to the pages made of its files."""
    source[0] = re.sub(r"\]\(\.\./adapters/", "](tools/", source[0])
    if docname.startswith("tools/"):
        source[0] = source[0].replace("](../../docs/", "](../../")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("config-inited", copy_tool_pages)
    app.connect("source-read", lead_links_there)
