"""Setting up takes the Python that it is started with, where that is a known one, and refuses others by name."""

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the module with its environment in a folder of the test's own."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    python = module.PYTHON.relative_to(module.VENV)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv" / python)
    return module


def test_known_pythons_are_those_that_the_package_asks_for(bootstrap: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = SpecifierSet(project["requires-python"])
    versions = [f"3.{minor}" for minor in range(8, 20)]
    assert tuple(v for v in versions if f"{v}.5" in asked) == bootstrap.PYTHONS
    assert bootstrap.running_python() in bootstrap.PYTHONS


@pytest.mark.parametrize("version", ["3.10", "3.14"])
def test_another_python_is_refused_with_what_to_do(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(bootstrap, "running_python", lambda: version)
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "demo"])
    monkeypatch.setattr(bootstrap, "starts", lambda python: python == "python3.12")
    with pytest.raises(
        SystemExit, match=r"3\.11, 3\.12 and 3\.13; .*\n.*python3\.12 bootstrap\.py demo"
    ):
        bootstrap.main()


def test_an_environment_of_another_python_is_made_anew_and_ones_own_is_kept(
    bootstrap: ModuleType,
) -> None:
    assert bootstrap.python_of_environment() is None
    mark = bootstrap.VENV / "mark"
    bootstrap.VENV.mkdir()
    mark.touch()
    (bootstrap.VENV / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.9.2\n")
    assert bootstrap.python_of_environment() == "3.9"
    bootstrap.make_environment()
    assert bootstrap.python_of_environment() == bootstrap.running_python()
    assert not mark.exists()
    mark.touch()
    bootstrap.make_environment()
    assert mark.exists()
