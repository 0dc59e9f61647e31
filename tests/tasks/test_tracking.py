"""Runs of retrainings and evaluations in a real MLflow store."""

import subprocess
from pathlib import Path

import pytest

from tasks.tracking import client, code_version, evaluation_run, experiment_id, parent_run
from tasks.workspace import Workspace


class Killed(BaseException):
    """Stands for SIGKILL: nothing is written after it."""


def start_killed_run(place: Workspace, key: str) -> str:
    """Open a retraining's run, be killed in it, and return its id."""
    with pytest.raises(Killed), parent_run(place, key, "retrain", {}) as run_id:
        raise Killed
    return run_id


def test_a_killed_run_is_taken_up_and_those_of_other_keys_are_closed(tmp_path: Path) -> None:
    place = Workspace.at(tmp_path)
    abandoned, interrupted = (
        start_killed_run(place, "old data"),
        start_killed_run(place, "new data"),
    )
    with parent_run(place, "new data", "retrain", {}) as run_id:
        assert run_id == interrupted
    store = client(place)
    status = {run.info.run_id: run.info.status for run in store.search_runs([experiment_id(store)])}
    assert status == {abandoned: "KILLED", interrupted: "FINISHED"}


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError("no room"), "FAILED"), (KeyboardInterrupt(), "KILLED")]
)
def test_an_evaluation_that_ends_early_does_not_stay_running(
    tmp_path: Path, error: BaseException, status: str
) -> None:
    place = Workspace.at(tmp_path)
    with pytest.raises(type(error)), evaluation_run(place, "champion", "abc") as run_id:
        raise error
    assert client(place).get_run(run_id).info.status == status


def test_an_evaluation_without_error_is_finished(tmp_path: Path) -> None:
    place = Workspace.at(tmp_path)
    with evaluation_run(place, "champion", "abc") as run_id:
        pass
    assert client(place).get_run(run_id).info.status == "FINISHED"


def test_a_new_data_pin_is_no_change_of_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@localhost")
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)

    code = tmp_path / "tasks" / "tracking.py"
    code.parent.mkdir()
    code.write_text("")
    monkeypatch.setattr("tasks.tracking.__file__", str(code))
    git("init", "-q")
    assert code_version().startswith("dd-livm ")  # in a checkout, but not of it
    (tmp_path / "data.dvc").write_text("before")
    git("add", ".")
    git("commit", "-qm", "all")
    (tmp_path / "data.dvc").write_text("after")
    assert len(code_version()) == 12
    code.write_text("changed = True")
    assert code_version().endswith("+changes")
