"""Report the progress of long steps: lines in the log, and a bar on Prefect's page."""

import time
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact

INTERVAL_S = 3.0
"""Least time between two reports: each one is a request to Prefect's server. Chosen."""


class StepProgress:
    """Reports how far a step is, at most once in ``INTERVAL_S``; a :data:`~dd_livm_core.records.Progress`.

    Parameters
    ----------
    key
        Name of the bar on Prefect's page: lower case letters, digits and dashes.
    what
        What is being counted, in words.
    """

    def __init__(self, key: str, what: str) -> None:
        self._log = get_run_logger()
        self._what = what
        self._artifact = UUID(str(create_progress_artifact(0.0, key=key, description=what)))
        self._last = time.monotonic()

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Report that ``done`` of ``total`` are done; the last one is always reported."""
        now = time.monotonic()
        if done < total and now - self._last < INTERVAL_S:
            return
        self._last = now
        self._log.info("%s: %d of %d %s", self._what, done, total, note)
        update_progress_artifact(self._artifact, 100.0 * done / max(total, 1))
