"""The high-water mark of memory, in a process of its own: a garbage collection here may free what the step takes."""

import subprocess
import sys

STEPS = """
import numpy as np
from faketagger.bench.memory import PeakMemory

peak = PeakMemory()
peak.restart()
before = peak.megabytes()
np.ones(8_000_000).sum()
held = peak.megabytes()
peak.restart()
print(before, held, peak.megabytes(), peak.highest())
"""


def test_memory_of_a_step_is_told_apart_from_the_highest() -> None:
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True)
    before, held, after, highest = map(float, done.stdout.split())
    assert held > before + 40
    assert after < held
    assert highest >= held
