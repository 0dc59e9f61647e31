"""A full disk, by the kernel's own refusals: /dev/full, and a limit of a process on the size of its files."""

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from dd_livm_core.errors import InputError
from tasks.disk_space import explain_full_disk, require_space, require_writable
from tasks.step import Step
from tasks.workspace import Workspace

STEP = Step("example", "1", ("tasks.disk_space",))
FULL = Path("/dev/full")


def write_to_a_full_disk(folder: Path) -> None:
    (folder / "half.txt").write_text("half", encoding="utf-8")
    with FULL.open("wb", buffering=0) as stream:
        stream.write(b"the other half")


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_a_full_disk_is_named_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    place = Workspace.at(tmp_path)
    kept = STEP.produce(place, {"a": 1}, lambda folder: None)
    with (
        pytest.raises(InputError, match=r"room on the disk.*run the same command again"),
        explain_full_disk(place),
    ):
        STEP.produce(place, {"a": 2}, write_to_a_full_disk)
    folders = [p for p in (place.derived / "steps" / "example").iterdir() if p.is_dir()]
    assert folders == [kept.folder(place)]


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    place = Workspace.at(tmp_path)
    for error in (FileNotFoundError(2, "gone"), InputError("a", "b", "c", "d"), KeyError("x")):
        with pytest.raises(type(error)) as caught, explain_full_disk(place):
            raise error
        assert caught.value is error


def test_a_full_disk_in_the_database_is_named_too(tmp_path: Path) -> None:
    place = Workspace.at(tmp_path)
    connection = sqlite3.connect(tmp_path / "small.db")
    connection.execute("PRAGMA max_page_count = 2")
    with pytest.raises(InputError, match="disk is full"), explain_full_disk(place):
        connection.execute("CREATE TABLE t AS SELECT zeroblob(100000)")
    connection.close()


LIMITED = """
import resource, sys, torch
from pathlib import Path
from dd_livm_core.errors import InputError
from dd_livm_core.model.detector import Architecture, Detector
from dd_livm_core.model.weights import load_detector, save_detector
from tasks.disk_space import explain_full_disk
from tasks.workspace import Workspace
place = Workspace.at(sys.argv[1])
path = place.root / "weights.safetensors"
model = Detector(Architecture(160, 128, 8))
save_detector(model, path)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
model.threshold = 0.9
try:
    with explain_full_disk(place):
        save_detector(model, path)
except InputError as error:
    print("told:", error)
print("threshold", load_detector(path).threshold, [p.name for p in place.root.iterdir()])
"""


def test_weights_that_find_no_room_leave_the_ones_before(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    assert "told: " in run.stdout, run.stdout + run.stderr
    assert "threshold 0.9" not in run.stdout
    assert "['weights.safetensors']" in run.stdout


def test_too_little_room_is_told_before(tmp_path: Path) -> None:
    require_space(tmp_path, 0)
    with pytest.raises(InputError, match="room for"):
        require_space(tmp_path, shutil.disk_usage(tmp_path).free)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_what_may_not_be_written_is_named(tmp_path: Path, code: int) -> None:
    place = Workspace.at(tmp_path)
    refused = OSError(code, os.strerror(code), "data/sites.json")
    with (
        pytest.raises(InputError, match=r"sites\.json.*may be read and written") as told,
        explain_full_disk(place),
    ):
        raise refused
    assert Path(told.value.where).name == "sites.json"


def test_a_database_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "a.db").execute("CREATE TABLE t (x)").connection.close()
    connection = sqlite3.connect(f"file:{tmp_path}/a.db?mode=ro", uri=True)
    with pytest.raises(InputError, match="readonly"), explain_full_disk(Workspace.at(tmp_path)):
        connection.execute("INSERT INTO t VALUES (1)")
    connection.close()


def test_a_workspace_without_room_is_told_before_a_server_waits_for_it(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    place = Workspace.at(tmp_path)
    require_writable(place)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(InputError, match="room on the disk"):
            require_writable(place)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [p.name for p in tmp_path.rglob("*")] == [".dd_livm"]
