"""Pairs that names do not tell: by time of exposure, else by order."""

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
    """Return an image's time without its zone, which cameras of one drone write or leave out alike."""
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
    """Return the pairs that are each other's nearest in time, none of them above the tolerance.

    An image whose time is not known is left out. So is one that has two nearest: which of them belongs cannot be
    told.
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
    to_b, to_a = _nearest(seconds_a, seconds_b), _nearest(seconds_b, seconds_a)
    return [
        (a[row][1], b[column][1])
        for row, column in enumerate(to_b)
        if column >= 0
        and to_a[column] == row
        and abs(seconds_a[row] - seconds_b[column]) <= tolerance_s
    ]


def _nearest(values: NDArray[np.float64], among: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each value the index of its nearest in a sorted array, or -1 where two are nearest."""
    bounded = np.concatenate(([-np.inf], among, [np.inf]))
    after = np.searchsorted(among, values, side="left") + 1
    nearest = np.where(values - bounded[after - 1] < bounded[after] - values, after - 1, after)
    apart = np.abs(values - bounded[nearest])
    tied = (np.abs(values - bounded[nearest - 1]) == apart) | (
        np.abs(values - bounded[np.minimum(nearest + 1, len(bounded) - 1)]) == apart
    )
    return np.where(tied, -1, nearest - 1)


def pair_by_order(infrared: Sequence[T], visible: Sequence[T]) -> list[tuple[T, T]]:
    """Return the pairs by order; none where the counts differ, since one missing file would shift all others."""
    return list(zip(infrared, visible, strict=True)) if len(infrared) == len(visible) else []
