"""Restore the data that a retraining was trained on."""

import tempfile
from pathlib import Path

from tasks.snapshot import restore, snapshot_id
from tasks.tracking import fetch_pin
from tasks.workspace import Workspace


def restore_run(workspace: Workspace, run_id: str) -> tuple[str, str]:
    """Restore ``data/`` to a run's snapshot.

    Returns
    -------
    Ids of the snapshot before ("" where there was no data) and of the one restored.

    Raises
    ------
    InputError
        The run is unknown or recorded no snapshot, or DVC cannot bring it back.
    """
    with tempfile.TemporaryDirectory() as folder:
        pinned = fetch_pin(workspace, run_id, Path(folder))
        before = restore(workspace, pinned)
        return before, snapshot_id(pinned)
