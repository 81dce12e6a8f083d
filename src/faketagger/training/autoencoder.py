"""Train the simulator's frozen autoencoders on faces."""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from faketagger.data.crops import to_floats
from faketagger.data.division import part_rng
from faketagger.simulator.autoencoder import Autoencoder
from faketagger.simulator.autoencoders import KINDS
from faketagger.simulator.views import STILL, Framing, flip, random_views
from faketagger.training.config import TrainConfig
from faketagger.training.losses import Critic
from faketagger.training.parted import PartedModule

_CLOSED_FORM_FACES = 6000


class AutoencoderModule(PartedModule):
    """Reconstruction with an L1 loss on pixels and on their differences; latent noise for the latent kind.

    Args:
        kind: A key of ``faketagger.simulator.autoencoders.KINDS``.
        learning_rate: Peak of the one-cycle schedule.
        max_steps: Length of the schedule.
        latent_noise: Standard deviation of the noise in the latent, in units of the latent's own.
        critic_weight: Weight of a critic that tells regenerated from real faces; 0 builds none.
        seed: With the step number, fixes every random draw of that step.
    """

    def __init__(
        self,
        kind: str,
        learning_rate: float = 1e-3,
        max_steps: int = 2000,
        latent_noise: float = 0.0,
        critic_weight: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.network = KINDS[kind]()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

        self.critic = Critic() if critic_weight else None

    def compile_networks(self) -> None:
        self.network.compile()

    def write(self, config: TrainConfig, path: Path) -> None:
        from safetensors.torch import save_file

        state = self.network.state_dict()
        save_file({name: tensor.half().contiguous().cpu() for name, tensor in state.items()}, path)

    def on_train_start(self) -> None:
        """Let a new network find in closed form what needs no training, from up to 6,000 aligned training faces."""
        if self.global_step or type(self.network).prepare is Autoencoder.prepare:
            return
        rng = part_rng(self.hparams["seed"], 0)
        loader: Any = self.trainer.train_dataloader
        faces = Subset(loader.dataset, range(min(len(loader.dataset), _CLOSED_FORM_FACES)))
        views, groups = [], []
        for batch in DataLoader(faces, batch_size=256, collate_fn=loader.collate_fn):
            images = to_floats(batch["image"])
            views.append(random_views(images, batch["landmarks"], self.network.size, STILL, rng)[0])
            groups.append(batch["group"])
        with torch.no_grad():
            self.network.cpu().prepare(torch.cat(views), torch.cat(groups), rng)
        self.network.to(self.device)

    def _loss(self, output: Tensor, target: Tensor) -> Tensor:
        loss = functional.l1_loss(output, target)
        for axis in (2, 3):
            loss = loss + functional.l1_loss(output.diff(dim=axis), target.diff(dim=axis))
        return loss

    def training_step(self, batch: dict[str, Any], index: int) -> Tensor:
        rng = self.step_rng(index)
        images, landmarks = flip(batch["image"], batch["landmarks"], rng)
        views, _ = random_views(images, landmarks, self.network.size, Framing(), rng)
        views = views.to(memory_format=torch.channels_last)
        noise = None
        if self.hparams["latent_noise"]:
            with torch.no_grad():
                latent = self.network.encode(views)
            noise = torch.randn(latent.shape, generator=rng).to(latent) * self.hparams["latent_noise"]
        if self.network.decoders == 1:
            output = self.network(views, noise=noise)
            loss = self._loss(output, views)
            if self.critic is not None:
                loss = loss + self.hparams["critic_weight"] * self.critic.loss(output, views)
        else:
            latent = self.network.encode(views)
            groups = batch["group"]
            loss = views.new_zeros(())
            for group in range(self.network.decoders):
                chosen = groups == group
                if chosen.any():
                    share = chosen.float().mean()
                    loss = loss + share * self._loss(self.network.decode(latent[chosen], group), views[chosen])
        self.log("train/loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: dict[str, Any], index: int) -> None:
        views, _ = random_views(batch["image"], batch["landmarks"], self.network.size, STILL, part_rng(0, 0))
        output = self.network(views).clamp(0, 1)
        psnr = -10 * (output - views).square().mean((1, 2, 3)).log10()
        self.tell("val/psnr_db", psnr.mean(), len(views), prog_bar=True)

    def configure_optimizers(self) -> Any:
        optimiser = torch.optim.AdamW(self.parameters(), self.hparams["learning_rate"], weight_decay=1e-4)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, self.hparams["learning_rate"], total_steps=self.hparams["max_steps"] + 1, pct_start=0.1
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
