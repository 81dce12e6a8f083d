"""All benchmarks in one command: .venv/bin/pip install -e '.[benchmarks]' && .venv/bin/python benchmarks/run.py"""

import argparse
import importlib
import json
from pathlib import Path

from faketagger.torch_compat import ensure_torchvision

NAMES = ("training_step", "embedding", "bench_overhead", "zoo_overhead", "summarise")


def main() -> None:
    """Run the chosen benchmarks, print a line each, write benchmarks.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, help=f"which: {', '.join(NAMES)}")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks.json"))
    arguments = parser.parse_args()
    ensure_torchvision()
    results = {}
    for name in arguments.names:
        results[name] = importlib.import_module(name).measure()
        shown = ", ".join(f"{key} {value:.4g}" for key, value in results[name].items())
        print(f"{name}: {shown}", flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
