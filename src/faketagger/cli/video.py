"""What ``tag`` and ``read`` do with a video."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from faketagger.errors import ConfigError

if TYPE_CHECKING:
    from faketagger.tagger import Tagger


def tag_video(paths: list[Path], out: Path, payload: str, tagger: Tagger, **settings: Any) -> None:
    """Tag one video and say how many frames carry the message.

    Args:
        paths: One video, and nothing beside it.
        out: Its new file, or a folder for it.
        payload: As typed.
        tagger: Who tags.
        **settings: As for :func:`faketagger.tagger.video.embed_video`.
    """
    source, target = only_video(paths, out)
    with bar("tagging") as advance:
        done = tagger.embed_video(source, target, payload, progress=advance, **settings)
    rest = done.frames - done.tagged
    print(f"{target}: {done.tagged} of {done.frames} frames tagged, {rest} without a face unchanged")


def read_one(file: Path, tagger: Tagger, significance: float, **settings: Any) -> dict[str, Any]:
    """Read one video behind a progress bar; settings as for ``read_video``, values that JSON can hold."""
    with bar("reading") as advance:
        return tagger.read_video(file, significance, progress=advance, **settings).plain()


def attack_video(
    name: str,
    paths: list[Path],
    out: Path,
    params: dict[str, Any],
    preset: str | None,
    seed: int,
    **settings: Any,
) -> None:
    """Put one video through an external tool; say what became of its frames in ``NAME.attack.json`` and here."""
    from faketagger.zoo.video import apply_to_video

    source, target = only_video(paths, out)
    with bar(name) as advance:
        done = apply_to_video(name, source, target, params, preset, seed, advance, **settings)
    target.with_suffix(".attack.json").write_text(json.dumps(done.run.to_dict(), indent=1), encoding="utf-8")
    reasons = Counter(image.reason for image in done.run.images if image.status != "attacked")
    for reason, count in reasons.most_common(5):
        print(f"{count} of {done.frames} frames left as they were: {reason}")
    counts = [f"{done.run.count(s)} {s.replace('_', ' ')}" for s in ("attacked", "passed_through", "failed")]
    print(f"{', '.join(counts)}; {done.run.timings.total_s:.1f} s; {target}")
    if done.run.count("failed"):
        raise typer.Exit(1)


def only_video(paths: list[Path], out: Path) -> tuple[Path, Path]:
    """The one video that was given and where its new version goes.

    Raises:
        ConfigError: Something else was given beside it.
    """
    from faketagger.imaging.video_write import WRITABLE_VIDEOS

    if len(paths) != 1:
        raise ConfigError("A video is worked on alone.", "Give one video, and photographs in another call.")
    source = paths[0]
    if not out.suffix:
        out.mkdir(parents=True, exist_ok=True)
        suffix = source.suffix if source.suffix.lower() in WRITABLE_VIDEOS else ".mp4"
        return source, out / f"{source.stem}{suffix}"
    return source, out


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, moved by calls with (done, total)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
