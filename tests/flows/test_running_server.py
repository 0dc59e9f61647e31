"""Commands use the Prefect server whose address ``dd-livm ui`` left, while it answers."""

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

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


def read_prefect_url(workspace: Path) -> str:
    """Return the server that Prefect uses in a fresh process."""
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
    note = tmp_path / ".dd_livm" / "prefect_server.json"
    note.parent.mkdir()
    note.write_text(json.dumps({"api_url": url}))
    assert read_prefect_url(tmp_path) == url
    server.shutdown()
    server.server_close()
    assert read_prefect_url(tmp_path) == "None"
