"""Commands use the Prefect server whose address ``dd-livm ui`` left, while it answers."""

import os
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from dd_livm_core.errors import InputError
from flows.running_server import require_exported_server, write_note
from tasks.workspace import Workspace

PROGRAM = """
from pathlib import Path
from flows.workspace_option import open_workspace
open_workspace(Path())
import flows.inspect_mission  # imports Prefect, which reads its settings once
from prefect.settings import PREFECT_API_URL
print(PREFECT_API_URL.value())
"""


class Healthy(BaseHTTPRequestHandler):
    """Answers as a Prefect server's health check does."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def dd_livm(*arguments: str, cwd: Path, address: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PREFECT_API_URL": address,
            "COLUMNS": "200",
        },
    )


def prefect_url_in(workspace: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=workspace,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_a_server_that_answers_is_used_and_one_that_ended_is_not(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Healthy)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/api"
    (tmp_path / "first" / ".dd_livm").mkdir(parents=True)
    write_note(Workspace.at(tmp_path / "first"), url)
    assert prefect_url_in(tmp_path / "first") == url
    copy = shutil.copytree(tmp_path / "first", tmp_path / "copy")
    assert prefect_url_in(copy) == "None", "a copy's flows are none of the first one's server"
    server.shutdown()
    server.server_close()
    assert prefect_url_in(tmp_path / "first") == "None"


@pytest.mark.parametrize("command", [("inspect", "."), ("retrain",), ("evaluate",), ("demo",)])
def test_an_exported_server_that_is_off_ends_in_a_clear_message(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    address = "http://127.0.0.1:9/api"
    run = dd_livm(*command, cwd=tmp_path, address=address)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert f"PREFECT_API_URL={address}" in run.stderr
    assert "unset PREFECT_API_URL" in run.stderr


def test_what_needs_no_server_does_not_ask_for_one(tmp_path: Path) -> None:
    run = dd_livm("sites", "add", "home", cwd=tmp_path, address="http://127.0.0.1:9/api")
    assert run.returncode == 0, run.stderr


def test_a_server_that_refuses_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Healthy)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/other"  # answers 404
    monkeypatch.setenv("PREFECT_API_URL", address)
    require_exported_server()
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match=address):
        require_exported_server()
