"""What a benchmark file may say: protocol, model, faces, scenarios. No torch here."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from faketagger.config import Section, check

Box = Literal["white", "black"]
Role = Literal["carrier", "donor"]
View = Literal["frame", "face"]


class ProtocolName(Section):
    """Which protocol the numbers belong to; results of different versions are not comparable.

    Attributes:
        name: For example ``faketagger-demo``.
        version: Bumped when faces, attacks, severities or seeds change.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    version: Annotated[int, Field(ge=1)]


class FacesConfig(Section):
    """Which faces are tagged.

    Attributes:
        source: ``demo`` for the built-in set, or a folder (with a ``manifest.csv`` whose ``file`` and
            ``identity``
            columns say who is who, if there is one).
        count: At most so many pictures; None for all. They are drawn evenly over identities.
        size: Side of the square pictures in pixels.
        others: Where facesets of ``others`` come from, as ``source``; None for the rest of ``source``.
    """

    source: str = "demo"
    count: Annotated[int, Field(ge=1)] | None = None
    size: Annotated[int, Field(ge=64, le=2048)] = 256
    others: str | None = None


class FacesetConfig(Section):
    """The pictures that a tool is prepared with, under one of its manifest's names.

    Attributes:
        source: ``bench`` for the benchmark's own pictures without their tags, ``others`` for pictures of people
            who are not benchmarked, ``demo``, or a folder as for :class:`FacesConfig`.
        count: At most so many pictures; None for all.
        identity: Only this person of the source; ``one`` for the person with the most pictures, in a scenario with
            several donors the next one for every donor.
        whole: Take the photographs as they are, not the faces cut out of them.
        attributes: A CSV with a ``file`` column or CelebA's list; None for the columns of the source's own
            ``manifest.csv``.
    """

    source: Annotated[str, Field(min_length=1)]
    count: Annotated[int, Field(ge=1)] | None = None
    identity: str | None = None
    whole: bool = False
    attributes: str | None = None


class ScenarioConfig(Section):
    """One attack, or a grid of them where ``severity`` is a list.

    Attributes:
        attack: Name of a simulator attack (``box: white``) or of a zoo adapter (``box: black``).
        box: Where the attack comes from.
        role: What the tagged picture is to the attack.
        view: What the reader gets to see; both views share one run of the attack.
        severity: In the attack's own unit; None for its default.
        params: Further parameters of the attack.
        preset: Named preset of an adapter.
        facesets: What the tool is prepared with, by its manifest's names; by default the donor faceset takes
            ``others`` and every other one ``bench``.
        donors: In the donor role, how many times the tool is prepared, each time with another message.
        pair: Scenarios with the same word are compared, white minus black.
        label: Name in tables; made from the rest where empty.
    """

    attack: Annotated[str, Field(min_length=1)]
    box: Box = "white"
    role: Role = "carrier"
    view: View | Annotated[list[View], Field(min_length=1)] = ["frame", "face"]
    severity: float | Annotated[list[float], Field(min_length=1)] | None = None
    params: dict[str, Any] = {}
    preset: str | None = None
    facesets: dict[str, FacesetConfig] = {}
    donors: Annotated[int, Field(ge=1, le=1000)] = 1
    pair: str | None = None
    label: str | None = None

    @property
    def views(self) -> tuple[View, ...]:
        """The views, frame before face."""
        chosen = [self.view] if isinstance(self.view, str) else self.view
        return tuple(view for view in ("frame", "face") if view in chosen)

    @property
    def severities(self) -> tuple[float | None, ...]:
        """The grid of severities."""
        return tuple(self.severity) if isinstance(self.severity, list) else (self.severity,)

    @model_validator(mode="after")
    def _fits_its_box(self) -> "ScenarioConfig":
        if self.box == "white" and self.preset is not None:
            raise ValueError("presets belong to adapters (box: black); use params for a simulator attack")
        if self.box == "black" and self.severity is not None:
            raise ValueError("adapters have no severity; use params or preset")
        if self.box == "white" and self.facesets:
            raise ValueError("facesets belong to adapters (box: black); a simulator attack needs no preparation")
        if self.role == "carrier" and self.donors != 1:
            raise ValueError("several donors belong to the donor role")
        if self.role == "donor" and self.pair:
            raise ValueError("a pair compares pictures that carry a tag each; in the donor role all share a message")
        return self


class BenchConfig(Section):
    """A benchmark file.

    Attributes:
        protocol: Name and version.
        model: What is tested: a shipped tagger, the path of a checkpoint folder, or any watermark's name
            (docs/watermarks.md).
        rivals: Further ones, each measured the same way in a folder of its own.
        match_psnr: Set the strength of each so that its mean PSNR on whole pictures is this many dB; None leaves
            every one as its makers set it.
        faces: Which pictures.
        seed: Fixes messages, attacks and resampling.
        key: Secret of the embedded messages.
        fpr: Nominal false positive rates at which detection is reported.
        resamples: Bootstrap replicates.
        strips: Faces shown in the report.
        scenarios: The attacks.
    """

    protocol: ProtocolName
    model: Annotated[str, Field(min_length=1)]
    rivals: list[Annotated[str, Field(min_length=1)]] = []
    match_psnr: Annotated[float, Field(ge=20, le=60)] | None = None
    faces: FacesConfig = FacesConfig()
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    key: Annotated[str, Field(min_length=1)] = "faketagger-bench"
    fpr: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=1)] = [0.01, 0.001]
    resamples: Annotated[int, Field(ge=200, le=20_000)] = 2000
    strips: Annotated[int, Field(ge=1, le=12)] = 4
    scenarios: Annotated[list[ScenarioConfig], Field(min_length=1)]

    @field_validator("scenarios")
    @classmethod
    def _pairs_have_two_sides(cls, scenarios: list[ScenarioConfig]) -> list[ScenarioConfig]:
        for pair in {scenario.pair for scenario in scenarios if scenario.pair}:
            boxes = {scenario.box for scenario in scenarios if scenario.pair == pair}
            if boxes != {"white", "black"}:
                raise ValueError(f"pair {pair!r} needs a white and a black scenario, it has only {boxes.pop()}")
        return scenarios

    def public(self) -> dict[str, Any]:
        """The file as plain values without its key: what reports may show."""
        return {name: value for name, value in self.plain().items() if name != "key"}

    @property
    def models(self) -> list[str]:
        """Everything that is tested."""
        return list(dict.fromkeys([self.model, *self.rivals]))

    def alone(self, model: str) -> "BenchConfig":
        """The same benchmark for one watermark.

        Args:
            model: Which.
        """
        return self.model_copy(update={"model": model, "rivals": []})

    def with_choices(
        self,
        models: Sequence[str] | None,
        faces: Path | None,
        others: Path | None = None,
        match_psnr: float | None = None,
    ) -> "BenchConfig":
        """The same benchmark for other watermarks or other faces.

        Args:
            models: Replace ``model`` and ``rivals`` unless there are none.
            faces: A folder; replaces ``faces.source`` unless None.
            others: A folder; replaces ``faces.others`` unless None.
            match_psnr: Replaces ``match_psnr`` unless None.
        """
        changed = self if not models else self.model_copy(update={"model": models[0], "rivals": list(models[1:])})
        if match_psnr is not None:
            checked = check({**changed.plain(), "match_psnr": match_psnr}, BenchConfig, "--match-psnr")
            changed = changed.model_copy(update={"match_psnr": checked.match_psnr})
        chosen = {"source": faces, "others": others}
        update = {name: str(folder) for name, folder in chosen.items() if folder is not None}
        return changed.model_copy(update={"faces": changed.faces.model_copy(update=update)})
