"""Real DVC in a temporary folder: pin, change, restore byte for byte."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dd_livm_core.errors import InputError
from tasks.snapshot import pin, restore, run_dvc, snapshot_id
from tasks.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace.at(tmp_path)
    (workspace.data / "site").mkdir(parents=True)
    (workspace.data / "site" / "image.bin").write_bytes(bytes(range(256)))
    return workspace


def content(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_any_state_comes_back_byte_for_byte_and_none_is_lost(workspace: Workspace) -> None:
    before = content(workspace.data)
    first = pin(workspace)
    assert pin(workspace) == first
    (workspace.data / "site" / "image.bin").write_bytes(b"changed")
    (workspace.data / "site" / "new.bin").write_bytes(b"new")
    changed = content(workspace.data)
    # the change was never pinned by the user: restoring keeps it all the same
    kept = restore(workspace, workspace.derived / "snapshots" / f"{first}.pin")
    assert content(workspace.data) == before
    assert snapshot_id(workspace.pinned) == first
    restore(workspace, workspace.derived / "snapshots" / f"{kept}.pin")
    assert content(workspace.data) == changed


def test_dvc_is_waited_for_with_a_bound(workspace: Workspace) -> None:
    pin(workspace)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK], cwd=workspace.root, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        with pytest.raises(InputError, match="lock to become free"):
            run_dvc(workspace, "add", "data", wait_s=0.1)
        threading.Timer(3.0, holder.kill).start()
        run_dvc(workspace, "add", "data", wait_s=60)
    finally:
        holder.kill()


HOLD_LOCK = """
import time
from dvc.repo import Repo
with Repo().lock:
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_broken_pin_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "data.dvc"
    broken.write_text("outs: []")
    with pytest.raises(InputError, match=r"data\.dvc"):
        snapshot_id(broken)
