"""The pictures that tools are prepared with: drawn, face-cut, and for donors tagged with one message each."""

import csv
import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from faketagger.bench.finding import FacePool
from faketagger.bench.pictures import Cut, choose
from faketagger.bench.prepare import Preparation, Progress
from faketagger.bench.protocol import BenchConfig, FacesetConfig
from faketagger.bench.scenario import Job
from faketagger.bench.sources import BENCH, OTHERS, Source, list_sources, source_root
from faketagger.data.samples import MANIFEST
from faketagger.errors import BenchError
from faketagger.zoo import Manifest
from faketagger.zoo.attributes import read_attributes

ONE = "one"


@dataclass(frozen=True)
class Facesets:
    """Everything that one preparation of a tool takes.

    Attributes:
        sets: Pictures by faceset name.
        donor: Name of the set that carries the tag in the donor role.
        attributes: CSV about the pictures, for tools that ask for one.
    """

    sets: dict[str, list[Cut]]
    donor: str | None
    attributes: Path | None

    def paths(self, tagged: list[Path] | None = None) -> dict[str, list[Path]]:
        """The picture files by faceset name.

        Args:
            tagged: Takes the place of the donor's pictures.
        """
        plain = {name: [cut.path for cut in cuts] for name, cuts in self.sets.items()}
        return plain if tagged is None or self.donor is None else plain | {self.donor: tagged}


class FacesetMaker:
    """Draws and cuts facesets; the same pictures are cut once.

    Args:
        config: The benchmark.
        sources: All photographs of ``faces.source``.
        bench: The benchmark's own pictures, untagged.
        folder: Where cut pictures go.
        faces: Finds faces.
        progress: Called with (done, total) while pictures are cut.
    """

    def __init__(
        self,
        config: BenchConfig,
        sources: list[Source],
        bench: list[Cut],
        folder: Path,
        faces: FacePool,
        progress: Progress,
    ) -> None:
        self._config, self._sources, self._bench = config, sources, bench
        self._folder, self._faces, self._progress = folder, faces, progress

    def make(self, job: Job, manifest: Manifest, donor: int) -> Facesets:
        """The facesets of one preparation.

        Args:
            job: A black-box job.
            manifest: Of its tool.
            donor: Number of the donor, 0 in the carrier role.

        Raises:
            BenchError: A faceset has no picture, or the scenario names one that the tool does not have.
        """
        unknown = sorted(set(job.facesets) - set(manifest.facesets))
        if unknown:
            known = ", ".join(manifest.facesets) or "none"
            raise BenchError(f"{job.attack} has no faceset {unknown[0]!r}.", f"Its facesets: {known}.")
        configs = {
            name: job.facesets.get(name, FacesetConfig(source=OTHERS if name == manifest.donor else BENCH))
            for name in manifest.facesets
        }
        sets = {name: self._draw(name, faceset, donor) for name, faceset in configs.items()}
        table = self._tabulate(configs, sets) if manifest.attributes else None
        return Facesets(sets, manifest.donor, table)

    def _draw(self, name: str, faceset: FacesetConfig, donor: int) -> list[Cut]:
        if faceset.source == BENCH:
            by_name = {cut.name: cut for cut in self._bench}
            pool = [Source(cut.name, cut.identity, cut.path) for cut in self._bench]
            if not faceset.whole:
                return [by_name[source.name] for source in self._select(name, faceset, pool, donor)]
            pool = [source for source in self._sources if source.name in by_name]
        else:
            pool = self._others() if faceset.source == OTHERS else list_sources(faceset.source)
        return self._cut(name, self._select(name, faceset, pool, donor), faceset.whole)

    def _others(self) -> list[Source]:
        elsewhere = self._config.faces.others
        pool = self._sources if elsewhere is None else list_sources(elsewhere)
        people = {cut.identity for cut in self._bench}
        found = [source for source in pool if source.identity not in people]
        if not found:
            raise BenchError(
                "There are no pictures of others: every person of the source is benchmarked.",
                "Lower faces.count, or give other people with --others FOLDER.",
            )
        return found

    def _select(self, name: str, faceset: FacesetConfig, pool: list[Source], donor: int) -> list[Source]:
        who = faceset.identity
        if who == ONE:
            ranked = sorted(Counter(source.identity for source in pool).items(), key=lambda item: (-item[1], item[0]))
            who = ranked[donor % len(ranked)][0]
        kept = [source for source in pool if who is None or source.identity == who]
        if not kept:
            people = ", ".join(sorted({source.identity for source in pool})[:5])
            raise BenchError(f"The faceset {name} has no picture of {who!r}.", f"Among its people: {people}.")
        return choose(kept, faceset.count, self._config.seed + donor)

    def _cut(self, name: str, chosen: list[Source], whole: bool) -> list[Cut]:
        size = None if whole else self._config.faces.size
        text = "\n".join([str(size), *(f"{source.name}\0{source.path}" for source in chosen)])
        folder = self._folder / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        folder.mkdir(parents=True, exist_ok=True)
        return Preparation(folder, size, self._faces, self._progress, f"{name}-").cut(chosen)

    def _tabulate(self, configs: dict[str, FacesetConfig], sets: dict[str, list[Cut]]) -> Path:
        """One CSV about all cut pictures, under the names of their files."""
        rows: dict[str, dict[str, bool]] = {}
        for name, cuts in sets.items():
            listed = configs[name].attributes
            path = Path(listed).expanduser() if listed else self._root(configs[name].source) / MANIFEST
            known = read_attributes(path).rows
            for cut in cuts:
                facts = known.get(cut.name) or known.get(Path(cut.name).name)
                if facts is None:
                    raise BenchError(
                        f"Nothing is known of the attributes of {cut.name} in the faceset {name}.",
                        "Name a list with attributes: FILE that has every picture.",
                    )
                rows[cut.path.name] = facts
        columns = sorted(set.intersection(*(set(facts) for facts in rows.values())))
        text = hashlib.sha256(repr(sorted(rows.items())).encode()).hexdigest()[:12]
        path = self._folder / f"attributes-{text}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["file", *columns])
            writer.writerows([named, *(int(facts[column]) for column in columns)] for named, facts in rows.items())
        return path

    def _root(self, source: str) -> Path:
        faces = self._config.faces
        if source == BENCH or (source == OTHERS and faces.others is None):
            return source_root(faces.source)
        return source_root(str(faces.others) if source == OTHERS else source)
