"""Counts in words."""

from typing import Any

_SEVERAL = {"person": "people", "identity": "identities"}


def counted(count: int, one: str) -> str:
    """A number with its noun, "1 picture" or "2 pictures".

    Args:
        count: How many.
        one: The noun for one of them.
    """
    return f"{count} {one}" if count == 1 else f"{count} {_SEVERAL.get(one, one + 's')}"


def of_people(facts: dict[str, Any]) -> str:
    """The pictures of a benchmark or a gap, "32 pictures of 31 people".

    Args:
        facts: With ``n_images`` and ``n_clusters``.
    """
    return f"{counted(facts['n_images'], 'picture')} of {counted(facts['n_clusters'], 'person')}"
