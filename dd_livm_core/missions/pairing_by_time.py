"""Pairs files whose names do not match: by time of exposure, else by order; positions confirm what was found."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.images import open_image, read_bytes
from dd_livm_core.camera_files.metadata import ImageMetadata, metadata_from_bytes
from dd_livm_core.errors import InputError
from dd_livm_core.missions.pair_files import PairedBy, PairFiles

TIME_TOLERANCE_S = 2.0
"""DJI writes the files of one exposure up to a second apart; drones fly exposures 2 s apart or more."""
POSITION_ERROR_M = 5.0
"""Between receivers that correct themselves at different moments."""
SPEED_M_S = 10.0
"""Of a fast survey: between two exposures a drone flies on. One second is what times are rounded to."""
NEARER_M = 2.0
"""By more than this another image is nearer: the order is then shifted."""
METRES_A_DEGREE = 111_320.0
"""Of latitude, on a sphere of 6,378 km."""
HEAD_BYTES = 2**22
"""Metadata stand before the picture; before them may stand the raw counts of an R-JPEG, up to 2.6 MB."""
T = TypeVar("T")
MetadataOf = Callable[[Path], ImageMetadata | None]


def read_head_metadata(path: Path) -> ImageMetadata | None:
    """Return the metadata of an image from the beginning of its file where that is enough; None of no image."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        if head[:2] == b"\xff\xd8":
            return metadata_from_bytes(head, open_image(head, path).size)
    except (InputError, OSError):
        pass
    try:
        content = read_bytes(path)
        return metadata_from_bytes(content, open_image(content, path).size)
    except InputError:
        return None


def pair_views(
    infrared: Mapping[Path, str],
    views: Iterable[Mapping[Path, str]],
    metadata_of: MetadataOf,
    *,
    by_order: bool,
) -> tuple[list[PairFiles], list[tuple[Path, str]]]:
    """Return pairs by time or order, and images that positions speak against.

    Each kind of visible image is paired with what the one before it left; by order only where there is no pair yet.
    Images are given with their ids.
    """
    pairs: list[PairFiles] = []
    refused: list[tuple[Path, str]] = []
    for visible in views:
        closed = {path for pair in pairs for path in pair.paths} | {path for path, _ in refused}
        open_ = {path: pair_id for path, pair_id in infrared.items() if path not in closed}
        found, contradicted = pair_by_time_or_order(
            open_, visible, metadata_of, by_order=by_order and not pairs
        )
        pairs += found
        refused += contradicted
    return pairs, refused


def pair_by_time_or_order(
    infrared: Mapping[Path, str],
    visible: Mapping[Path, str],
    metadata_of: MetadataOf,
    *,
    by_order: bool,
) -> tuple[list[PairFiles], list[tuple[Path, str]]]:
    """Return the pairs found by time, and with a reason the visible files of pairs that their positions contradict.

    Where both sides say their time zones, times are compared with and without them, and the better reading counts:
    a camera may be set to another zone, or write a wrong one.

    Parameters
    ----------
    infrared, visible
        Files by path, with the id that their names give.
    by_order
        Whether order may be used where no file has a time.
    """
    if not infrared or not visible:
        return [], []
    paths = (list(infrared), list(visible))
    how: PairedBy = "time"
    found = max(
        (pair_by_time(*paths, time_of=_clock(metadata_of, utc)) for utc in (False, True)), key=len
    )
    clock = _clock(metadata_of, utc=False)
    if not found and by_order and not any(clock(path) for side in paths for path in side):
        found, how = pair_by_order(*paths), "order"
    pairs: list[PairFiles] = []
    refused: list[tuple[Path, str]] = []
    for a, b in found:
        apart_m = _distance_m(metadata_of(a), metadata_of(b))
        bound_m = POSITION_ERROR_M + SPEED_M_S * (1 + _gap_s(clock, a, b))
        if how == "order":
            nearest_m = (_nearest_m(a, visible, metadata_of), _nearest_m(b, infrared, metadata_of))
            bound_m = min(bound_m, min(nearest_m) + NEARER_M)
        if apart_m is None or apart_m <= bound_m:
            pairs.append(PairFiles(infrared[a], a, b, how))
        else:
            why = "by {} it belongs to {}, which was taken {:.0f} m away"
            refused.append((b, why.format(how, a.name, apart_m)))
    return pairs, refused


