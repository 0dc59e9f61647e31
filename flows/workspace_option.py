"""Options that many commands share: the folder to work in, the processes to work with."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tasks.workspace import Workspace

WorkspaceOption = Annotated[
    Path,
    typer.Option("--workspace", "-w", help="Folder that holds data/, mlruns/ and all results."),
]
ProcessesOption = Annotated[
    int, typer.Option(min=1, max=64, help="Processes for per-pair work.", show_default="all cores")
]
CORES = os.cpu_count() or 1


def open_workspace(workspace: Path) -> "Workspace":
    """Return the workspace at a folder, with Prefect and MLflow set up for it."""
    from flows.running_server import use_running_server
    from tasks.workspace import Workspace, keep_temperatures_in, prefect_environment

    opened = Workspace.at(workspace)
    prefect_environment(opened)
    keep_temperatures_in(opened)
    use_running_server(opened)
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    return opened
