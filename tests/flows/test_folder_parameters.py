"""Folders typed on Prefect's page, where no shell expands ``~``."""

from pathlib import Path

import pytest
from prefect import Flow
from prefect.exceptions import ParameterTypeError

from flows.evaluate_sites import evaluate_sites
from flows.inspect_mission import inspect_mission
from flows.retrain import retrain


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "plant" / "tuesday").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("flow", [retrain, evaluate_sites, inspect_mission])
def test_the_home_folder_is_understood(home: Path, flow: Flow[..., object]) -> None:
    given = {"workspace": "~/plant"}
    if flow is inspect_mission:
        given |= {"source": "~/plant/tuesday", "output": "~/reports/tuesday"}
    checked = flow.validate_parameters(given)
    assert {name: checked[name] for name in given} == {
        name: home / value.removeprefix("~/") for name, value in given.items()
    }


@pytest.mark.parametrize("folder", ["~/nowhere", "~nobody-of-this-name/plant"])
def test_a_folder_that_is_not_there_is_refused(home: Path, folder: str) -> None:
    assert home.is_dir()
    with pytest.raises(ParameterTypeError, match="workspace"):
        retrain.validate_parameters({"workspace": folder})
