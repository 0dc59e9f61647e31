"""The folder that every command works in."""

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


def open_workspace(workspace: Path) -> "Workspace":
    """Return the workspace at a folder, with Prefect and MLflow set up for it."""
    from tasks.workspace import Workspace, prefect_environment

    opened = Workspace.at(workspace)
    prefect_environment(opened)
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    return opened
