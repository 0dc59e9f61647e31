"""A mission's labels: read from label files of one or both images, reconciled, and kept as COCO."""

import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from dd_livm_core.aligned.label_sources import SIDES, Names, image_names_of
from dd_livm_core.aligned.mission import align_mission
from dd_livm_core.camera_files.frames import (
    ImageFrame,
    read_infrared_frame,
    read_visible_frame,
)
from dd_livm_core.errors import InputError
from dd_livm_core.files import write_json
from dd_livm_core.labels.coco import write_labels
from dd_livm_core.labels.entry import TWICE, SetAside
from dd_livm_core.labels.image_names import ImageNames
from dd_livm_core.labels.label import Label
from dd_livm_core.labels.label_sets import LabelSet, read_label_set
from dd_livm_core.labels.reconciliation import Conflict, reconcile
from dd_livm_core.missions.folder import (
    LABEL_CONFLICTS,
    LABELS,
    LABELS_SET_ASIDE,
    MISSION,
    image_pairs,
    read_record,
)
from dd_livm_core.records import Mission, Progress
from dd_livm_core.registration.placement import Alignment

ENOUGH_TO_ALIGN = 24
"""Pairs that are aligned at least, labelled or not: in smaller missions more pairs end as ambiguous, as the table of
``docs/alignment.md`` shows for three and two. The number itself was not measured."""


@dataclass(frozen=True)
class LabelReport:
    """What became of a mission's labels.

    Attributes
    ----------
    labelled
        Number of pairs that are labelled now.
    unmatched
        Names in the label files that belong to no pair.
    set_aside
        Labels and label files that cannot be used, each with its reason.
    conflicts
        (pair id, disagreement), for a person to look at.
    remarks
        (pair id, what a person should know of where its labels were placed).
    """

    labelled: int
    unmatched: tuple[str, ...]
    set_aside: tuple[SetAside, ...]
    conflicts: tuple[tuple[str, Conflict], ...]
    remarks: tuple[tuple[str, str], ...] = ()


def take_labels(
    mission_dir: Path,
    labels: Path,
    visible_labels: Path | None = None,
    *,
    names: Names | None = None,
    only: Collection[str] | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> LabelReport:
    """Read labels of a mission's pairs and store them with the mission; labels of other pairs stay as they are.

    Boxes are stored in pixels of the infrared frame as the product reads it, whatever size the label files state.

    Parameters
    ----------
    labels
        Labels drawn on infrared: a file or a folder of any format that `read_label_set` takes.
    visible_labels
        Labels drawn on the visible images, in any of the formats. The pairs are registered to map them to the
        infrared frame.
    names
        What the pairs' files were called, where label files may use these names.
    only
        Ids of the pairs whose labels are taken; by default all.

    Raises
    ------
    InputError
        The set is of no known format, or none of its labels can be used; the message says the likely reason.
    """
    pairs = image_pairs(mission_dir)
    files = {pair.pair_id: pair.infrared for pair in pairs}
    frame_of = _frame_reader(files, read_infrared_frame)
    both_names = [image_names_of(pairs, side, names or {}) for side in SIDES]
    infrared = read_label_set(labels, both_names[0], frame_of)
    _require_labels(infrared, both_names, "infrared", labels)
    visible = LabelSet({})
    if visible_labels is not None:
        seen = {pair.pair_id: pair.visible for pair in pairs if pair.visible is not None}
        visible = read_label_set(
            visible_labels, both_names[1], _frame_reader(seen, read_visible_frame)
        )
        _require_labels(visible, both_names, "visible", visible_labels)
    infrared, visible = _select(infrared, only), _select(visible, only)
    new, conflicts = _join_label_sets(mission_dir, infrared, visible, processes, progress)
    kept = {**_stored_labels(mission_dir / LABELS, files, frame_of), **new}
    write_labels(
        mission_dir / LABELS,
        kept,
        {pair_id: f"infrared/{files[pair_id].name}" for pair_id in kept},
        {pair_id: frame_of(pair_id).raster_px for pair_id in kept},
        {pair_id: moved for pair_id in kept if any(moved := frame_of(pair_id).offset_from(None))},
    )
    if visible_labels is not None:
        write_json(
            mission_dir / LABEL_CONFLICTS, [_conflict_as_json(*conflict) for conflict in conflicts]
        )
    unmatched = tuple(entry.name for entry in (*infrared.unmatched, *visible.unmatched))
    aside = (*infrared.set_aside, *visible.set_aside)
    of_no_image = [SetAside(name, "of no image of the mission") for name in unmatched]
    write_json(mission_dir / LABELS_SET_ASIDE, [vars(one) for one in (*aside, *of_no_image)])
    placed = {pair_id: frame_of(pair_id).remark for pair_id in infrared.labels}
    remarks = tuple((pair_id, remark) for pair_id, remark in placed.items() if remark)
    return LabelReport(len(kept), unmatched, aside, tuple(conflicts), remarks)


def _frame_reader(
    files: Mapping[str, Path], read: Callable[[Path], ImageFrame]
) -> Callable[[str], ImageFrame]:
    """Return a function that reads the sizes of a pair's image once, by pair id."""
    return cache(lambda pair_id: read(files[pair_id]))


def _stored_labels(
    stored: Path, files: Mapping[str, Path], frame_of: Callable[[str], ImageFrame]
) -> dict[str, list[Label]]:
    """Return the labels that a mission has already, of pairs that it still has.

    Raises
    ------
    InputError
        The file is broken, or one of its labels is: written anew, it would lose them.
    """
    if not stored.exists():
        return {}
    found = read_label_set(stored, ImageNames({pair_id: (pair_id,) for pair_id in files}), frame_of)
    for broken in found.set_aside:
        if broken.reason == TWICE:
            continue
        raise InputError(
            "stored labels that can be used",
            f"{broken.where}: {broken.reason}",
            stored,
            "Mend the file, or move it away to begin anew.",
        )
    return found.labels


def _require_labels(
    found: LabelSet, both_names: Sequence[ImageNames], side: str, path: Path
) -> None:
    """Raise an InputError that says the likely reason where a label set has entries and none can be used."""
    if found.labels or not (found.unmatched or found.set_aside):
        return
    if not found.unmatched:
        aside = found.set_aside[0]
        more = len(found.set_aside) - 1
        raise InputError(
            f"labels of the {side} images",
            f"none that can be used: {aside.where}: {aside.reason}"
            + (f" (and {more} more)" if more else ""),
            path,
            "Mend the labels or export them anew.",
        )
    own, other = (both_names if side == "infrared" else both_names[::-1])[:2]
    names = [entry.image_names for entry in found.unmatched]
    examples = ", ".join(entry.name for entry in found.unmatched[:3])
    if any(other.find(of_entry) for of_entry in names):
        option = "--visible-labels" if side == "infrared" else "--labels"
        reason = f"These are names of the other camera's images: give them as {option}."
    elif any(own.is_shared(of_entry) for of_entry in names):
        reason = "Several images have such a name: write the names with their folders."
    else:
        reason = "They are likely labels of another mission, or of images that were renamed."
    raise InputError(
        f"labels of the mission's {side} images, such as {own.example}",
        f"{len(names)} of other names ({examples})",
        path,
        reason,
    )


def _select(labels: LabelSet, only: Collection[str] | None) -> LabelSet:
    """Return the labels of some pairs; all where ``only`` is None."""
    if only is None:
        return labels
    wanted = {pair_id: of_pair for pair_id, of_pair in labels.labels.items() if pair_id in only}
    return replace(labels, labels=wanted)


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
        if pair.visible is not None
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
