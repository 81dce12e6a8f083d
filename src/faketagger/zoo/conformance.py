"""``zoo check``: does an adapter keep the contract? Anyone can ask it of their own folder."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from faketagger.errors import AdapterError
from faketagger.zoo.attack import apply, description
from faketagger.zoo.expectations import (
    check_pictures,
    difference,
    imports_faketagger,
    mirrored,
    misplaced_mask,
    unpinned,
)
from faketagger.zoo.installation import require
from faketagger.zoo.jobs import new_job
from faketagger.zoo.manifest import Adapter, load_manifest
from faketagger.zoo.marking_check import check_marking
from faketagger.zoo.preparation import Prepared, prepare
from faketagger.zoo.registry import get_adapter
from faketagger.zoo.results import AttackRun
from faketagger.zoo.runner import run_driver
from faketagger.zoo.sandbox import Sandbox, Wish, choose

Verdict = Literal["passed", "failed", "skipped"]
_SEED = 7


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
    params: dict[str, Any] | None = None,
    facesets: dict[str, list[Path]] | None = None,
    attributes: Path | None = None,
    sandbox: Wish = "auto",
    progress: Callable[[CheckResult], None] = lambda result: None,
) -> list[CheckResult]:
    """Hold an adapter against every expectation of the contract, by running it.

    Args:
        name: Adapter, its name or its folder; it must be installed.
        preset: Parameters to run it with.
        params: Parameters that win over the preset: a training of one step shows as much about the contract.
        facesets: Pictures to prepare it with, where it has to be; without them such a tool is checked up to there.
            A tool with a donor is prepared twice.
        attributes: List about these pictures, where the tool asks for one.
        sandbox: ``auto``, or insist on ``bubblewrap`` or ``rlimits``.
        progress: Called with every result as it comes.

    Returns:
        One result per expectation; after a failed manifest or a missing installation there are no more.

    Raises:
        AdapterError: There is no such parameter.
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
    note("requirements are pinned", unpinned(adapter))
    note("the driver is independent of faketagger", imports_faketagger(adapter))
    note("there is a README", None if (adapter.folder / "README.md").is_file() else "README.md is missing")
    try:
        require(adapter)
    except AdapterError as error:
        note("it is installed", f"{error.message} {error.hint}")
        return results
    note("it is installed", None)
    chosen = preset if preset in adapter.manifest.presets else None
    adapter.manifest.resolve(chosen, params)
    if adapter.manifest.kind == "watermark":
        check_marking(adapter, chosen, choose(sandbox), note)
        return results
    check = _Check(adapter, chosen, params, facesets or {}, attributes, choose(sandbox), note)
    if adapter.manifest.facesets and not facesets:
        sets = " ".join(f"{one}=FOLDER" for one in adapter.manifest.facesets)
        note("it attacks pictures", f"it must be prepared first: give {sets}", "skipped")
        return results
    with tempfile.TemporaryDirectory() as temporary:
        check.all(Path(temporary))
    return results


@dataclass
class _Check:
    """The expectations that show only when the tool runs."""

    adapter: Adapter
    preset: str | None
    params: dict[str, Any] | None
    facesets: dict[str, list[Path]]
    attributes: Path | None
    walls: Sandbox
    note: Callable[..., None]

    def all(self, folder: Path) -> None:
        """Everything, in an empty folder."""
        manifest, note = self.adapter.manifest, self.note
        made = None
        if manifest.facesets:
            made = self._learn("it can be prepared", self.facesets)
            if made is None:
                return
        model = made.folder if made else None
        pictures = check_pictures(folder / "in")
        note("it ends well without any picture", self._empty(model))
        first = self._run(pictures, folder / "first", model)
        assert first.run is not None
        report = first.run
        well = report.outcome == "finished"
        note("it ends well with three pictures", None if well else report.reason)
        failures = [f"{image.input.name}: {image.reason}" for image in first.images if image.status == "failed"]
        note("every picture comes back whole, in its own size", "; ".join(failures) or None)
        face = first.images[0]
        note("the face is really changed", None if face.status == "attacked" else f"{face.status}: {face.reason}")
        if manifest.masks:
            note("the mask lies where the picture changed", misplaced_mask(first))
        note("it writes nowhere else", report.reason if report.outcome == "trespass" else None)
        if self.walls.network_blocked:
            note("it needs no network", None if well else report.reason)
        else:
            note("it needs no network", f"not shown: {self.walls.note}", "skipped")
        if not well or not manifest.deterministic:
            reason = "the manifest says it does not" if well else "it does not end well"
            note("the seed fixes the result", reason, "skipped")
            return
        note("the seed fixes the result", difference(first, self._run(pictures, folder / "again", model)))
        alone = self._run(pictures[:1], folder / "alone", model)
        note("a picture's result does not depend on the batch", difference(first, alone))
        if manifest.donor is not None:
            self._check_donor(manifest.donor, alone, folder)

    def _check_donor(self, donor: str, first: AttackRun, folder: Path) -> None:
        """The donor's pictures must show in the result, or a tag in them could not."""
        others = mirrored(self.facesets[donor], folder / "mirrored")
        expectation = "another donor makes another result"
        made = self._learn(expectation, self.facesets | {donor: others})
        if made is None:
            return
        second = self._run([first.images[0].input], folder / "other", made.folder)
        same = None if difference(first, second) else f"the pictures of {donor} do not matter"
        self.note(expectation, same)

    def _learn(self, expectation: str, facesets: dict[str, list[Path]]) -> Prepared | None:
        lesson: dict[str, Any] = {"sandbox": self.walls.kind, "attributes": self.attributes}
        try:
            made = prepare(self.adapter, facesets, self.params, self.preset, _SEED, **lesson)
        except AdapterError as error:
            self.note(expectation, f"{error.message} {error.hint or ''}".strip())
            return None
        if facesets == self.facesets:
            self.note(expectation, None)
        return made

    def _run(self, pictures: list[Path], out: Path, model: Path | None) -> AttackRun:
        given: dict[str, Any] = {"prepared": model, "sandbox": self.walls.kind, "fresh": True}
        return apply(self.adapter, pictures, out, self.params, self.preset, _SEED, **given)

    def _empty(self, model: Path | None) -> str | None:
        adapter = self.adapter
        place = require(adapter)
        parameters = adapter.manifest.resolve(self.preset, self.params)
        with new_job() as job, tempfile.NamedTemporaryFile() as log:
            task = description(adapter, "apply", place, parameters, 0, "cpu")
            job.write(task | {"images": [], "model": str(model) if model else None})
            report = run_driver(
                adapter,
                "apply",
                job,
                python=place.python,
                readable=[place.folder, *([model] if model else [])],
                sandbox=self.walls,
                log_path=Path(log.name),
                wall_s=adapter.manifest.limits.wall_s,
                on_image=lambda event: None,
                on_progress=lambda done, total: None,
            )
            made = [path.name for folder in (job.out, job.masks) for path in folder.iterdir()]
        if report.outcome != "finished":
            return report.reason
        return f"it made {', '.join(made[:3])} out of nothing" if made else None
