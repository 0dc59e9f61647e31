"""Serve the MLflow and Prefect pages, both on loopback."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console

from dd_livm_core.errors import InputError
from flows.running_server import answers, server_file, write_note
from tasks.artifact_store import ARTIFACTS
from tasks.tracking import client
from tasks.workspace import Workspace

HOST = "127.0.0.1"
"""Loopback only: the pages have no login."""
START_LIMIT_S = 180.0
"""Longest wait for both servers; each first makes its database. Chosen."""
END_LIMIT_S = 20.0
"""Longest wait for a server to end by itself before it is killed. Chosen."""
LOOK_AGAIN_S = 0.5
"""Time between two looks at the servers. Chosen."""


def _require_free_port(port: int) -> None:
    """Raise an `InputError` where a port is in use."""
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise InputError(
                "a free port",
                "one in use",
                f"{HOST}:{port}",
                "Choose another with --mlflow-port or --prefect-port.",
            ) from None


def serve_pages(workspace: Workspace, *, mlflow_port: int, prefect_port: int) -> None:
    """Start both servers, print their addresses, and end both on Ctrl-C or when one ends.

    Raises
    ------
    InputError
        A port is taken, or a server does not start.
    """
    for port in (mlflow_port, prefect_port):
        _require_free_port(port)
    client(workspace)  # makes the store before the page asks for it
    console = Console()
    api_url = f"http://{HOST}:{prefect_port}/api"
    pages = {
        "MLflow": (f"http://{HOST}:{mlflow_port}", f"http://{HOST}:{mlflow_port}/health"),
        "Prefect": (f"http://{HOST}:{prefect_port}", f"{api_url}/health"),
    }
    servers: list[subprocess.Popen[bytes]] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `kill` ends both, as Ctrl-C does
    try:
        servers.append(
            _start(
                workspace,
                "mlflow",
                _mlflow_command(workspace, mlflow_port),
                MLFLOW_TRACKING_URI=workspace.tracking_uri,
            )
        )
        command = ["prefect", "server", "start", "--host", HOST, "--port", str(prefect_port)]
        servers.append(_start(workspace, "prefect", command, PREFECT_UI_API_URL=api_url))
        with console.status("Starting the pages ..."):
            _wait_for_pages(pages, servers, _log_folder(workspace))
        write_note(workspace, api_url)
        for name, (page, _) in pages.items():
            console.print(f"{name:8} [link={page}]{page}[/link]")
        console.print("Ctrl-C ends both.")
        while all(server.poll() is None for server in servers):
            time.sleep(LOOK_AGAIN_S)
    except KeyboardInterrupt:
        console.print("Ending ...")
    finally:
        server_file(workspace).unlink(missing_ok=True)
        _end_servers(servers)


def _mlflow_command(workspace: Workspace, port: int) -> list[str]:
    """Return MLflow's server as a command, for ``python -m``."""
    return [
        *("mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", workspace.tracking_uri),
        *("--default-artifact-root", ARTIFACTS),
    ]


def _log_folder(workspace: Workspace) -> Path:
    """Return the folder of the servers' logs."""
    return workspace.derived / "logs"


def _start(
    workspace: Workspace, name: str, command: list[str], **environment: str
) -> "subprocess.Popen[bytes]":
    """Start a server in a process group of its own, which logs to a file."""
    _log_folder(workspace).mkdir(parents=True, exist_ok=True)
    with (_log_folder(workspace) / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=log,
            stderr=log,
            cwd=workspace.root,
            env={**os.environ, **environment},
            start_new_session=True,
        )


def _end_servers(servers: list["subprocess.Popen[bytes]"]) -> None:
    """Interrupt the servers; kill what has not ended in time."""
    for server in servers:
        _signal_group(server, signal.SIGINT)
    for server in servers:
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(END_LIMIT_S)
        _signal_group(server, signal.SIGKILL)


def _signal_group(server: "subprocess.Popen[bytes]", number: int) -> None:
    """Send a signal to a server and its workers, which would outlive it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, number)


def _wait_for_pages(
    pages: dict[str, tuple[str, str]], servers: list["subprocess.Popen[bytes]"], logs: Path
) -> None:
    """Wait until every page, name → (page, health check), answers.

    Raises
    ------
    InputError
        A server has ended, or one does not answer in time.
    """
    started = time.monotonic()
    waiting = dict(pages)
    while waiting:
        for name, (_, health) in list(waiting.items()):
            if answers(health):
                del waiting[name]
        if any(server.poll() is not None for server in servers) or (
            time.monotonic() - started > START_LIMIT_S
        ):
            raise InputError(
                "both servers to start",
                f"no answer from {', '.join(waiting)}",
                logs,
                "Read the logs there.",
            )
        time.sleep(LOOK_AGAIN_S)
