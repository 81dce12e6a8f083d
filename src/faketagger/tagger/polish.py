"""Polishing: a tag is rewritten, round by round, until its own decoder reads it through simulated attacks.

The networks stay as they are; what changes is the residual of one picture, at the same PSNR. Source of the idea:
P. Fernandez et al., "Watermarking images in self-supervised latent spaces", ICASSP 2022, where the residual alone is
optimised through augmentations; here it starts from an encoder's and meets the simulator's attacks.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

from faketagger.simulator.interface import AttackBatch
from faketagger.simulator.pool import AttackPool
from faketagger.simulator.views import READ, jitter, round_to_uint8
from faketagger.tagger.attenuation import hold_power
from faketagger.tagger.encoder import amplitude
from faketagger.tagger.networks import TaggerNetworks

GREY = 0.5
"""Of what is not read in a wide view."""

_RATE = 0.05
_FACE: dict[str, Any] = {
    "identity": 1, "jpeg": {"weight": 1, "severity": [30, 80]}, "webp": {"weight": 0.5, "severity": [30, 80]},
    "h264": {"weight": 3, "severity": [24, 36]}, "blur": 0.5, "noise": 0.7,
    "resize": {"weight": 1.5, "severity": [0.1, 0.4]}, "flip": 0.7,
    "brightness": {"weight": 2, "severity": [-0.3, 0.35]}, "contrast": 0.4, "gamma": 0.4, "exposure": 0.6, "grain": 0.4,
    "haze": 0.3, "rain": 0.4, "vignette": 0.3, "swap": 1.5, "synthesis": 2, "synthesis_spatial": 3, "synthesis_gan": 2,
    "synthesis_super": 3, "edit": 3, "reenact": 1,
}  # fmt: skip
_AROUND: dict[str, Any] = {
    "identity": 1, "jpeg": {"weight": 2, "severity": [30, 80]}, "webp": {"weight": 1, "severity": [30, 80]},
    "h264": {"weight": 4, "severity": [24, 36]}, "blur": 0.7, "noise": 1,
    "resize": {"weight": 2, "severity": [0.15, 0.5]}, "flip": 1, "rotation": 0.5,
    "brightness": {"weight": 2, "severity": [-0.3, 0.35]}, "contrast": 0.4, "gamma": 0.4, "exposure": 0.6, "grain": 0.5,
    "haze": 0.4, "rain": 1, "vignette": 0.4, "swap": 1, "synthesis": 1, "synthesis_super": 1, "edit": 1, "reenact": 1,
}  # fmt: skip


def polished_face(
    networks: TaggerNetworks,
    crops: Tensor,
    message: Tensor,
    landmarks: Tensor,
    mask: Tensor,
    psnr_db: float,
    rounds: int,
) -> Tensor:
    """Residual of aligned faces; arguments as for ``TaggerNetworks.residual``.

    Args:
        networks: Who writes and reads.
        crops: (N, 3, s, s) in [0, 1].
        message: (N, L) in {0, 1}.
        landmarks: (N, 68, 2) pixel coordinates in the crops.
        mask: (N, 1, s, s) in [0, 1], the face.
        psnr_db: Of the tagged crops.
        rounds: How often the residual is improved.

    Returns:
        (N, 3, s, s).
    """
    with torch.inference_mode(False), torch.no_grad():
        crops, message, landmarks, mask = _own(crops, message, landmarks, mask)
        return _polished(
            AttackBatch(crops, landmarks),
            message,
            networks.encoder(crops, message, mask),
            amplitude(crops, mask),
            lambda raw: hold_power(raw, psnr_db),
            networks.read,
            _pool("face", crops.device),
            rounds,
        )


def polished_around(
    networks: TaggerNetworks,
    views: Tensor,
    message: Tensor,
    landmarks: Tensor,
    where: Tensor,
    readable: Tensor,
    psnr_db: Tensor,
    rounds: int,
) -> Tensor:
    """Residual of wide views, zero in faces.

    Args:
        networks: Who writes and reads.
        views: (N, 3, s, s) in [0, 1].
        message: (N, L) in {0, 1}.
        landmarks: (N, 68, 2) pixel coordinates in the views.
        where: (N, 1, s, s) in [0, 1], where it may be written.
        readable: (N, 1, s, s) in [0, 1], what is read.
        psnr_db: (N,) of the whole views.
        rounds: How often the residual is improved.

    Returns:
        (N, 3, s, s).
    """
    with torch.inference_mode(False), torch.no_grad():
        views, message, landmarks, where, readable, psnr_db = _own(
            views, message, landmarks, where, readable, psnr_db
        )
        return _polished(
            AttackBatch(views, landmarks),
            message,
            networks.encoder(views, message, where) * where,
            amplitude(views, where) * where,
            lambda raw: hold_power(raw, psnr_db),
            lambda seen: networks.read(GREY + readable * (seen - GREY)),
            _pool("around", views.device),
            rounds,
        )


def _polished(
    untagged: AttackBatch,
    message: Tensor,
    raw: Tensor,
    strength: Tensor,
    held: Callable[[Tensor], Tensor],
    read: Callable[[Tensor], Tensor],
    pool: AttackPool,
    rounds: int,
) -> Tensor:
    """Follow the gradient of what is misread after an attack a round; the draws are the same in every call."""
    step = raw.square().mean((1, 2, 3), keepdim=True).sqrt() * strength
    change = torch.zeros_like(raw, requires_grad=True)
    optimiser = torch.optim.Adam([change], _RATE, betas=(0.9, 0.99))
    for number in range(rounds):
        rng = torch.Generator().manual_seed(number)
        with torch.enable_grad():
            tagged = round_to_uint8(untagged.images + held(raw + step * change))
            attacked = pool(AttackBatch(tagged, untagged.landmarks), rng).images
            logits = read(jitter(round_to_uint8(attacked), READ, rng))
            misread = functional.binary_cross_entropy_with_logits(logits, message, reduction="none").mean(1).sum()
        (change.grad,) = torch.autograd.grad(misread, [change])
        optimiser.step()
    return held(raw + step * change.detach())


def _own(*tensors: Tensor) -> list[Tensor]:
    """Copies that gradients may pass, whatever mode the originals were made in."""
    return [tensor.clone() for tensor in tensors]


@cache
def _pool(part: str, device: torch.device) -> AttackPool:
    return AttackPool.from_spec({"face": _FACE, "around": _AROUND}[part]).to(device)
