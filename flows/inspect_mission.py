"""Find defects in one mission without labels."""

from pathlib import Path

from prefect import flow, get_run_logger
from pydantic import BaseModel, ConfigDict, PositiveInt

from flows.folder_parameters import AnyFolder, ExistingFolder
from tasks.inspection import InspectedMission, align_and_detect, find_pairs, write_findings
from tasks.register import model_facts, require_detector
from tasks.step import run_step
from tasks.workspace import Workspace, keep_temperatures_in


class Inspected(BaseModel):
    """Where an inspection lies, and its counts.

    Attributes
    ----------
    pairs
        Pairs that were inspected.
    infrared_alone
        Those of them that were inspected on their infrared image alone.
    set_aside
        Images in no pair, and pairs that could not be read.
    """

    model_config = ConfigDict(frozen=True)

    output: Path
    pairs: int
    infrared_alone: int
    findings: int
    set_aside: int


@flow(name="inspect_mission", flow_run_name="inspect {source}", validate_parameters=True)
def inspect_mission(
    source: ExistingFolder,
    workspace: ExistingFolder = Path(),
    output: AnyFolder | None = None,
    model: str = "champion",
    processes: PositiveInt = 2,
) -> Inspected:
    """Pair and align the images of a folder, and find defects in them with a registered model.

    Infrared images without a visible one are inspected alone, and so are those of pairs that cannot be aligned.

    Parameters
    ----------
    source
        Folder of one mission's images; nothing in it is changed.
    workspace
        Folder that holds mlruns/ and all results.
    output
        Folder for ``findings.json``, pictures and ``index.html``; default: reports/<name of source>, with a number
    where another flight's report lies there.
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
    destination = write_findings(place, found, inspected, output, model)
    get_run_logger().info("%s: %s", inspected.describe(), destination / "index.html")
    return Inspected(
        output=destination,
        pairs=inspected.pairs,
        infrared_alone=inspected.infrared_alone,
        findings=inspected.findings,
        set_aside=len(found.set_aside) + inspected.unreadable,
    )
