"""The square around a face that the network was trained on, and the way back into the picture."""

SIDE = 256
FOREHEAD = 0.3  # of the height from brow to chin: landmarks end at the brows, a face detector's box does not
INCREASE = 0.1  # upstream's crop-video.py
RIM = 0.1  # of the crop's side, over which the generated square fades into the picture


def window(points):
    """The square that upstream's crop-video.py would suggest.

    Args:
        points: (68, 2) x, y in pixels.

    Returns:
        (left, top, side) in whole pixels; may reach beyond the picture.
    """
    import numpy as np

    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    top -= FOREHEAD * (bottom - top)
    width, height = right - left, bottom - top
    side = int(np.ceil((1 + 2 * INCREASE) * max(width, height)))
    return round((left + right - side) / 2), round((top + bottom - side) / 2), side


def cut(picture, where):
    """The square of a picture at the network's size; what lies beyond the picture repeats its border.

    Args:
        picture: (H, W, 3) uint8.
        where: (left, top, side).

    Returns:
        (256, 256, 3) uint8.
    """
    import cv2
    import numpy as np

    left, top, side = where
    height, width = picture.shape[:2]
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    way = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    return cv2.resize(picture[rows][:, columns], (SIDE, SIDE), interpolation=way)


def paste(picture, made, where):
    """Put a generated square back.

    Args:
        picture: (H, W, 3) uint8.
        made: (256, 256, 3) uint8.
        where: (left, top, side) as in :func:`cut`.

    Returns:
        (H, W, 3) uint8 and the mask, (H, W) uint8: the generated square's share, falling to 0 over its rim.
    """
    import cv2
    import numpy as np

    left, top, side = where
    height, width = picture.shape[:2]
    way = cv2.INTER_AREA if side < SIDE else cv2.INTER_CUBIC
    whole = cv2.resize(made, (side, side), interpolation=way)
    rise = np.minimum(np.arange(side), np.arange(side)[::-1]) / max(1, RIM * side)
    share = np.minimum(1, np.minimum(rise[:, None], rise[None, :]))
    first = min(max(0, left), width), min(max(0, top), height)
    last = max(first[0], min(width, left + side)), max(first[1], min(height, top + side))
    if first[0] == last[0] or first[1] == last[1]:
        return picture.copy(), np.zeros((height, width), np.uint8)
    inside = np.s_[first[1] - top : last[1] - top, first[0] - left : last[0] - left]
    place = np.s_[first[1] : last[1], first[0] : last[0]]
    result, mask = picture.copy(), np.zeros((height, width), np.uint8)
    mask[place] = np.ceil(share[inside] * 255)
    weight = mask[place][..., None] / 255
    result[place] = np.rint(whole[inside] * weight + picture[place] * (1 - weight))
    return result, mask
