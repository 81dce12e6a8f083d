"""Real codecs on batches: tensor to 8-bit picture, through the codec, and back."""

import io
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from faketagger.parallel import in_threads
from faketagger.simulator.degradations.base import straight_through

Picture = NDArray[np.uint8]


def through_codec(images: Tensor, quality: Tensor, codec: Callable[[Picture, int], Picture]) -> Tensor:
    """Send every picture through a codec as 8-bit RGB.

    Args:
        images: (N, 3, H, W) in [0, 1], rounded half to even before coding.
        quality: (N,) rounded to integers.
        codec: Called as ``codec(H x W x 3 uint8, quality)``, returns a picture of the same shape; by
            several threads at once.

    Returns:
        (N, 3, H, W): exactly the decoded bytes / 255 forward, the identity's gradient backward.
    """
    pixels = (images.detach().clamp(0, 1) * 255).round().to(torch.uint8)
    stack = pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    levels = quality.round().int().tolist()
    coded = np.stack(in_threads(codec, list(stack), levels))
    decoded = torch.from_numpy(coded).to(images.device).permute(0, 3, 1, 2).to(images.dtype) / 255
    return straight_through(images, decoded)


def through_pillow(picture: Picture, **options: object) -> Picture:
    """Save with Pillow into memory and read back.

    Args:
        picture: H x W x 3 uint8 RGB.
        **options: Arguments of ``PIL.Image.Image.save``, ``format`` among them.

    Returns:
        H x W x 3 uint8 RGB.
    """
    file = io.BytesIO()
    Image.fromarray(picture).save(file, **options)  # type: ignore[arg-type]
    file.seek(0)
    with Image.open(file) as coded:
        return np.asarray(coded.convert("RGB"))
