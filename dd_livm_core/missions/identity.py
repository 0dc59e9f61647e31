"""Tells whether a folder of images is a mission that ``data/`` holds already, by its images rather than its name."""

import filecmp
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dd_livm_core.errors import InputError
from dd_livm_core.missions.folder import MISSION, files_by_pair, read_record
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.pair_intake import stamp_of
from dd_livm_core.records import Mission

MAX_NAME_CHARACTERS = 60
"""Of a name that gets a number, so that both fit into an `Identifier`."""


@dataclass(frozen=True)
class Overlap:
    """What a mission holds of a folder's pairs.

    Attributes
    ----------
    holds_images
        Whether the mission holds any image at all.
    identical_files
        Number of files that are the same byte for byte.
    identical, changed
        Ids of pairs of which all held files are the same, and of those of which one differs.
    changed_infrared
        Ids of pairs whose held infrared file differs.
    """

    holds_images: bool
    identical_files: int
    identical: tuple[str, ...]
    changed: tuple[str, ...]
    changed_infrared: tuple[str, ...]


def compare_with_mission(mission_dir: Path, pairs: Sequence[PairFiles]) -> Overlap:
    """Compare a folder's pairs with those of the same id in a mission; files of the same size and time are the same."""
    sides = [files_by_pair(mission_dir / side) for side in ("infrared", "visible")]
    same_files, identical, changed, changed_infrared = 0, [], [], []
    for pair in pairs:
        held = [
            (source, target)
            for source, side in zip(pair.paths, sides, strict=False)
            if (target := side.get(pair.pair_id)) is not None
        ]
        same = {source: _is_same_file(source, target) for source, target in held}
        same_files += sum(same.values())
        if not all(same.values()):
            changed.append(pair.pair_id)
        elif same:
            identical.append(pair.pair_id)
        if not same.get(pair.infrared, True):
            changed_infrared.append(pair.pair_id)
    return Overlap(
        any(sides),
        same_files,
        tuple(identical),
        tuple(changed),
        tuple(changed_infrared),
    )


def source_name(source: Path, data_root: Path) -> str:
    """Return the name under which a mission records its source: the absolute path.

    Below the workspace it is the path from there, which stays true when the workspace is moved. Bytes that are no UTF-8
    are written as escapes (``\\xff``), since a record is a text.
    """
    folder, workspace = source.expanduser().resolve(), data_root.resolve().parent
    name = (
        folder.relative_to(workspace).as_posix()
        if folder.is_relative_to(workspace)
        else str(folder)
    )
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def recorded_sources(mission_dir: Path) -> tuple[str, ...]:
    """Return the sources that a mission's record names; none where there is no record, or an old or broken one."""
    try:
        return read_record(mission_dir / MISSION, Mission).sources
    except InputError:
        return ()


def choose_mission_id(
    data_root: Path, site_id: str, source: Path, pairs: Sequence[PairFiles], name: str
) -> str:
    """Return the id of the site's mission that a folder continues or completes, else a free id made of ``name``.

    A folder continues the mission that it was ingested to, else one that holds its images, whatever that one is
    called. A free id is ``name`` itself, or ``name-2``, ``name-3`` and so on; it differs from others by more than
    capitals, as some disks do not tell these apart.
    """
    site_dir, recorded = data_root / site_id, source_name(source, data_root)
    known = sorted(path.parent for path in site_dir.glob(f"*/{MISSION}"))
    for mission_dir in known:
        if recorded in recorded_sources(mission_dir) and _continues(mission_dir, recorded, pairs):
            return mission_dir.name
    for mission_dir in known:
        if _holds_same_images(mission_dir, pairs):
            return mission_dir.name
    taken = {path.name.casefold(): path for path in site_dir.glob("*")}
    number, candidate = 1, name
    while holder := taken.get(candidate.casefold()):
        if _continues(holder, recorded, pairs):
            return holder.name
        number += 1
        candidate = f"{name[:MAX_NAME_CHARACTERS]}-{number}"
    return candidate


