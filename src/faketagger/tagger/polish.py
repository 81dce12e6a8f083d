"""Polishing: a tag is rewritten, round by round, until its own decoders read it through simulated attacks.

The networks stay as they are; what changes is the residual of one picture, at the same PSNR and with no larger a share
of colour, which would otherwise grow: decoders read colour well, and eyes see it on a white wall. Source of the idea:
P. Fernandez et al., "Watermarking images in self-supervised latent spaces", ICASSP 2022, where the residual alone is
optimised through augmentations; here it starts from an encoder's and meets the simulator's attacks.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

from faketagger.faces.geometry import covered_box, crop_matrix, scale_of, warp_crop
from faketagger.simulator.interface import AttackBatch
from faketagger.simulator.pool import AttackPool
from faketagger.simulator.views import READ, random_matrix, round_to_uint8
from faketagger.tagger.attenuation import no_more_colourful
from faketagger.tagger.place import Place, beyond_inference

_RATE = 0.05
_EACH = 0.5
"""Weight of what is misread in one place alone, beside what is misread in all together."""

_WIDEST = 0.8
"""Largest magnification of the scene that is attacked, relative to the aligned crop."""
_SMALLEST, _LARGEST = 128, 384
"""Pixels: sides of scenes, where the picture has as many."""
_BLOCK = 16
"""Pixels: side of the largest block of JPEG, WebP and intra-coded H.264 that all others divide."""

_ATTACKS: dict[str, Any] = {
    "identity": 0.7, "jpeg": {"weight": 1.5, "severity": [30, 80]}, "webp": {"weight": 0.7, "severity": [30, 80]},
    "h264": {"weight": 5, "severity": [26, 36]}, "blur": 0.5, "noise": 0.7,
    "resize": {"weight": 2, "severity": [0.1, 0.4]},
    "brightness": {"weight": 2, "severity": [-0.3, 0.35]}, "contrast": 0.4, "gamma": 0.4, "exposure": 0.6, "grain": 0.4,
    "haze": 0.3, "rain": 0.5, "vignette": 0.3, "swap": 1.5, "synthesis": 2, "synthesis_spatial": 3, "synthesis_gan": 2,
    "synthesis_super": 3, "edit": 2.5, "reenact": 1,
}  # fmt: skip


def polished(
    images: Tensor, landmarks: Tensor, places: Sequence[Place], message: Tensor, rounds: int
) -> list[Tensor]:
    """Residuals that survive better than the encoders', of all places around one face of each picture.

    Args:
        images: (N, 3, H, W) in [0, 1].
        landmarks: (N, 68, 2) pixel coordinates of the face.
        places: Where the message is written; what is read in them is added.
        message: (N, L) in {0, 1}.
        rounds: How often the residuals are improved; 0 gives the encoders'.

    Returns:
        (N, 3, s, s) each, of the places in their order.
    """
    with torch.inference_mode(False), torch.no_grad():
        places = [beyond_inference(place) for place in places]
        scene = _scene(images.clone(), landmarks.clone(), min(_WIDEST, *(place.zoom for place in places)))
        return _descended(scene, places, message.clone(), rounds)


def _scene(images: Tensor, landmarks: Tensor, zoom: float) -> AttackBatch:
    """What lies around the face in the picture's own pixels, so that coders' blocks fall where they will fall.

    Cut at multiples of the blocks, and reduced where it is larger than what is attacked in reasonable time.
    """
    size_hw = (images.shape[2], images.shape[3])
    matrix = crop_matrix(landmarks, _SMALLEST, zoom)
    lacking = _SMALLEST * (1 - 1 / float(scale_of(matrix).min()))
    left, top, right, bottom = covered_box(matrix, _SMALLEST, size_hw, max(0, math.ceil(lacking / 2)))
    left, top = left - left % _BLOCK, top - top % _BLOCK
    right, bottom = (min(end + -end % _BLOCK, side) for end, side in ((right, size_hw[1]), (bottom, size_hw[0])))
    cut, landmarks = images[:, :, top:bottom, left:right], landmarks - torch.tensor([left, top]).to(landmarks)
    factor = _LARGEST / max(cut.shape[2:])
    if factor < 1:
        small = [max(1, round(side * factor)) for side in cut.shape[2:]]
        scale = torch.tensor([small[1] / cut.shape[3], small[0] / cut.shape[2]]).to(landmarks)
        cut = functional.interpolate(cut, small, mode="bilinear", antialias=True)
        landmarks = (landmarks + 0.5) * scale - 0.5
    return AttackBatch(cut.clamp(0, 1), landmarks)


def _descended(scene: AttackBatch, places: Sequence[Place], message: Tensor, rounds: int) -> list[Tensor]:
    """Follow the gradient of what is misread after an attack a round; the draws are the same in every call."""
    there = [replace(one, matrix=crop_matrix(scene.landmarks, one.size, one.zoom)) for one in places]
    steps = [one.raw.square().mean((1, 2, 3), keepdim=True).sqrt() * one.strength for one in places]
    changes = [torch.zeros_like(one.raw, requires_grad=True) for one in places]
    optimiser = torch.optim.Adam(changes, _RATE, betas=(0.9, 0.99))
    pool = _pool(scene.images.device)

    def residuals() -> list[Tensor]:
        moved = zip(there, steps, changes, strict=True)
        return [one.held(no_more_colourful(one.raw + step * change, one.raw)) for one, step, change in moved]

    allowed = _power(scene, there, residuals())

    def held() -> list[Tensor]:
        free = residuals()
        with torch.no_grad():
            share = (allowed / _power(scene, there, free)).sqrt()
        return [share * residual for residual in free]

    for number in range(rounds):
        rng = torch.Generator().manual_seed(number)
        with torch.enable_grad():
            tagged = round_to_uint8(_written(scene, there, held()))
            attacked = round_to_uint8(pool(AttackBatch(tagged, scene.landmarks), rng).images)
            misread = _misread([_seen(one, attacked, scene.landmarks, rng) for one in there], message)
            gradients = torch.autograd.grad(misread, changes)
        for change, gradient in zip(changes, gradients, strict=True):
            change.grad = gradient
        optimiser.step()
    return [residual.detach() for residual in held()]


def _written(scene: AttackBatch, places: Sequence[Place], residuals: Sequence[Tensor]) -> Tensor:
    tagged = scene.images
    for place, residual in zip(places, residuals, strict=True):
        tagged = place.write(tagged, residual)
    return tagged


def _power(scene: AttackBatch, places: Sequence[Place], residuals: Sequence[Tensor]) -> Tensor:
    """(N, 1, 1, 1) mean square of what residuals add to scenes where they overlap and where they do not."""
    return (_written(scene, places, residuals) - scene.images).square().mean((1, 2, 3), keepdim=True)


def _seen(place: Place, attacked: Tensor, landmarks: Tensor, rng: torch.Generator) -> Tensor:
    matrix = random_matrix(landmarks, place.size, replace(READ, zoom=place.zoom), rng)
    return place.read(warp_crop(attacked, matrix, place.size))


def _misread(logits: Sequence[Tensor], message: Tensor) -> Tensor:
    together = _cost(torch.stack(list(logits)).sum(0), message)
    return together + _EACH * torch.stack([_cost(one, message) for one in logits]).sum()


def _cost(logits: Tensor, message: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, message, reduction="none").mean(1).sum()


@cache
def _pool(device: torch.device) -> AttackPool:
    return AttackPool.from_spec(_ATTACKS).to(device)
