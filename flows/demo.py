"""Run the main job on simulated stations, from nothing to findings."""

from pathlib import Path

from rich.console import Console

from dd_livm_core.errors import InputError
from dd_livm_core.missions.folder import LABELS
from dd_livm_core.missions.sites import read_sites
from flows.configuration import BUNDLED_PROFILES, load_profile
from flows.inspect_mission import Inspected, inspect_mission
from flows.retrain import Retrained, retrain
from flows.simulate import simulate
from tasks.workspace import Workspace

SEED = 2025
"""Of the simulated stations; arbitrary, and fixed so that every demo shows the same."""


def _has_missions(workspace: Workspace) -> bool:
    """Return whether ``data/`` holds any mission."""
    return any(workspace.data.glob("*/*/mission.json"))


def run_demo(workspace: Workspace, processes: int) -> Retrained:
    """Render stations where ``data/`` is empty, retrain, and inspect a mission as if it had no labels.

    The mission is the first one of the last site scored, which is unseen where there are several.

    Raises
    ------
    InputError
        There are missions in ``data/``, and none is labelled; or a step refuses the data.
    """
    _render_where_empty(workspace, processes)
    if not any(workspace.data.glob(f"*/*/{LABELS}")):
        raise InputError(
            "labelled missions, or none at all",
            "missions without labels",
            workspace.data,
            "Run the demo in a folder of its own: `dd-livm demo --workspace FOLDER`.",
        )
    trained = retrain(
        workspace=workspace.root,
        configuration=load_profile(BUNDLED_PROFILES, "demo"),
        processes=processes,
        reason="demo",
    )
    inspected = inspect_mission(
        source=_choose_mission(workspace, trained),
        workspace=workspace.root,
        processes=processes,
    )
    _print_result(workspace, trained, inspected)
    return trained


def _render_where_empty(workspace: Workspace, processes: int) -> None:
    """Render the demo's stations where there is no mission yet, or go on where a rendering was killed."""
    unfinished = workspace.derived / "demo_rendering"
    if unfinished.exists() or not _has_missions(workspace):
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.touch()  # marks missions in data/ as those of a killed rendering, not the user's
        simulate(workspace, size="tiny", seed=SEED, processes=processes)
        unfinished.unlink()


def _print_result(workspace: Workspace, trained: Retrained, inspected: Inspected) -> None:
    """Print the scores of every site, and where findings and pages are."""
    console = Console()
    simulated = all(site.simulated for site in read_sites(workspace.data).values())
    console.rule("Done")
    for site, metrics in trained.scores.items():
        console.print(
            f"{site:24} detection {metrics['detection_accuracy']:5.1f} %   located and typed "
            f"{metrics['located_and_typed']:5.1f} %   type {metrics['type_accuracy']:5.1f} %   "
            f"mAP50 {metrics['map50']:5.1f} %"
        )
    if simulated:
        console.print("These stations are simulated: the numbers say nothing about a real plant.")
    console.print(f"Findings and pictures: {inspected.output / 'index.html'}", soft_wrap=True)
    console.print("Runs, models and flows: `dd-livm ui`")


def _choose_mission(workspace: Workspace, trained: Retrained) -> Path:
    """Return the folder of the first mission of the last site scored."""
    site = list(trained.scores)[-1]  # unseen sites come last
    return sorted((workspace.data / site).glob("*/mission.json"))[0].parent
