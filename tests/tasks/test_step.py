"""Cache keys follow content, configuration and code; finished folders are whole or absent."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dd_livm_core.judgement.promotion import PromotionGates
from tasks.step import Reference, Step, code_hash, refer
from tasks.workspace import Workspace

ROOT = Path(__file__).parents[2]
STEP = Step("example", "1", ("dd_livm_core.judgement.promotion",), ignore=("progress",))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path)


def test_the_key_follows_inputs_and_configuration(workspace: Workspace) -> None:
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


def key_with_core_at(folder: Path, modules: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", f"from tasks.step import code_hash; print(code_hash({modules}))"],
        env={**os.environ, "PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


def test_a_changed_line_in_the_core_changes_the_key_of_steps_that_use_it(tmp_path: Path) -> None:
    for package in ("dd_livm_core", "tasks"):
        shutil.copytree(ROOT / package, tmp_path / package)
    uses = "('dd_livm_core.judgement.site_plan',)"  # imports dd_livm_core.errors
    other = "('dd_livm_core.parallel',)"  # does not
    before, before_other = key_with_core_at(tmp_path, uses), key_with_core_at(tmp_path, other)
    assert before == key_with_core_at(tmp_path, uses)
    errors = tmp_path / "dd_livm_core" / "errors.py"
    errors.write_text(errors.read_text() + "\nCHANGED = 1\n")
    assert key_with_core_at(tmp_path, uses) != before
    assert key_with_core_at(tmp_path, other) == before_other


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


def test_a_step_that_fails_leaves_nothing_that_looks_finished(workspace: Workspace) -> None:
    def write(folder: Path) -> None:
        (folder / "half.txt").write_text("4")
        raise RuntimeError("out of paper")

    with pytest.raises(RuntimeError, match="out of paper"):
        STEP.produce(workspace, {"a": 1}, write)
    assert [p for p in (workspace.derived / "steps").rglob("*") if p.is_file()] == []


def test_what_a_killed_run_left_is_cleared(workspace: Workspace) -> None:
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
