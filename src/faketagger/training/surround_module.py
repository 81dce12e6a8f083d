"""The module that trains what writes and reads around the face."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from faketagger.simulator.graded import uniform
from faketagger.simulator.views import Framing, jitter, round_to_uint8
from faketagger.tagger.checkpoint import checkpoint_config, load, save
from faketagger.tagger.place import blanked
from faketagger.tagger.surround import READING, WRITING, Surround, around, outside
from faketagger.tagger.tagger import Tagger
from faketagger.training.config import TrainConfig
from faketagger.training.tagger_module import TaggerModule

_FRAMING = Framing(rotation=2.5, shift=0.02, zoom_out=0.96, zoom_in=1.04)
_HIDDEN = (0.95, 1.3)
_FRAMED, _WIDEST_BORDER = 0.7, 0.25


class SurroundModule(TaggerModule):
    """Trains encoder and decoder of a :class:`faketagger.tagger.surround.Surround`.

    Views are wide, most of them with the border of a picture in them; faces are hidden from the reader. Where the
    surround is lost, or holds no tag, the message is still asked for, so that the logits learn to say nothing then.

    Args:
        zoom: Magnification of the views relative to the aligned crop, below 1.
        lost: Share of the pictures whose surround is lost.
        **settings: As for :class:`TaggerModule`; ``face_only`` does nothing, since no face is read here.
    """

    def __init__(self, zoom: float, lost: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.zoom = zoom
        self.save_hyperparameters({"zoom": zoom, "lost": lost})

    def write(self, config: TrainConfig, path: Path) -> None:
        assert config.tagger is not None
        assert config.tagger.surround is not None
        wanted = config.tagger.surround
        face = load(wanted.of)
        surround = Surround(self.networks, wanted.zoom, self.curriculum.psnr)
        psnr_db = wanted.psnr_db or face.psnr_db
        tagger = Tagger(face.networks, config.tagger.codec(), psnr_db, config.name, surround)
        save(tagger, path, checkpoint_config(wanted.of).network, config.tagger.network)

    def _tag(
        self, views: Tensor, landmarks: Tensor, message: Tensor, rng: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        where = outside(landmarks, _sides(views), WRITING)
        if rng is None:
            return views, round_to_uint8(views + around(self.networks, views, message, where, self.curriculum.psnr))
        rows, columns, inside = _frames(len(views), views.shape[-1], rng)
        views = _framed(views, rows, columns)
        residual = around(self.networks, views, message, where * inside.to(views), self.curriculum.psnr)
        return views, round_to_uint8(_framed(views + residual, rows, columns))

    def _keep_face(self, images: Tensor, landmarks: Tensor, rng: torch.Generator) -> Tensor:
        return images

    def _read(self, seen: Tensor, landmarks: Tensor, views: Tensor, rng: torch.Generator | None) -> Tensor:
        if rng is None:
            return self.networks.read(blanked(seen, outside(landmarks, _sides(seen), READING)))
        fate = uniform(rng, (len(seen), 1, 1, 1), seen) / self.hparams["lost"]
        seen = torch.where(fate < 0.5, torch.full_like(seen, 0.5), torch.where(fate < 1.0, views, seen))
        low, high = _HIDDEN
        growth = low + (high - low) * uniform(rng, (len(seen), 1, 1), landmarks)
        hidden = blanked(seen, outside(landmarks, _sides(seen), growth))
        return self.networks.read(jitter(hidden, _FRAMING, rng))


def _sides(views: Tensor) -> tuple[int, int]:
    return views.shape[2], views.shape[3]


def _frames(n: int, side: int, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Random borders of pictures within views: indices (n, side) that repeat the border, and what is inside."""
    borders = torch.rand(n, 4, generator=rng) * _WIDEST_BORDER * side
    borders = (borders * (torch.rand(n, 1, generator=rng) < _FRAMED)).long()
    line = torch.arange(side)[None]
    rows = line.clamp(borders[:, :1], side - 1 - borders[:, 1:2])
    columns = line.clamp(borders[:, 2:3], side - 1 - borders[:, 3:])
    inside = (rows == line)[:, :, None] & (columns == line)[:, None, :]
    return rows, columns, inside[:, None]


def _framed(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Pictures (n, 3, s, s) with everything beyond their borders replaced by the pixels at the border."""
    rows, columns = rows.to(images.device)[:, None, :, None], columns.to(images.device)[:, None, None, :]
    return images.gather(2, rows.expand_as(images)).gather(3, columns.expand_as(images))
