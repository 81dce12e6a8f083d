"""Pictures of any size and the centred square that upstream looks at."""

import os

SHORTEST = 16


def centre(width, height):
    """The largest centred square as (left, top, right, bottom); of a 178x218 CelebA picture upstream's own crop."""
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def read(path):
    """A PIL picture in RGB."""
    from PIL import Image

    with Image.open(path) as image:
        return image.convert("RGB")


def write(picture, path):
    """A PNG that is complete as soon as it is there under its name."""
    part = path.with_name(path.name + ".part")
    picture.save(part, format="PNG", compress_level=1)
    os.replace(part, path)


def cut(picture, size):
    """The centred square at the network's size.

    Args:
        picture: PIL picture in RGB.
        size: Side in pixels.
    """
    from PIL import Image

    return picture.crop(centre(*picture.size)).resize((size, size), Image.Resampling.LANCZOS)


def paste(picture, made):
    """Lay what the network made over the centred square.

    Args:
        picture: The input.
        made: PIL picture, square.

    Returns:
        The picture at the input's size, and its mask in grey, white where the network made the pixel.
    """
    from PIL import Image

    box = centre(*picture.size)
    side = box[2] - box[0]
    result, mask = picture.copy(), Image.new("L", picture.size, 0)
    result.paste(made.resize((side, side), Image.Resampling.LANCZOS), box)
    mask.paste(255, box)
    return result, mask
