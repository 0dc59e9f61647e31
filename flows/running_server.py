"""The Prefect server that ``dd-livm ui`` runs, as other commands find it."""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path

from tasks.workspace import Workspace


def server_file(workspace: Workspace) -> Path:
    """Return the file that tells other commands of a running Prefect server."""
    return workspace.derived / "prefect_server.json"


def answers(url: str) -> bool:
    """Return whether a page answers."""
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
    url = json.loads(server_file(workspace).read_text(encoding="utf-8"))["api_url"]
    if answers(f"{url}/health"):
        os.environ["PREFECT_API_URL"] = url
