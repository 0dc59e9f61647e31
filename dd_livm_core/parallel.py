"""The one way in which per-pair work is spread over processes."""

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 4
"""Items under way per process: enough to keep all busy, few enough to keep memory flat."""


def map_pairs(
    function: Callable[[Item], Result], items: Iterable[Item], *, processes: int = 1
) -> Iterator[Result]:
    """Yield ``function(item)`` for each item, in order, holding only a few results at a time.

    Parameters
    ----------
    function
        Picklable when ``processes`` is over 1.
    processes
        1 works in this process.

    Notes
    -----
    Processes are spawned, not forked: OpenCV and PyTorch hold threads that do not survive a fork.
    """
    if processes <= 1:
        yield from map(function, items)
        return
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_prepare
    ) as pool:
        yield from in_order(pool, function, items, processes * AHEAD)


def in_order(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Yield results in the order of the items, so many under way; those are cancelled if nobody waits any more."""
    waiting = iter(items)
    under_way: deque[Future[Result]] = deque(
        pool.submit(function, item) for item in itertools.islice(waiting, ahead)
    )
    try:
        while under_way:
            result = under_way.popleft().result()
            under_way.extend(pool.submit(function, item) for item in itertools.islice(waiting, 1))
            yield result
    finally:
        for future in under_way:
            future.cancel()


def _prepare() -> None:
    """Keep to one thread, and end with the parent: a killed one cannot tell its processes to stop."""
    import cv2

    cv2.setNumThreads(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
