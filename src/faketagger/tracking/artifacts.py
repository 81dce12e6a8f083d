"""What a run leaves for others: the model, a list of the faces, the benchmark. Equal contents are one version."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def model_artifact(name: str, files: Iterable[Path], facts: dict[str, Any]) -> Any:
    """A tagger as an artifact; training and benchmark of the same weights make the same version.

    Args:
        name: Of the tagger.
        files: Its configuration and weights; none for a watermark that is code only.
        facts: Plain values kept beside it.
    """
    import wandb

    artifact = wandb.Artifact(_name(name), "model", metadata=facts)
    for file in sorted(files):
        artifact.add_file(str(file), name=file.name, policy="immutable", skip_cache=True)
    if not artifact.manifest.entries:
        _add_text(artifact, "model.txt", "".join(f"{key}: {value}\n" for key, value in sorted(facts.items())))
    return artifact


def dataset_artifact(name: str, people: Iterable[tuple[str, str]], facts: dict[str, Any]) -> Any:
    """A list of faces as an artifact: who is in which picture. The pictures themselves stay where they are.

    Args:
        name: Of the set.
        people: Name of the picture and identity.
        facts: Plain values kept beside it, such as size and digest.
    """
    import wandb

    artifact = wandb.Artifact(_name(f"faces-{name}"), "dataset", metadata=facts)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("picture", "identity"), *sorted(people)])
    _add_text(artifact, "faces.csv", text.getvalue())
    return artifact


def benchmark_artifact(name: str, files: Iterable[Path], facts: dict[str, Any]) -> Any:
    """The results of a benchmark as an artifact, all records included.

    Args:
        name: Of the protocol, with its version.
        files: Result files.
        facts: Plain values kept beside it.
    """
    import wandb

    artifact = wandb.Artifact(_name(f"bench-{name}"), "benchmark", metadata=facts)
    for file in sorted(files):
        artifact.add_file(str(file), name=file.name)
    return artifact


def _add_text(artifact: Any, name: str, text: str) -> None:
    with artifact.new_file(name, mode="w", encoding="utf-8") as file:
        file.write(text)


def _name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)
