"""The MLflow and Prefect pages, both on loopback."""

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
START_LIMIT_S = 180.0


def _require_free_port(port: int) -> None:
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
    """Start both servers, say where they are, and end them on Ctrl-C or when one ends.

    Raises
    ------
    InputError
        A port is taken, or a server does not start.
    """
    for port in (mlflow_port, prefect_port):
        _require_free_port(port)
    client(workspace)  # the store exists before the page asks for it
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
            _wait(pages, servers, _logs(workspace))
        write_note(workspace, api_url)
        for name, (page, _) in pages.items():
            console.print(f"{name:8} [link={page}]{page}[/link]")
        console.print("Ctrl-C ends both.")
        while all(server.poll() is None for server in servers):
            time.sleep(0.5)
    except KeyboardInterrupt:
        console.print("Ending ...")
    finally:
        server_file(workspace).unlink(missing_ok=True)
        _end(servers)


def _mlflow_command(workspace: Workspace, port: int) -> list[str]:
    return [
        *("mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", workspace.tracking_uri),
        *("--default-artifact-root", ARTIFACTS),
    ]


def _logs(workspace: Workspace) -> Path:
    return workspace.derived / "logs"


def _start(
    workspace: Workspace, name: str, command: list[str], **environment: str
) -> "subprocess.Popen[bytes]":
    """Start a server in a process group of its own; what it says goes to a log file."""
    _logs(workspace).mkdir(parents=True, exist_ok=True)
    with (_logs(workspace) / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=log,
            stderr=log,
            cwd=workspace.root,
            env={**os.environ, **environment},
            start_new_session=True,
        )


def _end(servers: list["subprocess.Popen[bytes]"]) -> None:
    for server in servers:
        _signal_group(server, signal.SIGINT)
    for server in servers:
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(20)
        _signal_group(server, signal.SIGKILL)


def _signal_group(server: "subprocess.Popen[bytes]", number: int) -> None:
    """Reach a server's own workers too: they outlive it otherwise."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, number)


def _wait(
    pages: dict[str, tuple[str, str]], servers: list["subprocess.Popen[bytes]"], logs: Path
) -> None:
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
        time.sleep(0.5)
