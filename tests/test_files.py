"""A file is there whole or not at all, whatever happens to its writer."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from dd_livm_core.files import atomic, decode_text, read_text, write_json, write_text


def fail_halfway(path: Path, error: BaseException) -> None:
    with atomic(path) as unfinished:
        unfinished.write_text("half of the n")
        raise error


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="halfway"):
        fail_halfway(path, RuntimeError("halfway"))
    assert path.read_text() == "old"
    assert names(tmp_path) == ["record.json"]


def test_a_block_that_fails_where_no_file_was_leaves_none(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fail_halfway(tmp_path / "record.json", KeyboardInterrupt())
    assert names(tmp_path) == []


def test_a_block_that_writes_nothing_is_an_error_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), atomic(path):
        pass
    assert path.read_text() == "old"


def test_a_reader_sees_the_old_file_until_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text("old")
    with atomic(path) as unfinished:
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["record.json"]


def test_a_reader_never_sees_part_of_a_file(tmp_path: Path) -> None:
    """Two contents of a megabyte replace each other while another thread reads."""
    path, contents = tmp_path / "large", ("a" * 2**20, "b" * 2**20)
    write_text(path, contents[0])
    stop = Event()

    def write() -> None:
        for number in range(40):
            write_text(path, contents[number % 2])
        stop.set()

    writer = Thread(target=write)
    writer.start()
    seen = {path.read_text()}
    while not stop.is_set():
        seen.add(path.read_text())
    writer.join()
    assert seen <= set(contents)


KILLED = """
import sys, time
from pathlib import Path
from dd_livm_core.files import atomic
with atomic(Path(sys.argv[1])) as unfinished:
    unfinished.write_text("half")
    print("written", flush=True)
    time.sleep(60)
"""


def test_a_killed_writer_leaves_the_old_file_and_its_hidden_one(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text("old")
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "written\n"
    os.kill(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    run.stdout.close()
    assert path.read_text() == "old"
    assert names(tmp_path) == [f".record.json.{run.pid}.tmp", "record.json"]


def test_json_comes_back_as_it_was_written(tmp_path: Path) -> None:
    content = {"where": "Plaine des Cafres, Réunion", "values": [1, 2.5, None]}
    write_json(tmp_path / "a.json", content)
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == content


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_text_is_the_same_in_any_unicode_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes("name: Mühle 晶\n".encode(encoding))
    assert read_text(tmp_path / "a.txt") == "name: Mühle 晶\n"


def test_another_encoding_is_not_guessed() -> None:
    with pytest.raises(UnicodeDecodeError):
        decode_text("Mühle".encode("latin-1"))
    assert decode_text(b"") == ""
