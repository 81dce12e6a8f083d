"""Networks for other runtimes: one file that embeds, one that reads, at the native size."""

import warnings
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.surround import Surround, around
from faketagger.tagger.tagger import Tagger


class _Embed(nn.Module):
    def __init__(self, tagger: Tagger) -> None:
        super().__init__()
        self.networks, self.psnr_db = tagger.networks, tagger.psnr_db

    def forward(self, images: Tensor, message: Tensor) -> Tensor:
        return self.networks.embed(images, message, self.psnr_db)


class _Read(nn.Module):
    def __init__(self, networks: TaggerNetworks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, images: Tensor) -> Tensor:
        return self.networks.read(images)


class _EmbedAround(nn.Module):
    def __init__(self, surround: Surround) -> None:
        super().__init__()
        self.networks, self.psnr_db = surround.networks, surround.psnr_db

    def forward(self, views: Tensor, message: Tensor, where: Tensor) -> Tensor:
        return (views + around(self.networks, views, message, where, self.psnr_db)).clamp(0, 1)


def export_tagger(tagger: Tagger, folder: Path, to: Literal["onnx", "pt2"]) -> list[Path]:
    """Write ``embed`` (images, message -> images) and ``read`` (images -> logits) with a free batch size.

    A surround becomes two files more: ``surround-embed`` (wide views, message, where -> wide views), ``where``
    (N, 1, s, s) being 1 where it may be written, and ``surround-read`` (wide views without their faces -> logits).

    Args:
        tagger: What to export.
        folder: Where to; made if missing.
        to: ``pt2`` (torch.export) or ``onnx``.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    images = torch.rand(2, 3, tagger.size, tagger.size)
    message = torch.randint(0, 2, (2, tagger.message_bits)).float()
    batch = torch.export.Dim("batch", min=1, max=4096)
    written = []
    parts: list[tuple[str, nn.Module, tuple[Tensor, ...]]] = [
        ("embed", _Embed(tagger), (images, message)),
        ("read", _Read(tagger.networks), (images,)),
    ]
    if tagger.surround is not None:
        size = tagger.surround.networks.size
        views, where = torch.rand(2, 3, size, size), torch.ones(2, 1, size, size)
        parts += [
            ("surround-embed", _EmbedAround(tagger.surround), (views, message, where)),
            ("surround-read", _Read(tagger.surround.networks), (views,)),
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
