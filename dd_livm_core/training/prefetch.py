"""Make batches ahead in a thread, and measure how long training still waits for them."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from dd_livm_core.parallel import map_in_order

_AHEAD = 3
"""Batches under way: enough to cover a slow one, few enough to keep memory flat. Chosen."""

Item = TypeVar("Item")
Made = TypeVar("Made")


def prefetch(make: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """Yield ``make(item)`` in order, with the next few under way in a thread.

    There is one thread, so that results do not depend on timing.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as thread:
        yield from map_in_order(thread, make, items, _AHEAD)


class WaitMeter:
    """Measures which share of an epoch passes in waiting for batches."""

    def __init__(self) -> None:
        self._started_s, self._waited_s = time.perf_counter(), 0.0

    def measure(self, batches: Iterable[Made]) -> Iterator[Made]:
        """Yield the batches, and add up how long each one took to come."""
        waiting = iter(batches)
        while True:
            asked_s = time.perf_counter()
            batch = next(waiting, None)
            self._waited_s += time.perf_counter() - asked_s
            if batch is None:
                return
            yield batch

    def wait_share(self) -> float:
        """Return the share of the time since the meter was made, 0 to 1."""
        return self._waited_s / max(time.perf_counter() - self._started_s, 1e-9)
