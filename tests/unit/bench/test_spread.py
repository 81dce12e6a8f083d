"""Seeds side by side: the right numbers, the hardest first, and nothing compared that was not measured alike."""

import pytest

from faketagger.bench.spread import spread_table
from faketagger.errors import ConfigError


def summary(jpeg: float, swap: float, exact: float = 1.0) -> dict:
    def row(label: str, view: str, bits: float) -> dict:
        return {"label": label, "view": view, "status": "run", "bit_accuracy": bits, "exact_match": exact}

    return {
        "scenarios": [
            row("JPEG", "frame", jpeg),
            row("swap", "frame", 0.8),
            row("swap", "face", swap),
            {"label": "absent tool", "view": "frame", "status": "not run"},
        ]
    }


def test_mean_and_deviation_of_the_seeds() -> None:
    lines = spread_table([summary(0.98, 0.5, 1.0), summary(0.99, 0.6, 0.9), summary(1.0, 0.7, 0.8)]).splitlines()
    assert lines[2:] == [
        "| swap | 80.0 ± 0.0 % | 60.0 ± 10.0 % | 90 ± 10 % |",
        "| JPEG | 99.0 ± 1.0 % | – | 90 ± 10 % |",
    ]


def test_what_cannot_be_compared_is_refused() -> None:
    other = summary(0.9, 0.5)
    other["scenarios"][0]["label"] = "WebP"
    with pytest.raises(ConfigError, match="different attacks"):
        spread_table([summary(0.9, 0.5), other])
    with pytest.raises(ConfigError, match="at least two"):
        spread_table([summary(0.9, 0.5)])
