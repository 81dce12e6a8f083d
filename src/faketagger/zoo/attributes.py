"""Attributes of faces, as CelebA lists them or as a CSV does, for tools that learn to edit them."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faketagger.errors import AdapterError

_VALUES = {"1": True, "-1": False, "0": False}


@dataclass(frozen=True)
class AttributeTable:
    """Which face has which attribute.

    Attributes:
        source: The file it was read from.
        rows: By the picture's path as written there: attribute to yes or no.
    """

    source: Path
    rows: dict[str, dict[str, bool]]

    def of(self, pictures: list[Path], name: Callable[[int], str]) -> dict[str, dict[str, bool]]:
        """The attributes of pictures under new names.

        Args:
            pictures: Files; found by their path as written, else by their name without folder and ending, since lists
                name the JPEGs that people convert.
            name: New name of the picture at a place.

        Raises:
            AdapterError: A picture is not listed.
        """
        by_stem = {Path(path).stem: row for path, row in self.rows.items()}
        found = {}
        for index, picture in enumerate(pictures):
            row = self.rows.get(str(picture)) or by_stem.get(picture.stem)
            if row is None:
                raise AdapterError(f"{self.source} says nothing about {picture.name}.", "Leave it out, or add a line.")
            found[name(index)] = row
        return found


def read_attributes(path: Path) -> AttributeTable:
    """Read ``list_attr_celeba.txt`` (a count, the names, then a line a picture) or a CSV with a ``file`` column.

    Args:
        path: The file. In a CSV, columns whose every value is 1, -1 or 0 are attributes; others are left out.

    Returns:
        The table.

    Raises:
        AdapterError: It cannot be read or is neither.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise AdapterError(f"The list of attributes {path} cannot be read.") from None
    rows = _celeba(path, lines) if lines and lines[0].strip().isdigit() else _table(path, lines)
    if not rows or not next(iter(rows.values())):
        raise AdapterError(f"{path} lists no attribute.", "Values are 1 and -1 (or 1 and 0).")
    return AttributeTable(path, rows)


def _celeba(path: Path, lines: list[str]) -> dict[str, dict[str, bool]]:
    names = lines[1].split() if len(lines) > 1 else []
    rows = {}
    for number, line in enumerate(lines[2:], start=3):
        file, *values = line.split() or [""]
        if not file:
            continue
        if len(values) != len(names) or any(value not in _VALUES for value in values):
            raise AdapterError(f"Line {number} of {path} does not fit its {len(names)} attributes.")
        rows[file] = {name: _VALUES[value] for name, value in zip(names, values, strict=True)}
    return rows


def _table(path: Path, lines: list[str]) -> dict[str, dict[str, bool]]:
    reader = csv.DictReader(lines)
    if "file" not in (reader.fieldnames or []):
        raise AdapterError(f"{path} is neither CelebA's list nor a CSV with a 'file' column.")
    raw = list(reader)
    columns = [
        name for name in reader.fieldnames or [] if name != "file" and all(row[name] in _VALUES for row in raw)
    ]
    return {row["file"]: {name: _VALUES[row[name]] for name in columns} for row in raw}
