"""A z-buffered triangle rasteriser in numpy: where in another picture each pixel of this one comes from.

It needs no OpenGL, no X and no GPU. A textured triangle mesh is drawn as a field of source coordinates; sampling the
picture at that field is the texture look-up.
"""

BATCH = 2_000_000


def rasterise(placed, triangles, source, shape):
    """Draw a mesh as source coordinates.

    Args:
        placed: (3, V) x, y in pixels and depth, larger where nearer.
        triangles: (T, 3) vertex numbers.
        source: (2, V) x, y of each vertex in the picture that the texture comes from.
        shape: (height, width) of the result.

    Returns:
        (height, width, 2) float32 source x, y, and (height, width) bool where the mesh is.
    """
    import numpy as np

    height, width = shape
    field = np.zeros((height * width, 2), np.float32)
    nearest = np.full(height * width, -np.inf)
    corners = placed[:2, triangles]  # (2, T, 3)
    first = np.clip(np.ceil(corners.min(axis=2)), 0, None).astype(np.int64)
    last = np.minimum(np.floor(corners.max(axis=2)), [[width - 1], [height - 1]]).astype(np.int64)
    spans = np.clip(last - first + 1, 0, None)
    counts = spans[0] * spans[1]
    cuts = np.searchsorted(np.cumsum(counts), np.arange(BATCH, counts.sum() + BATCH, BATCH), side="right")
    for chosen in np.split(np.arange(len(triangles)), cuts):
        owner = np.repeat(chosen, counts[chosen])
        within = np.arange(len(owner)) - np.repeat(np.cumsum(counts[chosen]) - counts[chosen], counts[chosen])
        x, y = first[0, owner] + within % spans[0, owner], first[1, owner] + within // spans[0, owner]
        weights, inside = _barycentric(corners[:, owner], x, y)
        owner, weights, pixel = owner[inside], weights[:, inside], (y * width + x)[inside]
        vertices = triangles[owner].T
        depth = (placed[2, vertices] * weights).sum(axis=0)
        order = np.lexsort((depth, pixel))
        order = order[np.r_[pixel[order][1:] != pixel[order][:-1], True]] if len(order) else order
        order = order[depth[order] > nearest[pixel[order]]]
        nearest[pixel[order]] = depth[order]
        field[pixel[order]] = (source[:, vertices[:, order]] * weights[:, order]).sum(axis=1).T
    return field.reshape(height, width, 2), np.isfinite(nearest).reshape(height, width)


def _barycentric(corners, x, y):
    """Weights (3, N) of the three corners (2, N, 3) at the points, and whether each point is inside."""
    import numpy as np

    (ax, bx, cx), (ay, by, cy) = corners[0].T, corners[1].T
    area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    flat = np.abs(area) < 1e-9
    area = np.where(flat, 1, area)
    second = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area
    third = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area
    weights = np.stack([1 - second - third, second, third])
    return weights, (weights >= -1e-6).all(axis=0) & ~flat


def holes(triangles):
    """The closed borders of a mesh, longest first: its outline, then its mouth.

    Args:
        triangles: (T, 3) vertex numbers.

    Returns:
        List of vertex lists in order around each border.
    """
    import numpy as np

    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, times = np.unique(edges, axis=0, return_counts=True)
    beside = {}
    for one, other in unique[times == 1].tolist():
        beside.setdefault(one, []).append(other)
        beside.setdefault(other, []).append(one)
    loops = []
    while beside:
        loop = [next(iter(beside))]
        while ahead := [vertex for vertex in beside.pop(loop[-1]) if vertex in beside]:
            loop.append(ahead[0])
        loops.append(loop)
    return sorted(loops, key=len, reverse=True)


def fan(loop, placed):
    """A border closed by a vertex in its middle.

    Args:
        loop: L vertex numbers around the border.
        placed: (D, V) vertices.

    Returns:
        (D, L + 1) vertices, the middle last, and (L, 3) triangles into them.
    """
    import numpy as np

    ring = placed[:, loop]
    count = len(loop)
    around = np.arange(count)
    triangles = np.stack([np.full(count, count), around, (around + 1) % count], axis=1)
    return np.c_[ring, ring.mean(axis=1)], triangles
