"""Ray: embedded on this machine, or a cluster that is there."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from faketagger.errors import FakeTaggerError

OBJECT_STORE = 128 * 2**20
"""Bytes; pictures never pass through it, only numbers of batches and their counts do."""

_HINT = (
    "Look at: ray status --address ADDRESS. If it wants a token: copy ~/.ray/auth_token of its head to this machine."
)


class ScaleError(FakeTaggerError):
    """A collection cannot be worked through."""


@contextmanager
def ray_session(workers: int, address: str | None) -> Iterator[Any]:
    """Ray for the length of a block.

    Args:
        workers: How many processes an embedded Ray offers room for.
        address: Of a cluster, as for ``ray.init``; None starts Ray on this machine and stops it afterwards.

    Yields:
        The module ``ray``.

    Raises:
        ScaleError: Ray is not installed, or the cluster does not answer.
    """
    if address and _has_token() and "ray" not in sys.modules:  # Ray looks at its mode when it is imported
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # a client would come without, and be turned away
    ray = import_ray()
    begun = not ray.is_initialized()
    if begun:
        _start(ray, workers, address)
    try:
        yield ray
    finally:
        if begun:
            ray.shutdown()


def import_ray() -> Any:
    """The module ``ray``, told to keep to itself.

    Raises:
        ScaleError: It is not installed.
    """
    for name, value in (("RAY_USAGE_STATS_ENABLED", "0"), ("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "1")):
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise ScaleError("Ray is not installed.", "pip install 'faketagger[ray]'") from error
    return ray


def _has_token() -> bool:
    """Whether the user has a token for Ray's clusters, where Ray looks for it."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True
    return Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token").is_file()


def _start(ray: Any, workers: int, address: str | None) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
    if address is None:
        # One slot more than workers: the numbers of batches come from a small task of their own.
        options |= {"num_cpus": workers + 1, "object_store_memory": OBJECT_STORE, "include_dashboard": False}
    try:
        ray.init(address=address or "local", **options)
    except Exception as error:  # a node that does not come up raises nothing more special
        where = f"the Ray cluster at {address}" if address else "Ray on this machine"
        reason = " ".join(str(error).split())[:200]
        raise ScaleError(f"Cannot reach {where}: {reason}.", _HINT if address else None) from error


@contextmanager
def own_errors(ray: Any) -> Iterator[None]:
    """Let the package's own error through that Ray wraps, and give everything else one sentence.

    Args:
        ray: The module.

    Raises:
        FakeTaggerError: What a worker raised.
        ScaleError: The workers are gone.
    """
    from ray.train.v2.api.exceptions import TrainingFailedError

    try:
        yield
    except (ray.exceptions.RayError, TrainingFailedError) as error:
        if own := _own(error, ray):
            raise own from None
        first = str(error).strip().splitlines()[-1][:300]
        raise ScaleError(f"The workers stopped: {first}", "The same call again goes on where it stopped.") from error


def _own(error: BaseException | None, ray: Any) -> FakeTaggerError | None:
    """The package's own error below what Ray wraps it in."""
    if error is None:
        return None
    if isinstance(error, FakeTaggerError) and not isinstance(error, ray.exceptions.RayError):
        return error
    below = [getattr(error, "cause", None), error.__cause__, *getattr(error, "worker_failures", {}).values()]
    return next((own for one in below if (own := _own(one, ray))), None)
