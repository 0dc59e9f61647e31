"""Options that many commands share: the folder to work in, and the number of processes."""

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
    int,
    typer.Option(
        min=1,
        max=64,
        help="Processes that work on pairs; does not change the result.",
        show_default="all cores",
    ),
]
CORES = os.cpu_count() or 1


def open_workspace(workspace: Path) -> "Workspace":
    """Return the workspace at a folder, with this process's environment set up for it.

    Call this before Prefect is imported.

    Raises
    ------
    InputError
        There is no such folder.
    """
    from flows.running_server import use_running_server
    from tasks.workspace import Workspace, set_prefect_defaults

    opened = Workspace.at(workspace)
    set_prefect_defaults(opened)
    use_running_server(opened)
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    return opened
