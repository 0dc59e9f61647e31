"""Take a folder of images into ``data/``."""

import re
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from dd_livm_core.errors import InputError
from dd_livm_core.ingestion import IngestionReport, ingest_mission
from dd_livm_core.records import Mission
from tasks.workspace import Workspace

SHOWN = 10


def mission_name(source: Path) -> str:
    """Turn a folder's name into a mission id."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", source.resolve().name).strip("-._")
    return name[:64] or f"mission-{datetime.now():%Y%m%d}"


def ingest_folder(
    workspace: Workspace,
    source: Path,
    *,
    site_id: str,
    mission_id: str | None,
    labels: Path | None,
    irradiance_w_m2: float | None,
    wind_m_s: float | None,
    ambient_c: float | None,
) -> IngestionReport:
    """Ingest one mission and say what was taken, what was set aside and why.

    Raises
    ------
    InputError
        No folder, no pair in it, an undeclared site, or no usable pair.
    """
    mission = Mission(
        mission_id=mission_id or mission_name(source),
        site_id=site_id,
        irradiance_w_m2=irradiance_w_m2,
        wind_m_s=wind_m_s,
        ambient_c=ambient_c,
    )
    console = Console()
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    ) as bar:
        shown = bar.add_task(f"ingesting {mission.mission_id}", total=None)

        def advance(done: int, total: int, note: str = "") -> None:
            bar.update(shown, completed=done, total=total)

        report = ingest_mission(
            source,
            workspace.data,
            mission,
            labels=labels,
            progress=advance,
        )
    _tell(console, report)
    if not report.added and not report.unchanged:
        raise InputError(
            "at least one usable pair of an infrared and a visible image",
            "none",
            source,
            "See the reasons above.",
        )
    return report


def _tell(console: Console, report: IngestionReport) -> None:
    aside = [(str(path), why) for path, why in (*report.quarantined, *report.single)]
    console.print(
        f"{report.added} pairs added, {report.unchanged} unchanged, {len(aside)} files set aside: {report.mission_dir}",
        soft_wrap=True,
    )
    for path, why in aside[:SHOWN]:
        console.print(f"  [yellow]set aside[/yellow] {path}: {why}", soft_wrap=True)
    if len(aside) > SHOWN:
        console.print(
            f"  ... and {len(aside) - SHOWN} more in {report.mission_dir / 'quarantine.json'}"
        )
