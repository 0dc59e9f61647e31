"""Pairs files whose names do not match: by time of exposure, else by order."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.metadata import read_metadata
from dd_livm_core.errors import InputError

TIME_TOLERANCE_S = 2.0
"""DJI writes the files of one exposure up to a second apart; drones fly exposures 2 s apart or more."""
T = TypeVar("T")


def taken_at(path: Path) -> datetime | None:
    """Return when an image was taken, or None; without its zone, which one of two cameras may leave out."""
    try:
        time = read_metadata(path).taken_at
    except InputError:
        return None
    return time.replace(tzinfo=None) if time else None


def pair_by_time(
    infrared: Sequence[Path],
    visible: Sequence[Path],
    tolerance_s: float = TIME_TOLERANCE_S,
    time_of: Callable[[Path], datetime | None] = taken_at,
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
