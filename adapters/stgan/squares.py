"""Pictures of any size and the square that upstream looks at."""

SHORTEST = 16
CELEBA = (178, 218)
CROP = (3, 26, 170)


def square_of(width, height):
    """Where upstream looks, as (left, top, side): its own crop in a picture of CelebA's shape, else the middle."""
    if width * CELEBA[1] == height * CELEBA[0]:
        return tuple(round(number * width / CELEBA[0]) for number in CROP)
    side = min(width, height)
    return (width - side) // 2, (height - side) // 2, side


def cut(picture, size):
    """The square at the network's size.

    Args:
        picture: (H, W, 3) uint8.
        size: Side in pixels.

    Returns:
        (size, size, 3) uint8.
    """
    height, width = picture.shape[:2]
    left, top, side = square_of(width, height)
    return resized(picture[top : top + side, left : left + side], size)


def paste(picture, made):
    """Lay what the network made over the square.

    Args:
        picture: (H, W, 3) uint8, the input.
        made: (S, S, 3) uint8.

    Returns:
        The picture, and (H, W) uint8, 255 where the network made the pixel.
    """
    import numpy as np

    height, width = picture.shape[:2]
    left, top, side = square_of(width, height)
    place = slice(top, top + side), slice(left, left + side)
    result, mask = picture.copy(), np.zeros((height, width), np.uint8)
    result[place], mask[place] = resized(made, side), 255
    return result, mask


def resized(square, side):
    """A square picture at another size."""
    import numpy as np
    from PIL import Image

    return np.asarray(Image.fromarray(square).resize((side, side), Image.Resampling.LANCZOS))
