"""Run the jobs on the prepared pictures, in chunks that are written whole."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from faketagger.bench.assignments import Assignment, NotRun
from faketagger.bench.attacks import Attacked, AttackFacts, Victim, build_in_process
from faketagger.bench.chunks import MEMORY
from faketagger.bench.finding import Embedding, FacePool
from faketagger.bench.memory import PEAK
from faketagger.bench.messages import MessageSource
from faketagger.bench.outside import Delivery, OutsideWorker, reason_of
from faketagger.bench.pictures import Picture, load_png
from faketagger.bench.prepare import CHUNK
from faketagger.bench.progress import BenchProgress
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.reading import Attempt, Donor, Reader
from faketagger.bench.scenario import Job, Kind
from faketagger.bench.store import Store
from faketagger.bench.subject import Subject
from faketagger.bench.tools import black_outcome


class Runner:
    """One benchmark on one picture set.

    Args:
        store: Output folder.
        subject: Tagger under test.
        messages: Source of messages.
        pictures: The tagged set.
        assignments: What the external tools do.
        config: The benchmark.
        faces: Finds faces in the background.
        progress: Bars.
        names: Pictures that the report shows; None draws them from ``pictures``.
    """

    def __init__(
        self,
        store: Store,
        subject: Subject,
        messages: MessageSource,
        pictures: list[Picture],
        assignments: list[Assignment],
        config: BenchConfig,
        faces: FacePool,
        progress: BenchProgress,
        names: set[str] | None = None,
    ) -> None:
        self._store, self._seed, self._faces, self._progress = store, config.seed, faces, progress
        self._chunks = [pictures[i : i + CHUNK] for i in range(0, len(pictures), CHUNK)]
        shown_ones = {picture.name for picture in shown(pictures, config.strips)} if names is None else names
        self._reader = Reader(store, subject, messages, faces, shown_ones)
        self._assignments = {one.tool.job.id: one for one in assignments}
        self._faces_put_on: dict[str, Embedding] = {}
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
        steps = sum(len(self._store.chunks.missing(job, len(self._chunks))) for job in jobs)
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
            todo = self._store.chunks.missing(job, len(self._chunks))
            facts: AttackFacts | None = None
            try:
                attack = build_in_process(job, self._seed)
                facts = attack.facts
                for kind, chunk in todo:
                    victims = [victim(picture, kind) for picture in self._chunks[chunk]]
                    PEAK.restart()
                    results = [attack.run(one) for one in victims]
                    seconds = sum(seconds for _, seconds in results)
                    spent = {"attack": seconds, "cached": 0.0, MEMORY: PEAK.megabytes()}
                    outcomes = [outcome for outcome, _ in results]
                    yield self._looked_for(job, facts, kind, chunk, Donor(), victims, outcomes, spent)
            except Exception as error:  # one broken attack must not take the others with it
                self._give_up(job, error, facts)

    def _looked_for(
        self,
        job: Job,
        facts: AttackFacts,
        kind: Kind,
        chunk: int,
        donor: Donor,
        victims: list[Victim],
        outcomes: list[Attacked],
        spent: dict[str, float],
    ) -> Attempt:
        looks = [None if outcome.image is None else self._faces.look(outcome.image, guess=True) for outcome in outcomes]
        part = donor.number * len(self._chunks) + chunk
        return Attempt(job, facts, kind, part, donor, self._chunks[chunk], victims, outcomes, looks, spent)

    def _give_up(self, job: Job, error: Exception, facts: AttackFacts | None) -> None:
        reason, hint = reason_of(error)
        family, version = (facts.family, facts.version) if facts else (None, None)
        one = self._assignments.get(job.id)
        pin = one.tool.manifest.upstream.pin if one else None
        self._not_run[job.id] = NotRun(job, reason, hint, family, version, pin)

    def _take(self, delivery: Delivery) -> None:
        order = delivery.order
        job, facts = order.job, order.attack.facts
        if delivery.failure is not None:
            self._give_up(job, delivery.failure, facts)
        if delivery.run is None:
            return
        if delivery.run.sandbox is not None:
            self.sandboxes[job.id] = delivery.run.sandbox.kind
        share = delivery.run.timings.tool_s / len(order.inputs)
        donor = self._donor(job, order.kind, order.donor)
        before: Attempt | None = None
        for chunk, pictures in enumerate(self._chunks):
            results = delivery.run.images[chunk * CHUNK : chunk * CHUNK + len(pictures)]
            tagged = job.role == "carrier" and order.kind == "tagged"
            victims = [victim(picture, "tagged" if tagged else "null") for picture in pictures]
            outcomes = [black_outcome(one, result) for one, result in zip(victims, results, strict=True)]
            spent = {"attack": share * len(pictures), "cached": float(sum(result.cached for result in results))}
            if delivery.run.run is not None:
                spent[MEMORY] = delivery.run.run.peak_memory_mb
            if chunk == 0 and delivery.prepare_s:
                spent |= {"prepare": delivery.prepare_s, "prepare_cpu": delivery.prepare_cpu_s, "prepared": 1.0}
            attempt = self._looked_for(job, facts, order.kind, chunk, donor, victims, outcomes, spent)
            if before is not None:
                self._keep(before)
            before = attempt
        if before is not None:
            self._keep(before)
        shutil.rmtree(order.out_dir, ignore_errors=True)

    def _donor(self, job: Job, kind: Kind, number: int) -> Donor:
        assignment = self._assignments[job.id]
        cuts = assignment.identity_put_on(number) if kind == "tagged" else None
        key = "\n".join(str(cut.path) for cut in cuts or [])
        if cuts and key not in self._faces_put_on:
            self._faces_put_on[key] = self._reader.gauge.mean_face(cuts)
        quality = assignment.quality[number] if assignment.quality else None
        return Donor(number, self._faces_put_on.get(key), quality)

    def _keep(self, attempt: Attempt) -> None:
        start = time.perf_counter()
        records = self._reader.read(attempt)
        spent = attempt.spent | {"read": time.perf_counter() - start, "pictures": len(attempt.victims)}
        self._store.chunks.save(attempt.job, attempt.kind, attempt.part, records, spent)


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
