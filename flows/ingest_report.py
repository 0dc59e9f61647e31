"""Print what an ingestion did with every image and label."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from dd_livm_core.aligned.mission_labels import LabelReport
from dd_livm_core.camera_files.radiometry import read_infrared
from dd_livm_core.missions.folder import LABEL_CONFLICTS, LABELS_SET_ASIDE, QUARANTINE
from dd_livm_core.missions.ingestion import IngestionReport

SHOWN = 10
"""Entries of each list that the terminal shows; files hold the rest. Chosen."""


def print_report(console: Console, report: IngestionReport) -> None:
    """Print how many pairs were taken, the first files that were set aside, and whether temperatures are missing."""
    aside = [(str(path), why) for path, why in (*report.quarantined, *report.single)]
    console.print(
        f"{report.added} pairs added, {report.unchanged} unchanged, {len(aside)} files set aside: {report.mission_dir}",
        soft_wrap=True,
    )
    _print_alone(console, report)
    for how in ("time", "order"):
        count = sum(pair.paired_by == how for pair in report.pairs)
        if count:
            console.print(
                f"  [yellow]paired by {how}[/yellow] {count} of {len(report.pairs)} pairs: names do not match"
            )
    for infrared, dropped in report.metadata_dropped[:SHOWN]:
        console.print(
            f"  [yellow]broken metadata left out[/yellow] {escape(infrared.name)}: {escape(dropped)}",
            soft_wrap=True,
        )
    if len(report.metadata_dropped) > SHOWN:
        console.print(f"  ... and of {len(report.metadata_dropped) - SHOWN} pairs more")
    for path, why in aside[:SHOWN]:
        console.print(f"  [yellow]set aside[/yellow] {escape(path)}: {escape(why)}", soft_wrap=True)
    if len(aside) > SHOWN:
        console.print(f"  ... and {len(aside) - SHOWN} more in {report.mission_dir / QUARANTINE}")
    if report.labels_aside.kept_in:
        names = escape(", ".join(report.labels_aside.pair_ids[:SHOWN]))
        console.print(
            f"  [yellow]labels set aside[/yellow] of {len(report.labels_aside.pair_ids)} pairs whose infrared image is "
            f"another one now ({names}): {report.labels_aside.kept_in}",
            soft_wrap=True,
        )
    if report.without_temperatures:
        example = report.without_temperatures[0]
        console.print(
            f"  [yellow]no temperatures[/yellow] in {len(report.without_temperatures)} of the new infrared images: "
            f"they give shape only, never a ΔT. {escape(example.name)}: {escape(str(read_infrared(example).reason))}",
            soft_wrap=True,
        )
    remarks = [(path.name, remark) for path, remark in report.remarks]
    _print_remarks(console, remarks, "of the new infrared images")


def _print_remarks(console: Console, remarks: Sequence[tuple[str, str]], of_what: str) -> None:
    """Print how many images something is to be said of, and the first of it."""
    if remarks:
        name, remark = remarks[0]
        console.print(
            f"  [yellow]please note[/yellow] of {len(remarks)} {of_what}: {escape(name)}: {escape(remark)}",
            soft_wrap=True,
        )


def _print_alone(console: Console, report: IngestionReport) -> None:
    """Print how many infrared images are without a visible one, the first by name, and what that means."""
    alone = report.infrared_alone
    if not alone:
        return
    names = escape(", ".join(path.name for path in alone[:SHOWN]))
    more = f" and {len(alone) - SHOWN} more" if len(alone) > SHOWN else ""
    console.print(
        f"  [yellow]infrared alone[/yellow] {len(alone)} of {len(report.pairs)} pairs: {names}{more}. They are "
        "inspected, but whether a hotspot comes from outside or inside stays open; with their visible images in the "
        "folder, ingest it again to complete them",
        soft_wrap=True,
    )


def print_labels(console: Console, report: LabelReport, mission_dir: Path) -> None:
    """Print how many pairs are labelled, what was set aside, and the first disagreements, with the files of all."""
    conflicts, set_aside = mission_dir / LABEL_CONFLICTS, mission_dir / LABELS_SET_ASIDE
    console.print(f"{report.labelled} pairs are labelled")
    if report.unmatched:
        names = escape(", ".join(report.unmatched[:SHOWN]))
        more = f" and {len(report.unmatched) - SHOWN} more" if len(report.unmatched) > SHOWN else ""
        console.print(f"  [yellow]labels of no pair[/yellow] {names}{more}", soft_wrap=True)
    for aside in report.set_aside[:SHOWN]:
        where, reason = escape(aside.where), escape(aside.reason)
        console.print(f"  [yellow]label set aside[/yellow] {where}: {reason}", soft_wrap=True)
    if len(report.set_aside) > SHOWN:
        console.print(
            f"  ... and {len(report.set_aside) - SHOWN} more in {set_aside}", soft_wrap=True
        )
    _print_remarks(console, report.remarks, "of the labelled infrared images")
    for pair_id, conflict in report.conflicts[:SHOWN]:
        box = conflict.infrared or conflict.visible
        place = " at x {:.0f}, y {:.0f} px".format(*box.box_xywh_px) if box else ""
        console.print(
            f"  [yellow]labels disagree[/yellow] {pair_id}{place}: {conflict.reason}",
            soft_wrap=True,
        )
    if report.conflicts:
        console.print(
            f"  {len(report.conflicts)} disagreements in all: {conflicts}", soft_wrap=True
        )
