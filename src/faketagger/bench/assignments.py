"""What every external tool has to do: learn from which pictures, attack which pictures, carry which message.

In the carrier role the tool learns from untagged pictures, so what it learnt serves the next tagger as well, and the
tagged pictures go through it. In the donor role the donor's faceset carries one message, the pictures that go through
the tool are untagged, and the control is the same tool prepared with the same pictures without the tag.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from faketagger import zoo
from faketagger.bench.facesets import FacesetMaker, Facesets
from faketagger.bench.finding import FacePool
from faketagger.bench.messages import MessageSource
from faketagger.bench.outside import OutsideWorker, reason_of
from faketagger.bench.pictures import Cut, Picture
from faketagger.bench.scenario import Job, Kind
from faketagger.bench.subject import Subject
from faketagger.bench.tagging import QUALITY, Tagging
from faketagger.bench.tools import BlackBox, Lesson

Show = Callable[[str, int, int], None]


@dataclass(frozen=True)
class NotRun:
    """A job without results.

    Attributes:
        job: The attack.
        reason: Why, in a sentence.
        hint: What to do about it.
        family: Where it is known.
        version: Where it is known.
        pin: Version or commit of an external tool.
    """

    job: Job
    reason: str
    hint: str | None
    family: str | None = None
    version: int | None = None
    pin: str | None = None


@dataclass
class Assignment:
    """One tool with what it is prepared with.

    Attributes:
        tool: Ready to run.
        facesets: By number of the donor, one in the carrier role; None for a tool that does not learn.
        quality: Mean distance of the tagged donor pictures to their originals, by number of the donor.
    """

    tool: BlackBox
    facesets: list[Facesets | None]
    quality: list[dict[str, float]] = field(default_factory=list)

    def lesson(self, donor: int, tagged: list[Path] | None = None) -> Lesson | None:
        """What the tool is prepared with.

        Args:
            donor: Number of the donor.
            tagged: Takes the place of the donor's pictures.
        """
        facesets = self.facesets[donor]
        return None if facesets is None else Lesson(facesets.paths(tagged), facesets.attributes)

    def identity_put_on(self, donor: int) -> list[Cut] | None:
        """Pictures of whose face a swap puts on; None for other tools.

        Args:
            donor: Number of the donor.
        """
        facesets = self.facesets[donor]
        if self.tool.manifest.family != "swap" or facesets is None or facesets.donor is None:
            return None
        return facesets.sets[facesets.donor]


def purpose(job: Job, kind: Kind, donor: int) -> str:
    """Label of the message that a picture is held against; see :class:`MessageSource`.

    Args:
        job: The attack.
        kind: Tagged or null.
        donor: Number of the donor.
    """
    if job.role == "donor":
        return f"{'donor' if kind == 'tagged' else 'null-donor'}/{job.id}/{donor}"
    return "tagged" if kind == "tagged" else f"null/{job.id}"


def find_tools(jobs: list[Job], seed: int) -> tuple[list[BlackBox], list[NotRun]]:
    """Tell the tools that can run from those that cannot, with the command that helps.

    Args:
        jobs: All jobs.
        seed: Of the benchmark.
    """
    tools: list[BlackBox] = []
    blocked: list[NotRun] = []
    for job in (job for job in jobs if job.box == "black"):
        diagnosis = zoo.doctor(job.attack)
        reason = f"the tool is {diagnosis.state.replace('_', ' ')}, it lacks {'; '.join(diagnosis.missing)}"
        hint: str | None = diagnosis.next_command
        if diagnosis.state == "ready":
            try:
                tools.append(BlackBox(job, seed))
                continue
            except Exception as error:  # one wrong scenario must not take the others with it
                reason, hint = reason_of(error)
        blocked.append(_blocked(job, reason, hint))
    return tools, blocked


def assign(tools: list[BlackBox], maker: FacesetMaker) -> tuple[list[Assignment], list[NotRun]]:
    """Draw the facesets of all tools.

    Args:
        tools: Those that can run.
        maker: Draws and cuts.

    Returns:
        The assignments, and the tools for which there are no pictures.
    """
    found: list[Assignment] = []
    blocked: list[NotRun] = []
    for tool in tools:
        learns = bool(tool.manifest.facesets)
        try:
            if not learns and tool.job.facesets:
                maker.make(tool.job, tool.manifest, 0)
            sets = [maker.make(tool.job, tool.manifest, k) if learns else None for k in range(tool.job.donors)]
            found.append(Assignment(tool, sets))
        except Exception as error:  # no pictures for one tool must not take the others with it
            blocked.append(_blocked(tool.job, *reason_of(error)))
    return found, blocked


def order_untagged(assignments: list[Assignment], worker: OutsideWorker, cuts: list[Cut]) -> None:
    """Line up the controls: untagged pictures through tools that never saw a tag.

    Args:
        assignments: Of all tools.
        worker: Runs them.
        cuts: The benchmark's pictures.
    """
    originals = [cut.path for cut in cuts]
    for one in assignments:
        for donor in range(one.tool.job.donors):
            worker.order(one.tool, "null", donor, originals, one.lesson(donor))


def order_tagged(
    assignments: list[Assignment],
    worker: OutsideWorker,
    pictures: list[Picture],
    subject: Subject,
    messages: MessageSource,
    faces: FacePool,
    folder: Path,
    show: Show,
) -> None:
    """Line up what is asked: tagged pictures through the tools, or untagged ones through tools that learnt from a tag.

    Args:
        assignments: Of all tools; donors get their ``quality``.
        worker: Runs them.
        pictures: The tagged set.
        subject: Tags the donors.
        messages: Source of their messages.
        faces: Finds faces.
        folder: Where tagged donors go.
        show: Progress bars.
    """
    tagged, originals = [one.tagged for one in pictures], [one.original for one in pictures]
    for one in assignments:
        job = one.tool.job
        if job.role == "carrier":
            worker.order(one.tool, "tagged", 0, tagged, one.lesson(0))
            continue
        for donor, facesets in enumerate(one.facesets):
            if facesets is None or facesets.donor is None:
                continue
            message = messages.message(purpose(job, "tagged", donor), "")
            place = folder / f"{job.id}-{donor}"
            tagging = Tagging(place, subject, lambda name, m=message: m, faces, _bar(show, f"tag {job.label}"))  # type: ignore[misc]
            made = tagging.tag(facesets.sets[facesets.donor])
            one.quality.append({name: float(np.mean([p.quality[name] for p in made])) for name in QUALITY})
            worker.order(one.tool, "tagged", donor, originals, one.lesson(donor, [p.tagged for p in made]))


def _bar(show: Show, words: str) -> Callable[[int, int], None]:
    return lambda done, total: show(words, done, total)


def _blocked(job: Job, reason: str, hint: str | None) -> NotRun:
    manifest = zoo.get_adapter(job.attack).manifest
    return NotRun(job, reason, hint, manifest.family, manifest.version, manifest.upstream.pin)
