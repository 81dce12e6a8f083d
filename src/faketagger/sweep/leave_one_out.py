"""The leave-one-out table: what a tagger that never met a regenerator reads through it, beside one that has met it."""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from faketagger.bench.statistics import Interval, clustered_interval
from faketagger.errors import ConfigError, FakeTaggerError
from faketagger.sweep.trials import SweepFolder, Trial

LEAVE_OUT = "tagger.leave_out"
_RECORDS = Path("bench") / "records.parquet"
_SEED, _RESAMPLES = 0, 2000


@dataclass(frozen=True)
class LeftOut:
    """One line of the table: shares of bits right through one attack, with 95 % intervals over people.

    Attributes:
        attack: The attack that is read through.
        none: By the tagger that met none of those left out in any trial; None without such a trial.
        others: By the tagger that met all but this one; None for an attack that no trial leaves out.
        met: By the tagger that met them all.
        carried: Paired difference ``others - none``: what training against the others is worth here.
        missing: Paired difference ``met - others``: what having met it is worth.
    """

    attack: str
    none: Interval | None
    others: Interval | None
    met: Interval
    carried: Interval | None
    missing: Interval | None


def leave_one_out(folder: Path, view: str = "frame") -> list[LeftOut]:
    """Make the table from a sweep over ``tagger.leave_out``.

    Args:
        folder: Of the sweep.
        view: ``frame`` or ``face``.

    Returns:
        A line for each attack of the benchmark, those left out first.

    Raises:
        ConfigError: The sweep is another, or the trial that left nothing out has not finished.
    """
    sweep = SweepFolder(folder)
    reads = {_left(trial): _reads(sweep, trial, view) for trial in sweep.trials() if trial.state == "finished"}
    if frozenset() not in reads:
        raise ConfigError(
            f"{folder} has no finished trial with an empty {LEAVE_OUT}.",
            "Run `faketagger sweep experiments/sweeps/leave-one-out.yaml --out DIR` to its end.",
        )
    everything = frozenset[str]().union(*reads)
    met = reads[frozenset()]
    attacks = sorted(met["attack"].unique(), key=lambda name: (name not in everything, name))
    return [_line(attack, reads, everything) for attack in attacks]


def _left(trial: Trial) -> frozenset[str]:
    if LEAVE_OUT not in trial.parameters:
        raise ConfigError(f"trial {trial.id} has no {LEAVE_OUT}", "the sweep must be one over it")
    return frozenset(trial.parameters[LEAVE_OUT])


def _reads(sweep: SweepFolder, trial: Trial, view: str) -> pd.DataFrame:
    columns = ["attack", "view", "kind", "picture", "identity", "bits", "matched"]
    table = pq.read_table(sweep.folder(trial.id) / _RECORDS, columns=columns).to_pandas()
    return table[(table["kind"] == "tagged") & (table["view"] == view)]


def _line(attack: str, reads: dict[frozenset[str], pd.DataFrame], everything: frozenset[str]) -> LeftOut:
    def through(left: frozenset[str]) -> pd.DataFrame | None:
        return reads[left][reads[left]["attack"] == attack] if left in reads else None

    met = reads[frozenset()]
    none = through(everything) if len(everything) > 1 else None
    others = through(frozenset([attack])) if attack in everything else None
    seen = met[met["attack"] == attack]
    return LeftOut(
        attack,
        none=_share(none),
        others=_share(others),
        met=_interval(seen["matched"], seen),
        carried=_difference(others, none),
        missing=_difference(seen, others),
    )


def _interval(numerator: "pd.Series[int]", reads: pd.DataFrame) -> Interval:
    people = reads["identity"].astype(str).to_numpy()
    return clustered_interval(numerator.to_numpy(), reads["bits"].to_numpy(), people, _SEED, _RESAMPLES)


def _share(reads: pd.DataFrame | None) -> Interval | None:
    return None if reads is None else _interval(reads["matched"], reads)


def _difference(more: pd.DataFrame | None, less: pd.DataFrame | None) -> Interval | None:
    if more is None or less is None:
        return None
    both = more.merge(less, on="picture", suffixes=("", "_less"), validate="one_to_one")
    return _interval(both["matched"] - both["matched_less"], both)


def markdown(lines: Iterable[LeftOut]) -> str:
    """The table as a page shows it."""
    rows = ["| read through | met none | met the others | met all | others − none | all − others |", "|" + "---|" * 6]
    for line in lines:
        shares = [_shown(interval) for interval in (line.none, line.others, line.met)]
        gaps = [_shown(interval, sign="+") for interval in (line.carried, line.missing)]
        rows.append("| " + " | ".join([line.attack, *shares, *gaps]) + " |")
    return "\n".join(rows)


def _shown(interval: Interval | None, sign: str = "") -> str:
    if interval is None:
        return "–"
    estimate, low, high = (100 * value for value in (interval.estimate, interval.low, interval.high))
    return f"{estimate:{sign}.1f} ({low:{sign}.1f} to {high:{sign}.1f})"


def main(arguments: list[str] | None = None) -> int:
    """Command line.

    Args:
        arguments: Without the program's name; those of the process by default.
    """
    parser = argparse.ArgumentParser(prog="python -m faketagger.sweep.leave_one_out", description=__doc__)
    parser.add_argument("folder", type=Path, help="of a sweep over tagger.leave_out")
    parser.add_argument("--view", choices=("frame", "face"), default="frame")
    given = parser.parse_args(arguments)
    try:
        print(markdown(leave_one_out(given.folder, given.view)))
    except FakeTaggerError as error:
        print(f"{error.message} {error.hint or ''}".strip(), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
