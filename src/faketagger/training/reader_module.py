"""The module that trains a decoder alone, to read what taggers write that are there already."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.simulator.views import round_to_uint8
from faketagger.tagger.checkpoint import checkpoint_config, load, save
from faketagger.tagger.growth import grow
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.tagger import Tagger
from faketagger.training.config import TrainConfig
from faketagger.training.scene_around import lose, read_around
from faketagger.training.scene_module import SceneModule


class ReaderModule(SceneModule):
    """Trains the decoder of a tagger whose encoder, and so every tag, stays as it is.

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

    def write(self, config: TrainConfig, path: Path) -> None:
        assert config.tagger is not None
        assert config.tagger.reader is not None
        of = config.tagger.reader.of[0]
        tagger, shapes = load(of), checkpoint_config(of)
        if self.lost is None:
            around = None if shapes.surround is None else shapes.surround.network
            tagger.networks.decoder = self.networks.decoder
            save(tagger, path, config.tagger.network, around)
        else:
            assert tagger.surround is not None
            tagger.surround.networks.decoder = self.networks.decoder
            save(tagger, path, shapes.network, config.tagger.network)

    def on_fit_start(self) -> None:
        super().on_fit_start()
        for writer in self.writers:
            writer.to(self.device)

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
        if self.lost is None:
            return super()._read(seen, landmarks, views, rng)
        matrix = self._framed(landmarks, rng)
        if rng is not None:
            seen, _ = lose(seen, round_to_uint8(views), self.lost, rng)
        return read_around(self.networks, seen, landmarks, matrix, rng)


def _read_by(writer: Tagger, lost: float | None) -> tuple[TaggerNetworks, float]:
    """The networks whose decoder is trained, and the magnification of what they see relative to the aligned crop."""
    if lost is None:
        return writer.networks, 1.0
    if writer.surround is None:
        hint = "Set tagger.reader.lost to null."
        raise ConfigError(f"tagger.reader.of: '{writer.name}' writes nothing around faces.", hint)
    return writer.surround.networks, writer.surround.zoom
