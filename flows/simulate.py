"""Render simulated stations into ``data/``, with a bar in the terminal."""

from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dd_livm_core.fleet.missions.writing import write_fleet
from dd_livm_core.fleet.profile import Profile
from tasks.workspace import Workspace


def truth_folder(workspace: Workspace) -> Path:
    """Return the default folder for the exact truth of simulated stations, which must lie outside ``data/``."""
    return workspace.derived / "fleet_truth"


def simulate(
    workspace: Workspace,
    *,
    size: str,
    seed: int,
    processes: int,
    profiles: Sequence[Profile] | None = None,
    truth_root: Path | None = None,
) -> list[Path]:
    """Render stations into the workspace's ``data/`` and return their missions; one seed always gives the same files.

    Parameters
    ----------
    size
        "tiny", "small" or "full": pairs per station.
    profiles
        The stations; None takes the bundled ones.
    truth_root
        Where the exact truth goes; None takes `truth_folder`.

    Raises
    ------
    InputError
        Unknown size, two profiles of one station, or a truth folder inside ``data/``.
    """
    with (
        workspace.data_lock("rendering into data/"),
        Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        ) as bar,
    ):
        shown = bar.add_task("rendering simulated stations", total=None)

        def advance(done: int, total: int, note: str) -> None:
            bar.update(shown, completed=done, total=total)

        return write_fleet(
            workspace.data,
            profiles=profiles,
            size=size,
            seed=seed,
            truth_root=truth_root or truth_folder(workspace),
            processes=processes,
            progress=advance,
        )
