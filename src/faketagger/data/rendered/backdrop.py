"""What is behind the person: an out-of-focus room or garden."""

import numpy as np
from scipy.ndimage import gaussian_filter

from faketagger.data.rendered.noise import cloud
from faketagger.data.rendered.raster import Floats


def backdrop(size: int, seed: int) -> Floats:
    """Paint a background.

    Args:
        size: Side in pixels.
        seed: Which place.

    Returns:
        (size, size, 3) linear RGB.
    """
    rng = np.random.default_rng([seed, 7])
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) / size
    first, second = (np.exp(rng.uniform(-3.2, -0.6)) * _tint(rng) for _ in range(2))
    slope = np.clip(rows * rng.uniform(-1, 1) + columns * rng.uniform(-1, 1) + 0.5, 0, 1)[..., None]
    picture = first + slope * (second - first)
    for _ in range(int(rng.integers(2, 9))):
        left, top = rng.uniform(-0.2, 0.9, 2)
        wide, high = rng.uniform(0.05, 0.5), rng.uniform(0.1, 1.2)
        inside = (columns > left) & (columns < left + wide) & (rows > top) & (rows < top + high)
        picture[inside] = picture[inside] * 0.3 + 0.7 * np.exp(rng.uniform(-3.5, -0.5)) * _tint(rng)
    for _ in range(int(rng.choice([0, 0, 6, 16]))):
        distance = np.hypot(columns - rng.uniform(0, 1), rows - rng.uniform(0, 0.8))
        picture += np.where(distance < rng.uniform(0.02, 0.06), rng.uniform(0.1, 0.7), 0)[..., None] * _tint(
            rng
        )
    plane = np.column_stack([columns.ravel(), rows.ravel()])
    texture = cloud(plane * rng.uniform(3, 9), int(rng.integers(2**31)), 4).reshape(size, size, 1)
    picture = picture * np.exp(0.35 * texture)
    blur = size * rng.uniform(0.006, 0.03)
    soft = gaussian_filter(picture, (blur, blur, 0), mode="nearest")
    return soft.astype(np.float32)


def _tint(rng: np.random.Generator) -> Floats:
    return np.exp(rng.normal(0, 0.18, 3)).astype(np.float32)
