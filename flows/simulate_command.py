"""The command that renders simulated stations."""

from pathlib import Path
from typing import Annotated

import typer

from flows.workspace_option import CORES, ProcessesOption, WorkspaceOption, open_workspace


def simulate_stations(
    size: Annotated[
        str,
        typer.Option(
            help="Pairs per station: `tiny` 24, `small` 40, `full` 787 (7,078 in all). "
            "Without --station, `tiny` renders three of the nine bundled stations."
        ),
    ] = "tiny",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
    station: Annotated[
        list[Path] | None,
        typer.Option(
            help="TOML file of a station's profile; repeat for several. Default: bundled stations."
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the exact truth, outside data/. Default: .dd_livm/fleet_truth in the workspace."
        ),
    ] = None,
    processes: ProcessesOption = CORES,
    workspace: WorkspaceOption = Path(),
) -> None:
    """Render simulated stations into `data/`: images, labels and metadata. Their exact truth goes to another folder.

    A station of your own is one TOML file (see docs/fleet.md for its keys).

    Example:  `dd-livm simulate --size small --station my_station.toml`
    """
    opened = open_workspace(workspace)
    from dd_livm_core.fleet.profile_files import load_profile
    from flows.simulate import simulate

    profiles = [load_profile(path.expanduser()) for path in station] if station else None
    missions = simulate(
        opened,
        size=size,
        seed=seed,
        processes=processes,
        profiles=profiles,
        truth_root=truth.expanduser().resolve() if truth else None,
    )
    typer.echo("Simulated missions:")
    for mission in missions:
        typer.echo(f"  {mission}")
