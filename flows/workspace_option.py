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


def open_workspace(workspace: Path, *, runs_flow: bool = False) -> "Workspace":
    """Return the workspace at a folder, with Prefect and MLflow set up for it.

    Parameters
    ----------
    runs_flow
        Whether the command needs a Prefect server: an exported address is then tried, and whether there is room.

    Raises
    ------
    InputError
        No such folder, no server at the exported address, or no room for a flow's files.
    """
    from flows.running_server import require_exported_server, use_running_server
    from tasks.disk_space import require_writable
    from tasks.workspace import Workspace, keep_temperatures_in, set_prefect_defaults

    opened = Workspace.at(workspace)
    if runs_flow:
        require_writable(opened)
    set_prefect_defaults(opened)
    keep_temperatures_in(opened)
    if runs_flow:
        require_exported_server()
    use_running_server(opened)
    os.environ.setdefault("PYTHONUTF8", "1")  # of servers and tools started from here
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    return opened
