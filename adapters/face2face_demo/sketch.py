"""Faces as upstream shows them to the network: the 68 landmarks as white lines on black."""

SIDE = 256
CANVAS = 768  # lines of 3 pixels are drawn here and reduced with the picture, as on upstream's video frames
STROKES = [  # first landmark, behind the last one, closed
    (0, 17, False),
    (22, 27, False),
    (17, 22, False),
    (27, 31, False),
    (30, 35, True),
    (42, 48, True),
    (36, 42, True),
    (48, 60, True),
    (60, 68, True),
]


def sketch(points, window):
    """Draw landmarks.

    Args:
        points: (68, 2) x, y in pixels of the picture.
        window: (left, top, side) of the square of the picture to be shown; may reach beyond it.

    Returns:
        (256, 256, 3) uint8, white on black.
    """
    import cv2
    import numpy as np

    left, top, side = window
    canvas = np.zeros((CANVAS, CANVAS, 3), np.uint8)
    placed = ((points + 0.5 - [left, top]) * CANVAS / side).astype(np.int32)
    for first, stop, closed in STROKES:
        cv2.polylines(canvas, [placed[first:stop].reshape(-1, 1, 2)], closed, (255, 255, 255), 3)
    return cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def largest_square(width, height):
    """The square that training sees: the middle of the picture, as upstream crops it."""
    side = min(width, height)
    return (width - side) // 2, (height - side) // 2, side


def smallest_square(width, height):
    """The square that covers the whole picture, so that everything of it is generated."""
    side = max(width, height)
    return (width - side) // 2, (height - side) // 2, side


def pair(picture, points):
    """One training picture of pix2pix: (256, 512, 3) uint8, landmarks left, photograph right."""
    import cv2
    import numpy as np

    height, width = picture.shape[:2]
    left, top, side = window = largest_square(width, height)
    photograph = picture[top : top + side, left : left + side]
    way = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    return np.concatenate([sketch(points, window), cv2.resize(photograph, (SIDE, SIDE), interpolation=way)], axis=1)


def lay_over(generated, width, height):
    """The generated square, cut to a picture that :func:`smallest_square` was put around.

    Args:
        generated: (256, 256, 3) uint8.
        width, height: Size of the picture.

    Returns:
        (height, width, 3) uint8.
    """
    import cv2

    left, top, side = smallest_square(width, height)
    way = cv2.INTER_AREA if side < SIDE else cv2.INTER_CUBIC
    whole = cv2.resize(generated, (side, side), interpolation=way)
    return whole[-top : height - top, -left : width - left]
