"""What a benchmark file may say: protocol, model, faces, scenarios. No torch here."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from faketagger.config import Section

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
    """

    source: str = "demo"
    count: Annotated[int, Field(ge=1)] | None = None
    size: Annotated[int, Field(ge=64, le=2048)] = 256


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
        return self


class BenchConfig(Section):
    """A benchmark file.

    Attributes:
        protocol: Name and version.
        model: Shipped model or path of a checkpoint folder.
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

    def with_choices(self, model: str | None, faces: Path | None) -> "BenchConfig":
        """The same benchmark for another model or other faces.

        Args:
            model: Replaces ``model`` unless None.
            faces: A folder; replaces ``faces.source`` unless None.
        """
        changed = self if model is None else self.model_copy(update={"model": model})
        if faces is None:
            return changed
        return changed.model_copy(update={"faces": changed.faces.model_copy(update={"source": str(faces)})})
