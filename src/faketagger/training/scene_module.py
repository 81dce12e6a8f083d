"""The module that trains a tagger of faces in scenes like a benchmark's."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.faces.geometry import crop_matrix, warp_crop
from faketagger.simulator.views import STILL, Framing, flip, random_matrix, random_views, round_to_uint8
from faketagger.tagger.raw import RawTagger
from faketagger.training.losses import message_loss
from faketagger.training.tagger_module import TaggerModule

SIDE = 256
"""Of a scene in pixels: what cards and the leaderboard measure at."""

_SCENE = Framing(rotation=6.0, shift=0.04, zoom_out=0.68, zoom_in=0.95)
_STILL_ZOOM = 0.8
"""Of a face in its scene, relative to the aligned crop: portraits of 256 px hold it at about that size."""

_FOUND = Framing(rotation=2.0, shift=0.016, zoom_out=0.96, zoom_in=1.04)
"""How far landmarks that are found again may be off."""


class SceneModule(TaggerModule):
    """Trains encoder and decoder together, as a :class:`TaggerModule` does, and sees what a benchmark sees.

    Scenes are pictures with a face in them, not aligned crops. They are tagged and rounded as a tagger does it,
    attacked, and looked at where the landmarks have moved to and a little off.

    Args:
        unsure: Share of the scenes of a step of which the decoder also sees a view that says nothing, and is to be
            unsure of every bit: half of them the mirror image of what was attacked, half without a tag.
        **settings: As for :class:`TaggerModule`.

    Raises:
        ConfigError: Mirror images are to say nothing, and are among the attacks.
    """

    def __init__(self, unsure: float = 0.0, **settings: Any) -> None:
        super().__init__(**settings)
        if unsure and any(entry.attack.name == "flip" for entry in self.pool.entries):
            raise ConfigError(
                "tagger.unsure: the mirror image is to say nothing, and tagger.attacks asks it for the message.",
                "Remove flip from tagger.attacks: readers look at both poses anyway.",
            )
        self.save_hyperparameters({"unsure": unsure})

    def _still_views(self, images: Tensor, landmarks: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        return random_views(images, landmarks, SIDE, replace(STILL, zoom=_STILL_ZOOM), rng)

    def _views(self, batch: dict[str, Any], rng: torch.Generator) -> tuple[Tensor, Tensor]:
        images, landmarks = flip(batch["image"], batch["landmarks"], rng)
        return random_views(images, landmarks, SIDE, _SCENE, rng)

    def _tag(
        self, views: Tensor, landmarks: Tensor, message: Tensor, rng: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        views = round_to_uint8(views)
        tagger = RawTagger(self.networks, self.curriculum.psnr)
        return views, round_to_uint8(tagger.embed_aligned(views, message, landmarks))

    def _read(self, seen: Tensor, landmarks: Tensor, views: Tensor, rng: torch.Generator | None) -> Tensor:
        return self.networks.read(warp_crop(seen, self._framed(landmarks, rng), self.networks.size))

    def _unsure_loss(
        self, images: Tensor, landmarks: Tensor, attacked: Tensor, moved: Tensor, rng: torch.Generator
    ) -> Tensor | float:
        count = round(self.hparams["unsure"] * len(images))
        if not count:
            return 0.0
        mirrored, bare = slice(count // 2), slice(count // 2, count)
        size = self.networks.size
        views = torch.cat([
            warp_crop(attacked[mirrored], self._framed(moved[mirrored], rng), size).flip(3),
            warp_crop(images[bare], self._framed(landmarks[bare], rng), size),
        ])  # fmt: skip
        logits = self.networks.read(views)
        return count / len(images) * message_loss(logits, torch.full_like(logits, 0.5))

    def _framed(self, landmarks: Tensor, rng: torch.Generator | None) -> Tensor:
        """Scene -> what the networks look at, (N, 2, 3); with ``rng`` as landmarks are found again."""
        return framed(landmarks, self.networks.size, self.zoom, rng)


def framed(landmarks: Tensor, size: int, zoom: float, rng: torch.Generator | None) -> Tensor:
    """Scene -> view of a face.

    Args:
        landmarks: (N, 68, 2) pixel coordinates in the scenes.
        size: Side of the views in pixels.
        zoom: Magnification of the views relative to the aligned crop.
        rng: Where the view is a little off, as landmarks are that are found again; None to frame it exactly.

    Returns:
        (N, 2, 3) matrices.
    """
    if rng is None:
        return crop_matrix(landmarks, size, zoom)
    return random_matrix(landmarks, size, replace(_FOUND, zoom=zoom), rng)
