"""The module that trains what writes and reads around the face in scenes like a benchmark's."""

from typing import Any

import torch
from torch import Tensor

from faketagger.faces.geometry import warp_crop
from faketagger.simulator.views import round_to_uint8
from faketagger.tagger.checkpoint import load
from faketagger.tagger.raw import RawTagger
from faketagger.tagger.surround import Surround
from faketagger.training.scene_around import lose, read_around
from faketagger.training.scene_module import SceneModule, framed
from faketagger.training.surround_module import SurroundModule


class SurroundSceneModule(SceneModule, SurroundModule):
    """Trains encoder and decoder of a surround beside the face that it will be read with.

    Scenes are tagged in the face too, by a tagger that stays as it is, and what is asked for the message is what a
    whole tagger answers: the logits of the face and of the surround together. So the surround learns most where the
    face alone does not suffice. Where the surround is lost it is asked alone, so that it learns to say nothing then.

    Args:
        of: Name or folder of the tagger of the face.
        psnr_db: PSNR of the aligned crop at which that tagger works; its own if None.
        **settings: As for :class:`SurroundModule`.
    """

    face: RawTagger

    def __init__(self, of: str, psnr_db: float | None, **settings: Any) -> None:
        super().__init__(**settings)
        face = load(of)
        face.networks.requires_grad_(False)
        face.networks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.__dict__["face"] = RawTagger(face.networks, psnr_db or face.psnr_db)
        self.save_hyperparameters({"of": of, "psnr_db": psnr_db})

    def on_fit_start(self) -> None:
        super().on_fit_start()
        self.face.to(self.device)

    def _tag(
        self, views: Tensor, landmarks: Tensor, message: Tensor, rng: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        views = round_to_uint8(views)
        surround = Surround(self.networks, self.zoom, self.curriculum.psnr)
        tagger = RawTagger(self.face.networks, self.face.psnr_db, surround)
        return views, round_to_uint8(tagger.embed_aligned(views, message, landmarks))

    def _read(self, seen: Tensor, landmarks: Tensor, views: Tensor, rng: torch.Generator | None) -> Tensor:
        matrix = self._framed(landmarks, rng)
        face = self._read_face(seen, landmarks, rng)
        if rng is not None:
            seen, gone = lose(seen, round_to_uint8(views), self.hparams["lost"], rng)
            face = face.masked_fill(gone[:, None], 0.0)
        return face + read_around(self.networks, seen, landmarks, matrix, rng)

    @torch.no_grad()
    def _read_face(self, seen: Tensor, landmarks: Tensor, rng: torch.Generator | None) -> Tensor:
        size = self.face.size
        return self.face.networks.read(warp_crop(seen, framed(landmarks, size, 1.0, rng), size))
