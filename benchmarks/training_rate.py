"""Pictures a second in training, and how much of the device's measured matrix peak the networks get.

.venv/bin/python benchmarks/training_rate.py [--config FILE] [--batch N] [--device cpu|cuda] [--threads N]
    [--root FOLDER]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from faketagger.config import load_config
from faketagger.data.demo import demo_faces
from faketagger.data.module import FaceDataModule
from faketagger.torch_compat import ensure_torchvision
from faketagger.training.config import TrainConfig

ensure_torchvision()
from faketagger.training.modules import build_module  # noqa: E402

ROUNDS, FACES, CHANNELS, GRID = 5, 24, 64, 64
SIDE = {"cpu": 2048, "cuda": 8192}
MAPS = {"cpu": 8, "cuda": 512}


def seconds(work: Callable[[], Any], device: str) -> float:
    """Of one call, after the device has finished."""
    start = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def peaks(device: str) -> dict[str, float]:
    """FLOP/s of a large matrix product, and of a 3 x 3 convolution like those of the networks."""
    side, count = SIDE[device], MAPS[device]
    a, b = (torch.randn(side, side, device=device) for _ in range(2))
    maps = torch.randn(count, CHANNELS, GRID, GRID, device=device).to(memory_format=torch.channels_last)
    conv = torch.nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, device=device).to(memory_format=torch.channels_last)
    with torch.no_grad():
        times = {
            "matrix_product": min(seconds(lambda: a @ b, device) for _ in range(3)),
            "convolution": min(seconds(lambda: conv(maps), device) for _ in range(5)),
        }
    return {
        "matrix_product": 2 * side**3 / times["matrix_product"],
        "convolution": 2 * count * GRID**2 * CHANNELS**2 * 9 / times["convolution"],
    }


def measure(config: Path, batch: int, device: str, threads: int, root: Path | None) -> dict[str, Any]:
    """Medians over rounds; in each, a whole step, the networks alone, and the peaks, in turn."""
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = True  # as convolutions are computed there
    size = load_config(config, TrainConfig).data.size
    faces = ["data.kind=demo", "data.root=null", f"data.demo_faces={FACES}"] if root is None else [f"data.root={root}"]
    settings = load_config(config, TrainConfig, [*faces, f"data.size={size}", "data.batch_size=8"])
    if root is None:
        demo_faces(FACES)
    module: Any = build_module(settings).to(device)
    module._log_state = lambda loss: None
    module.curriculum.stage, module.curriculum.attack_share = "quality", 1.0
    for attack in (module.pool, *module.validation_attacks.values()):
        attack.to(device)
    data = FaceDataModule(settings.data)
    data.setup()
    first = next(iter(data.train_dataloader()))
    again = torch.arange(batch) % len(first["image"])
    faces_in = {name: value[again].to(device) for name, value in first.items() if isinstance(value, Tensor)}
    faces_in = data.on_after_batch_transfer(faces_in, 0)
    step = iter(range(10**6))

    def whole() -> None:
        module.training_step(faces_in, next(step)).backward()

    images = torch.rand(batch, 3, size, size, device=device).to(memory_format=torch.channels_last)
    message = torch.randint(0, 2, (batch, module.networks.message_bits), device=device).float()

    def networks() -> None:
        tagged = module.networks.embed(images, message, 38.0)
        module.networks.read(tagged).square().mean().backward()

    with FlopCounterMode(display=False) as counter:
        networks()
    flops = counter.get_total_flops()
    whole()
    rows = [(seconds(whole, device), seconds(networks, device), peaks(device)) for _ in range(ROUNDS)]
    step_s, networks_s = (statistics.median(row[place] for row in rows) for place in (0, 1))
    peak = {name: statistics.median(row[2][name] for row in rows) for name in rows[0][2]}
    return {
        "pictures_per_s": batch / step_s,
        "step_s": step_s,
        "networks_s": networks_s,
        "networks_share_of_step": networks_s / step_s,
        "gflop_a_picture": flops / batch / 1e9,
        "gflop_per_s_of_networks": flops / networks_s / 1e9,
        "peak_gflop_per_s": {name: value / 1e9 for name, value in peak.items()},
        "share_of_peak": {name: flops / networks_s / value for name, value in peak.items()},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("experiments/train/face-128.yaml"))
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--root", type=Path, help="a folder of photographs instead of the rendered faces")
    print(json.dumps(measure(**vars(parser.parse_args())), indent=1))
