"""Spreads work on image pairs over processes, in order and in flat memory."""

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
"""Items under way per process: chosen so that none waits for the next, with few results in memory."""


FEWEST_PAIRS = 20
"""Of a mission, for which processes are started: each one takes 1.3 s to start, a pair takes 0.25 s to align. With two
processes, ten pairs took 6.5 s, and 4.0 s with one."""


def worthwhile_processes(pairs: int, processes: int) -> int:
    """Return with how many processes, ``processes`` at most, so many pairs are aligned soonest."""
    return processes if pairs >= FEWEST_PAIRS else 1


def map_pairs(
    function: Callable[[Item], Result], items: Iterable[Item], *, processes: int = 1
) -> Iterator[Result]:
    """Yield ``function(item)`` for each item, in the order of the items, with at most `AHEAD` results a process.

    Parameters
    ----------
    function
        Has to be picklable when ``processes`` is over 1.
    processes
        How many to start; with 1, the work is done in this process.

    Notes
    -----
    Processes are spawned, not forked: OpenCV and PyTorch hold threads that do not survive a fork.
    """
    if processes <= 1:
        yield from map(function, items)
        return
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_prepare_process
    ) as pool:
        yield from map_in_order(pool, function, items, processes * AHEAD)


def map_in_order(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Yield ``function(item)`` for each item, in their order, with ``ahead`` of them submitted to the pool at a time.

    What has not begun is cancelled when the caller stops early or an item fails.
    """
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


def _prepare_process() -> None:
    """Limit OpenCV to one thread, and watch the parent: a killed one cannot stop its processes."""
    import cv2

    cv2.setNumThreads(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the parent's end, then end this process."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
