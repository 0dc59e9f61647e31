"""A mission's labels: taken in from one or both images, reconciled, kept as COCO, and given out again."""

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
ENOUGH_TO_ALIGN = 24
"""Pairs from which a mission agrees on its rig; more are aligned only where they hold visible labels."""

Names = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""Pair id → what its infrared and its visible file were called when they were taken in."""


@dataclass(frozen=True)
class LabelReport:
    """How many pairs are labelled now, names in label files that fit no pair, disagreements for a person."""

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
    """Read labels of a mission's pairs and keep them; labels of other pairs stay as they are.

    Parameters
    ----------
    labels
        Labels drawn on infrared: a COCO file, or a folder of YOLO or Pascal VOC files.
    visible_labels
        Labels drawn on the visible images, in any of the formats. The pairs are registered to bring them onto
        the infrared frame.

    Raises
    ------
    InputError
        A label file is broken, or of no known format.
    """
    pairs = image_pairs(mission_dir)
    files = {pair.pair_id: pair.infrared for pair in pairs}
    drawn = read_label_set(labels, _frames(pairs, "infrared", names or {}))
    seen = LabelSet({}, ())
    if visible_labels is not None:
        seen = read_label_set(visible_labels, _frames(pairs, "visible", names or {}))
    new, conflicts = _reconciled(mission_dir, drawn, seen, processes, progress)
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
        write_json(mission_dir / LABEL_CONFLICTS, [_plain(*conflict) for conflict in conflicts])
    return LabelReport(len(kept), (*drawn.unmatched, *seen.unmatched), tuple(conflicts))


def labels_of(source: Path, labels: Path | None, visible_labels: Path | None) -> Path | None:
    """Return where a mission's infrared labels are: as given, else the ``labels.json`` beside its images.

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


def names_in(pairs: Sequence[PairFiles], source: Path) -> Names:
    """Return what label files may call each pair's two images: by folder and name, or by name.

    Parameters
    ----------
    pairs
        As they were found below the folder ``source``.
    """
    return {
        pair.pair_id: (
            (pair.infrared.relative_to(source).with_suffix("").as_posix(), pair.infrared.stem),
            (pair.visible.relative_to(source).with_suffix("").as_posix(), pair.visible.stem),
        )
        for pair in pairs
    }


def export_labels(mission_dir: Path, kind: LabelFormat, destination: Path) -> int:
    """Write a mission's labels in one of the formats; return the number of labelled pairs.

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


def _frames(pairs: Sequence[PairFiles], side: str, names: Names) -> list[Frame]:
    """Return one side of every pair as label files may name it."""
    number = 0 if side == "infrared" else 1
    frames = []
    for pair in pairs:
        marked = tuple(f"{pair.pair_id}_{mark}" for mark in MARKS[side])
        known = (*names.get(pair.pair_id, ((), ()))[number], pair.pair_id, *marked)
        image = (pair.infrared, pair.visible)[number]
        frames.append(Frame(pair.pair_id, known, frame_size_px(image)))
    return frames


def _reconciled(
    mission_dir: Path, drawn: LabelSet, seen: LabelSet, processes: int, progress: Progress | None
) -> tuple[dict[str, list[Label]], list[tuple[str, Conflict]]]:
    """Join both label sets; a pair that only the visible set labels stays unlabelled."""
    labels = {pair_id: list(of_pair) for pair_id, of_pair in drawn.labels.items()}
    conflicts: list[tuple[str, Conflict]] = []
    wanted = [pair_id for pair_id, of_pair in seen.labels.items() if of_pair]
    placed = _aligned(mission_dir, wanted, processes, progress) if wanted else {}
    for pair_id in wanted:
        alignment = placed.get(pair_id)
        if pair_id not in labels:
            why = "only the visible image is labelled"
        elif alignment is None or alignment.status in ("ambiguous", "failed"):
            why = (
                f"the pair could not be aligned ({alignment.reason if alignment else 'unreadable'})"
            )
        else:
            joined = reconcile(labels[pair_id], seen.labels[pair_id], alignment.matrix)
            labels[pair_id] = list(joined.labels)
            conflicts += [(pair_id, conflict) for conflict in joined.conflicts]
            continue
        conflicts.append((pair_id, Conflict(None, None, f"{why}: its visible labels are not used")))
    return labels, conflicts


def _aligned(
    mission_dir: Path, wanted: Sequence[str], processes: int, progress: Progress | None
) -> dict[str, Alignment]:
    """Register the wanted pairs, with others of the mission where they alone are too few to agree on the rig."""
    mission = read_record(mission_dir / MISSION, Mission)
    pairs = [
        replace(pair, infrared_unit=mission.infrared_unit) for pair in image_pairs(mission_dir)
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


def _plain(pair_id: str, conflict: Conflict) -> dict[str, object]:
    sides = {"infrared": conflict.infrared, "visible": conflict.visible}
    return {
        "pair_id": pair_id,
        "reason": conflict.reason,
        **{side: vars(label) if label else None for side, label in sides.items()},
    }
