"""Inspect one mission without labels: pair its images, find its defects, hand the result out."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from prefect import get_run_logger, task
from prefect.artifacts import create_image_artifact, create_markdown_artifact
from pydantic import BaseModel, ConfigDict

from dd_livm_core.aligned.store import SUMMARY
from dd_livm_core.errors import InputError
from dd_livm_core.files import hash_file, write_json
from dd_livm_core.inspection.findings import LEFT_OPEN, Inspection, inspect_pairs
from dd_livm_core.inspection.pair_pictures import write_pair_pictures
from dd_livm_core.inspection.pictures import data_url
from dd_livm_core.inspection.record import inspection_record
from dd_livm_core.missions.folder import MISSION, read_record
from dd_livm_core.missions.pair_facts import reader_version
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.pairing import pair_folder
from dd_livm_core.model.weights import WEIGHTS, load_detector
from dd_livm_core.records import FROM_FILE, Mission
from tasks.alignment_page import PAGE, write_alignment_page
from tasks.model_facts import ModelFacts
from tasks.progress import StepProgress
from tasks.report_folder import FINDINGS, IMAGES, place_report
from tasks.step import Reference, Step
from tasks.workspace import Workspace

PICTURES = "pictures"
LOCK_WAIT_S = 60.0
"""Copying another report takes seconds."""

SHOWN_PAIRS = 2
"""Pairs on Prefect's page, those with most findings; few, as each is an image of its own there. Chosen."""

inspect_step = Step("inspect", "1", ("tasks.inspection",), ignore=("processes",))


class HashedPair(BaseModel):
    """A pair's files with the hashes of their content; None where there is no visible one."""

    model_config = ConfigDict(frozen=True)

    files: PairFiles
    infrared_sha256: str
    visible_sha256: str | None


class FoundPairs(BaseModel):
    """The pairs of a folder, infrared images alone included, and (file, reason) of what was set aside.

    ``reader`` names what reads the files here and now, so that findings made without a reader are not reused with it.
    """

    model_config = ConfigDict(frozen=True)

    source: Path
    pairs: tuple[HashedPair, ...]
    set_aside: tuple[tuple[str, str], ...]
    reader: str


class InspectedMission(BaseModel):
    """The stored result of an inspection, with its counts as of `inspection_record`."""

    model_config = ConfigDict(frozen=True)

    result: Reference
    pairs: int
    infrared_alone: int
    failed: int
    unreadable: int
    findings: int

    def describe(self) -> str:
        """Return the counts as a sentence, and what infrared images alone leave open."""
        text = f"{self.findings} findings in {self.pairs} pairs"
        if self.unreadable:
            text += f", {self.unreadable} more could not be read"
        if self.infrared_alone:
            text += f". {self.infrared_alone} of {self.pairs} pairs are {LEFT_OPEN}"
        return text


@task(name="pair", version="1", task_run_name="pair the images of {source}")
def find_pairs(workspace: Workspace, source: Path) -> FoundPairs:
    """Return the pairs of images in a folder, with hashes of their content.

    Infrared images without a visible one count as pairs; other single images are set aside.

    Raises
    ------
    InputError
        There is no infrared image.
    """
    report = pair_folder(source)
    aside = [(str(path), why) for path, why in report.single]
    for path, why in aside:
        get_run_logger().warning("Set aside %s: %s", path, why)
    if not report.pairs:
        raise InputError(
            "infrared images, with visible ones or alone",
            f"none ({len(aside)} files set aside)" if aside else "none",
            source,
            "Name them as the drone does (..._T.JPG with ..._V.JPG), or put them in folders infrared/ and visible/.",
        )
    record = source / MISSION
    mission = read_record(record, Mission) if record.exists() else None
    unit = mission.infrared_unit if mission else None
    parameters = mission.measurement_parameters if mission else FROM_FILE
    pairs = tuple(
        HashedPair(
            files=replace(pair, infrared_unit=unit, measurement_parameters=parameters),
            infrared_sha256=hash_file(pair.infrared),
            visible_sha256=hash_file(pair.visible) if pair.visible else None,
        )
        for pair in report.pairs
    )
    return FoundPairs(
        source=source,
        pairs=pairs,
        set_aside=tuple(aside),
        reader=reader_version(unit, parameters),
    )


