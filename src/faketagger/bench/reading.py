"""Read attacked pictures blindly and write down what is left: one record a picture and view."""

from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faketagger.bench.assignments import purpose
from faketagger.bench.attacks import Attacked, AttackFacts, Victim
from faketagger.bench.finding import Embedding, FacePool, Landmarks
from faketagger.bench.messages import MessageSource
from faketagger.bench.pictures import Picture, Pixels
from faketagger.bench.pooling import agreement
from faketagger.bench.protocol import View
from faketagger.bench.records import Record
from faketagger.bench.scenario import Job, Kind
from faketagger.bench.store import Store
from faketagger.bench.strength import StrengthGauge
from faketagger.bench.subject import Subject, face_view


@dataclass(frozen=True)
class Donor:
    """What is known of whose face or pictures a tool has learnt.

    Attributes:
        number: Of the donor; 0 in the carrier role.
        face: Mean embedding of the identity that a swap puts on.
        quality: Mean distance of the donor's tagged pictures to their originals; None in the carrier role.
    """

    number: int = 0
    face: Embedding | None = None
    quality: dict[str, float] | None = None


@dataclass(frozen=True)
class Attempt:
    """One chunk after its attack, its faces being looked for.

    Attributes:
        job: The attack.
        facts: Family and version.
        kind: Tagged or null.
        part: Number under which the chunk is kept.
        donor: Whom the tool learnt from.
        pictures: The chunk of the picture set.
        victims: What went in.
        outcomes: What came out.
        looks: Promised landmarks of what came out.
        spent: Seconds of the attack and of preparing it, and how many results came from the zoo's cache.
    """

    job: Job
    facts: AttackFacts
    kind: Kind
    part: int
    donor: Donor
    pictures: list[Picture]
    victims: list[Victim]
    outcomes: list[Attacked]
    looks: "list[Future[Landmarks | None] | None]"
    spent: dict[str, float]


class Reader:
    """Reads with one watermark.

    Args:
        store: Keeps the pictures that the report shows.
        subject: Watermark under test.
        messages: Source of messages.
        faces: Describes faces in the background.
        shown: Names of the pictures that the report shows.
    """

    def __init__(
        self, store: Store, subject: Subject, messages: MessageSource, faces: FacePool, shown: set[str]
    ) -> None:
        self._store, self._subject, self._messages, self._shown = store, subject, messages, shown
        self.gauge = StrengthGauge(faces)

    def read(self, attempt: Attempt) -> list[Record]:
        """Read one chunk in all views.

        Args:
            attempt: The attacked chunk.
        """
        found = [look.result() if look else None for look in attempt.looks]
        outcomes = zip(attempt.outcomes, found, strict=True)
        described = [self.gauge.begin(attempt.job, attempt.kind, one.image, points) for one, points in outcomes]
        soft = self._soft(attempt, found)
        records: list[Record] = []
        for place, (points, promise) in enumerate(zip(found, described, strict=True)):
            records += self._read_one(attempt, place, points, promise, soft)
        return records

    def _soft(self, attempt: Attempt, found: list[Landmarks | None]) -> dict[tuple[int, View], NDArray[np.float32]]:
        """Soft bits by place and view, of whatever can be read; one batch, because some watermarks start a process."""
        seen: dict[tuple[int, View], Pixels] = {}
        for place, points in enumerate(found):
            for view in attempt.job.views:
                image = self._seen(attempt, place, points, view)
                if image is not None:
                    seen[place, view] = image
        rows = self._subject.read(list(seen.values()), [found[place] for place, _ in seen]) if seen else []
        return dict(zip(seen, rows, strict=True))

    def _read_one(
        self,
        attempt: Attempt,
        place: int,
        points: Landmarks | None,
        promise: "Future[Embedding] | None",
        soft: dict[tuple[int, View], NDArray[np.float32]],
    ) -> list[Record]:
        job, facts, kind, donor = attempt.job, attempt.facts, attempt.kind, attempt.donor
        picture, before, outcome = attempt.pictures[place], attempt.victims[place], attempt.outcomes[place]
        strength = self.gauge.measure(
            str(before.path), before.image, before.landmarks, outcome.image, promise, donor.face
        )
        in_donor_role = job.role == "donor"
        what, who = purpose(job, kind, donor.number), "" if in_donor_role else picture.name
        records = []
        for view in job.views:
            logits = soft.get((place, view))
            read = self._messages.score(logits, what, who)
            turned = None
            if in_donor_role and logits is not None:
                turned = agreement(logits, self._messages.message(what, who)).tolist()
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
                    cluster=f"donor {donor.number:04d}" if in_donor_role else picture.identity,
                    kind=kind,
                    attack_status=outcome.status,
                    read_status="unread" if outcome.image is None else "no_face" if logits is None else "read",
                    reason=outcome.reason,
                    bits=read.bits,
                    matched=read.matched,
                    p_value=read.p_value,
                    exact=read.exact,
                    agreement=turned,
                    **vars(strength),
                    **(picture.quality if donor.quality is None else donor.quality),
                )
            )
        return records

    def _seen(self, attempt: Attempt, place: int, points: Landmarks | None, view: View) -> Pixels | None:
        """What the reader sees in one view, None where nothing can be read; keeps what the report shows."""
        outcome, picture = attempt.outcomes[place], attempt.pictures[place]
        on_show = attempt.kind == "tagged" and attempt.donor.number == 0 and picture.name in self._shown
        if outcome.image is None:
            return None
        if on_show:
            self._store.save_strip(attempt.job, picture.tagged.stem, "frame", outcome.image)
        if view == "frame":
            return None if points is None and self._subject.needs_face else outcome.image
        if outcome.mask is None or points is None:
            return None
        seen = face_view(outcome.image, outcome.mask, points)
        if on_show:
            self._store.save_strip(attempt.job, picture.tagged.stem, "face", seen)
        return seen
