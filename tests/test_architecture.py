"""The rooms keep to themselves."""

import ast
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = sorted((ROOT / "dd_livm_core").rglob("*.py"))
ORCHESTRATORS = {"prefect", "mlflow", "dvc", "great_expectations", "tasks", "flows"}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def imported_names(path: Path) -> set[str]:
    """Return what a file imports, with the packages it lies in: ``a.b`` for ``from a import b``."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_core_imports_no_orchestrator(path: Path) -> None:
    assert not imported(path) & ORCHESTRATORS


FLEET = sorted((ROOT / "dd_livm_core" / "fleet").rglob("*.py"))


@pytest.mark.parametrize("path", FLEET, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_simulated_truth_does_not_use_what_it_judges(path: Path) -> None:
    judged = "dd_livm_core.hotspots"
    assert not [n for n in imported_names(path) if n == judged or n.startswith(f"{judged}.")]


@pytest.mark.parametrize("path", sorted((ROOT / "tasks").glob("*.py")), ids=lambda path: path.name)
def test_tasks_do_not_import_flows(path: Path) -> None:
    assert "flows" not in imported(path)


def test_no_room_for_leftovers() -> None:
    names = {
        path.stem
        for folder in ("dd_livm_core", "tasks", "flows")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert not names & {"utils", "util", "misc", "helpers", "common"}


def test_the_structure_page_names_every_file_of_the_core() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    patterns = re.findall(r"`([a-z_*]+)`", page)
    names = [path.stem for path in (ROOT / "dd_livm_core").glob("*.py") if path.stem != "__init__"]
    assert not [n for n in names if not any(fnmatch(n, pattern) for pattern in patterns)]
