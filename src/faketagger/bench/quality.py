"""How different two 8-bit pictures are: PSNR and SSIM, whole or inside a mask, and the share changed."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
PSNR_CAP_DB = 100.0


def psnr_db(a: Pixels, b: Pixels, weight: NDArray[np.floating] | None = None) -> float:
    """Peak signal-to-noise ratio, capped at 100 dB for identical pictures.

    Args:
        a: (H, W, 3) uint8.
        b: (H, W, 3) uint8.
        weight: (H, W) in [0, 1]; only weighted pixels count.

    Returns:
        dB at peak 255.
    """
    error = np.square(a.astype(np.float64) - b.astype(np.float64)).mean(2)
    mean = error.mean() if weight is None else (error * weight).sum() / max(float(weight.sum()), 1e-9)
    return float(min(PSNR_CAP_DB, 10 * np.log10(255.0**2 / mean))) if mean > 0 else PSNR_CAP_DB


def ssim(a: Pixels, b: Pixels, weight: NDArray[np.floating]) -> tuple[float, float]:
    """Structural similarity with the authors' Gaussian window: of the whole, and averaged over a mask.

    Args:
        a: (H, W, 3) uint8.
        b: (H, W, 3) uint8.
        weight: (H, W) in [0, 1].

    Source: Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004.
    """
    from skimage.metrics import structural_similarity

    mean, full = structural_similarity(
        a, b, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    return float(mean), float((full.mean(2) * weight).sum() / max(float(weight.sum()), 1e-9))


def changed_share(a: Pixels, b: Pixels) -> float:
    """Share of pixels with any channel changed.

    Args:
        a: (H, W, 3) uint8.
        b: (H, W, 3) uint8.
    """
    return float(np.any(a != b, axis=2).mean())


def changed_mask(a: Pixels, b: Pixels, reach: int = 2) -> NDArray[np.float32]:
    """Where a tool that tells no mask has painted: changed pixels, closed over ``reach`` pixels.

    Args:
        a: (H, W, 3) uint8, before.
        b: (H, W, 3) uint8, after.
        reach: Radius of the closing, so that a pixel that kept its value by chance inside the painted area
            counts.

    Returns:
        (H, W) float, 0 or 1.
    """
    from scipy.ndimage import binary_closing

    changed = np.pad(np.any(a != b, axis=2), reach, mode="edge")
    closed = binary_closing(changed, np.ones((2 * reach + 1, 2 * reach + 1), dtype=bool), border_value=0) | changed
    return closed[reach:-reach, reach:-reach].astype(np.float32)
