"""Pooling over frames: valid however alike the frames are, and worth doing."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest, combine_pvalues

from faketagger.coding import Codec, bits_needed, match_p_value, random_message
from faketagger.faces import Face
from faketagger.tagger.pooling import MISSES, Tracks, read_track, read_tracks

L = 64


def _face(x: float, y: float = 100, side: float = 60) -> Face:
    return Face(np.zeros((68, 2), np.float32), np.array([x, y, x + side, y + side], np.float32), 1.0)


def _untagged(rng: np.random.Generator, frames: int, people: int = 1) -> list[NDArray[np.float64]]:
    """Logits (people, frames, 2, L) of one video: the decoder's bias and the face weigh far more than the frame."""
    bias = np.random.default_rng(0).normal(0, 1.0, L)
    video = rng.normal(0, 2.0, (people, 1, 2, L))
    return list(bias + video + rng.normal(0, 0.3, (people, frames, 2, L)))


def _pooled(video: list[NDArray[np.float64]]) -> Tracks:
    tracks = Tracks()
    for place in range(len(video[0])):
        faces = [_face(100 + 200 * person) for person in range(len(video))]
        tracks.follow(faces, [person[place] for person in video], place, place / 25)
    return tracks


def test_pooled_bits_of_untagged_frames_match_a_random_message_by_chance_only() -> None:
    rng = np.random.default_rng(3)
    pooled, naive, frames = [], [], 8
    for number in range(1200):
        (video,) = _untagged(rng, frames)
        message = random_message(b"key", f"video {number}", L).astype(bool)
        word = _pooled([video]).all[0].sums[0] > 0
        pooled.append(match_p_value(int((word == message).sum()), L))
        alone = [match_p_value(int(((frame[0] > 0) == message).sum()), L) for frame in video]
        naive.append(float(combine_pvalues(alone).pvalue))
    for level in (0.5, 0.2, 0.05, 0.01):
        attained = match_p_value(bits_needed(L, level), L)
        hits = int((np.array(pooled) <= level).sum())
        assert binomtest(hits, len(pooled), attained).pvalue > 1e-3, level
    assert (np.array(naive) <= 0.01).mean() > 0.1  # what pooling p-values as if frames were independent would claim


def test_the_verdict_over_people_and_poses_is_no_smaller_than_it_may_be() -> None:
    rng = np.random.default_rng(4)
    payload_bits = 2  # few payloads and a short check, so that small p-values happen often enough to be counted
    verdicts = []
    for number in range(500):
        video = _untagged(rng, 6, people=3)
        codec = Codec(L, payload_bits, 8, key=f"key {number}")
        reading = read_tracks(_pooled(video).all, codec, 1e-6, [])
        assert len(reading.tracks) == 3
        verdicts.append(reading.p_value)
    for level in (0.2, 0.05, 0.01):
        hits = int((np.array(verdicts) <= level).sum())
        assert binomtest(hits, len(verdicts), level, alternative="greater").pvalue > 1e-3, level


def test_tracks_and_poses_are_paid_for() -> None:
    codec = Codec(L, 24, 12, key="k")
    soft = 4.0 * codec.encode(7) - 2.0
    poses = np.stack([np.zeros(L) - 0.1, soft])
    single = codec.decode(soft).p_value
    one = read_tracks(_pooled([np.stack([poses] * 4)]).all, codec, 1e-6, [])
    assert one.tracks[0].mirrored
    assert one.payload is not None
    assert one.payload.value == 7
    assert one.p_value == pytest.approx(2 * single)
    noise = np.random.default_rng(5).normal(0, 1, (4, 2, L))
    three = read_tracks(_pooled([np.stack([poses] * 4), noise, noise]).all, codec, 1e-6, [])
    assert three.p_value == pytest.approx(6 * single)
    assert read_tracks([], codec, 1e-6, []).p_value == 1


def test_many_noisy_frames_beat_one() -> None:
    rng = np.random.default_rng(6)
    codec = Codec(L, 24, 12, key="k")
    message = codec.encode("0x00c0de")
    singles, right, payloads = [], [], 0
    for _ in range(40):
        shared = rng.normal(0, 0.4, L)
        video = np.repeat((2.0 * message - 1 + shared + rng.normal(0, 2.5, (30, L)))[:, None], 2, axis=1)
        track = _pooled([video]).all[0]
        reading = read_track(track, codec)
        payloads += reading.payload is not None and reading.payload.value == 0x00C0DE
        right.append(((track.sums[0] > 0) == message).mean())
        singles.append(((video[:, 0] > 0) == message).mean())
    assert np.mean(singles) < 0.72
    assert np.mean(right) > 0.88
    assert payloads > 30


def test_one_broken_frame_does_not_outvote_the_others() -> None:
    codec = Codec(L, 24, 12, key="k")
    soft = 2.0 * codec.encode(9) - 1.0
    video = np.stack([np.stack([soft, soft])] * 10)
    video[3] *= -1e6
    payload = read_track(_pooled([video]).all[0], codec).payload
    assert payload is not None
    assert payload.value == 9


def test_faces_are_followed_by_position() -> None:
    tracks, none = Tracks(), np.zeros((2, L))
    assert tracks.follow([_face(0), _face(300)], [none] * 2, 0, 0.0) == [0, 1]
    assert tracks.follow([_face(310), _face(12)], [none] * 2, 1, 0.1) == [1, 0]  # found in another order
    assert tracks.follow([_face(22)], [none], 3, 0.3) == [0]
    assert tracks.follow([_face(150)], [none], 4, 0.4) == [2]  # too far from both
    assert tracks.follow([_face(22, side=140)], [none], 5, 0.5) == [3]  # too large to be the same
    assert tracks.follow([_face(22)], [none], 6 + MISSES, 1.0) == [4]  # too long ago
    assert [track.frames for track in tracks.all] == [3, 2, 1, 1, 1]
