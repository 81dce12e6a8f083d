"""Run the jobs on the prepared pictures, in chunks that are written whole, and read every picture blindly."""

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faketagger.bench.attacks import (
    Attacked,
    AttackFacts,
    Victim,
    black_outcome,
    build_in_process,
    same_size,
)
from faketagger.bench.finding import FacePool, Landmarks
from faketagger.bench.messages import MessageSource
from faketagger.bench.outside import Delivery, OutsideWorker, reason_of
from faketagger.bench.pictures import Picture, load_png
from faketagger.bench.prepare import CHUNK
from faketagger.bench.progress import BenchProgress
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.quality import changed_share, psnr_db
from faketagger.bench.records import Record
from faketagger.bench.scenario import Job, Kind
from faketagger.bench.store import Store
from faketagger.bench.subject import Subject, face_view


@dataclass(frozen=True)
class NotRun:
    """A job without results.

    Attributes:
        job: The attack.
        reason: Why, in a sentence.
        hint: What to do about it.
        family: Where it is known.
        version: Where it is known.
    """

    job: Job
    reason: str
    hint: str | None
    family: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class Attempt:
    """One chunk after its attack, its faces being looked for.

    Attributes:
        job: The attack.
        facts: Family and version.
        kind: Tagged or null.
        chunk: Number of the chunk.
        victims: What went in.
        outcomes: What came out.
        looks: Promised landmarks of what came out.
        spent: Seconds of the attack, and how many results came from the zoo's cache.
    """

    job: Job
    facts: AttackFacts
    kind: Kind
    chunk: int
    victims: list[Victim]
    outcomes: list[Attacked]
    looks: "list[Future[Landmarks | None] | None]"
    spent: dict[str, float]


