"""What every face tool does before it does anything: cut the aligned face out, and lay it back."""

from torch import Tensor

from faketagger.faces.geometry import crop_matrix, edge_window, paste, warp_crop

ALIGNED_SIDE = 256


def align_only(images: Tensor, landmarks: Tensor) -> tuple[Tensor, Tensor]:
    """Align and warp back, nothing else: the resampling loss that is charged to no attack.

    Args:
        images: (N, 3, H, W) in [0, 1].
        landmarks: (N, 68, 2) pixel coordinates.

    Returns:
        (N, 3, H, W) pictures, and (N, 1, H, W) masks, 1 where a pixel was resampled.
    """
    matrix = crop_matrix(landmarks, ALIGNED_SIDE)
    crops = warp_crop(images, matrix, ALIGNED_SIDE)
    window = edge_window(ALIGNED_SIDE).to(images).expand(len(images), 1, -1, -1)
    back = paste(images, crops, window, matrix)
    return back, ((back - images).abs().amax(1, keepdim=True) > 0).to(images)
