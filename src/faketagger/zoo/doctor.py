"""What an adapter has, what it lacks, what that costs, and the exact next command."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from faketagger.errors import AdapterError
from faketagger.zoo.installation import Installation, find_python, install_command, installation, missing_programs
from faketagger.zoo.installer import MAIN
from faketagger.zoo.manifest import Adapter, Manifest, Weight
from faketagger.zoo.preparation import prepared_folder, unfinished_folder
from faketagger.zoo.registry import cache_folder, get_adapter
from faketagger.zoo.sandbox import Sandbox, choose
from faketagger.zoo.watch import folder_mb
from faketagger.zoo.weights import weight_problem

State = Literal[
    "ready", "not_installed", "half_installed", "lacks_weights", "damaged", "lacks_program", "unsupported"
]
_WHENCE = {
    "package": "in package",
    "upstream": "in its code",
    "companion": "in its code",
    "url": "fetched",
    "user": "yours",
}


@dataclass(frozen=True)
class Diagnosis:
    """The state of one adapter.

    Attributes:
        state: ``ready`` if ``apply`` can run.
        present: What is there, in words.
        missing: What is not, and what is lost without it.
        cost: What installing and running it takes.
        next_command: What to type next.
        sandbox: The walls that a run would have.
    """

    name: str
    state: State
    present: tuple[str, ...]
    missing: tuple[str, ...]
    cost: str
    next_command: str
    sandbox: Sandbox

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def doctor(name: str | Path | Adapter) -> Diagnosis:
    """Examine an adapter without changing anything.

    Args:
        name: Adapter, its name or its folder.

    Raises:
        AdapterError: There is no such adapter.
    """
    adapter = get_adapter(name)
    place = installation(adapter)
    present, missing = [], []
    state = installed_state(adapter, place)
    if state == "unsupported":
        missing.append(f"a Python {adapter.manifest.environment.python}")
    broken: list[Weight] = []
    if place.built:
        present.append(f"environment {place.folder}")
        for weight in adapter.manifest.weights:
            problem = weight_problem(place, weight)
            if problem is None:
                size = place.weight_path(weight).stat().st_size / 2**20
                present.append(f"{weight.path} ({size:.1f} MB, sha256 {'right' if weight.sha256 else 'as recorded'})")
                continue
            where = f" (from {weight.url})" if weight.url else ""
            missing.append(f"{weight.path} {problem}; without it: {weight.without}{where}")
            broken += [weight] if weight.required else []
        state = "damaged" if broken and state == "ready" else state
    elif place.begun:
        missing.append("the end of its installation: it was interrupted and will be done again")
    else:
        missing += ["its environment", *_to_fetch(adapter)]
    for repository, holes in place.record.get("absent", {}).items():
        missing.append(
            f"{len(holes)} files of {repository}, which its copy did not hold: {_few(holes)}; of a fuller one: "
            f"{install_command(adapter, brings=False)} --source {'' if repository == MAIN else repository + '='}COPY"
        )
    for program, command in missing_programs(adapter).items():
        missing.append(f"the program {program} ({command})")
        state = "lacks_program" if state == "ready" else state
    for folder in sorted(path for path in unfinished_folder(adapter).glob("*") if path.is_dir()):
        size = folder_mb(folder)
        present.append(f"a training that was stopped ({size:.0f} MB in {folder}): the same prepare goes on with it")
    walls = choose()
    if walls.kind == "rlimits":
        missing.append(f"a sandbox ({walls.note}): the tool can reach the network and your files")
    return Diagnosis(
        adapter.name,
        state,
        tuple(present),
        tuple(missing),
        _cost(adapter),
        _next(adapter, place, state, broken),
        walls,
    )


def installed_state(adapter: Adapter, place: Installation) -> State:
    """The state as far as it shows without hashing anything."""
    if place.complete:
        return "lacks_program" if missing_programs(adapter) else "ready"
    try:
        find_python(adapter)
    except AdapterError:
        return "unsupported"
    if place.built and any(_by_hand(place, weight) for weight in adapter.manifest.weights):
        return "lacks_weights"
    return "half_installed" if place.begun else "not_installed"


def whence_weights(manifest: Manifest) -> str:
    """Where an adapter's weights come from, in few words: in package, in its code, fetched, yours, none needed."""
    known = {_WHENCE[weight.origin]: weight.required for weight in reversed(manifest.weights)}
    for weight in manifest.weights:
        known[_WHENCE[weight.origin]] |= weight.required
    words = [word if needed else f"({word})" for word, needed in reversed(known.items())]
    return " + ".join(words) or ("learns" if manifest.facesets else "none needed")


def _by_hand(place: Installation, weight: Weight) -> bool:
    return weight.required and weight.origin != "url" and not place.weight_path(weight).is_file()


def _to_fetch(adapter: Adapter) -> list[str]:
    """What installing will ask of the user, before anything is there."""
    manifest = adapter.manifest
    lines = []
    copies = ["--source COPY"] if manifest.upstream.source == "git" else []
    copies += [f"--source {name}=COPY" for name in manifest.companions]
    if copies:
        lines.append(f"its code, fetched by git; without a network from local repositories: {' '.join(copies)}")
    for weight in manifest.weights:
        if weight.origin == "user":
            where = f", which can be had from {weight.url}" if weight.url else ""
            lines.append(f"{weight.path}{where}: bring it with --weights DIR; without it: {weight.without}")
    return lines


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")


def _cost(adapter: Adapter) -> str:
    environment, cost = adapter.manifest.environment, adapter.manifest.cost
    base = next(folder for folder in [cache_folder(), *cache_folder().parents] if folder.exists())
    free = shutil.disk_usage(base).free / 2**30
    return (
        f"download {environment.download_mb} MB, disk {environment.disk_mb} MB ({free:.0f} GB free), "
        f"{cost.seconds_per_image:g} s an image ({cost.measured})"
    )


def _next(adapter: Adapter, place: Installation, state: State, broken: list[Weight]) -> str:
    if state == "ready" and adapter.manifest.kind == "watermark":
        return f"faketagger bench experiments/bench/demo.yaml --model {adapter.name}"
    if state == "ready":
        sets = " ".join(f"{name}=FOLDER" for name in adapter.manifest.facesets)
        listed = " --attributes LIST" if adapter.manifest.attributes else ""
        if sets and not any(prepared_folder(adapter).glob("*/digest")):
            return f"faketagger zoo prepare {adapter.name} {sets}{listed} --preset smoke"
        prepared = " --prepared FOLDER" if sets else ""
        return f"faketagger zoo apply {adapter.name} PICTURE… --out DIR{prepared}"
    if state == "lacks_program":
        return " && ".join(missing_programs(adapter).values())
    if state == "lacks_weights":
        return install_command(adapter, brings=True)
    if state == "damaged":
        if all(weight.origin != "package" for weight in broken):
            return install_command(adapter, brings=any(weight.origin != "url" for weight in broken))
        return f"rm -r {place.folder} && {install_command(adapter)}"
    if state == "unsupported":
        return f"install a Python {adapter.manifest.environment.python}, then {install_command(adapter)}"
    return install_command(adapter)