class Runner:
    """One benchmark on one picture set.

    Args:
        store: Output folder.
        subject: Tagger under test.
        messages: Source of messages.
        pictures: The tagged set.
        config: The benchmark.
        faces: Finds faces in the background.
        progress: Bars.
    """

    def __init__(
        self,
        store: Store,
        subject: Subject,
        messages: MessageSource,
        pictures: list[Picture],
        config: BenchConfig,
        faces: FacePool,
        progress: BenchProgress,
    ) -> None:
        self._store, self._subject, self._messages = store, subject, messages
        self._seed, self._faces, self._progress = config.seed, faces, progress
        self._shown = {picture.name for picture in shown(pictures, config.strips)}
        self._chunks = [pictures[i : i + CHUNK] for i in range(0, len(pictures), CHUNK)]
        self._not_run: dict[str, NotRun] = {}
        self.sandboxes: dict[str, str] = {}

    @property
    def not_run(self) -> list[NotRun]:
        """Jobs that failed so far."""
        return list(self._not_run.values())

    def run_inside(self, jobs: list[Job], worker: OutsideWorker) -> None:
        """Do what is missing of the jobs of this process, and read what tools deliver meanwhile.

        Args:
            jobs: Controls and white-box jobs.
            worker: Has the orders of all tools.
        """
        steps = sum(len(self._store.missing(job, len(self._chunks))) for job in jobs)
        before: Attempt | None = None
        for done, attempt in enumerate(self._attempts(jobs)):
            if before is not None:
                self._keep(before)
            before = attempt
            self._progress.show("attacks in this process", done, steps)
            while delivery := worker.ready(wait=False):
                self._take(delivery)
        if before is not None:
            self._keep(before)
        self._progress.show("attacks in this process", steps, steps)

    def wait_for(self, worker: OutsideWorker) -> None:
        """Wait for the tools that are still busy, and read what they deliver.

        Args:
            worker: Has the orders of all tools.
        """
        while delivery := worker.ready(wait=True):
            self._take(delivery)

    def _attempts(self, jobs: list[Job]) -> Iterator[Attempt]:
        for job in jobs:
            todo = self._store.missing(job, len(self._chunks))
            facts: AttackFacts | None = None
            try:
                attack = build_in_process(job, self._seed)
                facts = attack.facts
                for kind, chunk in todo:
                    victims = [victim(picture, kind) for picture in self._chunks[chunk]]
                    results = [attack.run(one) for one in victims]
                    spent = {"attack": sum(seconds for _, seconds in results), "cached": 0.0}
                    outcomes = [outcome for outcome, _ in results]
                    yield self._looked_for(job, facts, kind, chunk, victims, outcomes, spent)
            except Exception as error:  # one broken attack must not take the others with it
                self._give_up(job, error, facts)

    def _looked_for(
        self,
        job: Job,
        facts: AttackFacts,
        kind: Kind,
        chunk: int,
        victims: list[Victim],
        outcomes: list[Attacked],
        spent: dict[str, float],
    ) -> Attempt:
        looks = [None if outcome.image is None else self._faces.look(outcome.image) for outcome in outcomes]
        return Attempt(job, facts, kind, chunk, victims, outcomes, looks, spent)

    def _give_up(self, job: Job, error: Exception, facts: AttackFacts | None) -> None:
        reason, hint = reason_of(error)
        family, version = (facts.family, facts.version) if facts else (None, None)
        self._not_run[job.id] = NotRun(job, reason, hint, family, version)

    def _take(self, delivery: Delivery) -> None:
        order = delivery.order
        if delivery.failure is not None:
            self._give_up(order.job, delivery.failure, order.attack.facts)
        if delivery.run is None:
            return
        if delivery.run.sandbox is not None:
            self.sandboxes[order.job.id] = delivery.run.sandbox.kind
        share = delivery.run.timings.tool_s / len(order.inputs)
        facts, before = order.attack.facts, None
        for chunk, pictures in enumerate(self._chunks):
            results = delivery.run.images[chunk * CHUNK : chunk * CHUNK + len(pictures)]
            victims = [victim(picture, order.kind) for picture in pictures]
            outcomes = [black_outcome(one, result) for one, result in zip(victims, results, strict=True)]
            spent = {"attack": share * len(pictures), "cached": float(sum(result.cached for result in results))}
            attempt = self._looked_for(order.job, facts, order.kind, chunk, victims, outcomes, spent)
            if before is not None:
                self._keep(before)
            before = attempt
        if before is not None:
            self._keep(before)
        shutil.rmtree(order.out_dir, ignore_errors=True)

    def _keep(self, attempt: Attempt) -> None:
        start = time.perf_counter()
        records: list[Record] = []
        for place, picture in enumerate(self._chunks[attempt.chunk]):
            records += self._read(attempt, place, picture)
        spent = attempt.spent | {"read": time.perf_counter() - start, "pictures": len(attempt.victims)}
        self._store.save_part(attempt.job, attempt.kind, attempt.chunk, records, spent)

    def _read(self, attempt: Attempt, place: int, picture: Picture) -> list[Record]:
        job, facts, kind = attempt.job, attempt.facts, attempt.kind
        before, outcome, look = attempt.victims[place], attempt.outcomes[place], attempt.looks[place]
        points = look.result() if look else None
        compared = None if outcome.image is None else same_size(outcome.image, before.image)
        purpose = "tagged" if kind == "tagged" else f"null/{job.id}"
        on_show = kind == "tagged" and picture.name in self._shown
        if on_show and outcome.image is not None:
            self._store.save_strip(job, picture.tagged.stem, "frame", outcome.image)
        records = []
        for view in job.views:
            logits = None
            if outcome.image is not None and outcome.mask is not None and points is not None:
                seen = outcome.image if view == "frame" else face_view(outcome.image, outcome.mask, points)
                logits = self._subject.read([seen], [points])[0]
                if on_show and view == "face":
                    self._store.save_strip(job, picture.tagged.stem, "face", seen)
            read = self._messages.score(logits, purpose, picture.name)
            records.append(
                Record(
                    scenario=job.scenario_id(view),
                    job=job.id,
                    label=job.label,
                    attack=job.attack,
                    version=facts.version,
                    family=facts.family,
                    role=job.role,
                    view=view,
                    black_box=job.box == "black",
                    severity=job.severity,
                    pair=job.pair,
                    picture=picture.name,
                    identity=picture.identity,
                    kind=kind,
                    attack_status=outcome.status,
                    read_status="unread" if outcome.image is None else "no_face" if points is None else "read",
                    reason=outcome.reason,
                    bits=read.bits,
                    matched=read.matched,
                    p_value=read.p_value,
                    exact=read.exact,
                    attack_psnr_db=None if compared is None else psnr_db(before.image, compared),
                    changed=None if compared is None else changed_share(before.image, compared),
                    **picture.quality,
                )
            )
        return records


def victim(picture: Picture, kind: Kind) -> Victim:
    """A prepared picture, loaded for an attack.

    Args:
        picture: The picture.
        kind: Tagged or null.
    """
    points = picture.tagged_landmarks if kind == "tagged" else picture.landmarks
    path = path_of(picture, kind)
    return Victim(picture.name, path, load_png(path), np.ascontiguousarray(points))


def path_of(picture: Picture, kind: Kind) -> Path:
    """PNG of a prepared picture, tagged or not."""
    return picture.tagged if kind == "tagged" else picture.original


def shown(pictures: list[Picture], count: int) -> list[Picture]:
    """The faces that the report shows: spread over the set, different people where there are enough.

    Args:
        pictures: By name.
        count: How many.
    """
    people: dict[str, Picture] = {}
    for picture in pictures:
        people.setdefault(picture.identity, picture)
    candidates = list(people.values()) if len(people) >= count else pictures
    places = np.linspace(0, len(candidates) - 1, min(count, len(candidates))).round().astype(int)
    return [candidates[place] for place in places]
