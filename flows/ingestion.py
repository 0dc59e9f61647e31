"""Take a folder of images into ``data/``, with a bar and a report in the terminal."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as ProgressBar

from dd_livm_core.aligned.label_sources import find_labels, list_names
from dd_livm_core.aligned.mission_labels import take_labels
from dd_livm_core.errors import InputError
from dd_livm_core.missions.folder import LABELS, MISSION, read_record, validate_record
from dd_livm_core.missions.identity import (
    choose_mission_id,
    find_other_holders,
    recorded_sources,
    require_outside_data,
    require_own_name,
)
from dd_livm_core.missions.ingestion import IngestionReport, find_pairs, ingest_mission
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.pair_intake import stamp_of
from dd_livm_core.missions.replaced_labels import list_labelled, list_set_aside
from dd_livm_core.missions.sites import require_site
from dd_livm_core.records import Mission, Progress
from flows.ingest_report import SHOWN, print_labels, print_report
from tasks.workspace import Workspace

LOCK_WAIT_S = 5.0
"""Longest wait for another ingestion of the mission: it takes longer, so that waiting helps nobody. Chosen."""


def name_mission(source: Path) -> str:
    """Return a name for the mission in a folder: of the ``mission.json`` beside its images, else made of the folder's.

    It is ``mission`` where nothing of the folder's name can stand in an id.
    """
    beside = source / MISSION
    if beside.exists():
        return read_record(beside, Mission).mission_id
    folder = unicodedata.normalize("NFC", source.resolve().name)  # macOS parts accents from letters
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder).strip("-._")
    return name[:64] or "mission"


def mission_record(mission_dir: Path, source: Path, given: Mapping[str, object]) -> Mission:
    """Return the record of a flight, of which only what is given changes.

    Of what the mission's own record and the ``mission.json`` beside the images say otherwise, the later file holds.

    Parameters
    ----------
    mission_dir
        The mission's folder ``<site_id>/<mission_id>``, which need not exist.
    given
        Field → value. What is given of ``infrared_unit`` changes the unit that was declared before; with another
        unit, its scale and offset start anew.

    Raises
    ------
    InputError
        A file is broken, a value is out of its bounds, or a scale or offset has no unit.
    """
    files = [path for path in (source / MISSION, mission_dir / MISSION) if path.exists()]
    files.sort(key=lambda path: path.stat().st_mtime_ns)
    known: dict[str, Any] = {}
    for path in files:
        known |= read_record(path, Mission).model_dump(exclude_defaults=True, exclude={"sources"})
    if unit := given.get("infrared_unit"):
        given = {**given, "infrared_unit": _change_unit(known.get("infrared_unit") or {}, unit)}
    ids = {"site_id": mission_dir.parent.name, "mission_id": mission_dir.name}
    return validate_record(Mission, {**known, **given, **ids}, source)


def _change_unit(known: Mapping[str, object], given: Any) -> dict[str, object]:
    """Return a declared unit with what is given of it changed."""
    if "unit" not in given and "unit" not in known:
        where = ", ".join(f"--infrared-{name}" for name in given)
        raise InputError("the unit of these numbers", "none", where, "Give --infrared-unit, too.")
    return {**(known if given.get("unit") in (None, known.get("unit")) else {}), **given}


def _mission_id(
    workspace: Workspace, source: Path, pairs: Sequence[PairFiles], site_id: str, named: str | None
) -> str:
    """Return the id of the mission that a folder goes to: as named, else by `choose_mission_id`."""
    if named is None:
        return choose_mission_id(workspace.data, site_id, source, pairs, name_mission(source))
    ids = {"site_id": site_id, "mission_id": named}
    mission_id = validate_record(Mission, ids, "--mission").mission_id
    require_own_name(workspace.data / site_id / mission_id)
    return mission_id


def ingest_folder(
    workspace: Workspace,
    source: Path,
    site_id: str,
    given: Mapping[str, object] | None = None,
    *,
    mission_id: str | None = None,
    labels: Path | None = None,
    visible_labels: Path | None = None,
    processes: int = 1,
) -> IngestionReport:
    """Ingest one mission, and print what was taken, what was set aside and why, and which labels disagree.

    ``labels`` and ``visible_labels`` are as of `take_labels`; ``labels.json`` beside the images is the default.

    Parameters
    ----------
    given
        What is recorded of the flight, field → value; all else stays as recorded before, see `mission_record`.
    mission_id
        Default: the mission that the folder was ingested to before, else one named like the folder.

    Raises
    ------
    InputError
        No folder, one in or around ``data/``, no pair in it, an undeclared site, no usable pair, broken labels, a
        mission that is another flight, or another process that ingests the same mission.
    """
    console = Console()
    require_site(workspace.data, site_id)
    require_outside_data(source, workspace.data)
    named_labels, labels = labels, find_labels(source, labels, visible_labels)
    found = find_pairs(source)
    chosen = _mission_id(workspace, source, found.pairs, site_id, mission_id)
    mission_dir, name = workspace.data / site_id / chosen, f"{site_id}-{chosen}"
    with (
        workspace.lock(f"ingest-{name}", wait_s=LOCK_WAIT_S, purpose=f"ingesting {name}"),
        workspace.data_lock(f"ingesting {name} into data/"),
        _show_bar(console, f"ingesting {chosen}") as progress,
    ):
        if _mission_id(workspace, source, found.pairs, site_id, mission_id) != chosen:
            raise InputError(
                f"mission {chosen} to be free", "another flight", mission_dir, "Ingest again."
            )
        mission = mission_record(mission_dir, source, given or {})
        only_unlabelled = named_labels is None and not _is_newer(labels, mission_dir / LABELS)
        report = ingest_mission(
            source,
            workspace.data,
            mission,
            found=found,
            processes=processes,
            progress=progress,
        )
        print_report(console, report)  # before labels, which may be refused
        labelled = labels and take_labels(
            report.mission_dir,
            labels,
            visible_labels,
            names=list_names(report.pairs, source),
            only=_unlabelled_pairs(report) if only_unlabelled else None,
            processes=processes,
            progress=progress,
        )
    if mission_id is None:
        _print_other_name(console, report.mission_dir, source)
    if holders := find_other_holders(workspace.data, report.mission_dir, report.pairs):
        console.print(
            f"  [yellow]the same images[/yellow] are in {escape(', '.join(holders[:SHOWN]))} already: "
            "a retraining sets both aside",
            soft_wrap=True,
        )
    if labels and only_unlabelled:
        console.print(
            f"  {escape(str(labels))} is not newer than the mission's labels: "
            "taken for pairs without labels only; --labels takes all of it",
            soft_wrap=True,
        )
    if labelled:
        print_labels(console, labelled, report.mission_dir)
    if not report.added and not report.unchanged:
        raise InputError(
            "at least one usable infrared image, with a visible one or alone",
            "none",
            source,
            "See the reasons above.",
        )
    return report


def _is_newer(labels: Path | None, stored: Path) -> bool:
    """Return whether a label file was written after the labels that a mission holds, if it holds any."""
    of_file, of_stored = (stamp_of(path) if path else None for path in (labels, stored))
    return of_stored is None or (of_file is not None and of_file[1] > of_stored[1])


def _unlabelled_pairs(report: IngestionReport) -> set[str]:
    """Return the pairs that never had labels: those of a replaced image's were set aside for good."""
    before = list_labelled(report.mission_dir) | list_set_aside(report.mission_dir)
    return {pair.pair_id for pair in report.pairs} - before


@contextmanager
def _show_bar(console: Console, task: str) -> Iterator[Progress]:
    """Show a progress bar while the block runs; yield what moves it."""
    with ProgressBar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    ) as bar:
        shown = bar.add_task(task, total=None)

        def advance(done: int, total: int, note: str = "") -> None:
            bar.update(shown, completed=done, total=total)

        yield advance


def _print_other_name(console: Console, mission_dir: Path, source: Path) -> None:
    """Say why a mission is not named like its folder: another flight has that name."""
    other = mission_dir.with_name(name_mission(source))
    if mission_dir.name == other.name or not other.exists():
        return
    origin = ", ".join(recorded_sources(other)) or "another folder"
    console.print(
        f"  [yellow]named {mission_dir.name}[/yellow], as {other.name} is another flight (of {escape(origin)}); "
        "--mission gives a name of your own",
        soft_wrap=True,
    )
