"""Lightning's training step against a bare loop over the same networks, in turn, as a ratio."""

import statistics
import time

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, TensorDataset

from faketagger.training.tagger_module import TaggerModule

STEPS, ROUNDS, BATCH = 12, 5, 8


def _module() -> TaggerModule:
    torch.manual_seed(0)
    attacks = {"jpeg": 1.0, "blur": 1.0, "noise": 1.0}
    return TaggerModule({"message_bits": 64}, attacks, {"message_done": 0.1, "ramp": 1}, max_steps=1000, validation=())


def _collate(rows: list[tuple[torch.Tensor, ...]]) -> dict[str, torch.Tensor]:
    return {
        name: torch.stack(column) for name, column in zip(("image", "landmarks"), zip(*rows, strict=False), strict=True)
    }


def _loader() -> DataLoader:
    rng = torch.Generator().manual_seed(0)
    count = BATCH * STEPS
    images, landmarks = torch.rand(count, 3, 176, 176, generator=rng), 60 + 50 * torch.rand(count, 68, 2, generator=rng)
    return DataLoader(TensorDataset(images, landmarks), BATCH, collate_fn=_collate)


class _Clock(pl.Callback):
    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if batch_idx == 0:
            self.start = time.perf_counter()

    def on_train_end(self, trainer, pl_module):
        self.seconds = time.perf_counter() - self.start


def lightning() -> float:
    """Seconds a step under pytorch_lightning.Trainer."""
    clock = _Clock()
    pl.Trainer(
        max_steps=STEPS,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        gradient_clip_val=1.0,
        callbacks=[clock],
    ).fit(_module(), _loader())
    return clock.seconds / (STEPS - 1)


def bare() -> float:
    """Seconds a step in a plain loop."""
    module = _module()
    module.log_dict = lambda *args, **kwargs: None
    optimiser = torch.optim.AdamW(module.parameters(), 1e-3, weight_decay=1e-4)
    start = 0.0
    for index, batch in enumerate(_loader()):
        if index == 1:
            start = time.perf_counter()
        loss = module.training_step(batch, index)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
    return (time.perf_counter() - start) / (STEPS - 1)


def measure() -> dict[str, float]:
    """Median ratio over rounds, each round both in turn."""
    pairs = [(lightning(), bare()) for _ in range(ROUNDS)]
    return {
        "lightning_s": statistics.median(a for a, _ in pairs),
        "bare_s": statistics.median(b for _, b in pairs),
        "ratio": statistics.median(a / b for a, b in pairs),
        "target": 1.05,
    }
