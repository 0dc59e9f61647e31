"""Content, configuration and code decide cache keys; finished folders are whole or absent."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dd_livm_core.judgement.promotion import PromotionGates
from tasks.finished_folder import look_at, read_written
from tasks.step import Reference, Step, code_hash, refer
from tasks.workspace import Workspace

ROOT = Path(__file__).parents[2]
STEP = Step("example", "1", ("dd_livm_core.judgement.promotion",), ignore=("progress",))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return an empty workspace."""
    return Workspace.at(tmp_path)


def test_inputs_and_configuration_decide_the_key(workspace: Workspace) -> None:
    reference = Reference(path="a", sha256="1" * 64)
    base = {"workspace": workspace, "aligned": [reference], "gates": PromotionGates()}
    assert STEP.key(base) == STEP.key(dict(reversed(base.items())))
    assert STEP.key(base) == STEP.key({**base, "progress": "loud"})
    moved = Reference(path="b", sha256="1" * 64)
    assert STEP.key(base) == STEP.key({**base, "aligned": [moved]})
    other = Reference(path="a", sha256="2" * 64)
    assert STEP.key(base) != STEP.key({**base, "aligned": [other]})
    stricter = PromotionGates(max_site_drop_points=1)
    assert STEP.key(base) != STEP.key({**base, "gates": stricter})


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the code that tests may change; they put it back."""
    folder = tmp_path_factory.mktemp("code")
    for package in ("dd_livm_core", "tasks"):
        shutil.copytree(ROOT / package, folder / package)
    return folder


STEPS = {
    "align": "tasks.align",
    "evaluate": "tasks.evaluate",
    "site_pictures": "tasks.site_pictures",
    "alignment_page": "tasks.alignment_page",
    "inspect": "tasks.inspection",
    "dtft": "tasks.train",
}


def hash_steps(code: Path) -> dict[str, str]:
    """Return step → hash of its code, computed in a fresh process from the copied code."""
    script = (
        "import json, sys; from tasks.step import code_hash; "
        "print(json.dumps({n: code_hash((m,)) for n, m in json.loads(sys.argv[1]).items()}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, json.dumps(STEPS)],
        env={**os.environ, "PYTHONPATH": str(code)},
        cwd=code,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(run.stdout)
    return found


@pytest.fixture(scope="module")
def before(code: Path) -> dict[str, str]:
    """Return the hashes of the unchanged code."""
    return hash_steps(code)


CHANGES = {
    "dd_livm_core/registration/consensus.py": {"align", "inspect"},
    "dd_livm_core/hotspots/shapes.py": {"dtft"},
    "dd_livm_core/training/losses.py": {"dtft"},
    "dd_livm_core/judgement/scores.py": {"evaluate", "site_pictures"},
    "dd_livm_core/inspection/pictures.py": {"site_pictures", "alignment_page", "inspect"},
    "tasks/alignment_page.py": {"alignment_page", "inspect"},
    "tasks/templates/alignment.html": {"alignment_page", "inspect"},
    "tasks/tracking.py": set(),
    "flows/retrain.py": set(),
}
"""A file → the steps that must run again when it changes: these and no other."""


@pytest.mark.parametrize("changed", sorted(CHANGES))
def test_a_change_runs_again_the_steps_that_use_it_and_no_other(
    code: Path, before: dict[str, str], changed: str
) -> None:
    path = code / changed
    path.parent.mkdir(exist_ok=True)
    original = path.read_bytes() if path.exists() else b""
    comment = b"\n<!-- changed -->\n" if path.suffix == ".html" else b"\n# changed\n"
    path.write_bytes(original + comment)
    try:
        after = hash_steps(code)
    finally:
        path.write_bytes(original)
    assert {name for name in STEPS if after[name] != before[name]} == CHANGES[changed]


def test_the_task_file_itself_is_part_of_the_code() -> None:
    assert code_hash(("tasks.step",)) != code_hash(("tasks.workspace",))


def test_a_finished_folder_is_written_once(workspace: Workspace) -> None:
    calls = []

    def write(folder: Path) -> None:
        calls.append(folder)
        (folder / "result.txt").write_text("42")

    first = STEP.produce(workspace, {"a": 1}, write)
    assert STEP.produce(workspace, {"a": 1}, write) == first
    assert len(calls) == 1
    assert (first.folder(workspace) / "result.txt").read_text() == "42"
    assert STEP.produce(workspace, {"a": 2}, write).path != first.path


def write_answer(folder: Path) -> None:
    (folder / "result.txt").write_text("42", encoding="utf-8")


def test_a_moved_workspace_finds_its_finished_folders(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    here = Workspace.at(tmp_path / "here")
    first = STEP.produce(here, {"workspace": here}, write_answer)
    there = Workspace.at(shutil.copytree(here.root, tmp_path / "there"))

    def write_nothing(folder: Path) -> None:
        raise AssertionError("it is finished")

    assert STEP.produce(there, {"workspace": there}, write_nothing) == first


@pytest.mark.parametrize("damage", ["changed", "removed", "added"])
def test_a_finished_folder_that_does_not_hold_what_was_written_is_written_anew(
    workspace: Workspace, damage: str
) -> None:
    first = STEP.produce(workspace, {}, write_answer)
    folder = first.folder(workspace)
    result = folder / "result.txt"
    if damage == "removed":
        result.unlink()
    else:
        (result if damage == "changed" else folder / "more.txt").write_text("43", encoding="utf-8")
    assert STEP.produce(workspace, {}, write_answer) == first
    assert [path.name for path in folder.iterdir()] == ["result.txt"]
    assert result.read_text(encoding="utf-8") == "42"


def test_content_is_read_again_only_where_size_or_time_has_changed(workspace: Workspace) -> None:
    folder = STEP.produce(workspace, {}, write_answer).folder(workspace)
    os.utime(folder / "result.txt", ns=(1, 1))
    refer(workspace, folder)
    known = read_written(folder)
    assert known is not None
    assert known.files["result.txt"][2] == 1
    assert look_at(folder, known) == look_at(folder)


def test_what_lacks_something_unread_is_used_once_and_written_anew_next_time(
    workspace: Workspace,
) -> None:
    calls = []

    def write(folder: Path) -> str:
        calls.append(folder)
        write_answer(folder)
        return "pair_3: no permission" if len(calls) == 1 else ""

    for _ in range(3):
        STEP.produce(workspace, {}, write)
    assert len(calls) == 2


def test_a_step_that_fails_leaves_nothing_that_looks_finished(workspace: Workspace) -> None:
    def write(folder: Path) -> None:
        (folder / "half.txt").write_text("4")
        raise RuntimeError("out of paper")

    with pytest.raises(RuntimeError, match="out of paper"):
        STEP.produce(workspace, {"a": 1}, write)
    assert [p for p in (workspace.derived / "steps").rglob("*") if p.is_file()] == []


def test_what_a_killed_run_left_is_removed(workspace: Workspace) -> None:
    final = workspace.step_folder("example", STEP.key({"a": 1}))
    left = final.parent / f".{final.name}-killed"
    left.mkdir(parents=True)
    (left / "half.txt").write_text("4")
    STEP.produce(workspace, {"a": 1}, lambda folder: None)
    assert not left.exists()


def test_a_reference_is_the_hash_of_the_content(workspace: Workspace) -> None:
    for name in ("one", "two"):
        (workspace.root / name).mkdir()
        (workspace.root / name / "same.txt").write_text("same")
    one, two = (refer(workspace, workspace.root / name) for name in ("one", "two"))
    assert one.sha256 == two.sha256
    (workspace.root / "two" / "same.txt").write_text("else")
    assert refer(workspace, workspace.root / "two").sha256 != one.sha256