def _nearest_m(path: Path, others: Iterable[Path], metadata_of: MetadataOf) -> float:
    """Return the metres to the nearest of other images; infinite where none has a position."""
    own = metadata_of(path)
    apart_m = (_distance_m(own, metadata_of(other)) for other in others)
    return min((d for d in apart_m if d is not None), default=math.inf)


def _clock(metadata_of: MetadataOf, utc: bool) -> Callable[[Path], datetime | None]:
    """Return what tells a file's time without its zone: as written, or in UTC, None where it says no zone."""

    def time_of(path: Path) -> datetime | None:
        metadata = metadata_of(path)
        time = metadata.taken_at if metadata else None
        if time is None or (utc and time.tzinfo is None):
            return None
        return (time.astimezone(UTC) if utc else time).replace(tzinfo=None)

    return time_of


def _gap_s(clock: Callable[[Path], datetime | None], a: Path, b: Path) -> float:
    """Return the seconds between two files, at most `TIME_TOLERANCE_S`; zero where one has no time."""
    first, second = clock(a), clock(b)
    return min(abs((first - second).total_seconds()), TIME_TOLERANCE_S) if first and second else 0.0


def _distance_m(a: ImageMetadata | None, b: ImageMetadata | None) -> float | None:
    """Return the metres on the ground between two images, or None where one has no position."""
    degrees = [
        (m.latitude_deg, m.longitude_deg)
        for m in (a, b)
        if m is not None and m.latitude_deg is not None and m.longitude_deg is not None
    ]
    if len(degrees) < 2:
        return None
    (north_a, east_a), (north_b, east_b) = degrees
    east = (east_b - east_a + 180) % 360 - 180
    return METRES_A_DEGREE * math.hypot(north_b - north_a, east * math.cos(math.radians(north_a)))


def pair_by_time(
    infrared: Sequence[Path],
    visible: Sequence[Path],
    tolerance_s: float = TIME_TOLERANCE_S,
    *,
    time_of: Callable[[Path], datetime | None],
) -> list[tuple[Path, Path]]:
    """Return the pairs (infrared, visible) whose times are each other's nearest, sorted by time.

    Left out are images without a time, and those with two equally near ones, since nothing says which belongs to
    them.

    Parameters
    ----------
    tolerance_s
        Pairs further apart are left out.
    time_of
        Returns the time of a file, or None.
    """
    a, b = (
        sorted((time, path) for path in side if (time := time_of(path)) is not None)
        for side in (infrared, visible)
    )
    if not a or not b:
        return []
    start = a[0][0]
    seconds_a, seconds_b = (
        np.array([(time - start).total_seconds() for time, _ in side]) for side in (a, b)
    )
    to_b = _find_nearest(seconds_a, seconds_b)
    to_a = _find_nearest(seconds_b, seconds_a)
    return [
        (a[row][1], b[column][1])
        for row, column in enumerate(to_b)
        if column >= 0
        and to_a[column] == row
        and abs(seconds_a[row] - seconds_b[column]) <= tolerance_s
    ]


def _find_nearest(values: NDArray[np.float64], among: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return int64 (N,): for each value the index of its nearest in a sorted array, -1 where two are as near."""
    # infinite ends, so that each value has a neighbour on either side
    bounded = np.concatenate(([-np.inf], among, [np.inf]))
    after = np.searchsorted(among, values, side="left") + 1
    nearest = np.where(values - bounded[after - 1] < bounded[after] - values, after - 1, after)
    apart = np.abs(values - bounded[nearest])
    tied = (np.abs(values - bounded[nearest - 1]) == apart) | (
        np.abs(values - bounded[np.minimum(nearest + 1, len(bounded) - 1)]) == apart
    )
    return np.where(tied, -1, nearest - 1)


def pair_by_order(infrared: Sequence[T], visible: Sequence[T]) -> list[tuple[T, T]]:
    """Return first with first, second with second; nothing where the counts differ, as one missing file shifts all."""
    return list(zip(infrared, visible, strict=True)) if len(infrared) == len(visible) else []
