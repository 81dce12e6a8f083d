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


def polished(
    networks: TaggerNetworks,
    untagged: AttackBatch,
    message: Tensor,
    mask: Tensor,
    psnr_db: Tensor | float,
    rounds: int,
    readable: Tensor | None = None,
) -> Tensor:
    """A residual that survives better than the encoder's, of aligned faces or of what is around them.

    Args:
        networks: Who writes and reads.
        untagged: Views (N, 3, s, s) in [0, 1], with landmarks in their pixels.
        message: (N, L) in {0, 1}.
        mask: (N, 1, s, s) in [0, 1]: the face; with ``readable``, where alone it may be written.
        psnr_db: Of the whole views, a number or (N,).
        rounds: How often the residual is improved; 0 gives the encoder's.
        readable: (N, 1, s, s) in [0, 1], what is read around faces; None for a tag in the face.

    Returns:
        (N, 3, s, s).
    """
    with torch.inference_mode(False), torch.no_grad():
        views, landmarks = untagged.images.clone(), untagged.landmarks.clone()
        message, mask = message.clone(), mask.clone()
        raw, strength = networks.encoder(views, message, mask), amplitude(views, mask)
        read: Callable[[Tensor], Tensor] = networks.read
        if readable is not None:
            raw, strength = raw * mask, strength * mask
            seen = readable.clone()
            read = lambda attacked: networks.read(GREY + seen * (attacked - GREY))  # noqa: E731
        price = psnr_db.clone() if isinstance(psnr_db, Tensor) else psnr_db
        return _descended(
            AttackBatch(views, landmarks),
            message,
            raw,
            strength,
            lambda residual: hold_power(residual, price),
            read,
            _pool("face" if readable is None else "around", views.device),
            rounds,
        )


def _descended(
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


@cache
def _pool(part: str, device: torch.device) -> AttackPool:
    return AttackPool.from_spec({"face": _FACE, "around": _AROUND}[part]).to(device)
