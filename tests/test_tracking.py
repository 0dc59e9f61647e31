"""Retrainings as MLflow keeps them, in a real store."""

from pathlib import Path

import pytest

from tasks.tracking import client, experiment_id, parent_run
from tasks.workspace import Workspace


class Killed(BaseException):
    """Stands for SIGKILL: nothing is written after it."""


def killed_run(place: Workspace, key: str) -> str:
    with pytest.raises(Killed), parent_run(place, key, "retrain", {}) as run_id:
        raise Killed
    return run_id


def test_a_killed_run_is_taken_up_and_those_of_other_keys_are_closed(tmp_path: Path) -> None:
    place = Workspace.at(tmp_path)
    abandoned, interrupted = killed_run(place, "old data"), killed_run(place, "new data")
    with parent_run(place, "new data", "retrain", {}) as run_id:
        assert run_id == interrupted
    store = client(place)
    status = {run.info.run_id: run.info.status for run in store.search_runs([experiment_id(store)])}
    assert status == {abandoned: "KILLED", interrupted: "FINISHED"}
