"""A sweep whose trials take a hundredth of a second: a parabola in a script of its own."""

import json
import sys
from pathlib import Path
from typing import Any

SCRIPT = """
import json, os, sys, time
given = {key: float(value) for key, value in (word.split("=") for word in sys.argv[1:])}
time.sleep(float(os.environ.get("TOY_SECONDS", "0")))
if given["x"] > float(os.environ.get("TOY_BREAKS_ABOVE", "inf")):
    sys.exit("error: x is too large")
metrics = {"loss": (given["x"] - 1) ** 2 + given["y"], "size": -given["x"]}
with open(os.path.join(os.environ["FAKETAGGER_TRIAL"], "metrics.json"), "w") as file:
    json.dump(metrics, file)
"""


def toy_sweep(folder: Path, **changes: Any) -> Path:
    """Write a sweep file and the script it runs.

    Args:
        folder: Where to.
        changes: Keys of the file; None takes one away.
    """
    script = folder / "toy.py"
    script.write_text(SCRIPT)
    values = {
        "name": "toy",
        "method": "bayes",
        "metric": {"name": "loss", "goal": "minimize"},
        "run_cap": 20,
        "parameters": {"x": {"min": -2.0, "max": 3.0}, "y": {"values": [0, 1, 2]}},
        "command": ["${env}", sys.executable, str(script), "${args_no_hyphens}"],
        **changes,
    }
    path = folder / "toy.yaml"
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}))
    return path
