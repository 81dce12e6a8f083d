"""From entries to boards: one for each protocol and face set, watermarks in order, attacks side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from faketagger.bench.entries import Entry

STRICT = "0.001"


@dataclass(frozen=True)
class Standing:
    """One watermark on a board. Shares are in [0, 1]; means are over attacks, both views alike.

    Attributes:
        entry: What it is made from.
        found: Mean detection rate at a nominal false positive rate of :data:`STRICT`.
        white: Mean bit accuracy over the white boxes.
        black: The same over the black boxes; None where there are none.
        capacity: Mean lower bound of bits a picture.
        payload: Mean share of payloads read unharmed; None for a watermark without a code.
        holds: Attacks in views that something of the tag survives, by Holm over all of them at 0.05.
        claims: Attacks in views.
        psnr_db: Tagged against original.
        ssim: The same.
        null: Share of untagged attacked pictures called tagged at the loosest rate, with its upper limit.
        null_limit: One-sided, 95 %.
    """

    entry: Entry
    found: float
    white: float
    black: float | None
    capacity: float
    payload: float | None
    holds: int
    claims: int
    psnr_db: float
    ssim: float
    null: float
    null_limit: float


@dataclass(frozen=True)
class Board:
    """All watermarks measured by one protocol on one face set.

    Attributes:
        protocol: ``NAME-vVERSION``.
        faces: Of every entry.
        standings: The best first.
        attacks: ``(label, view, black box)`` in the order of the protocol.
    """

    protocol: str
    faces: dict[str, Any]
    standings: list[Standing]
    attacks: list[tuple[str, str, bool]]

    def row(self, standing: Standing, label: str, view: str) -> dict[str, Any]:
        """One attack on one watermark.

        Args:
            standing: Of this board.
            label: Of the attack.
            view: Frame or face.
        """
        return next(row for row in standing.entry.scenarios if (row["label"], row["view"]) == (label, view))


def make_boards(entries: Iterable[Entry]) -> list[Board]:
    """Sort entries into boards; scores on different faces or protocols never share one.

    Args:
        entries: Checked entries.

    Returns:
        Boards by protocol and source of the faces. Watermarks are ordered by detection, then by capacity.
    """
    groups: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.protocol, entry.faces["source"], entry.faces["digest"]), []).append(entry)
    boards = []
    for (protocol, _, _), members in sorted(groups.items()):
        standings = sorted(map(_standing, members), key=lambda one: (-one.found, -one.capacity, one.entry.name))
        rows = _attacked(members[0])
        attacks = [(row["label"], row["view"], row["black_box"]) for row in rows]
        boards.append(Board(protocol, members[0].faces, standings, attacks))
    return boards


def _attacked(entry: Entry) -> list[dict[str, Any]]:
    return [row for row in entry.scenarios if row["family"] != "control"]


def _standing(entry: Entry) -> Standing:
    rows = _attacked(entry)
    black = [row["bit_accuracy"] for row in rows if row["black_box"]]
    controls = {(row["attack"], row["view"]): row for row in entry.scenarios if row["family"] == "control"}
    view = "frame" if ("no_attack", "frame") in controls else "face"
    clean, null = controls["no_attack", view], controls["untagged_null", view]
    loose = max(null["null_fpr"], key=float)
    coded = entry.watermark.get("coded", True)
    return Standing(
        entry=entry,
        found=_mean(row["tpr_at_fpr"][STRICT] for row in rows),
        white=_mean(row["bit_accuracy"] for row in rows if not row["black_box"]),
        black=_mean(black) if black else None,
        capacity=_mean(row["capacity_bits"] for row in rows),
        payload=_mean(row["exact_match"] for row in rows) if coded else None,
        holds=sum(row["p_holm"] is not None and row["p_holm"] <= 0.05 for row in rows),
        claims=len(rows),
        psnr_db=clean["psnr_db"],
        ssim=clean["ssim"],
        null=null["null_fpr"][loose],
        null_limit=null["null_fpr_ci_high"][loose],
    )


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)
