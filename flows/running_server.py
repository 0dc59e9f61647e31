"""Find the Prefect server that ``dd-livm ui`` runs for a workspace."""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path

from tasks.workspace import Workspace


def server_file(workspace: Workspace) -> Path:
    """Return the file in which ``dd-livm ui`` leaves the address of its Prefect server while it runs."""
    return workspace.derived / "prefect_server.json"


def answers(url: str) -> bool:
    """Return whether a page answers with status 200 within 2 s."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def use_running_server(workspace: Workspace) -> None:
    """Point this process at the Prefect server that ``dd-livm ui`` runs for the workspace, if one answers.

    Prefect reads its settings once: call this before it is imported.
    """
    if "PREFECT_API_URL" in os.environ or not server_file(workspace).exists():
        return
    url = json.loads(server_file(workspace).read_text())["api_url"]
    if answers(f"{url}/health"):
        os.environ["PREFECT_API_URL"] = url
