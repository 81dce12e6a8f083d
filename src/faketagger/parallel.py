"""Work that leaves Python's lock alone (codecs, files), done by as many threads as torch may use."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch

Result = TypeVar("Result")


def in_threads(function: Callable[..., Result], items: Sequence[Any], *more: Iterable[Any]) -> list[Result]:
    """``list(map(function, items, *more))`` by up to ``torch.get_num_threads()`` threads.

    Args:
        function: Called once for each item; safe to be called at the same time for several.
        items: First arguments.
        *more: Further arguments, as for ``map``.
    """
    threads = min(torch.get_num_threads(), len(items))
    if threads < 2:
        return list(map(function, items, *more))
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items, *more))
