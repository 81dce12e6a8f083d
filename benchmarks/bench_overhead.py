"""What the benchmark adds to its attacks, and what a finished one costs to ask again. Needs Real-ESRGAN."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DEMO = Path(__file__).parents[1] / "experiments" / "bench" / "demo.yaml"


def _bench(config: Path, out: Path) -> float:
    """Seconds of one whole `faketagger bench` process."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "faketagger.cli.main", "bench", str(config), "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure() -> dict[str, float]:
    """The main job with a fresh seed, then the same call again.

    Returns:
        ``overhead``: the run's wall time as a share of the sum of its attacks' own times (attacks, here the
        external tool, run beside the reading); ``cached_speedup``: fresh over repeated, whole processes.
    """
    with tempfile.TemporaryDirectory() as folder:
        config, out = Path(folder) / "demo.yaml", Path(folder) / "bench"
        # A new seed, because the zoo remembers every picture it has attacked.
        config.write_text(DEMO.read_text().replace("seed: 0", f"seed: {time.time_ns() % 10**9}"))
        fresh = _bench(config, out)
        again = statistics.median(_bench(config, out) for _ in range(3))
        timings = json.loads((out / "timings.json").read_text())
    return {
        "wall_s": timings["wall_seconds"],
        "attacks_s": timings["attack_seconds"],
        "overhead": timings["wall_seconds"] / timings["attack_seconds"],
        "overhead_target": 1.05,
        "fresh_s": fresh,
        "again_s": again,
        "cached_speedup": fresh / again,
        "cached_speedup_target": 50.0,
    }
