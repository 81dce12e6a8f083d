"""``faketagger bench`` on many workers: they fill the benchmark's own folder, chunk by chunk; the report is made after.

Every chunk of pictures is cut, tagged, attacked and read by a Ray task, and kept where a benchmark on one machine keeps
it. A tool's tasks take the cores and the memory that its manifest declares. What the tasks leave (tools that learn,
donors, whatever failed) and the report are the ordinary benchmark's, which finds the rest done.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from faketagger.bench.finding import FacePool
from faketagger.bench.fingerprint import inputs_digests, presentation_digest
from faketagger.bench.pictures import Cut, choose
from faketagger.bench.prepare import CHUNK, Preparation
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.scenario import Job, plan
from faketagger.bench.sources import find_sources
from faketagger.bench.store import Store
from faketagger.errors import ConfigError
from faketagger.places import working_alone
from faketagger.ray_cluster import own_errors, ray_session
from faketagger.scale.bench_worker import STRETCH, BenchOrder, Loaded, silent
from faketagger.zoo import get_adapter

_RETRIES = 3


@dataclass(frozen=True)
class Call:
    """One task: what, on which chunks, with which resources.

    Attributes:
        what: Method of :class:`faketagger.scale.bench_worker.Loaded`.
        first: Number of the first chunk.
        resources: ``num_cpus`` and perhaps ``memory``, as Ray names them.
        job: Id of the tool's job, for tasks that run a tool.
    """

    what: str
    first: int
    resources: dict[str, float]
    job: str = ""


@lru_cache(1)
def _loaded(order: BenchOrder) -> Loaded:
    """A worker process keeps the last benchmark that it worked on."""
    return Loaded(order)


def _carry_out(order: BenchOrder, call: Call) -> None:
    getattr(_loaded(order), call.what)(call.first, call.job)


def fill(
    config: BenchConfig, out: Path, workers: int, address: str | None, show: Callable[[str, int, int], None]
) -> None:
    """Do everything of a benchmark that can be done chunk by chunk, as far as it is not done.

    Args:
        config: The benchmark.
        out: Its output folder.
        workers: Processes at a time.
        address: Of a Ray cluster, or None for this machine.
        show: Called with (what, done, total).

    Raises:
        ConfigError: Several watermarks are tested, or their strength is to be matched.
        BenchError: The folder was made from other inputs, or no photograph can be used.
        ScaleError: Ray cannot run.
    """
    if len(config.models) > 1 or config.match_psnr is not None:
        raise ConfigError("Workers share one watermark as its makers set it.", "One --model, and no --match-psnr.")
    jobs, sources = plan(config), find_sources(config.faces)
    inputs = inputs_digests(config, sources, jobs)
    store = Store(out)
    if store.finished(inputs, presentation_digest()):
        return
    store.open(inputs)
    order = BenchOrder.of(config, out)
    chosen = choose(sources, config.faces.count, config.seed)
    with working_alone(store.root), ray_session(workers, address) as ray, own_errors(ray):
        total = ray.cluster_resources().get("CPU", 1.0)
        one = {"num_cpus": 1.0}
        _all(ray, order, [Call("cut", first, one) for first in _firsts(len(chosen))], workers, "cut", show)
        usable = len(_usable(order))
        _all(ray, order, [Call("tag", first, one) for first in _firsts(usable)], workers, "tag", show)
        inside = [Call("attack", first, one) for first in _firsts(usable)]
        outside = [
            Call("attack", first, needs(job, total), job.id)
            for job in jobs
            if job.box == "black" and _goes_by_chunks(job)
            for first in _firsts(usable)
        ]
        _all(ray, order, outside + inside, workers, "attack and read", show)


def needs(job: Job, total: float) -> dict[str, float]:
    """What a tool's manifest declares, as Ray's resources; at most all cores that there are."""
    limits = get_adapter(job.attack).manifest.limits
    return {"num_cpus": float(min(limits.threads, total)), "memory": float(limits.memory_mb * 2**20)}


def _goes_by_chunks(job: Job) -> bool:
    """Tools that learn do so once, on one machine, and then work on all pictures."""
    return job.role == "carrier" and not job.facesets and not get_adapter(job.attack).manifest.facesets


def _all(
    ray: Any, order: BenchOrder, calls: list[Call], workers: int, words: str, show: Callable[[str, int, int], None]
) -> None:
    """Run tasks, never more than twice as many waiting as there are workers."""
    remote = ray.remote(_carry_out)
    waiting: list[Any] = []
    queue: Iterator[Call] = iter(calls)
    done = 0
    while True:
        while len(waiting) < 2 * workers and (call := next(queue, None)) is not None:
            waiting.append(remote.options(**call.resources, max_retries=_RETRIES).remote(order, call))
        if not waiting:
            return
        ready, waiting = ray.wait(waiting, num_returns=1)
        ray.get(ready)
        done += len(ready)
        show(words, done, len(calls))


def _usable(order: BenchOrder) -> list[Cut]:
    with FacePool(1) as faces:
        config = order.read()
        chosen = choose(find_sources(config.faces), config.faces.count, config.seed)
        return Preparation(Store(order.out).pictures, config.faces.size, faces, silent).cut(chosen)


def _firsts(pictures: int) -> list[int]:
    """Numbers of the first chunks of all stretches."""
    return list(range(0, -(-pictures // CHUNK), STRETCH))
