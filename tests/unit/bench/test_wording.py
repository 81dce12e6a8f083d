"""One picture, two pictures."""

import pytest

from faketagger.bench.wording import counted, of_people


@pytest.mark.parametrize(
    ("count", "one", "words"),
    [(1, "picture", "1 picture"), (2, "person", "2 people"), (1, "identity", "1 identity")],
)
def test_numbers_and_nouns_agree(count: int, one: str, words: str) -> None:
    assert counted(count, one) == words


def test_pictures_of_people() -> None:
    assert of_people({"n_images": 32, "n_clusters": 1}) == "32 pictures of 1 person"
