"""Faces are found in other processes exactly as in this one, and those processes never outlive the pool."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage.data import astronaut
from skimage.data import coins as coins_of_pompeii

from faketagger.bench.finding import FacePool
from faketagger.errors import FaceError
from faketagger.faces import find_faces
from faketagger.faces.embedding import embed_face


def test_the_same_landmarks_as_here_in_the_order_of_asking() -> None:
    portrait = np.ascontiguousarray(astronaut()[:300, 80:380])
    flat = np.full((120, 90, 3), 128, np.uint8)
    with FacePool(2) as pool:
        promises = [pool.look(image) for image in (portrait, flat, portrait[:, ::-1], flat)]
        found = [promise.result() for promise in promises]
        processes = pool._processes
    assert found[1] is None
    assert found[3] is None
    assert np.array_equal(found[0], find_faces(portrait, max_faces=1)[0].landmarks)
    assert found[2] is not None
    assert not np.array_equal(found[0], found[2])
    assert all(process.poll() is not None for process in processes)


def test_faces_are_described_as_here_in_between_looks() -> None:
    portrait = np.ascontiguousarray(astronaut()[:300, 80:380])
    points = find_faces(portrait, max_faces=1)[0].landmarks
    with FacePool(1) as pool:
        described, look, trouble = (
            pool.embed(portrait, points),
            pool.look(portrait),
            pool.embed(portrait, np.full((68, 2), np.nan, np.float32)),
        )
        assert np.array_equal(described.result(), embed_face(portrait, points))
        assert np.array_equal(look.result(), points)
        with pytest.raises(FaceError, match="68 landmarks"):
            trouble.result()


def test_a_guess_is_made_only_for_who_asks() -> None:
    coins = np.repeat(coins_of_pompeii()[..., None], 3, axis=2)
    with FacePool(1) as pool:
        strict, lenient = pool.look(coins).result(), pool.look(coins, guess=True).result()
    assert strict is None
    assert np.array_equal(lenient, find_faces(coins, guess=True)[0].landmarks)


def test_a_finder_that_dies_is_an_error_and_not_a_picture_without_a_face() -> None:
    with FacePool(1) as pool:
        pool._processes[0].kill()
        promise = pool.look(np.zeros((64, 64, 3), np.uint8))
        with pytest.raises(FaceError, match="face finder ended"):
            promise.result()
    assert not Path(f"/proc/{pool._processes[0].pid}").exists()


def test_the_finder_needs_no_torch() -> None:
    code = "import sys, faketagger.bench.finding; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
