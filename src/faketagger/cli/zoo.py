"""``faketagger zoo``: external tools from the shelf to the picture."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from faketagger.cli import shelf
from faketagger.cli.shelf import Name
from faketagger.cli.video import bar

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Install, examine, prepare, run and check external tools (adapters).",
)

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A parameter of the adapter; repeatable."),
]
Preset = Annotated[str | None, typer.Option(help="smoke (minutes on a CPU) or paper (as its authors used it).")]
Seed = Annotated[int, typer.Option(help="Fixes every random draw of the tool.")]
Device = Annotated[str, typer.Option(help="cpu or cuda, where the adapter knows it.")]
Facesets = Annotated[list[str] | None, typer.Argument(metavar="[SET=FOLDER]...", help="Pictures to learn from.")]
Attributes = Annotated[
    Path | None, typer.Option(help="CelebA's list_attr_celeba.txt or a CSV with a 'file' column, for editors.")
]
WALLS = "auto, bubblewrap or rlimits."


app.command("list", epilog="Example: faketagger zoo list --json")(shelf.list_adapters)
app.command(epilog="Example: faketagger zoo install face2face --source ../eos --source candide=../F")(shelf.install)
app.command(epilog="Example: faketagger zoo doctor realesrgan")(shelf.doctor)


@app.command(epilog="Example: faketagger zoo prepare TOOL src=faces/anna dst=faces/ben --preset smoke")
def prepare(
    name: Name,
    facesets: Facesets = None,
    settings: Settings = None,
    preset: Preset = None,
    seed: Seed = 0,
    device: Device = "cpu",
    attributes: Attributes = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew what is finished or was begun.")] = False,
) -> None:
    """Let a tool learn from pictures, where it has to; kept for the next time. Ctrl-C, then again: it goes on."""
    from faketagger.zoo import get_adapter
    from faketagger.zoo import prepare as prepare_adapter

    adapter = get_adapter(name)
    if not adapter.manifest.facesets and not facesets:
        print(f"{adapter.name} needs no preparation")
        return
    sets = _sets(facesets)
    with bar("preparing") as advance, _told_at_ctrl_c(adapter.manifest.limits.grace_s):
        made = prepare_adapter(
            adapter, sets, _values(settings), preset, seed, advance, device=device, attributes=attributes, fresh=fresh
        )
    if made.run is not None:
        print(f"learned in {made.run.cpu_seconds:.0f} CPU s, {made.run.seconds:.0f} s of wall time", file=sys.stderr)
    print(made.folder)


@app.command(epilog="Example: faketagger zoo apply realesrgan photos/ --out attacked --set workers=2")
def apply(
    name: Name,
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE...", help="Files and folders, or one video.")],
    out: Annotated[Path, typer.Option(help="Folder for pictures, attack.json, driver.log; for a video its new file.")],
    settings: Settings = None,
    preset: Preset = None,
    seed: Seed = 0,
    device: Device = "cpu",
    prepared: Annotated[Path | None, typer.Option(help="Folder printed by 'zoo prepare'.")] = None,
    sandbox: Annotated[str, typer.Option(help=WALLS)] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="Run again what the cache holds.")] = False,
    masks: Annotated[Path | None, typer.Option(help="Of a video: a second one, white where the tool worked.")] = None,
    crf: Annotated[float, typer.Option(help="Of a video: H.264's constant rate factor, 0 best to 51.")] = 18,
) -> None:
    """Attack pictures or the frames of a video. Exit code 1 if any of them failed."""
    from faketagger.imaging import find_images
    from faketagger.imaging.video import is_video
    from faketagger.zoo import apply as apply_adapter

    if any(is_video(path) for path in pictures):
        from faketagger.cli.video import attack_video

        walls = _walls(sandbox)
        settings_of_run = {"device": device, "prepared": prepared, "sandbox": walls, "fresh": fresh, "masks": masks}
        attack_video(name, pictures, out, _values(settings), preset, seed, crf=crf, **settings_of_run)
        return
    found = find_images(pictures)
    with bar(name) as advance:
        run = apply_adapter(
            name,
            found,
            out,
            _values(settings),
            preset,
            seed,
            advance,
            device=device,
            prepared=prepared,
            sandbox=_walls(sandbox),
            fresh=fresh,
        )
    (out / "attack.json").write_text(json.dumps(run.to_dict(), indent=1), encoding="utf-8")
    for image in run.images:
        if image.status != "attacked":
            print(f"{image.input}: {image.status.replace('_', ' ')}: {image.reason}")
    cached = sum(image.cached for image in run.images)
    counts = ", ".join(f"{run.count(s)} {s.replace('_', ' ')}" for s in ("attacked", "passed_through", "failed"))
    walls = run.sandbox.kind if run.sandbox else "nothing was run"
    print(f"{counts} ({cached} from the cache); {run.timings.total_s:.1f} s; {walls}; {out}")
    if run.count("failed"):
        raise typer.Exit(1)


@app.command(epilog="Example: faketagger zoo check ./my_adapter src=faces/anna dst=faces/ben --set iterations=1")
def check(
    name: Name,
    facesets: Facesets = None,
    settings: Settings = None,
    preset: Preset = "smoke",
    attributes: Attributes = None,
    sandbox: Annotated[str, typer.Option(help=WALLS)] = "auto",
) -> None:
    """Hold an adapter, or anyone's folder, against the contract by running it. Exit code 1 if it fails."""
    from faketagger.zoo import CheckResult, check_adapter

    def tell(result: CheckResult) -> None:
        detail = f": {result.detail}" if result.detail else ""
        print(f"{result.verdict:8}{result.expectation}{detail}", flush=True)

    walls = _walls(sandbox)
    sets = _sets(facesets)
    values = _values(settings)
    results = check_adapter(
        name, preset=preset, params=values, facesets=sets, attributes=attributes, sandbox=walls, progress=tell
    )
    if any(result.verdict == "failed" for result in results):
        raise typer.Exit(1)


@contextmanager
def _told_at_ctrl_c(grace_s: float) -> Iterator[None]:
    """Say at the first Ctrl-C that the tool now has time to save, and that a second one is not waited for."""
    usual = signal.getsignal(signal.SIGINT)

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, usual)
        print(f"stopping; it has up to {grace_s:g} s to save (Ctrl-C again: none)", file=sys.stderr, flush=True)
        raise KeyboardInterrupt

    if not grace_s or usual is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _sets(texts: list[str] | None) -> dict[str, list[Path]]:
    """``SET=FOLDER`` texts to pictures by set."""
    from faketagger.errors import AdapterError
    from faketagger.imaging import find_images

    sets = {}
    for text in texts or []:
        label, equals, folder = text.partition("=")
        if not equals:
            raise AdapterError(f"{text!r} names no folder.", "Write SET=FOLDER.")
        sets[label] = find_images([Path(folder)])
    return sets


def _values(settings: list[str] | None) -> dict[str, Any]:
    """``key=value`` texts to values, read as YAML reads them."""
    import yaml

    from faketagger.errors import AdapterError

    values = {}
    for text in settings or []:
        key, equals, value = text.partition("=")
        if not equals:
            raise AdapterError(f"The setting {text!r} has no value.", "Write --set key=value, without spaces.")
        values[key] = yaml.safe_load(value) if value else ""
    return values


def _walls(text: str) -> Any:
    from faketagger.errors import AdapterError

    if text not in ("auto", "bubblewrap", "rlimits"):
        raise AdapterError(f"There is no sandbox {text!r}.", f"Choose {WALLS}")
    return text
