"""The engine ``local``: trials side by side on this machine, no server."""

import os
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from faketagger.bench.cores import usable_cores
from faketagger.sweep.driver import Driver
from faketagger.sweep.process import TrialHost
from faketagger.sweep.trials import Trial


def run_local(driver: Driver) -> None:
    """Run what is left of a sweep.

    Args:
        driver: Hands out the trials.

    Raises:
        KeyboardInterrupt: It was stopped; trainings have saved their last step.
    """
    host = TrialHost(driver.sweep)
    places = _shares(driver.parallel)
    running: dict[Future[Trial], list[int] | None] = {}
    with ThreadPoolExecutor(driver.parallel, thread_name_prefix="trial") as pool:
        try:
            while True:
                while trial := driver.next():
                    cores = places.pop()
                    running[pool.submit(host.run, trial, cores)] = cores
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    places.append(running.pop(future))
                    driver.take(future.result())
        except BaseException:
            host.close()
            raise


def _shares(parallel: int) -> list[list[int] | None]:
    """The usable cores in equal shares; None where there are not enough to share."""
    cores = sorted(os.sched_getaffinity(0))
    return [cores[place::parallel] if usable_cores() >= parallel > 1 else None for place in range(parallel)]
