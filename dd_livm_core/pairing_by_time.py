"""Pairs that names do not tell: by time of exposure, else by order."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
from scipy.optimize import linear_sum_assignment

from dd_livm_core.errors import InputError
from dd_livm_core.metadata import read_metadata

TIME_TOLERANCE_S = 2.0
"""DJI writes the files of one exposure up to a second apart; drones fly exposures 2 s apart or more."""
MAX_GROUP = 4000
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
    """Return the pairs of smallest total time difference, none of them above the tolerance.

    An image whose time is not known is left out. So is one that shares its time and partner with another: which
    of the two belongs cannot be told.
    """
    a = [(path, time) for path in infrared if (time := time_of(path)) is not None][:MAX_GROUP]
    b = [(path, time) for path in visible if (time := time_of(path)) is not None][:MAX_GROUP]
    if not a or not b:
        return []
    start = min(time for _, time in (*a, *b))
    seconds_a, seconds_b = (
        np.array([(time - start).total_seconds() for _, time in side]) for side in (a, b)
    )
    apart_s = np.abs(seconds_a[:, None] - seconds_b[None, :])
    rows, columns = linear_sum_assignment(np.where(apart_s <= tolerance_s, apart_s, 1e9))
    found = []
    for row, column in zip(rows, columns, strict=True):
        gap = apart_s[row, column]
        tied = (apart_s[row] <= gap).sum() > 1 or (apart_s[:, column] <= gap).sum() > 1
        if gap <= tolerance_s and not tied:
            found.append((a[row][0], b[column][0]))
    return found


def pair_by_order(infrared: Sequence[T], visible: Sequence[T]) -> list[tuple[T, T]]:
    """Return the pairs by order; none where the counts differ, since one missing file would shift all others."""
    return list(zip(infrared, visible, strict=True)) if len(infrared) == len(visible) else []
