"""Render simulated stations into ``data/``, with a bar to watch."""

from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dd_livm_core.fleet.missions.writing import write_fleet
from dd_livm_core.fleet.profile import Profile
from tasks.workspace import Workspace


def truth_folder(workspace: Workspace) -> Path:
    """Return where the truth of simulated stations goes unless told otherwise: never into ``data/``."""
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
    """Render stations into the workspace's ``data/`` and return their missions; seeded and repeatable.

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
