"""The module that trains a decoder alone, to read what taggers write that are there already."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.faces.geometry import crop_matrix, transform_points, warp_crop
from faketagger.simulator.graded import uniform
from faketagger.simulator.views import STILL, Framing, flip, random_matrix, random_views, round_to_uint8
from faketagger.tagger.checkpoint import load
from faketagger.tagger.growth import grow
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.place import blanked
from faketagger.tagger.surround import READING, outside
from faketagger.tagger.tagger import Tagger
from faketagger.training.tagger_module import TaggerModule

SIDE = 256
"""Of a scene in pixels: what cards and the leaderboard measure at."""

_SCENE = Framing(rotation=6.0, shift=0.04, zoom_out=0.68, zoom_in=0.95)
_STILL_ZOOM = 0.8
"""Of a face in its scene, relative to the aligned crop: portraits of 256 px hold it at about that size."""

_FOUND = Framing(rotation=2.0, shift=0.016, zoom_out=0.96, zoom_in=1.04)
"""How far landmarks that are found again may be off."""

_HIDDEN = (0.97, 1.17)
"""How much larger than its landmarks say a face is hidden from who reads around it."""


class ReaderModule(TaggerModule):
    """Trains the decoder of a tagger whose encoder, and so every tag, stays as it is.

    Scenes are tagged, attacked and looked at as in a benchmark: pictures with a face in them, 8 bits between the
    steps, landmarks that move with the attack and are then off by a little.

    Args:
        of: Names or folders of the taggers whose tags are read; they share the pictures of a step, and the networks
            begin as those of the first.
        lost: Share of the pictures whose tag around the face is lost; None to read within the face.
        **settings: As for :class:`TaggerModule`; ``image_weight`` and ``critic_weight`` do nothing, since the pictures
            stay as they are.

    Raises:
        CheckpointError: A tagger is missing, or the networks cannot grow from the first one's.
        ConfigError: What is around the face is to be read, and the first tagger writes nothing there.
    """

    writers: list[Tagger]

    def __init__(self, of: list[str], lost: float | None, **settings: Any) -> None:
        super().__init__(**settings)
        writers = [load(name) for name in of]
        begun, self.zoom = _read_by(writers[0], lost)
        self.lost = lost
        grow(begun, self.networks)
        for writer in writers:
            writer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.__dict__["writers"] = writers
        self.networks.encoder.requires_grad_(False)
        self.save_hyperparameters({"of": of, "lost": lost})

    def on_fit_start(self) -> None:
        super().on_fit_start()
        for writer in self.writers:
            writer.to(self.device)

    def _still_views(self, images: Tensor, landmarks: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        return random_views(images, landmarks, SIDE, replace(STILL, zoom=_STILL_ZOOM), rng)

    def _views(self, batch: dict[str, Any], rng: torch.Generator) -> tuple[Tensor, Tensor]:
        images, landmarks = flip(batch["image"], batch["landmarks"], rng)
        return random_views(images, landmarks, SIDE, _SCENE, rng)

    @torch.no_grad()
    def _tag(
        self, views: Tensor, landmarks: Tensor, message: Tensor, rng: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        tagged = views.clone()
        for number, writer in enumerate(self.writers):
            mine = slice(number, None, len(self.writers))
            if len(views[mine]):
                tagged[mine] = writer.embed_aligned(round_to_uint8(views[mine]), message[mine], landmarks[mine])
        return views, round_to_uint8(tagged)

    def _picture_loss(self, tagged: Tensor, images: Tensor) -> Tensor | float:
        return 0.0

    def _keep_face(self, images: Tensor, landmarks: Tensor, rng: torch.Generator) -> Tensor:
        return super()._keep_face(images, landmarks, rng) if self.lost is None else images

    def _read(self, seen: Tensor, landmarks: Tensor, views: Tensor, rng: torch.Generator | None) -> Tensor:
        size = self.networks.size
        if rng is None:
            matrix = crop_matrix(landmarks, size, self.zoom)
        else:
            matrix = random_matrix(landmarks, size, replace(_FOUND, zoom=self.zoom), rng)
        if self.lost is None:
            return self.networks.read(warp_crop(seen, matrix, size))
        growth: Tensor | float = READING
        if rng is not None:
            gone = uniform(rng, (len(seen), 1, 1, 1), seen) < self.lost
            seen = torch.where(gone, round_to_uint8(views), seen)
            low, high = _HIDDEN
            growth = low + (high - low) * uniform(rng, (len(seen), 1, 1), landmarks)
        where = outside(transform_points(landmarks, matrix), (size, size), growth)
        return self.networks.read(blanked(warp_crop(seen, matrix, size).clamp(0, 1), where))


def _read_by(writer: Tagger, lost: float | None) -> tuple[TaggerNetworks, float]:
    """The networks whose decoder is trained, and the magnification of what they see relative to the aligned crop."""
    if lost is None:
        return writer.networks, 1.0
    if writer.surround is None:
        hint = "Set tagger.reader.lost to null."
        raise ConfigError(f"tagger.reader.of: '{writer.name}' writes nothing around faces.", hint)
    return writer.surround.networks, writer.surround.zoom
