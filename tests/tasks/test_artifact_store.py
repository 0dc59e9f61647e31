"""A workspace's runs and models go where the workspace goes, in a real MLflow store."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import mlflow
import pytest

from dd_livm_core.errors import InputError
from tasks.artifact_store import open_beside_database, require_sound_database
from tasks.tracking import client, experiment_id
from tasks.workspace import Workspace


@pytest.fixture
def first(tmp_path: Path) -> Workspace:
    (tmp_path / "first place").mkdir()
    return Workspace.at(tmp_path / "first place")


def run_with_note(place: Workspace, text: str) -> str:
    store = client(place)
    run_id = str(store.create_run(experiment_id(store)).info.run_id)
    store.log_text(run_id, text, "note.txt")
    return run_id


def read_note(place: Workspace, run_id: str) -> str:
    client(place)
    return str(mlflow.artifacts.load_text(f"runs:/{run_id}/note.txt"))


def texts(database: Path) -> Iterator[str]:
    """Yield every text that stands in any table."""
    with closing(sqlite3.connect(database)) as connection:
        for line in connection.iterdump():
            if line.startswith("INSERT"):
                yield line


def test_no_absolute_folder_stands_in_the_records(first: Workspace) -> None:
    run_with_note(first, "here")
    named = [line for line in texts(first.tracking_database) if "file:" in line]
    assert named == []
    assert not [line for line in texts(first.tracking_database) if str(first.root) in line]


def test_a_moved_workspace_reads_its_runs(first: Workspace) -> None:
    run_id = run_with_note(first, "from before")
    moved = Workspace.at(shutil.move(first.root, first.root.with_name("second place")))
    assert read_note(moved, run_id) == "from before"


def test_a_copy_leaves_the_one_it_came_from_alone(first: Workspace) -> None:
    shared = run_with_note(first, "both")
    copied = Workspace.at(shutil.copytree(first.root, first.root.with_name("copy")))
    files = sorted(path for path in first.artifacts.rglob("*") if path.is_file())
    of_copy = run_with_note(copied, "copy only")
    client(copied).log_text(shared, "changed", "note.txt")
    assert read_note(copied, of_copy) == "copy only"
    assert sorted(path for path in first.artifacts.rglob("*") if path.is_file()) == files
    assert read_note(first, shared) == "both"


def test_a_workspace_of_before_with_absolute_folders_is_taken_along(first: Workspace) -> None:
    run_id = run_with_note(first, "old")
    absolute = first.artifacts.as_uri()
    with closing(sqlite3.connect(first.tracking_database)) as connection, connection:
        connection.execute("UPDATE experiments SET artifact_location = ?", (absolute,))
        connection.execute("UPDATE runs SET artifact_uri = ?", (f"{absolute}/{run_id}/artifacts",))
    moved = Workspace.at(shutil.move(first.root, first.root.with_name("second place")))
    assert read_note(moved, run_id) == "old"
    assert not [line for line in texts(moved.tracking_database) if str(first.root) in line]


def test_records_that_are_no_file_have_nothing_beside_them() -> None:
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9"):
        open_beside_database("dd-livm:/artifacts", "http://127.0.0.1:9")


@pytest.mark.parametrize("kept_bytes", [0, 4096], ids=["another file", "overwritten inside"])
def test_a_damaged_database_is_named(first: Workspace, kept_bytes: int) -> None:
    run_with_note(first, "kept")
    whole = first.tracking_database.read_bytes()
    place = first.root / "damaged.db"
    place.write_bytes(whole[:kept_bytes] + b"\7" * (len(whole) - kept_bytes))
    with pytest.raises(InputError, match=r"damaged\.db: expected MLflow's database"):
        require_sound_database(place)
    require_sound_database(first.tracking_database)
