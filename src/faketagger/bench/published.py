"""Published protocols: a name and a version under which everybody measures the same. No torch here.

What a protocol fixes is digested: scenarios, severities, number and size of the faces, seeds, rates. What everybody
chooses (the watermark, its strength, whose faces) is not. ``protocols.json`` holds the digest of every version that
was ever published and the versions of its attacks, so a file that was edited and kept its version is refused, and so
are results of attacks that have changed since.
"""

import hashlib
import json
from dataclasses import dataclass
from importlib import resources

from faketagger.bench.protocol import BenchConfig, ProtocolName
from faketagger.errors import ConfigError

_CHOSEN = ("model", "rivals", "match_psnr", "strips")


@dataclass(frozen=True)
class Published:
    """A published protocol.

    Attributes:
        digest: Of :func:`protocol_digest`.
        attacks: Version of each attack by name.
    """

    digest: str
    attacks: dict[str, int]


def protocol_digest(config: BenchConfig) -> str:
    """SHA-256 of what a benchmark file fixes.

    Args:
        config: The benchmark.
    """
    fixed = {name: value for name, value in config.plain().items() if name not in _CHOSEN}
    fixed["faces"] = {name: value for name, value in fixed["faces"].items() if name not in ("source", "others")}
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()


def title_of(protocol: ProtocolName) -> str:
    """``NAME-vVERSION``.

    Args:
        protocol: Of a benchmark file.
    """
    return f"{protocol.name}-v{protocol.version}"


def published() -> dict[str, Published]:
    """All published protocols by title."""
    text = (resources.files("faketagger.bench") / "protocols.json").read_text(encoding="utf-8")
    return {title: Published(**values) for title, values in json.loads(text).items()}


def check_published(config: BenchConfig) -> None:
    """Refuse a file that calls itself a published protocol and is another.

    Args:
        config: The benchmark.

    Raises:
        ConfigError: It was changed.
    """
    title = title_of(config.protocol)
    expected = published().get(title)
    if expected is not None and expected.digest != protocol_digest(config):
        raise ConfigError(
            f"This file calls itself {title}, but differs from that protocol as it was published.",
            "Give the changed protocol another name or version; its results go into tables of their own.",
        )
