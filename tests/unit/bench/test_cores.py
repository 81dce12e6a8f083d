"""Cores are never handed out twice, and nobody waits for ever."""

import threading
import time

import pytest

from faketagger.bench.cores import Cores


@pytest.mark.parametrize("total", [1, 2, 5])
def test_no_more_than_there_are_and_everybody_gets_a_turn(total: int) -> None:
    cores, lock = Cores(total), threading.Lock()
    busy, most, done = 0, 0, []

    def work(wish: int) -> None:
        nonlocal busy, most
        with cores.take(wish) as given:
            assert given
            with lock:
                busy += min(wish, total)
                most = max(most, busy)
            time.sleep(0.002)
            with lock:
                busy -= min(wish, total)
                done.append(wish)

    threads = [threading.Thread(target=work, args=(1 + turn % 4,)) for turn in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert sorted(done) == sorted(1 + turn % 4 for turn in range(24))
    assert most <= total
    assert most == total


def test_a_large_wish_is_not_overtaken() -> None:
    cores, order = Cores(2), []
    started = threading.Event()

    def work(name: str, wish: int) -> None:
        with cores.take(wish):
            order.append(name)
            started.set()
            time.sleep(0.05)

    threads = []
    for name, wish in (("first", 1), ("large", 2), ("late", 1)):
        threads.append(threading.Thread(target=work, args=(name, wish)))
        threads[-1].start()
        started.wait(5)
        time.sleep(0.01)
    for thread in threads:
        thread.join(5)
    assert order == ["first", "large", "late"]


def test_closing_sends_the_waiting_home() -> None:
    cores, answers = Cores(1), []

    def wait() -> None:
        with cores.take(1) as given:
            answers.append(given)

    with cores.take(1):
        thread = threading.Thread(target=wait)
        thread.start()
        cores.close()
        thread.join(5)
    assert answers == [False]
