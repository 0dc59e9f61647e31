"""Real DVC in a temporary folder: pin, change, restore byte for byte."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dd_livm_core.errors import InputError
from tasks.snapshot import pin, prepare_dvc, restore, run_dvc, snapshot_id
from tasks.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a workspace with one file in ``data/``."""
    workspace = Workspace.at(tmp_path)
    (workspace.data / "site").mkdir(parents=True)
    (workspace.data / "site" / "image.bin").write_bytes(bytes(range(256)))
    return workspace


def read_all(folder: Path) -> dict[str, bytes]:
    """Return path → bytes of all files in a folder."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_pinned_and_unpinned_states_are_restored_byte_for_byte(workspace: Workspace) -> None:
    before = read_all(workspace.data)
    first = pin(workspace)
    assert pin(workspace) == first
    (workspace.data / "site" / "image.bin").write_bytes(b"changed")
    (workspace.data / "site" / "new.bin").write_bytes(b"new")
    changed = read_all(workspace.data)
    # nobody pinned the change: restoring pins it first
    kept = restore(workspace, workspace.derived / "snapshots" / f"{first}.pin")
    assert read_all(workspace.data) == before
    assert snapshot_id(workspace.pinned) == first
    restore(workspace, workspace.derived / "snapshots" / f"{kept}.pin")
    assert read_all(workspace.data) == changed


def test_the_wait_for_the_lock_of_dvc_has_a_bound(workspace: Workspace) -> None:
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


@pytest.fixture
def bucket() -> Iterator[str]:
    """Return the address of a real S3 server on loopback that holds one empty bucket ``snapshots``."""
    reason = "needs the extra dev: dvc-s3 and moto"
    server_module = pytest.importorskip("moto.server", reason=reason)
    pytest.importorskip("dvc_s3", reason=reason)
    import boto3

    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    try:
        boto3.client("s3", endpoint_url=address, region_name="us-east-1", **KEYS).create_bucket(
            Bucket="snapshots"
        )
        yield address
    finally:
        server.stop()


KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def test_a_snapshot_is_restored_from_s3(workspace: Workspace, bucket: str) -> None:
    prepare_dvc(workspace)
    run_dvc(workspace, "remote", "add", "--default", "bucket", "s3://snapshots/plants")
    options = {
        "endpointurl": bucket,
        "region": "us-east-1",
        "access_key_id": "test",
        "secret_access_key": "test",
    }
    for name, value in options.items():
        run_dvc(workspace, "remote", "modify", "bucket", name, value)
    before = read_all(workspace.data)
    pinned = pin(workspace)
    for folder in (
        workspace.data,
        workspace.root / ".dvc" / "cache",
        workspace.derived / "dvc_remote",
    ):
        shutil.rmtree(folder, ignore_errors=True)
    restore(workspace, workspace.derived / "snapshots" / f"{pinned}.pin")
    assert read_all(workspace.data) == before


def test_a_broken_pin_is_refused_by_its_name(tmp_path: Path) -> None:
    broken = tmp_path / "data.dvc"
    broken.write_text("outs: []")
    with pytest.raises(InputError, match=r"data\.dvc"):
        snapshot_id(broken)
