"""Colour transfer between faces, as swap tools do it before they paste."""

from kornia.color import lab_to_rgb, rgb_to_lab
from torch import Tensor


def match_colours(source: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Give a face the colours of another: equal mean and spread per CIE L*a*b* channel inside the mask.

    Args:
        source: (N, 3, H, W) in [0, 1], the face to recolour.
        target: (N, 3, H, W) in [0, 1], the face whose colours it takes.
        mask: (N, 1, H, W) in [0, 1], the pixels that count.

    Returns:
        (N, 3, H, W) in [0, 1].

    Source: E. Reinhard et al., "Color transfer between images", IEEE CG&A 2001.
    """
    lab, wanted = rgb_to_lab(source), rgb_to_lab(target)
    mean, spread = _moments(lab, mask)
    wanted_mean, wanted_spread = _moments(wanted, mask)
    gain = (wanted_spread / spread).clamp(0.5, 2.0)
    matched: Tensor = lab_to_rgb((lab - mean) * gain + wanted_mean)
    return matched.clamp(0, 1)


def _moments(values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    total = mask.sum((2, 3), keepdim=True).clamp_min(1e-3)
    mean = (values * mask).sum((2, 3), keepdim=True) / total
    variance = ((values - mean).square() * mask).sum((2, 3), keepdim=True) / total
    return mean, (variance + 1e-2).sqrt()
