"""``faketagger read``: look for tags."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from faketagger.errors import FakeTaggerError, PayloadError


def read(
    paths: Annotated[list[Path], typer.Argument(help="Photographs, folders of them, or videos.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list instead of text.")] = False,
    model: Annotated[str, typer.Option(help="Name of a shipped tagger, or a checkpoint's folder.")] = "face-128",
    key: Annotated[str | None, typer.Option(help="The secret; $FAKETAGGER_KEY if left out.")] = None,
    significance: Annotated[float, typer.Option(help="Largest p-value at which a payload is reported.")] = 1e-6,
    among: Annotated[
        Path | None, typer.Option(help="Text file of the payloads that you wrote, one a line: weaker tags count.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Of a video: read each n-th frame.")] = 1,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Of a video: read at most so many, spread.")] = None,
) -> None:
    """Look for a tag in every face of every photograph; the frames of a video give one p-value together.

    A picture without a tag is an answer, not an error: its payload is empty and its p-value large.

    \b
    Examples:
      faketagger read tagged/holiday.jpg
      faketagger read suspects/ --json --key "our secret"
      faketagger read suspects/ --among my-payloads.txt
      faketagger read suspect.mp4 --max-frames 50
    """
    from faketagger.cli.video import read_one
    from faketagger.coding import Register
    from faketagger.imaging import find_images
    from faketagger.imaging.video import is_video
    from faketagger.tagger.checkpoint import load

    files = find_images(paths)
    tagger = load(model, key)
    known = Register(tagger.codec, _lines(among)) if among else None
    answers: list[dict[str, Any]] = []
    failed = 0
    for file in files:
        try:
            if is_video(file):
                answer = read_one(file, tagger, significance, every=every, max_frames=max_frames, among=known)
            else:
                answer = tagger.read(file, significance, known).plain()
        except FakeTaggerError as error:
            answer, failed = {"error": error.message}, failed + 1
        answers.append({"file": str(file), **answer})
        if not as_json:
            print(_line(answers[-1]))
    if as_json:
        print(json.dumps(answers, indent=1))
    if failed:
        raise FakeTaggerError(f"{failed} of {len(files)} files could not be read")


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise PayloadError(f"{path} cannot be read: {reason}.", "One payload a line.") from error
    return [line.strip() for line in lines if line.strip()]


def _line(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"{answer['file']}: {answer['error']}"
    pooled = "tracks" in answer
    seen = answer["tracks"] if pooled else answer["faces"]
    if not seen:
        return f"{answer['file']}: no face found"
    found = f"payload {answer['payload']}" if answer["payload"] else "no tag"
    text = f" ({answer['text']!r})" if answer["payload"] and answer["text"] else ""
    over = f" pooled over {answer['frames_with_face']} of {answer['frames_read']} frames" if pooled else ""
    return f"{answer['file']}: {found}{text}, p = {answer['p_value']:.2g}{over}, {len(seen)} face(s)"
