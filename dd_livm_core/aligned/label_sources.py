"""Where a mission's labels come from, and what label files may call its images."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from dd_livm_core.errors import InputError
from dd_livm_core.labels.image_names import ImageNames
from dd_livm_core.missions.folder import LABELS
from dd_livm_core.missions.pair_files import PairFiles

SIDES = ("infrared", "visible")
MARKS = {"infrared": ("T", "R", "IR"), "visible": ("V", "W", "Z", "VIS", "RGB")}
"""Endings that drones and label tools give the two images' names, as in ``DJI_0001_T``."""

Names = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""Pair id → the names of its infrared and of its visible file before they were ingested."""


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
    """Return what label files may call each pair's images: the path below ``source``, or the name alone.

    Both are without ending. A visible image that is not there has no name.

    Parameters
    ----------
    pairs
        With their files where they were found, below ``source``.
    """

    def names_of(path: Path | None) -> tuple[str, ...]:
        return (
            () if path is None else (path.relative_to(source).with_suffix("").as_posix(), path.stem)
        )

    return {pair.pair_id: (names_of(pair.infrared), names_of(pair.visible)) for pair in pairs}


def image_names_of(pairs: Sequence[PairFiles], side: str, names: Names) -> ImageNames:
    """Return what label files may call one side (``infrared`` or ``visible``) of every pair that has it."""
    number = SIDES.index(side)
    known = {}
    for pair in pairs:
        if side == "visible" and pair.visible is None:
            continue
        marked = (f"{pair.pair_id}_{mark}" for mark in MARKS[side])
        known[pair.pair_id] = (
            *names.get(pair.pair_id, ((), ()))[number],
            pair.pair_id,
            *marked,
        )
    return ImageNames(known)
