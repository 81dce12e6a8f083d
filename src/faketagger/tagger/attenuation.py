"""Where a residual may be strong: just-noticeable difference and a fixed power."""

import torch
import torch.nn.functional as functional
from torch import Tensor

_LUMA = (0.299, 0.587, 0.114)


def luma(images: Tensor) -> Tensor:
    """(N, 3, H, W) RGB -> (N, 1, H, W) BT.601 luma, same range."""
    weights = torch.tensor(_LUMA, dtype=images.dtype, device=images.device)
    return (images * weights[:, None, None]).sum(1, keepdim=True)


def just_noticeable_difference(images: Tensor) -> Tensor:
    """Visibility threshold of each pixel, from luminance adaptation and contrast masking.

    Args:
        images: (N, 3, H, W) RGB in [0, 1].

    Returns:
        (N, 1, H, W) thresholds in grey levels (about 3 to 25 of 255).

    Source: J. Wu et al., "Enhanced just noticeable difference model for images with pattern complexity",
    IEEE TIP 2017, eqs. 3-6 without the pattern term, which needs orientation histograms.
    """
    grey = luma(images) * 255
    background = functional.avg_pool2d(functional.pad(grey, (2, 2, 2, 2), mode="replicate"), 5, 1)
    adaptation = torch.where(
        background < 127,
        17 * (1 - (background.clamp_min(1e-3) / 127).sqrt()) + 3,
        3 / 128 * (background - 127) + 3,
    )
    padded = functional.pad(grey, (1, 1, 1, 1), mode="replicate")
    dx = (padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]) / 2
    dy = (padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]) / 2
    contrast = (dx.square() + dy.square() + 1e-6).sqrt()
    masking = 1.84 * contrast.pow(2.4) / (contrast.square() + 26**2)
    return adaptation + masking - 0.3 * torch.minimum(adaptation, masking)


def hold_power(residual: Tensor, psnr_db: Tensor | float) -> Tensor:
    """Scale each residual so that adding it costs exactly a given PSNR (before clipping and rounding).

    Args:
        residual: (N, 3, H, W).
        psnr_db: Wanted PSNR of the tagged crop in dB, a number or (N,).

    Returns:
        (N, 3, H, W) residual with root mean square 10^(-psnr/20).
    """
    wanted = torch.as_tensor(10 ** (-psnr_db / 20), dtype=residual.dtype, device=residual.device)
    power = residual.square().mean((1, 2, 3)).clamp_min(1e-12).sqrt()
    return residual * (wanted / power)[:, None, None, None]


def no_more_colourful(residual: Tensor, like: Tensor) -> Tensor:
    """Take so much colour out of each residual that its share is no larger than in another one.

    Args:
        residual: (N, 3, H, W).
        like: (N, 3, H, W) with the largest share that is allowed.

    Returns:
        (N, 3, H, W); luma as it was.
    """
    grey = luma(residual)
    colour = residual - grey
    most, now = _colourfulness(like, luma(like)), _colourfulness(residual, grey)
    return grey + colour * (most / now.clamp_min(1e-9)).clamp_max(1).sqrt()


def _colourfulness(residual: Tensor, grey: Tensor) -> Tensor:
    """(N, 1, 1, 1) power of what is not luma, relative to that of luma."""
    power = [part.square().mean((1, 2, 3), keepdim=True) for part in (residual - grey, grey)]
    return power[0] / power[1].clamp_min(1e-12)
