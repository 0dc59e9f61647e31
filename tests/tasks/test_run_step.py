"""Prefect's cached results are used where what they name is there and whole, with a real server."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect import flow, task
from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, temporary_settings
from prefect.testing.utilities import prefect_test_harness
from pydantic import BaseModel

from tasks.step import Reference, Step, run_step
from tasks.workspace import Workspace

STEP = Step("answer", "1", ("tasks.step",))
RAN: list[Path] = []
"""Workspaces in which the step ran, in order."""


class Answer(BaseModel):
    result: Reference


@task(name="answer", cache_key_fn=STEP, persist_result=True, result_serializer="json")
def answer(workspace: Workspace, size: int) -> Answer:
    RAN.append(workspace.root)

    def write(folder: Path) -> str:
        (folder / "result.txt").write_text("42" * size, encoding="utf-8")
        return "pair_3: no permission" if (workspace.root / "unreadable").exists() else ""

    return Answer(result=STEP.produce(workspace, {"workspace": workspace, "size": size}, write))


@flow
def ask_flow(workspace: Path) -> str:
    place = Workspace.at(workspace)
    folder = run_step(answer, place, 3).result.folder(place)
    assert place.root in folder.parents
    return (folder / "result.txt").read_text(encoding="utf-8")


def ask(workspace: Path) -> tuple[str, int]:
    """Return what the step's result holds, and how often the step ran for it."""
    RAN.clear()
    with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: workspace / "storage"}):
        found = ask_flow(workspace)
    assert set(RAN) <= {workspace}
    return found, len(RAN)


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture(scope="module")
def answered(server: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace in which the step ran; never to be changed."""
    place = tmp_path_factory.mktemp("place")
    assert ask(place) == ("424242", 1)
    return place


@pytest.fixture
def copy(answered: Path, tmp_path: Path) -> Path:
    return shutil.copytree(answered, tmp_path / "copy")


def test_a_copy_uses_the_results_that_came_along(copy: Path) -> None:
    assert ask(copy) == ("424242", 0)


def test_a_damaged_result_is_named_and_made_anew(
    copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (result,) = copy.glob(".dd_livm/steps/answer/*/result.txt")
    result.write_text("424243", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert ask(copy) == ("424242", 1)
    assert result.parent.name in caplog.text


def test_a_damaged_record_of_prefect_is_no_end(copy: Path) -> None:
    (kept,) = copy.glob("storage/answer-*")
    kept.write_bytes(kept.read_bytes()[:40])
    assert ask(copy) == ("424242", 1)


def test_what_could_not_be_read_is_tried_again(server: None, tmp_path: Path) -> None:
    (tmp_path / "unreadable").touch()
    assert ask(tmp_path) == ("424242", 1)
    (tmp_path / "unreadable").unlink()
    assert ask(tmp_path) == ("424242", 1)
    assert ask(tmp_path) == ("424242", 0)
