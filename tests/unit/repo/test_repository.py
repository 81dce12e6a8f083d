"""What the repository promises about itself."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

import faketagger

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-").replace(".", "-")


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {_name(line): line.split("==")[1] for line in lines if line and not line.startswith("#")}


def test_conda_users_get_the_same_dependencies() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert [line for line in pip if not line.startswith("-")] == PROJECT["dependencies"]
    assert "--editable ." in pip


def test_every_dependency_is_pinned_without_local_version_or_path() -> None:
    pins = _pins()
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
    assert {_name(requirement) for requirement in wanted} <= set(pins)
    text = (ROOT / "constraints.txt").read_text()
    assert not re.search(r"[+@]|://|file:", text)


def test_the_pinned_torch_pair_is_installed() -> None:
    pins = _pins()
    for package in ("torch", "torchvision"):
        assert version(package).split("+")[0] == pins[package]


def test_bad_lightning_releases_are_excluded() -> None:
    lightning = next(r for r in PROJECT["dependencies"] if r.startswith("pytorch-lightning"))
    assert "!=2.6.2" in lightning
    assert "!=2.6.3" in lightning


def test_one_version() -> None:
    assert faketagger.__version__ == PROJECT["version"]


@pytest.mark.parametrize("heading", ["Run it", "Test it"])
def test_the_readme_has_one_shell_block_under_each_heading(heading: str) -> None:
    readme = (ROOT / "README.md").read_text()
    sections = re.split(r"^## ", readme, flags=re.M)
    section = [text for text in sections if text.startswith(f"{heading}\n")]
    assert len(section) == 1
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", section[0], flags=re.M | re.S)
    assert len(blocks) == 1
    language, script = blocks[0]
    assert language in ("bash", "sh")
    assert ".venv" in script
    subprocess.run(["bash", "-n", "-c", script], check=True)


def test_ci_runs_the_readme_block_and_keeps_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "run").write_text((ROOT / ".ci" / "run").read_text())
    readme = (
        "## Run it\n```bash\necho wrong\n```\n## Test it\ntext\n```bash\necho right\nfalse\necho late\n```\n"
    )
    (tmp_path / "README.md").write_text(readme)
    done = subprocess.run(["bash", ".ci/run"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "right"
    (tmp_path / "README.md").write_text("## Run it\n")
    assert subprocess.run(["bash", ".ci/run"], cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_the_walls_stand() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_drivers_never_import_the_package() -> None:
    drivers = sorted((ROOT / "adapters").glob("*/**/*.py"))
    assert drivers
    for driver in drivers:
        assert not re.search(r"^\s*(from|import)\s+faketagger", driver.read_text(), flags=re.M), driver


def test_the_package_imports_without_torch() -> None:
    script = "import faketagger, faketagger.data, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_unknown_attributes_are_refused() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        faketagger.nothing  # noqa: B018
