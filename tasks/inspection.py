"""Inspect one mission without labels."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from prefect import get_run_logger, task
from prefect.artifacts import create_image_artifact, create_markdown_artifact
from pydantic import BaseModel, ConfigDict

from dd_livm_core.camera_files.metadata import read_metadata
from dd_livm_core.errors import InputError
from dd_livm_core.files import write_json
from dd_livm_core.inspection.findings import Inspection, findings_table, inspect_pairs
from dd_livm_core.inspection.overlays import checkerboard
from dd_livm_core.inspection.pictures import detection_picture, infrared_picture, write_picture
from dd_livm_core.missions.folder import MISSION, read_record
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.pairing import pair_folder
from dd_livm_core.model.weights import WEIGHTS, load_detector
from dd_livm_core.records import DeclaredUnit, Mission
from tasks.alignment_page import PAGE, SUMMARY, write_alignment_page
from tasks.progress import StepProgress
from tasks.register import ModelFacts
from tasks.report import data_url
from tasks.step import Reference, Step, hash_file
from tasks.workspace import Workspace

FINDINGS = "findings.json"
PICTURES = "pictures"

inspect_step = Step("inspect", "1", ("tasks.inspection",), ignore=("processes",))


class FoundPair(BaseModel):
    """A pair's two files, named by path and content."""

    model_config = ConfigDict(frozen=True)

    pair_id: str
    infrared: Path
    visible: Path
    infrared_sha256: str
    visible_sha256: str


class FoundPairs(BaseModel):
    """The pairs of a folder, and what was set aside."""

    model_config = ConfigDict(frozen=True)

    source: Path
    pairs: tuple[FoundPair, ...]
    infrared_unit: DeclaredUnit | None
    set_aside: tuple[tuple[str, str], ...]


class InspectedMission(BaseModel):
    """The stored result of an inspection."""

    model_config = ConfigDict(frozen=True)

    result: Reference
    pairs: int
    failed: int
    findings: int


@task(name="pair", version="1", task_run_name="pair the images of {source}")
def find_pairs(workspace: Workspace, source: Path) -> FoundPairs:
    """Pair the images of a folder.

    Raises
    ------
    InputError
        There is no pair.
    """
    report = pair_folder(source)
    aside = [(str(path), why) for path, why in report.single]
    for path, why in aside:
        get_run_logger().warning("Set aside %s: %s", path, why)
    if not report.pairs:
        raise InputError(
            "pairs of an infrared and a visible image",
            f"none ({len(aside)} single images)" if aside else "none",
            source,
            "Name them as the drone does (..._T.JPG with ..._V.JPG), or put them in folders infrared/ and visible/.",
        )
    pairs = tuple(
        FoundPair(
            pair_id=pair.pair_id,
            infrared=pair.infrared,
            visible=pair.visible,
            infrared_sha256=hash_file(pair.infrared),
            visible_sha256=hash_file(pair.visible),
        )
        for pair in report.pairs
    )
    record = source / MISSION
    unit = read_record(record, Mission).infrared_unit if record.exists() else None
    return FoundPairs(source=source, pairs=pairs, infrared_unit=unit, set_aside=tuple(aside))


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
    """Align the pairs, find defects, and store findings with a picture of every pair that has some."""
    progress = StepProgress("inspection", f"inspecting {found.source.name}, pairs")
    model = load_detector(detector.folder(workspace) / WEIGHTS)
    pairs = [
        PairFiles(pair.pair_id, pair.infrared, pair.visible, infrared_unit=found.infrared_unit)
        for pair in found.pairs
    ]

    def write(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder.parent) as store:
            inspection = inspect_pairs(
                model, pairs, Path(store), processes=processes, progress=progress
            )
            _write_inspection(folder, found, facts, inspection)

    parameters = {"workspace": workspace, "found": found, "detector": detector, "facts": facts}
    result = inspect_step.produce(workspace, parameters, write)
    counts = json.loads((result.folder(workspace) / FINDINGS).read_text())["counts"]
    return InspectedMission(result=result, **counts)


