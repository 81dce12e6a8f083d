"""Published protocols: a name and a version under which everybody measures the same. No torch here.

What a protocol fixes is digested: scenarios, severities, number and size of the faces, seeds, rates. What everybody
chooses (the watermark, its strength, whose faces) is not. ``protocols.json`` holds the digest of every version that
was ever published, so a file that was edited and kept its version is refused.
"""

import hashlib
import json
from importlib import resources

from faketagger.bench.protocol import BenchConfig, ProtocolName
from faketagger.errors import ConfigError

_CHOSEN = ("model", "rivals", "match_psnr", "strips")


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


def published() -> dict[str, str]:
    """Digests by title of all published protocols."""
    text = (resources.files("faketagger.bench") / "protocols.json").read_text(encoding="utf-8")
    digests: dict[str, str] = json.loads(text)
    return digests


def check_published(config: BenchConfig) -> None:
    """Refuse a file that calls itself a published protocol and is another.

    Args:
        config: The benchmark.

    Raises:
        ConfigError: It was changed.
    """
    title = title_of(config.protocol)
    expected = published().get(title)
    if expected is not None and expected != protocol_digest(config):
        raise ConfigError(
            f"This file calls itself {title}, but differs from that protocol as it was published.",
            "Give the changed protocol another name or version; its results go into tables of their own.",
        )
