"""A busy machine must not fail a property test: no deadline for one example."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
