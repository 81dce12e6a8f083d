"""The same face stays near under damage, another face is far, and bad input is one sentence."""

import io

import numpy as np
import pytest
from PIL import Image

from faketagger.data.demo import demo_faces
from faketagger.errors import FaceError
from faketagger.faces import find_faces
from faketagger.faces.embedding import SAME_PERSON, embed_face, face_distance


def _describe(image: np.ndarray) -> np.ndarray:
    return embed_face(image, find_faces(image, "dlib", max_faces=1)[0].landmarks)


def test_damage_moves_a_face_little_and_another_person_is_far(astronaut: np.ndarray) -> None:
    mine = _describe(astronaut)
    buffer = io.BytesIO()
    Image.fromarray(astronaut).save(buffer, "JPEG", quality=30)
    assert mine.shape == (128,)
    assert face_distance(mine, mine) == 0
    assert face_distance(mine, _describe(np.asarray(Image.open(buffer).convert("RGB")))) < 0.25
    small = np.asarray(Image.fromarray(astronaut).resize((256, 256), Image.Resampling.LANCZOS))
    assert face_distance(mine, _describe(small)) < 0.35
    other = demo_faces(1)[0][2]
    assert face_distance(mine, _describe(other)) > SAME_PERSON


def test_the_same_picture_gives_the_same_numbers(astronaut: np.ndarray) -> None:
    points = find_faces(astronaut, "dlib", max_faces=1)[0].landmarks
    assert np.array_equal(embed_face(astronaut, points), embed_face(astronaut.copy(), points))


def test_bad_input_is_one_sentence(astronaut: np.ndarray) -> None:
    points = find_faces(astronaut, "dlib", max_faces=1)[0].landmarks
    with pytest.raises(FaceError, match="pictures"):
        embed_face(astronaut[..., 0], points)
    with pytest.raises(FaceError, match="68 landmarks"):
        embed_face(astronaut, np.full((68, 2), np.nan))
