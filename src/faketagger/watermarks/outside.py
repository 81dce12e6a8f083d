"""A watermark that runs in an environment and a process of its own: an adapter of the zoo."""

from typing import Any

import numpy as np

from faketagger import zoo
from faketagger.errors import AdapterError
from faketagger.watermarks.interface import Bits, Pixels, Soft


class OutsideWatermark:
    """An adapter of kind ``watermark`` behind the protocol; one run of its driver a batch.

    Args:
        adapter: Installed.
        settings: Values by parameter name.

    Raises:
        AdapterError: A parameter does not fit.
    """

    def __init__(self, adapter: zoo.Adapter, settings: dict[str, Any]) -> None:
        self._marker = zoo.Marker.make(adapter, settings)
        said = ",".join(f"{key}={value}" for key, value in sorted(settings.items()))
        self.name = f"{adapter.name}@{said}" if said else adapter.name
        self.version = str(adapter.manifest.version)
        self.message_bits, self.native_size = self._marker.message_bits, self._marker.native_size
        if adapter.manifest.strength is not None:
            self.with_strength = self._stronger

    def embed(self, images: Pixels, messages: Bits) -> Pixels:
        """Mark pictures; see :class:`faketagger.watermarks.Watermark`."""
        marked = self._marker.embed(list(images), messages)
        if any(one.shape != images.shape[1:] for one in marked):
            raise AdapterError("a marked picture has another size than it had")
        return np.stack(marked)

    def read(self, images: Pixels) -> Soft:
        """Read pictures; see :class:`faketagger.watermarks.Watermark`."""
        return self._marker.read(list(images))

    def _stronger(self, factor: float) -> "OutsideWatermark":
        other = object.__new__(OutsideWatermark)
        other.__dict__ = {**self.__dict__, "_marker": self._marker.stronger(factor)}
        return other
