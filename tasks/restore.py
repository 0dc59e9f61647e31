"""Restore the data that a retraining was trained on."""

import tempfile
from pathlib import Path

from tasks.snapshot import restore, snapshot_id
from tasks.tracking import fetch_pin
from tasks.workspace import Workspace


def restore_run(workspace: Workspace, run_id: str) -> tuple[str, str]:
    """Restore ``data/`` to a run's snapshot; return the snapshots before and now."""
    with (
        workspace.data_lock(f"restoring data/ of run {run_id}"),
        tempfile.TemporaryDirectory() as folder,
    ):
        pinned = fetch_pin(workspace, run_id, Path(folder))
        before = restore(workspace, pinned)
        return before, snapshot_id(pinned)