def find_other_holders(data_root: Path, mission_dir: Path, pairs: Sequence[PairFiles]) -> list[str]:
    """Return the other missions, of any site, that hold an infrared image of these pairs.

    It is known by its content where it has the same name, or the size and time that copies keep.
    """
    others = (path.parent for path in sorted(data_root.glob(f"*/*/{MISSION}")))
    return [
        f"{other.parent.name}/{other.name}"
        for other in others
        if other != mission_dir
        and (compare_with_mission(other, pairs).identical or _holds_by_stamp(other, pairs))
    ]


def _holds_by_stamp(mission_dir: Path, pairs: Sequence[PairFiles]) -> bool:
    """Return whether a mission holds one of these infrared images under whatever name."""
    held = {stamp_of(path): path for path in files_by_pair(mission_dir / "infrared").values()}
    twins = ((pair.infrared, held.get(stamp_of(pair.infrared))) for pair in pairs)
    return any(twin and filecmp.cmp(path, twin, shallow=False) for path, twin in twins)


def require_outside_data(source: Path, data_root: Path) -> None:
    """Raise an InputError where a folder holds or lies in ``data/``, whose missions would be taken in again."""
    folder, data = source.expanduser().resolve(), data_root.resolve()
    if folder.is_relative_to(data) or data.is_relative_to(folder):
        raise InputError(
            "a flight's folder",
            f"one that {'lies in' if folder.is_relative_to(data) else 'holds'} the missions in {data}",
            source,
            "Give the folder of the originals.",
        )


def require_own_name(mission_dir: Path) -> None:
    """Raise an InputError where another mission of the site differs from a new one by capitals only."""
    for other in mission_dir.parent.glob(f"*/{MISSION}"):
        name = other.parent.name
        if name != mission_dir.name and name.casefold() == mission_dir.name.casefold():
            raise InputError(
                f"mission {name}, or a name that differs by more than capitals",
                mission_dir.name,
                "--mission",
                "Some disks do not tell such names apart.",
            )


def compare_or_refuse(mission_dir: Path, source: Path, pairs: Sequence[PairFiles]) -> Overlap:
    """Compare a folder with the mission that its pairs shall go to.

    Raises
    ------
    InputError
        The mission holds other images under the names of these pairs: it is another flight.
    """
    overlap = compare_with_mission(mission_dir, pairs)
    recorded = source_name(source, mission_dir.parents[1])
    if overlap.changed and not _is_same_flight(overlap, mission_dir, recorded):
        sources = ", ".join(recorded_sources(mission_dir))
        raise InputError(
            f"images of mission {mission_dir.name}, or new ones",
            f"{len(overlap.changed)} pairs of which it holds other images, such as {overlap.changed[0]}"
            + (f" (it was ingested from {sources})" if sources else ""),
            source,
            "Give this flight a name of its own with --mission. Where one flight lies in several folders, "
            "ingest the folder above them.",
        )
    return overlap


def _continues(mission_dir: Path, recorded: str, pairs: Sequence[PairFiles]) -> bool:
    """Return whether a folder is one that a mission was made of, by its images."""
    overlap = compare_with_mission(mission_dir, pairs)
    if not overlap.holds_images:
        return True
    return overlap.identical_files > 0 and _is_same_flight(overlap, mission_dir, recorded)


def _holds_same_images(mission_dir: Path, pairs: Sequence[PairFiles]) -> bool:
    """Return whether a mission holds some of these pairs, and none with another image."""
    overlap = compare_with_mission(mission_dir, pairs)
    return overlap.identical_files > 0 and not overlap.changed


def _is_same_flight(overlap: Overlap, mission_dir: Path, recorded: str) -> bool:
    """Return whether a folder's images are of a mission's flight.

    The folder that the mission was made of may hold corrected images beside the known ones: a camera never writes the
    same file in two flights. From another folder, such as a copy of the first, nothing may differ.
    """
    sources = recorded_sources(mission_dir)
    if sources and recorded not in sources:
        return not overlap.changed
    return overlap.identical_files > 0


def _is_same_file(source: Path, target: Path) -> bool:
    """Return whether two files have the same size and time, else the same content; an unreadable one has not."""
    stamps = stamp_of(source), stamp_of(target)
    if stamps[0] is None or stamps[1] is None or stamps[0][0] != stamps[1][0]:
        return False
    try:
        return stamps[0] == stamps[1] or filecmp.cmp(source, target, shallow=False)
    except OSError:
        return False
