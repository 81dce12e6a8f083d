"""One real face (public domain, carried by scikit-image) and pictures made by code."""

import numpy as np
import pytest
import skimage.data


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """(512, 512, 3) uint8, one frontal face of about 90 pixels and a round patch on the sleeve."""
    return skimage.data.astronaut()


@pytest.fixture(scope="session")
def portrait(astronaut: np.ndarray) -> np.ndarray:
    """(256, 256, 3) uint8: head and shoulders."""
    return np.ascontiguousarray(astronaut[0:256, 96:352])
