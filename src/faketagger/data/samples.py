"""Which pictures a dataset has, whose face each one shows, and who is in which split."""

import csv
import difflib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from faketagger.errors import DataError
from faketagger.imaging import find_images

Split = Literal["train", "val", "test"]
Identities = Literal["auto", "manifest", "folder", "file"]
MANIFEST = "manifest.csv"
_MANIFEST_HINT = "It is a CSV with the columns file,identity; without it every picture there is used."


@dataclass(frozen=True)
class Sample:
    """One picture of one person.

    Attributes:
        path: Where the picture is.
        identity: Whose face it shows; pictures with the same text show the same person.
        group: 0 or 1: on which side of a division of people in two; 0 where that is unknown.
    """

    path: Path
    identity: str
    group: int = 0


def list_folder(root: Path, identities: Identities = "auto", group: str | None = None) -> list[Sample]:
    """List a folder of photographs.

    Args:
        root: The folder; sub folders are searched too.
        identities: Where names come from: ``manifest`` (columns ``file`` and ``identity`` of
            ``manifest.csv``), ``folder`` (the folder that holds the picture), ``file`` (every picture another
            person), or ``auto`` (the manifest where there is one, else ``file``).
        group: Column of ``manifest.csv`` whose values above 0 mean group 1; None puts all into group 0.

    Returns:
        Samples in a fixed order.

    Raises:
        DataError: The folder is missing, or its manifest does not fit.
        ImageError: The folder holds no picture.
    """
    if not root.is_dir():
        raise DataError(f"There is no folder {root}.", "Give a folder of photographs.")
    manifest = root / MANIFEST
    if identities == "manifest" or (identities == "auto" and manifest.is_file()):
        rows = _read_manifest(root, needs_identity=identities == "manifest")
        named = {root / row["file"]: row.get("identity") or row["file"] for row in rows}
    else:
        rows = _read_manifest(root, needs_identity=False) if group is not None else []
        paths = {path: path.parent if identities == "folder" else path for path in find_images([root])}
        named = {path: name.relative_to(root).as_posix() for path, name in paths.items()}
    groups = _groups(rows, group, root) if group is not None else {}
    return [Sample(path, identity, groups.get(path, 0)) for path, identity in named.items()]


def unknown_group(group: str, known: Sequence[str], origin: str) -> DataError:
    """The error for a group name that a data set does not have.

    Args:
        group: What was asked for.
        known: What there is.
        origin: Where it was looked for.
    """
    close = difflib.get_close_matches(group, known, n=1, cutoff=0.5)
    there = f"There are {', '.join(known)}." if known else "It has none at all."
    return DataError(
        f"{origin} has no {group!r} to group people by.", f"Did you mean {close[0]!r}?" if close else there
    )


def _groups(rows: Sequence[Mapping[str, str]], group: str, root: Path) -> dict[Path, int]:
    columns = [name for name in rows[0] if name not in ("file", "identity")]
    if group not in columns:
        raise unknown_group(group, columns, str(root / MANIFEST))
    members = {}
    for row in rows:
        text = row[group] or "0"
        try:
            value = float({"true": "1", "false": "0"}.get(text.lower(), text))
        except ValueError:
            value = math.nan
        if math.isnan(value):
            raise DataError(f"{root / MANIFEST} has {text!r} in the column {group!r}, no number.", _MANIFEST_HINT)
        members[root / row["file"]] = int(value > 0)
    return members


def _read_manifest(root: Path, needs_identity: bool) -> list[dict[str, str]]:
    manifest = root / MANIFEST
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as file:
            rows = [{name: value or "" for name, value in row.items() if name} for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{manifest} cannot be read: {error}.", _MANIFEST_HINT) from error
    if not rows:
        raise DataError(f"{manifest} lists no picture.", _MANIFEST_HINT)
    columns = list(rows[0])
    if "file" not in columns or (needs_identity and "identity" not in columns):
        raise DataError(f"{manifest} has the columns {', '.join(columns)}.", _MANIFEST_HINT)
    missing = [row["file"] for row in rows if not (root / row["file"]).is_file()]
    if missing:
        raise DataError(
            f"{manifest} lists {len(missing)} files that are not there, first {missing[0]!r}.",
            f"Its paths are relative to {root}.",
        )
    return rows


def split_by_identity(samples: Sequence[Sample], shares: Mapping[Split, float], seed: int) -> dict[Split, list[Sample]]:
    """Divide samples so that nobody is in two splits.

    Args:
        samples: All pictures.
        shares: Wanted share of the pictures for each split, summing to 1; a share above 0 gets at least one
            identity.
        seed: Fixes the draw.

    Returns:
        The samples of each split, in the order of ``samples``.

    Raises:
        DataError: There are fewer identities than splits.
    """
    wanted = [split for split, share in shares.items() if share > 0]
    pictures: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        pictures[sample.identity].append(sample)
    if len(pictures) < len(wanted):
        raise DataError(
            f"{len(pictures)} identities cannot be divided over {len(wanted)} splits.",
            "Give more people, or set the share of a split to 0.",
        )
    names = sorted(pictures)
    order = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    member: dict[str, Split] = dict(zip(order, wanted, strict=False))
    by_split = {split: len(pictures[name]) for name, split in member.items()}
    for name in order[len(wanted) :]:
        lacking = max(wanted, key=lambda split: shares[split] * len(samples) - by_split[split])
        member[name] = lacking
        by_split[lacking] += len(pictures[name])
    divided: dict[Split, list[Sample]] = {split: [] for split in shares}
    for sample in samples:
        divided[member[sample.identity]].append(sample)
    return divided
