"""Find the Prefect server that ``dd-livm ui`` runs for a workspace."""

import hashlib
import http.client
import json
import os
import urllib.error
import urllib.request
from pathlib import Path

from dd_livm_core.errors import InputError
from dd_livm_core.files import write_json
from tasks.workspace import Workspace

ADDRESS = "PREFECT_API_URL"
"""Variable in which Prefect's commands look for their server."""


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


def write_note(workspace: Workspace, api_url: str) -> None:
    """Tell other commands of this workspace where its Prefect server is."""
    write_json(server_file(workspace), {"api_url": api_url, "place": _place(workspace)})


def _place(workspace: Workspace) -> str:
    """Return what a copy of the workspace does not share, so that it does not use the server of the first."""
    return hashlib.sha256(str(workspace.root).encode()).hexdigest()


def use_running_server(workspace: Workspace) -> None:
    """Point this process at the Prefect server that ``dd-livm ui`` runs for the workspace, if one answers.

    Prefect reads its settings once: call this before it is imported.
    """
    if os.environ.get(ADDRESS):
        return
    try:
        note = json.loads(server_file(workspace).read_text(encoding="utf-8"))
        url, place = str(note["api_url"]), note["place"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # none, or half written: a server on demand serves as well
    if place == _place(workspace) and answers(f"{url}/health"):
        os.environ[ADDRESS] = url


def require_exported_server() -> None:
    """Check that the Prefect server of an exported address is there; any answer will do.

    Raises
    ------
    InputError
        Nothing answers there.
    """
    url = os.environ.get(ADDRESS)
    if not url:
        return
    try:
        urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=10).close()
    except urllib.error.HTTPError:
        return  # it is there, and says no to us
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise InputError(
            "a Prefect server that answers",
            f"none ({getattr(error, 'reason', error)})",
            f"{ADDRESS}={url}",
            f"Start that server, or `unset {ADDRESS}`: one is then started on demand.",
        ) from error