def _write_inspection(
    folder: Path, found: FoundPairs, facts: ModelFacts, inspection: Inspection
) -> None:
    (folder / PICTURES).mkdir()
    write_json(folder / SUMMARY, inspection.alignment.as_json())
    name = found.source.name
    write_alignment_page(folder / PAGE, inspection.store, folder / SUMMARY, name)
    table = findings_table(inspection)
    files = {pair.pair_id: pair for pair in found.pairs}
    store = inspection.store
    pair_records = []
    for number, row in enumerate(store.index.itertuples()):
        pair_id = str(row.pair_id)
        of_pair = table[table["pair_id"] == pair_id]
        excess, mask = store.infrared_excess[number], store.panel_mask[number]
        visible = store.visible[number]
        boxes = of_pair[["x_px", "y_px", "width_px", "height_px"]].to_numpy(float, copy=True)
        boxes[:, 2:] += boxes[:, :2]
        picture = detection_picture(
            excess,
            mask,
            visible,
            boxes,
            list(of_pair["defect_class"]),
            list(of_pair["confidence"]),
        )
        write_picture(folder / PICTURES / f"{pair_id}.jpg", picture)
        board = checkerboard(infrared_picture(excess, mask), visible)
        write_picture(folder / PICTURES / f"{pair_id}_alignment.jpg", board)
        pair_records.append(_pair_record(files[pair_id], row, len(of_pair)))
    failed = [a for a in inspection.alignment.alignments if a.status == "failed"]
    aside = [{"file": name, "reason": why} for name, why in found.set_aside]
    aside += [
        {"pair_id": pair_id, "reason": why} for pair_id, why in inspection.alignment.unreadable
    ]
    aside += [{"pair_id": a.pair_id, "reason": a.reason} for a in failed]
    content = {
        "source": str(found.source),
        "model": facts.model_dump(mode="json"),
        "counts": {
            "pairs": len(pair_records),
            "failed": len(failed) + len(inspection.alignment.unreadable),
            "findings": len(table),
        },
        "alignment": inspection.alignment.counts(),
        "pairs": pair_records,
        "findings": [asdict(finding) for finding in inspection.findings],
        "set_aside": aside,
    }
    (folder / FINDINGS).write_text(json.dumps(content, indent=2))
    (folder / "index.html").write_text(page(content))


def _pair_record(files: FoundPair, row: Any, findings: int) -> dict[str, object]:
    metadata = read_metadata(files.infrared)
    return {
        "pair_id": files.pair_id,
        "infrared": str(files.infrared),
        "visible": str(files.visible),
        "latitude_deg": metadata.latitude_deg,
        "longitude_deg": metadata.longitude_deg,
        "relative_altitude_m": metadata.relative_altitude_m,
        "taken_at": metadata.taken_at.isoformat() if metadata.taken_at else None,
        "radiometric": bool(row.radiometric),
        "alignment": str(row.status),
        "alignment_confidence": round(float(row.confidence), 4),
        "findings": findings,
    }


def page(content: Mapping[str, Any]) -> str:
    """Return the inspection as one page: pairs with findings first."""
    environment = Environment(loader=PackageLoader("tasks"), autoescape=True)
    pairs = sorted(content["pairs"], key=lambda pair: (-pair["findings"], pair["pair_id"]))
    template = environment.get_template("inspection.html")
    return template.render(**{**content, "pairs": pairs, "name": Path(content["source"]).name})


@task(name="findings", version="1", task_run_name="write findings")
def write_findings(
    workspace: Workspace,
    found: FoundPairs,
    inspected: InspectedMission,
    destination: Path,
    model: str,
) -> None:
    """Put the stored inspection where the user wants it, replacing an inspection that lies there.

    Raises
    ------
    InputError
        The destination holds something else.
    """
    if (
        destination.exists()
        and any(destination.iterdir())
        and not (destination / FINDINGS).exists()
    ):
        raise InputError(
            "an empty folder or an earlier inspection",
            "other files",
            destination,
            "Give another folder with --output.",
        )
    destination.parent.mkdir(parents=True, exist_ok=True)
    unfinished = destination.with_name(f".{destination.name}.{os.getpid()}")
    shutil.copytree(inspected.result.folder(workspace), unfinished)
    if destination.exists():
        former = destination.with_name(f".{destination.name}.{os.getpid()}.former")
        destination.replace(former)
        unfinished.replace(destination)
        shutil.rmtree(former)
    else:
        unfinished.replace(destination)
    create_markdown_artifact(
        f"# {found.source.name}\n{inspected.findings} findings in {inspected.pairs} pairs, "
        f"{inspected.failed} not aligned, with model `{model}`.\n\n`{destination / 'index.html'}`",
        key="inspection",
    )
    content = json.loads((destination / FINDINGS).read_text())
    for pair in sorted(content["pairs"], key=lambda pair: -pair["findings"])[:2]:
        create_image_artifact(
            data_url(destination / PICTURES / f"{pair['pair_id']}.jpg"),
            key="inspected-pair",
            description=f"{pair['pair_id']}: {pair['findings']} findings",
        )
