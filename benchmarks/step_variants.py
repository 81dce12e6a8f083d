"""A training step of the shipped tagger's networks as it is, compiled, and in mixed precision, in turn, as ratios.

.venv/bin/python benchmarks/step_variants.py [--device cpu] [--batch 24] [--steps 4] [--rounds 3]; compiling on a CPU
needs g++ and takes minutes.
"""

import argparse
import contextlib
import json
import os
import statistics
import time
from typing import Any

import torch

from faketagger.torch_compat import ensure_torchvision

ensure_torchvision()

from faketagger.training.modules import compile_networks  # noqa: E402
from faketagger.training.tagger_module import TaggerModule  # noqa: E402

VARIANTS = ("plain", "compiled", "bf16")


class Stepper:
    """One variant: its networks, its optimiser, its faces.

    Args:
        variant: Of :data:`VARIANTS`.
        device: Torch's name.
        batch: Faces of a step.
    """

    def __init__(self, variant: str, device: str, batch: int) -> None:
        torch.manual_seed(0)
        network = {"message_bits": 64, "size": 128, "encoder_width": 32, "decoder_width": 48}
        # A curriculum that attacks from the first step on, or half of the work would be missing.
        curriculum = {"message_done": 0.01, "attacks_done": 0.01, "ramp": 1}
        attacks = {"resize": 1.0, "blur": 1.0, "noise": 1.0}
        self.module = TaggerModule(network, attacks, curriculum, max_steps=1000, validation=()).to(device)
        self.module.log_dict = lambda *args, **kwargs: None  # type: ignore[method-assign]
        self.module.log = lambda *args, **kwargs: None  # type: ignore[method-assign]
        if variant == "compiled":
            compile_networks(self.module)
        self.device, self.low = device, variant == "bf16"
        self.optimiser = torch.optim.AdamW(self.module.parameters(), 1e-3)
        self.batch = {
            "image": torch.rand(batch, 3, 176, 176, device=device),
            "landmarks": 60 + 50 * torch.rand(batch, 68, 2, device=device),
        }
        self.taken = 0

    def steps(self, count: int) -> float:
        """Seconds that so many steps take."""
        start = time.perf_counter()
        for _ in range(count):
            with torch.autocast(self.device, torch.bfloat16) if self.low else contextlib.nullcontext():
                loss: Any = self.module.training_step(self.batch, self.taken)
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.taken += 1
        if self.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start


def measure(device: str = "cpu", batch: int = 24, steps: int = 4, rounds: int = 3) -> dict[str, Any]:
    """Median seconds a step of every variant and their ratios to the plain one, rounds in turn."""
    steppers = {variant: Stepper(variant, device, batch) for variant in VARIANTS}
    first = {variant: stepper.steps(2) for variant, stepper in steppers.items()}
    found: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for _ in range(rounds):
        for variant, stepper in steppers.items():
            found[variant].append(stepper.steps(steps) / steps)
    seconds = {variant: statistics.median(values) for variant, values in found.items()}
    ratios = {
        variant: [mine / plain for mine, plain in zip(found[variant], found["plain"], strict=True)]
        for variant in VARIANTS[1:]
    }
    return {
        "seconds_a_step": seconds,
        "ratio": {variant: statistics.median(values) for variant, values in ratios.items()},
        "ratios": ratios,
        "compile_s": first["compiled"] - 2 * seconds["compiled"],
        "device": device, "batch": batch, "threads": torch.get_num_threads(), "load": os.getloadavg()[0],
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    for name, value in (("--batch", 24), ("--steps", 4), ("--rounds", 3)):
        parser.add_argument(name, type=int, default=value)
    print(json.dumps(measure(**vars(parser.parse_args())), indent=1))
