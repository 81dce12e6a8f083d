"""``zoo check``: does an adapter keep the contract? Anyone can ask it of their own folder."""

import ast
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from faketagger.errors import AdapterError
from faketagger.zoo.attack import apply, description
from faketagger.zoo.installation import require
from faketagger.zoo.jobs import new_job
from faketagger.zoo.manifest import Adapter, load_manifest
from faketagger.zoo.outputs import read_png, write_png
from faketagger.zoo.registry import get_adapter
from faketagger.zoo.results import AttackRun
from faketagger.zoo.runner import run_driver
from faketagger.zoo.sandbox import Wish, choose

Verdict = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class CheckResult:
    """One expectation and whether it was met."""

    expectation: str
    verdict: Verdict
    detail: str = ""


def check_adapter(
    name: str | Path | Adapter,
    *,
    preset: str | None = "smoke",
    sandbox: Wish = "auto",
    progress: Callable[[CheckResult], None] = lambda result: None,
) -> list[CheckResult]:
    """Hold an adapter against every expectation of the contract, by running it.

    Tools that must be prepared are checked up to there: their pictures would need a training first.

    Args:
        name: Adapter, its name or its folder; it must be installed.
        preset: Parameters to run it with.
        sandbox: ``auto``, or insist on ``bubblewrap`` or ``rlimits``.
        progress: Called with every result as it comes.

    Returns:
        One result per expectation; after a failed manifest or a missing installation there are no more.
    """
    results: list[CheckResult] = []

    def note(expectation: str, problem: str | None, verdict: Verdict | None = None) -> None:
        results.append(CheckResult(expectation, verdict or ("failed" if problem else "passed"), problem or ""))
        progress(results[-1])

    try:
        adapter = load_manifest(name) if isinstance(name, Path) else get_adapter(name)
    except AdapterError as error:
        note("adapter.yaml is complete", f"{error.message} {error.hint or ''}".strip())
        return results
    note("adapter.yaml is complete", None)
    note("requirements are pinned", _unpinned(adapter))
    note("the driver is independent of faketagger", _imports_faketagger(adapter))
    note("there is a README", None if (adapter.folder / "README.md").is_file() else "README.md is missing")
    try:
        require(adapter)
    except AdapterError as error:
        note("it is installed", f"{error.message} {error.hint}")
        return results
    note("it is installed", None)
    if adapter.manifest.facesets:
        note("it attacks pictures", "it must be prepared first, which this check does not do", "skipped")
        return results
    chosen = preset if preset in adapter.manifest.presets else None
    _check_runs(adapter, chosen, sandbox, note)
    return results


def _check_runs(adapter: Adapter, preset: str | None, sandbox: Wish, note: Callable[..., None]) -> None:
    walls = choose(sandbox)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pictures = _pictures(folder / "in")

        def run(which: list[Path], label: str) -> AttackRun:
            return apply(adapter, which, folder / label, None, preset, 7, sandbox=sandbox, fresh=True)

        note("it ends well without any picture", _empty(adapter, preset, sandbox))
        first = run(pictures, "first")
        assert first.run is not None
        report = first.run
        note("it ends well with three pictures", None if report.outcome == "finished" else report.reason)
        failures = [f"{image.input.name}: {image.reason}" for image in first.images if image.status == "failed"]
        note("every picture comes back whole, in its own size", "; ".join(failures) or None)
        face = first.images[0]
        note(
            "the face is really changed",
            None if face.status == "attacked" else f"{face.status}: {face.reason}",
        )
        note("it writes nowhere else", report.reason if report.outcome == "trespass" else None)
        if walls.network_blocked:
            note("it needs no network", None if report.outcome == "finished" else report.reason)
        else:
            note("it needs no network", f"not shown: {walls.note}", "skipped")
        if report.outcome != "finished" or not adapter.manifest.deterministic:
            reason = "it does not end well" if report.outcome != "finished" else "the manifest says it does not"
            note("the seed fixes the result", reason, "skipped")
            return
        note("the seed fixes the result", _difference(first, run(pictures, "again")))
        alone = run(pictures[:1], "alone")
        note("a picture's result does not depend on the batch", _difference(first, alone))


def _pictures(folder: Path) -> list[Path]:
    """A face, a picture of nothing, and an odd-sized one."""
    from skimage import data

    folder.mkdir()
    rows, columns = np.mgrid[0:80, 0:96]
    scene = np.stack([rows * 3, columns * 2, 255 - rows], axis=2).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (65, 97, 3), dtype=np.uint8)
    arrays = {"face": data.astronaut()[:256, 96:352], "scene": scene, "odd": noise}
    for name, pixels in arrays.items():
        write_png(np.ascontiguousarray(pixels), folder / f"{name}.png")
    return [folder / f"{name}.png" for name in arrays]


def _empty(adapter: Adapter, preset: str | None, sandbox: Wish) -> str | None:
    place = require(adapter)
    parameters = adapter.manifest.resolve(preset, None)
    with new_job() as job, tempfile.NamedTemporaryFile() as log:
        job.write(description(adapter, "apply", place, parameters, 0, "cpu") | {"images": [], "model": None})
        report = run_driver(
            adapter,
            "apply",
            job,
            python=place.python,
            readable=[place.folder],
            sandbox=choose(sandbox),
            log_path=Path(log.name),
            wall_s=adapter.manifest.limits.wall_s,
            on_image=lambda event: None,
            on_progress=lambda done, total: None,
        )
        made = [path.name for path in job.out.iterdir()]
    if report.outcome != "finished":
        return report.reason
    return f"it made {', '.join(made[:3])} out of nothing" if made else None


def _difference(first: AttackRun, second: AttackRun) -> str | None:
    by_name = {image.input.name: image for image in first.images}
    for image in second.images:
        other = by_name[image.input.name]
        if image.status != other.status:
            return f"{image.input.name} was {other.status}, then {image.status}"
        if image.output and other.output and (read_png(image.output) != read_png(other.output)).any():
            return f"{image.input.name} came out differently"
    return None


def _unpinned(adapter: Adapter) -> str | None:
    name = adapter.manifest.environment.requirements
    if not name:
        return None
    lines = (line.split("#")[0].strip() for line in (adapter.folder / name).read_text().splitlines())
    loose = [line for line in lines if line and not line.startswith("-") and "==" not in line and "@" not in line]
    return f"not pinned: {', '.join(loose)}" if loose else None


def _imports_faketagger(adapter: Adapter) -> str | None:
    try:
        tree = ast.parse(adapter.driver.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        return f"driver.py is no Python: {error}"
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if any(name.split(".")[0] == "faketagger" for name in names):
            return f"driver.py imports faketagger in line {getattr(node, 'lineno', 0)}"
    return None
