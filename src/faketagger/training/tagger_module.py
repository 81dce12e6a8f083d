"""The tagger in a LightningModule: view, embed, round, attack, look again, read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from faketagger.data.division import part_rng
from faketagger.errors import ConfigError
from faketagger.faces.geometry import face_mask
from faketagger.simulator.graded import uniform
from faketagger.simulator.interface import Attack, AttackBatch
from faketagger.simulator.landmarks import moved_landmarks
from faketagger.simulator.pool import AttackPool
from faketagger.simulator.registry import build
from faketagger.simulator.views import READ, STILL, Framing, flip, jitter, random_views, round_to_uint8
from faketagger.tagger.checkpoint import save
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.tagger import Tagger
from faketagger.training.config import TrainConfig
from faketagger.training.curriculum import Curriculum
from faketagger.training.losses import Critic, image_loss, message_loss
from faketagger.training.parted import PartedModule

_ALIGNED = Framing(rotation=3.0, shift=0.03, zoom_out=0.93, zoom_in=1.07)
_LOOSE = Framing(rotation=8.0, shift=0.06, zoom_out=0.73, zoom_in=1.1)
_JUDGED = 4
"""Of so many pictures the image loss sees one: on all of them its forward pass alone took a sixth of a step."""


class TaggerModule(PartedModule):
    """Trains encoder and decoder together.

    Args:
        network: Arguments of :class:`faketagger.tagger.networks.TaggerNetworks`.
        attacks: Attack names with weight and severity range, as for ``AttackPool.from_spec``.
        curriculum: Arguments of :class:`faketagger.training.curriculum.Curriculum`.
        learning_rate: Peak, after ``warmup`` steps.
        max_steps: Length of the cosine schedule.
        warmup: Steps of linear warm-up.
        image_weight: Weight of the image loss once quality is climbing.
        critic_weight: Weight of the adversarial critic; 0 builds none.
        face_only: Share of attacked pictures of which only the face is left.
        attacked: Share of pictures that are attacked once the curriculum's ramp is over; the others keep the untouched
            reading honest.
        validation: Attacks that validation also reads through, each at its default severity.
        seed: With the step number, fixes every random draw of that step.

    Raises:
        ConfigError: An attack of the pool is held out from training.
    """

    zoom = 1.0
    """Magnification of the views, relative to the aligned crop."""
    pool: AttackPool
    validation_attacks: dict[str, Attack]

    def __init__(
        self,
        network: dict[str, Any],
        attacks: dict[str, Any],
        curriculum: dict[str, Any] | None = None,
        learning_rate: float = 1e-3,
        max_steps: int = 4000,
        warmup: int = 50,
        image_weight: float = 0.2,
        critic_weight: float = 0.0,
        face_only: float = 0.25,
        attacked: float = 0.8,
        validation: tuple[str, ...] = ("jpeg", "resize", "blur"),
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.curriculum = Curriculum(**(curriculum or {}))
        self.save_hyperparameters()
        self.networks = TaggerNetworks(**network)
        self.networks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # Frozen attackers: neither optimised nor saved, so kept out of the module's own parameters.
        self.__dict__["pool"] = AttackPool.from_spec(attacks)
        self.__dict__["validation_attacks"] = {name: build(name) for name in validation}
        held = [entry.attack.name for entry in self.pool.entries if getattr(entry.attack, "held_out", False)]
        if held:
            raise ConfigError(f"held out from training, so not to be trained against: {', '.join(held)}")
        self.critic = Critic() if critic_weight else None

    def compile_networks(self) -> None:
        self.networks.encoder.compile()
        self.networks.decoder.compile()

    def write(self, config: TrainConfig, path: Path) -> None:
        assert config.tagger is not None
        tagger = Tagger(self.networks, config.tagger.codec(), self.curriculum.psnr, config.name)
        save(tagger, path, config.tagger.network)

    def on_fit_start(self) -> None:
        super().on_fit_start()
        for attack in (self.pool, *self.validation_attacks.values()):
            attack.to(self.device)

    def _still_views(self, images: Tensor, landmarks: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        return random_views(images, landmarks, self.networks.size, replace(STILL, zoom=self.zoom), rng)

    def _views(self, batch: dict[str, Any], rng: torch.Generator) -> tuple[Tensor, Tensor]:
        images, landmarks = flip(batch["image"], batch["landmarks"], rng)
        half = len(images) // 2
        pieces = [
            random_views(images[piece], landmarks[piece], self.networks.size, replace(framing, zoom=self.zoom), rng)
            for piece, framing in ((slice(half), _ALIGNED), (slice(half, None), _LOOSE))
            if len(images[piece])
        ]
        views, moved = (torch.cat(parts) for parts in zip(*pieces, strict=True))
        return views.to(memory_format=torch.channels_last), moved

    def _keep_face(self, images: Tensor, landmarks: Tensor, rng: torch.Generator) -> Tensor:
        """Replace everything but the face by another picture of the batch, for a random share of the pictures."""
        chosen = uniform(rng, (len(images),), images) < self.hparams["face_only"]
        mask = face_mask(landmarks, (images.shape[2], images.shape[3]))
        mask = torch.where(chosen[:, None, None, None], mask, torch.ones_like(mask))
        return mask * images + (1 - mask) * images.detach().roll(1, 0)

    def _tag(
        self, views: Tensor, landmarks: Tensor, message: Tensor, rng: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """Views as they are tagged and their tagged versions; with ``rng`` as in training, without as it is used."""
        mask = face_mask(landmarks, (views.shape[2], views.shape[3]))
        if rng is not None:
            mask = torch.where(uniform(rng, (len(views), 1, 1, 1), views) < 0.7, mask, torch.ones_like(mask))
        return views, round_to_uint8(self.networks.embed(views, message, self.curriculum.psnr, mask))

    def _read(self, seen: Tensor, landmarks: Tensor, views: Tensor, rng: torch.Generator | None) -> Tensor:
        """Logits of what is seen after an attack, whose views were untagged; with ``rng`` as in training."""
        return self.networks.read(seen if rng is None else jitter(seen, READ, rng))

    def _attack(self, tagged: Tensor, landmarks: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Attack the share of the batch that the curriculum allows.

        Returns:
            Pictures, their landmarks, and True where a picture was attacked.
        """
        drawn = uniform(rng, (len(tagged),), tagged) < self.hparams["attacked"] * self.curriculum.attack_share
        rows = drawn.nonzero().flatten()
        if not len(rows):
            return tagged, landmarks, drawn
        part = AttackBatch(tagged[rows], landmarks[rows])
        output = self.pool(part, rng)
        moved = moved_landmarks(part, output)
        attacked = self._keep_face(output.images, moved, rng)
        return (
            tagged.index_copy(0, rows, round_to_uint8(attacked)),
            landmarks.index_copy(0, rows, moved.to(landmarks)),
            drawn,
        )

    def training_step(self, batch: dict[str, Any], index: int) -> Tensor:
        rng = self.step_rng(index)
        images, landmarks = self._views(batch, rng)
        message = torch.randint(0, 2, (len(images), self.networks.message_bits), generator=rng).to(images)
        images, tagged = self._tag(images, landmarks, message, rng)
        attacked, moved, drawn = self._attack(tagged, landmarks, rng)
        logits = self._read(attacked, moved, images, None if self.curriculum.stage == "message" else rng)
        loss = message_loss(logits, message) + self._picture_loss(tagged, images)
        loss = loss + self._unsure_loss(images, landmarks, attacked, moved, rng)
        self._account(logits, message, drawn, index)
        self._log_state(loss)
        return loss

    def _unsure_loss(
        self, images: Tensor, landmarks: Tensor, attacked: Tensor, moved: Tensor, rng: torch.Generator
    ) -> Tensor | float:
        """What it costs to be sure where there is nothing to read; nothing here, as every view holds a message."""
        return 0.0

    def _picture_loss(self, tagged: Tensor, images: Tensor) -> Tensor | float:
        """What the tag costs the pictures, as the stage weighs it."""
        loss: Tensor | float = 0.0
        if self.curriculum.stage == "quality":
            loss = self.hparams["image_weight"] * image_loss(tagged[::_JUDGED], images[::_JUDGED])
        if self.critic is not None and self.curriculum.stage != "message":
            loss = loss + self.hparams["critic_weight"] * self.critic.loss(tagged, images)
        return loss

    def _account(self, logits: Tensor, message: Tensor, drawn: Tensor, index: int) -> None:
        """Count right bits; with the last part of a step the curriculum moves, by the same counts in every process."""
        right = ((logits > 0) == (message > 0.5)).sum(1)
        counts = [right[~drawn].sum(), (~drawn).sum(), right[drawn].sum(), drawn.sum()]
        clean, n_clean, attacked, n_attacked = self.summed(torch.stack(counts), index) or (0, 0, 0, 0)
        if n_clean + n_attacked:
            bits = message.shape[1]
            self.curriculum.update(
                clean / (n_clean * bits) if n_clean else self.curriculum.clean,
                attacked / (n_attacked * bits) if n_attacked else None,
            )

    def _log_state(self, loss: Tensor) -> None:
        state = self.curriculum.state()
        values = {name: float(state[name]) for name in ("psnr", "attack_share", "clean", "attacked")}
        self.log_dict({"train/loss": loss, **{f"train/{name}": value for name, value in values.items()}}, prog_bar=True)

    @torch.no_grad()
    def show(self, batch: dict[str, Any], faces: int) -> tuple[Tensor, Tensor]:
        """Aligned faces of a batch and their tagged versions, (n, 3, size, size) each, for people to look at."""
        rng = torch.Generator().manual_seed(self.hparams["seed"])
        images, landmarks = self._still_views(batch["image"][:faces], batch["landmarks"][:faces], rng)
        message = torch.randint(0, 2, (len(images), self.networks.message_bits), generator=rng).to(images)
        return self._tag(images, landmarks, message, None)

    def validation_step(self, batch: dict[str, Any], index: int) -> None:
        """Bits right on still views: untouched, and through each attack of the pool at its default severity."""
        rng = part_rng(self.hparams["seed"], self.validation_number(index))
        images, landmarks = self._still_views(batch["image"], batch["landmarks"], rng)
        message = torch.randint(0, 2, (len(images), self.networks.message_bits), generator=rng).to(images)
        images, tagged = self._tag(images, landmarks, message, None)
        right = {"none": tagged}
        for name, attack in self.validation_attacks.items():
            right[name] = round_to_uint8(attack(AttackBatch(tagged, landmarks), rng).images)
        for name, seen in right.items():
            share = ((self._read(seen, landmarks, images, None) > 0) == (message > 0.5)).float().mean()
            self.tell(f"val/bits/{name}", share, len(images), prog_bar=name == "none")
        psnr = -10 * (tagged - images).square().mean((1, 2, 3)).log10()
        self.tell("val/psnr_db", psnr.mean(), len(images))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["curriculum"] = self.curriculum.state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.curriculum.restore(checkpoint["curriculum"])

    def configure_optimizers(self) -> Any:
        optimiser = torch.optim.AdamW(self.parameters(), self.hparams["learning_rate"], weight_decay=1e-4)
        warmup, steps = self.hparams["warmup"], self.hparams["max_steps"]
        schedule = torch.optim.lr_scheduler.SequentialLR(
            optimiser,
            [
                torch.optim.lr_scheduler.LinearLR(optimiser, 0.05, 1.0, warmup),
                torch.optim.lr_scheduler.CosineAnnealingLR(
                    optimiser, max(1, steps - warmup), 0.02 * self.hparams["learning_rate"]
                ),
            ],
            [warmup],
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
