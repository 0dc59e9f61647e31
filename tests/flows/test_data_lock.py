"""What changes ``data/`` and what is made from it wait for each other."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import Site
from flows.evaluate_sites import evaluate_sites
from flows.ingestion import ingest_folder
from flows.retrain import retrain
from flows.simulate import simulate
from tasks.restore import restore_run
from tasks.workspace import Workspace
from tests import drone_files as made


def ingest(place: Workspace) -> object:
    write_site(place.data, Site(site_id="home"))
    return ingest_folder(place, made.mission_folder(place.root / "flight", 1), "home")


def restore(place: Workspace) -> object:
    return restore_run(place, "0123456789abcdef")


def train(place: Workspace) -> object:
    return retrain.fn(workspace=place.root)


def evaluate(place: Workspace) -> object:
    return evaluate_sites.fn(workspace=place.root)


def render(place: Workspace) -> object:
    return simulate(place, size="tiny", seed=1, processes=1)


@pytest.mark.parametrize("command", [ingest, restore, render, train, evaluate])
def test_one_at_a_time_uses_data(
    command: Callable[[Workspace], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.workspace.DATA_WAIT_S", 0.1)
    place = Workspace.at(tmp_path)
    with (
        place.data_lock("something else"),
        pytest.raises(InputError, match=r"to be alone at .*data/"),
    ):
        command(place)


def test_a_restoring_waits_for_the_end_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tasks.workspace.WAIT_UNTOLD_S", 0.1)
    place = Workspace.at(tmp_path)
    held, end = threading.Event(), threading.Event()

    def hold() -> None:
        with place.data_lock("retraining"):
            held.set()
            end.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    threading.Timer(0.5, end.set).start()
    with pytest.raises(InputError, match="the id of a retraining run"):
        restore(place)
    holder.join()
    assert "Waiting for another process" in caplog.text
