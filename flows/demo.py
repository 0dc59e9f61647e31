"""The main job on simulated stations, from nothing to findings."""

from pathlib import Path

from rich.console import Console

from dd_livm_core.errors import InputError
from dd_livm_core.missions.folder import LABELS
from dd_livm_core.missions.sites import read_sites
from flows.configuration import BUNDLED_PROFILES, load_profile
from flows.inspect_mission import inspect_mission
from flows.retrain import Retrained, retrain
from flows.simulate import simulate
from tasks.workspace import Workspace

SEED = 2025


def _holds_missions(workspace: Workspace) -> bool:
    return any(workspace.data.glob("*/*/mission.json"))


def run_demo(workspace: Workspace, processes: int) -> Retrained:
    """Render, retrain, and inspect the unseen station's mission as if it had no labels.

    Raises
    ------
    InputError
        There are missions in ``data/``, and none is labelled.
    """
    console = Console()
    unfinished = workspace.derived / "demo_rendering"
    if unfinished.exists() or not _holds_missions(workspace):
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.touch()  # a killed rendering is taken up again, not taken for missions of the user
        simulate(workspace, size="tiny", seed=SEED, processes=processes)
        unfinished.unlink()
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
    return trained


def _choose_mission(workspace: Workspace, trained: Retrained) -> Path:
    site = list(trained.scores)[-1]  # unseen sites come last
    return sorted((workspace.data / site).glob("*/mission.json"))[0].parent
