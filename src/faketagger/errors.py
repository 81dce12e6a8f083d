"""The package's own errors: one sentence that says what is wrong, one hint that says what to do next."""


class FakeTaggerError(Exception):
    """Base of every error a user can cause.

    Args:
        message: One sentence that says what is wrong.
        hint: What to run or change next, if there is something.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(FakeTaggerError):
    """A configuration file or an override is unreadable, has unknown keys or wrong types."""


class ImageError(FakeTaggerError):
    """A file is no usable picture, or a picture cannot be written."""


class FaceError(FakeTaggerError):
    """Face detection or alignment cannot run."""


class PayloadError(FakeTaggerError):
    """A payload does not fit the message or cannot be parsed."""


class CheckpointError(FakeTaggerError):
    """A checkpoint is missing, has the wrong hash or does not fit its network."""


class DataError(FakeTaggerError):
    """A dataset folder is missing, empty or not laid out as expected."""


class AdapterError(FakeTaggerError):
    """An external tool is missing, misdescribed or misbehaved."""


class BenchError(FakeTaggerError):
    """A benchmark cannot start or cannot resume."""


class WatermarkError(FakeTaggerError):
    """A watermark does not exist, lacks something, or breaks the protocol of ``faketagger.watermarks``."""
