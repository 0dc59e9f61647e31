"""The one memory meter of all benchmarks."""

import threading

import numpy as np
import psutil

from tests.peak_memory import read_peak_mib

EVERY_S = 0.1


class MemoryWatch:
    """Watch the memory of a process and all below it while a ``with`` block runs.

    Parameters
    ----------
    pid
        The process; without it, this one.

    Attributes
    ----------
    totals_mib
        Resident memory of all processes together, ten times a second. Pages that processes share count once for each
        of them, so that it errs upwards.
    largest_mib
        Most that one process held in any sample.
    peak_by_process_mib
        By process id, the peak since that process began, as the kernel keeps it: nothing between samples is missed.
    """

    def __init__(self, pid: int | None = None) -> None:
        self.totals_mib: list[float] = []
        self.largest_mib = 0.0
        self.peak_by_process_mib: dict[int, float] = {}
        self._root = psutil.Process(pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._sample()

    @property
    def most_mib(self) -> float:
        """Return the most that all processes held together in any sample."""
        return max(self.totals_mib, default=0.0)

    def medians_by_quarter_mib(self) -> list[float]:
        """Return the median total of each quarter of the samples; equal numbers mean flat memory."""
        return [round(float(np.median(part)), 1) for part in np.array_split(self.totals_mib, 4)]

    def _watch(self) -> None:
        while not self._ended.wait(EVERY_S):
            self._sample()

    def _sample(self) -> None:
        try:
            tree = [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        used_mib = []
        for process in tree:
            try:
                used_mib.append(process.memory_info().rss / 2**20)
                self.peak_by_process_mib[process.pid] = read_peak_mib(process.pid)
            except (psutil.NoSuchProcess, OSError, StopIteration):  # it has just ended
                continue
        self.totals_mib.append(sum(used_mib))
        self.largest_mib = max(self.largest_mib, *used_mib)
