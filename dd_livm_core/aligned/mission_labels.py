"""A mission's labels: read from label files of one or both images, reconciled, kept as COCO, and exported again."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dd_livm_core.aligned.mission import align_mission
from dd_livm_core.camera_files.images import frame_size_px
from dd_livm_core.errors import InputError
from dd_livm_core.files import write_json
from dd_livm_core.labels.coco import read_labels, write_labels
from dd_livm_core.labels.label import Label
from dd_livm_core.labels.label_sets import Frame, LabelSet, read_label_set, write_label_set
from dd_livm_core.labels.reconciliation import Conflict, reconcile
from dd_livm_core.missions.folder import (
    LABEL_CONFLICTS,
    LABELS,
    MISSION,
    image_pairs,
    read_record,
)
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.records import LabelFormat, Mission, Progress
from dd_livm_core.registration.placement import Alignment

MARKS = {"infrared": ("T", "R", "IR"), "visible": ("V", "W", "Z", "VIS", "RGB")}
"""Endings that drones and label tools give the two images' names, as in ``DJI_0001_T``."""
ENOUGH_TO_ALIGN = 24
"""Pairs that are aligned at least, labelled or not: in smaller missions more pairs end as ambiguous, as the table of
``docs/alignment.md`` shows for three and two. The number itself was not measured."""

