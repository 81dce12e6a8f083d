"""Networks for other runtimes: one file that embeds, one that reads, at the native size."""

import warnings
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from faketagger.tagger.tagger import Tagger


class _Embed(nn.Module):
    def __init__(self, tagger: Tagger) -> None:
        super().__init__()
        self.networks, self.psnr_db = tagger.networks, tagger.psnr_db

    def forward(self, images: Tensor, message: Tensor) -> Tensor:
        return self.networks.embed(images, message, self.psnr_db)


class _Read(nn.Module):
    def __init__(self, tagger: Tagger) -> None:
        super().__init__()
        self.networks = tagger.networks

    def forward(self, images: Tensor) -> Tensor:
        return self.networks.read(images)


def export_tagger(tagger: Tagger, folder: Path, to: Literal["onnx", "pt2"]) -> list[Path]:
    """Write ``embed`` (images, message -> images) and ``read`` (images -> logits) with a free batch size.

    Args:
        tagger: What to export.
        folder: Where to; made if missing.
        to: ``pt2`` (torch.export) or ``onnx``.

    Returns:
        The two files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    images = torch.rand(2, 3, tagger.size, tagger.size)
    message = torch.randint(0, 2, (2, tagger.message_bits)).float()
    batch = torch.export.Dim("batch", min=1, max=4096)
    written = []
    parts: list[tuple[str, nn.Module, tuple[Tensor, ...]]] = [
        ("embed", _Embed(tagger), (images, message)),
        ("read", _Read(tagger), (images,)),
    ]
    for name, module, example in parts:
        path = folder / f"{tagger.name}-{name}.{to}"
        shapes = tuple({0: batch} for _ in example)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch's own, about its own tree utilities
            program = torch.export.export(module.eval(), example, dynamic_shapes=shapes)
            if to == "pt2":
                torch.export.save(program, path)
            else:
                torch.onnx.export(program, f=str(path), dynamo=True, external_data=False, verbose=False)
        written.append(path)
    return written
