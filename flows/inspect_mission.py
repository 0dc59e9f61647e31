"""From one mission without labels to findings and overlays."""

from pathlib import Path

from prefect import flow, get_run_logger
from pydantic import BaseModel, ConfigDict, DirectoryPath, PositiveInt

from tasks.inspection import InspectedMission, align_and_detect, find_pairs, write_findings
from tasks.register import model_facts, require_detector
from tasks.step import run_step
from tasks.workspace import Workspace, keep_temperatures_in


class Inspected(BaseModel):
    """What an inspection found and where it lies."""

    model_config = ConfigDict(frozen=True)

    output: Path
    pairs: int
    findings: int
    set_aside: int


@flow(name="inspect_mission", flow_run_name="inspect {source}", validate_parameters=True)
def inspect_mission(
    source: DirectoryPath,
    workspace: DirectoryPath = Path(),
    output: Path | None = None,
    model: str = "champion",
    processes: PositiveInt = 2,
) -> Inspected:
    """Pair, align and inspect a folder of images with a registered model.

    Parameters
    ----------
    source
        Folder of one mission's images; nothing in it is changed.
    workspace
        Folder that holds mlruns/ and all results.
    output
        Where ``findings.json``, overlays and ``index.html`` go; default: reports/<name of source>.
    model
        Alias or version of the registered model.
    processes
        Processes for per-pair work; does not change the result.
    """
    place = Workspace.at(workspace)
    keep_temperatures_in(place)
    detector = require_detector(place, model)
    found = find_pairs(place, source)
    facts = model_facts(place, model)
    inspected: InspectedMission = run_step(
        align_and_detect, place, found, detector, facts, processes
    )
    destination = output or place.root / "reports" / source.resolve().name
    write_findings(place, found, inspected, destination, model)
    get_run_logger().info(
        "%d findings in %d pairs: %s",
        inspected.findings,
        inspected.pairs,
        destination / "index.html",
    )
    return Inspected(
        output=destination,
        pairs=inspected.pairs,
        findings=inspected.findings,
        set_aside=len(found.set_aside) + inspected.failed,
    )