@task(
    name="inspect",
    version="1",
    task_run_name="align and detect",
    cache_key_fn=inspect_step,
    persist_result=True,
    result_serializer="json",
)
def align_and_detect(
    workspace: Workspace,
    found: FoundPairs,
    detector: Reference,
    facts: ModelFacts,
    processes: int,
) -> InspectedMission:
    """Align the pairs, find defects, and store findings, pages and pictures of every pair that can be read."""
    progress = StepProgress("inspection", f"inspecting {found.source.name}, pairs")
    model = load_detector(detector.folder(workspace) / WEIGHTS)
    pairs = [pair.files for pair in found.pairs]

    def write(folder: Path) -> str:
        with tempfile.TemporaryDirectory(dir=folder.parent) as store:
            inspection = inspect_pairs(
                model, pairs, Path(store), processes=processes, progress=progress
            )
            _write_inspection(folder, found, facts, inspection)
            return inspection.alignment.describe_unreadable()

    parameters = {"workspace": workspace, "found": found, "detector": detector, "facts": facts}
    result = inspect_step.produce(workspace, parameters, write)
    counts = json.loads((result.folder(workspace) / FINDINGS).read_text(encoding="utf-8"))["counts"]
    return InspectedMission(result=result, **counts)


def _write_inspection(
    folder: Path, found: FoundPairs, facts: ModelFacts, inspection: Inspection
) -> None:
    """Write an inspection's findings, pages and pictures into a folder."""
    write_json(folder / SUMMARY, inspection.alignment.as_json())
    write_alignment_page(folder / PAGE, inspection.store, folder / SUMMARY, found.source.name)
    (folder / PICTURES).mkdir()
    write_pair_pictures(inspection, folder / PICTURES)
    content = {
        "source": str(found.source),
        "model": facts.model_dump(mode="json"),
        IMAGES: sorted(pair.infrared_sha256 for pair in found.pairs),
        "alignment": inspection.alignment.counts(),
        **inspection_record(inspection, [pair.files for pair in found.pairs], found.set_aside),
    }
    (folder / FINDINGS).write_text(json.dumps(content, indent=2), encoding="utf-8")
    (folder / "index.html").write_text(inspection_page(content), encoding="utf-8")


def inspection_page(content: Mapping[str, Any]) -> str:
    """Return an inspection as an HTML page, pairs with most findings first; ``content`` is its ``findings.json``."""
    environment = Environment(loader=PackageLoader("tasks"), autoescape=True)
    pairs = sorted(content["pairs"], key=lambda pair: (-pair["findings"], pair["pair_id"]))
    template = environment.get_template("inspection.html")
    return template.render(**{**content, "pairs": pairs, "name": Path(content["source"]).name})


@task(name="findings", version="1", task_run_name="write findings")
def write_findings(
    workspace: Workspace,
    found: FoundPairs,
    inspected: InspectedMission,
    destination: Path | None,
    model: str,
) -> Path:
    """Copy the stored inspection to where the user wants it, as `place_report` does; return where it lies.

    Parameters
    ----------
    destination
        None is reports/<name of the source> in the workspace.

    Raises
    ------
    InputError
        The destination holds something else, or the inspection of another flight.
    """
    wanted = destination or workspace.root / "reports" / (found.source.resolve().name or "mission")
    with workspace.lock("reports", wait_s=LOCK_WAIT_S, purpose="writing reports"):
        placed = place_report(
            inspected.result.folder(workspace), wanted, named_by_user=destination is not None
        )
    if placed.replaced:
        get_run_logger().info("The earlier report of these images was replaced: %s", placed.folder)
    if placed.folder != wanted:
        get_run_logger().warning("%s is another flight's report: kept", wanted)
    destination = placed.folder
    create_markdown_artifact(
        f"# {found.source.name}\n{inspected.describe()}.\n\nModel `{model}`: `{destination / 'index.html'}`",
        key="inspection",
    )
    content = json.loads((destination / FINDINGS).read_text(encoding="utf-8"))
    for pair in sorted(content["pairs"], key=lambda pair: -pair["findings"])[:SHOWN_PAIRS]:
        create_image_artifact(
            data_url(destination / PICTURES / f"{pair['pair_id']}.jpg"),
            key="inspected-pair",
            description=f"{pair['pair_id']}: {pair['findings']} findings",
        )
    return destination