Names = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""Pair id → the names of its infrared and of its visible file before they were ingested."""


@dataclass(frozen=True)
class LabelReport:
    """What became of a mission's labels.

    Attributes
    ----------
    labelled
        Number of pairs that are labelled now.
    unmatched
        Names in the label files that belong to no pair.
    conflicts
        (pair id, disagreement), for a person to look at.
    """

    labelled: int
    unmatched: tuple[str, ...]
    conflicts: tuple[tuple[str, Conflict], ...]


def take_labels(
    mission_dir: Path,
    labels: Path,
    visible_labels: Path | None = None,
    *,
    names: Names | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> LabelReport:
    """Read labels of a mission's pairs and store them with the mission; labels of other pairs stay as they are.

    Parameters
    ----------
    labels
        Labels drawn on infrared: a COCO file, or a folder of YOLO or Pascal VOC files.
    visible_labels
        Labels drawn on the visible images, in any of the formats. The pairs are registered to map them to the
        infrared frame.
    names
        What the pairs' files were called, where label files may use these names.

    Raises
    ------
    InputError
        A label file is broken, or of no known format.
    """
    pairs = image_pairs(mission_dir)
    files = {pair.pair_id: pair.infrared for pair in pairs}
    infrared = read_label_set(labels, _list_frames(pairs, "infrared", names or {}))
    visible = LabelSet({}, ())
    if visible_labels is not None:
        visible = read_label_set(visible_labels, _list_frames(pairs, "visible", names or {}))
    new, conflicts = _join_label_sets(mission_dir, infrared, visible, processes, progress)
    stored = mission_dir / LABELS
    kept = {**(read_labels(stored) if stored.exists() else {}), **new}
    kept = {pair_id: of_pair for pair_id, of_pair in kept.items() if pair_id in files}
    write_labels(
        stored,
        kept,
        {pair_id: f"infrared/{files[pair_id].name}" for pair_id in kept},
        {pair_id: frame_size_px(files[pair_id]) for pair_id in kept},
    )
    if visible_labels is not None:
        write_json(
            mission_dir / LABEL_CONFLICTS, [_conflict_as_json(*conflict) for conflict in conflicts]
        )
    return LabelReport(len(kept), (*infrared.unmatched, *visible.unmatched), tuple(conflicts))


def find_labels(source: Path, labels: Path | None, visible_labels: Path | None) -> Path | None:
    """Return the path of a mission's infrared labels: as given, else ``labels.json`` beside its images, else None.

    Raises
    ------
    InputError
        A given path does not exist, or only visible labels are given.
    """
    if labels is None and (source / LABELS).exists():
        labels = source / LABELS
    if visible_labels is not None and labels is None:
        raise InputError(
            "labels drawn on infrared, which give the place",
            "visible ones only",
            visible_labels,
            "Give --labels, too.",
        )
    for path in (labels, visible_labels):
        if path is not None and not path.exists():
            raise InputError("a label file or folder", "none", path, "Check the path.")
    return labels


def list_names(pairs: Sequence[PairFiles], source: Path) -> Names:
    """Return what label files may call each pair's two images: the path below ``source``, or the name alone.

    Both are without ending.

    Parameters
    ----------
    pairs
        With their files where they were found, below ``source``.
    """
    return {
        pair.pair_id: (
            (pair.infrared.relative_to(source).with_suffix("").as_posix(), pair.infrared.stem),
            (pair.visible.relative_to(source).with_suffix("").as_posix(), pair.visible.stem),
        )
        for pair in pairs
    }


def export_labels(mission_dir: Path, kind: LabelFormat, destination: Path) -> int:
    """Write a mission's labels in one of the formats, and return the number of labelled pairs.

    Raises
    ------
    InputError
        There is no such mission, or it has no labels.
    """
    if not (mission_dir / MISSION).exists():
        raise InputError("a mission", "none", mission_dir, "`dd-livm sites list` names them.")
    if not (mission_dir / LABELS).exists():
        raise InputError("a labelled mission", "none", mission_dir, "Ingest it with --labels.")
    labels = read_labels(mission_dir / LABELS)
    files = {pair.pair_id: pair.infrared for pair in image_pairs(mission_dir)}
    labels = {pair_id: of_pair for pair_id, of_pair in labels.items() if pair_id in files}
    write_label_set(
        kind,
        destination,
        labels,
        {pair_id: f"infrared/{files[pair_id].name}" for pair_id in labels},
        {pair_id: frame_size_px(files[pair_id]) for pair_id in labels},
    )
    return len(labels)


def _list_frames(pairs: Sequence[PairFiles], side: str, names: Names) -> list[Frame]:
    """Return one side (``infrared`` or ``visible``) of every pair with the names that label files may give it."""
    number = 0 if side == "infrared" else 1
    frames = []
    for pair in pairs:
        marked = tuple(f"{pair.pair_id}_{mark}" for mark in MARKS[side])
        known = (*names.get(pair.pair_id, ((), ()))[number], pair.pair_id, *marked)
        image = (pair.infrared, pair.visible)[number]
        frames.append(Frame(pair.pair_id, known, frame_size_px(image)))
    return frames


def _join_label_sets(
    mission_dir: Path,
    infrared: LabelSet,
    visible: LabelSet,
    processes: int,
    progress: Progress | None,
) -> tuple[dict[str, list[Label]], list[tuple[str, Conflict]]]:
    """Return labels by pair id and the conflicts; a pair that only the visible set labels stays unlabelled."""
    labels = {pair_id: list(of_pair) for pair_id, of_pair in infrared.labels.items()}
    conflicts: list[tuple[str, Conflict]] = []
    wanted = [pair_id for pair_id, of_pair in visible.labels.items() if of_pair]
    alignments = _align_wanted(mission_dir, wanted, processes, progress) if wanted else {}
    for pair_id in wanted:
        alignment = alignments.get(pair_id)
        if pair_id not in labels:
            why = "only the visible image is labelled"
        elif alignment is None:
            why = "the pair could not be aligned (unreadable)"
        elif alignment.status in ("ambiguous", "failed"):
            why = f"the pair could not be aligned ({alignment.reason})"
        else:
            joined = reconcile(labels[pair_id], visible.labels[pair_id], alignment.matrix)
            labels[pair_id] = list(joined.labels)
            conflicts += [(pair_id, conflict) for conflict in joined.conflicts]
            continue
        conflicts.append((pair_id, Conflict(None, None, f"{why}: its visible labels are not used")))
    return labels, conflicts


def _align_wanted(
    mission_dir: Path, wanted: Sequence[str], processes: int, progress: Progress | None
) -> dict[str, Alignment]:
    """Return alignments by pair id of the readable wanted pairs, and of others where these alone are too few."""
    mission = read_record(mission_dir / MISSION, Mission)
    pairs = [
        replace(
            pair,
            infrared_unit=mission.infrared_unit,
            measurement_parameters=mission.measurement_parameters,
        )
        for pair in image_pairs(mission_dir)
    ]
    needed = [pair for pair in pairs if pair.pair_id in set(wanted)]
    others = [pair for pair in pairs if pair.pair_id not in set(wanted)]
    more = max(0, ENOUGH_TO_ALIGN - len(needed))
    with tempfile.TemporaryDirectory() as folder:
        summary = align_mission(
            sorted([*needed, *others[:more]], key=lambda pair: pair.pair_id),
            Path(folder) / "aligned",
            site_id=mission.site_id,
            mission_id=mission.mission_id,
            processes=processes,
            progress=progress,
        )
    return {alignment.pair_id: alignment for alignment in summary.alignments}


def _conflict_as_json(pair_id: str, conflict: Conflict) -> dict[str, object]:
    sides = {"infrared": conflict.infrared, "visible": conflict.visible}
    return {
        "pair_id": pair_id,
        "reason": conflict.reason,
        **{side: vars(label) if label else None for side, label in sides.items()},
    }
