"""The fixtures of the trainings: a handful of demo faces, rendered once."""

from tests.integration.training.conftest import cache, few_faces, rendered_cache

__all__ = ["cache", "few_faces", "rendered_cache"]
