"""The rooms keep to themselves, and data flow one way."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = sorted((ROOT / "dd_livm_core").rglob("*.py"))
ORCHESTRATORS = {"prefect", "mlflow", "dvc", "great_expectations", "tasks", "flows"}
ORDER = (
    ("errors", "records", "parallel", "files"),
    ("camera_files",),
    ("labels",),
    ("missions",),
    ("panels",),
    ("base_model",),
    ("registration",),
    ("aligned",),
    ("heat",),
    ("hotspots",),
    ("augmentation",),
    ("model",),
    ("training",),
    ("judgement",),
    ("inspection",),
    ("fleet",),
)
"""Each package imports from its own floor and those above it in this list."""
FLEET_ORDER = (
    ("profile", "plausibility", "profile_files"),
    ("raster",),
    ("physics",),
    ("cameras",),
    ("station",),
    ("missions",),
)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> set[str]:
    """Return the full name of every module that a file imports, and of every name taken from one."""
    package = ".".join(path.relative_to(ROOT).with_suffix("").parts[:-1])
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = importlib.util.resolve_name("." * node.level + base, package)
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return names


def floor_of(name: str, order: tuple[tuple[str, ...], ...], below: str) -> int | None:
    """Return on which floor of ``below`` a module stands, or None for one of elsewhere."""
    if not name.startswith(f"{below}."):
        return None
    room = name.removeprefix(f"{below}.").split(".")[0]
    return next((floor for floor, rooms in enumerate(order) if room in rooms), None)


def imports_upwards(
    path: Path, order: tuple[tuple[str, ...], ...], below: str
) -> list[tuple[str, str]]:
    own = floor_of(".".join(path.relative_to(ROOT).with_suffix("").parts), order, below)
    if own is None:
        return []
    floors = {name: floor_of(name, order, below) for name in imported(path)}
    return [
        (relative(path), name)
        for name, floor in sorted(floors.items())
        if floor is not None and floor > own
    ]


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_the_core_imports_no_orchestrator(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & ORCHESTRATORS


@pytest.mark.parametrize("path", [path for path in CORE if "fleet" in path.parts], ids=relative)
def test_the_simulated_truth_does_not_use_what_it_judges(path: Path) -> None:
    judged = "dd_livm_core.hotspots"
    assert not [n for n in imported(path) if n == judged or n.startswith(f"{judged}.")]


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_nothing_is_imported_against_the_order(path: Path) -> None:
    upwards = imports_upwards(path, ORDER, "dd_livm_core")
    upwards += imports_upwards(path, FLEET_ORDER, "dd_livm_core.fleet")
    assert not upwards, "\n".join(
        f"{file} imports {name}, which comes later" for file, name in upwards
    )


def test_every_room_has_its_place_in_the_order() -> None:
    placed = {name for rooms in ORDER for name in rooms}
    rooms = {path.relative_to(ROOT / "dd_livm_core").parts[0] for path in CORE} - {"__init__.py"}
    assert {room.removesuffix(".py") for room in rooms} == placed
    placed = {name for rooms in FLEET_ORDER for name in rooms}
    fleet = ROOT / "dd_livm_core" / "fleet"
    rooms = {path.relative_to(fleet).parts[0] for path in fleet.rglob("*.py")} - {"__init__.py"}
    assert {room.removesuffix(".py") for room in rooms} == placed


def test_an_import_against_the_order_would_be_found() -> None:
    path = ROOT / "dd_livm_core" / "inspection" / "findings.py"
    upside_down = tuple(reversed(ORDER))
    found = {name for _, name in imports_upwards(path, upside_down, "dd_livm_core")}
    assert {"dd_livm_core.aligned.store", "dd_livm_core.records"} <= found


@pytest.mark.parametrize(
    "path", [path for path in CORE if path.name == "__init__.py"], ids=relative
)
def test_a_package_s_face_is_a_docstring(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", sorted((ROOT / "tasks").rglob("*.py")), ids=relative)
def test_tasks_do_not_import_flows(path: Path) -> None:
    assert "flows" not in {name.split(".")[0] for name in imported(path)}


def test_no_room_for_leftovers() -> None:
    names = {
        path.stem
        for folder in ("dd_livm_core", "tasks", "flows")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert not names & {"utils", "util", "misc", "helpers", "common"}


def test_the_structure_page_names_every_file_of_the_core_in_its_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = {
        cells[0].strip(" `()"): set(re.findall(r"`([a-z_]+)`", cells[-1]))
        for line in page.splitlines()
        if line.startswith("| ") and len(cells := line.strip("| ").split("|")) == 3
    }
    for path in CORE:
        room, *rest = path.relative_to(ROOT / "dd_livm_core").parts
        if room == "fleet" or path.name == "__init__.py":
            continue
        assert path.stem in rows[room if rest else "ground"], relative(path)


def test_tests_import_no_benchmark() -> None:
    tests = (ROOT / "tests").rglob("*.py")
    assert not [p for p in tests if any(n.split(".")[0] == "benchmarks" for n in imported(p))]


def test_pages_name_only_commands_that_exist() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = {
        name
        for page in pages
        for name in re.findall(
            r"python -m ((?:benchmarks|docs\.build)\.[a-z_]+)", page.read_text(encoding="utf-8")
        )
    }
    assert named
    assert not [n for n in named if not (ROOT / n.replace(".", "/")).with_suffix(".py").exists()]
