"""One face with another expression: the mesh is moved, the picture follows, the mouth is filled."""

OPEN = 0.3  # a mouth this much as open as the wanted one still has teeth to show
ROOM = 0.12  # how far around the outline, in face widths, the picture gives way


def area(ring):
    """Area in square pixels of a polygon (2, L)."""
    import numpy as np

    x, y = ring
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def reenact(picture, before, after, triangles, mouth, driver_mouth):
    """Move a face from one shape of its mesh to another.

    Args:
        picture: (H, W, 3) uint8.
        before: (3, V) the mesh as fitted to the picture.
        after: (3, V) the mesh with the wanted expression.
        triangles: (T, 3).
        mouth: Vertices around the mouth's opening.
        driver_mouth: (ring (2, L), picture (h, w, 3) uint8) of the driver, used where this mouth is too closed to
            show what the wanted one would; None for a driver with a closed mouth.

    Returns:
        The new picture and its mask, (H, W) uint8: 255 for pixels of the mesh, falling off around its outline.
    """
    import cv2
    import numpy as np
    from render import fan, rasterise

    shape = picture.shape[:2]
    field, covered = rasterise(after, triangles, before[:2], shape)
    filled, spokes = fan(mouth, after)
    own_mouth, hole = rasterise(filled, spokes, fan(mouth, before)[0][:2], shape)
    hole &= ~covered
    field[hole] = own_mouth[hole]
    covered |= hole
    field, share = _give_way(field, covered, before[0].max() - before[0].min())
    made = cv2.remap(picture, field[..., 0], field[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    if driver_mouth is not None and area(before[:2, mouth]) < OPEN * area(after[:2, mouth]):
        made = _fill_mouth(made, driver_mouth, filled, spokes, hole)
    return made, np.ceil(share * 255).astype(np.uint8)


def _give_way(field, covered, face_width):
    """Carry the movement of the outline on into its surroundings, fading out.

    Without it a rising chin would leave the old one behind, and a sinking one would cut the neck.
    """
    import cv2
    import numpy as np

    height, width = covered.shape
    here = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    if not covered.any():
        return here, np.zeros(covered.shape, np.float32)
    shift = np.where(covered[..., None], field - here, 0)
    away, label = cv2.distanceTransformWithLabels(
        (~covered).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros((label.max() + 1, 2), np.float32)
    nearest[label[covered]] = shift[covered]
    border = cv2.morphologyEx(covered.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    reach = max(ROOM * face_width, 3 * np.linalg.norm(shift[border & covered], axis=-1).max(initial=0), 1)
    share = np.clip(1 - away / reach, 0, 1).astype(np.float32)
    share = share * share * (3 - 2 * share)
    outside = cv2.GaussianBlur(nearest[label], (0, 0), max(1.0, reach / 8)) * share[..., None]
    return here + np.where(covered[..., None], shift, outside), share


def _fill_mouth(made, driver_mouth, filled, spokes, hole):
    """Put the inside of the driver's mouth into the opening, with a soft rim."""
    import cv2
    import numpy as np
    from render import fan, rasterise

    ring, picture = driver_mouth
    source, _ = fan(list(range(ring.shape[1])), ring)
    field, seen = rasterise(filled, spokes, source, hole.shape)
    inside = cv2.remap(picture, field[..., 0], field[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    hole = (hole & seen).astype(np.uint8)
    rim = max(1.0, (hole.sum() ** 0.5) / 12)
    soft = np.clip(cv2.distanceTransform(hole, cv2.DIST_L2, 5) / rim, 0, 1)[..., None]
    return np.rint(made * (1 - soft) + inside * soft).clip(0, 255).astype(np.uint8)
