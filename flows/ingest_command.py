"""Take a folder of images into ``data/``."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from dd_livm_core.aligned.mission_labels import (
    LabelReport,
    find_labels,
    list_names,
    take_labels,
)
from dd_livm_core.camera_files.radiometry import read_infrared
from dd_livm_core.errors import InputError
from dd_livm_core.missions.folder import (
    LABEL_CONFLICTS,
    MISSION,
    QUARANTINE,
    read_record,
    validate_record,
)
from dd_livm_core.missions.ingestion import IngestionReport, ingest_mission
from dd_livm_core.records import Mission
from tasks.workspace import Workspace

SHOWN = 10
LOCK_WAIT_S = 5.0


def mission_name(source: Path) -> str:
    """Turn a folder's name into a mission id."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", source.resolve().name).strip("-._")
    return name[:64] or f"mission-{datetime.now():%Y%m%d}"


def mission_record(source: Path, site_id: str, recorded: Mapping[str, object]) -> Mission:
    """Return the record of a flight: the ``mission.json`` beside its images, overruled by what is given.

    Parameters
    ----------
    recorded
        Field → value; None is not given.

    Raises
    ------
    InputError
        The file is broken, or a value is out of its bounds.
    """
    beside = source / MISSION
    known = read_record(beside, Mission).model_dump() if beside.exists() else {}
    given = {name: value for name, value in recorded.items() if value is not None}
    ids = {"site_id": site_id, "mission_id": known.get("mission_id") or mission_name(source)}
    return validate_record(Mission, {**known, **ids, **given}, source)


def ingest_folder(
    workspace: Workspace,
    source: Path,
    mission: Mission,
    *,
    labels: Path | None = None,
    visible_labels: Path | None = None,
    processes: int = 1,
) -> IngestionReport:
    """Ingest one mission and say what was taken, what was set aside and why, and which labels disagree.

    Raises
    ------
    InputError
        No folder, no pair in it, an undeclared site, no usable pair, broken labels, or another process that ingests
        the same mission.
    """
    console = Console()
    labels = find_labels(source, labels, visible_labels)
    name = f"{mission.site_id}-{mission.mission_id}"
    with (
        workspace.lock(f"ingest-{name}", wait_s=LOCK_WAIT_S, purpose=f"ingesting {name}"),
        _bar(console) as bar,
    ):
        shown = bar.add_task(f"ingesting {mission.mission_id}", total=None)

        def advance(done: int, total: int, note: str = "") -> None:
            bar.update(shown, completed=done, total=total)

        report = ingest_mission(
            source,
            workspace.data,
            mission,
            processes=processes,
            progress=advance,
        )
        labelled = labels and take_labels(
            report.mission_dir,
            labels,
            visible_labels,
            names=list_names(report.pairs, source),
            processes=processes,
            progress=advance,
        )
    _print_report(console, report)
    if labelled:
        _print_labels(console, labelled, report.mission_dir / LABEL_CONFLICTS)
    if not report.added and not report.unchanged:
        raise InputError(
            "at least one usable pair of an infrared and a visible image",
            "none",
            source,
            "See the reasons above.",
        )
    return report


def _bar(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _print_report(console: Console, report: IngestionReport) -> None:
    aside = [(str(path), why) for path, why in (*report.quarantined, *report.single)]
    console.print(
        f"{report.added} pairs added, {report.unchanged} unchanged, {len(aside)} files set aside: {report.mission_dir}",
        soft_wrap=True,
    )
    for path, why in aside[:SHOWN]:
        console.print(f"  [yellow]set aside[/yellow] {escape(path)}: {escape(why)}", soft_wrap=True)
    if len(aside) > SHOWN:
        console.print(f"  ... and {len(aside) - SHOWN} more in {report.mission_dir / QUARANTINE}")
    if report.without_temperatures:
        example = report.without_temperatures[0]
        console.print(
            f"  [yellow]no temperatures[/yellow] in {len(report.without_temperatures)} of the new infrared images: "
            f"they give shape only, never a ΔT. {escape(example.name)}: {escape(str(read_infrared(example).reason))}",
            soft_wrap=True,
        )
    if report.remarks:
        noted, remark = report.remarks[0]
        console.print(
            f"  [yellow]please note[/yellow] of {len(report.remarks)} of the new infrared images: "
            f"{escape(noted.name)}: {escape(remark)}",
            soft_wrap=True,
        )


def _print_labels(console: Console, report: LabelReport, conflicts: Path) -> None:
    console.print(f"{report.labelled} pairs are labelled")
    if report.unmatched:
        names = escape(", ".join(report.unmatched[:SHOWN]))
        more = f" and {len(report.unmatched) - SHOWN} more" if len(report.unmatched) > SHOWN else ""
        console.print(f"  [yellow]labels of no pair[/yellow] {names}{more}", soft_wrap=True)
    for pair_id, conflict in report.conflicts[:SHOWN]:
        box = conflict.infrared or conflict.visible
        place = " at x {:.0f}, y {:.0f} px".format(*box.box_xywh_px) if box else ""
        console.print(
            f"  [yellow]please look[/yellow] {pair_id}{place}: {conflict.reason}", soft_wrap=True
        )
    if report.conflicts:
        console.print(
            f"  {len(report.conflicts)} disagreements in all: {conflicts}", soft_wrap=True
        )
