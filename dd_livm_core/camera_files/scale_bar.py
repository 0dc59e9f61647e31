"""Finds the colour scale that screen shots and handheld cameras burn into a picture, and which of its ends is hot."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MARGIN = 0.2
"""Of the width at either side, in which a scale stands."""
WINDOW = (0.4, 0.6)
"""Of the height, in which every scale runs."""
LEAST_WIDTH_PX, MOST_WIDTH = 5, 0.08
"""Width of a scale, in pixels and as a share of the picture: what is wider is the scene."""
STRAIGHT = 4.0
"""Grey levels, root mean square, that a scale's values leave a straight line at most."""
LEAST_RISE, LEAST_SPAN = 35.0, 200.0
"""Grey levels of 255 that a scale runs through, within the window and in all: it shows the whole palette.

A scene taken for a scale could be turned over, so that these are strict: none in 390 real frames without one.
"""
MOST_COLUMNS = 0.75
"""Share of a scale's columns that follow the line: near its ends JPEG blurs the outer ones with the frame around."""
EDGE_PX = 3
"""Around a scale, its frame."""


@dataclass(frozen=True)
class ScaleBar:
    """A burnt-in scale: where it is, bool (H, W), and whether high values are at its hot end (top, or right)."""

    where: NDArray[np.bool_]
    high_is_hot: bool


def find_scale_bar(values: Floats) -> ScaleBar | None:
    """Return the scale burnt into a picture, upright at a side or level at the top or bottom, or None.

    Parameters
    ----------
    values
        (H, W) from 0 to 255 along the palette.
    """
    upright = _upright_bar(values)
    if upright is not None:
        return upright
    level = _upright_bar(np.ascontiguousarray(np.rot90(values)))
    return None if level is None else ScaleBar(np.rot90(level.where, -1), level.high_is_hot)


def _upright_bar(values: Floats) -> ScaleBar | None:
    """Return an upright scale in the left or right margin, hot at its top, or None."""
    height, width = values.shape
    first, last = (int(share * height) for share in WINDOW)
    if last - first < 8:
        return None
    rows = np.arange(first, last, dtype=np.float32)
    rows -= rows.mean()
    margin = int(MARGIN * width)
    for start, end in ((0, margin), (width - margin, width)):
        window = values[first:last, start:end]
        slope = rows @ window / (rows @ rows)
        middle = window.mean(axis=0)
        away = np.sqrt(np.square(window - middle - rows[:, None] * slope).mean(axis=0))
        straight = (away <= STRAIGHT) & (np.abs(slope) * len(rows) >= LEAST_RISE)
        left, right = _longest_run(straight)
        if not LEAST_WIDTH_PX <= right - left <= MOST_WIDTH * width:
            continue
        inside = slice(start + left, start + right)
        at = np.arange(height) - (first + last - 1) / 2
        line = float(middle[left:right].mean()) + at * float(slope[left:right].mean())
        away = np.abs(values[:, inside] - line[:, None])
        follows = np.quantile(away, MOST_COLUMNS, axis=1) <= 5 * STRAIGHT
        top, bottom = _run_around(follows, (first + last) // 2)
        if abs(line[top] - line[bottom - 1]) < LEAST_SPAN:
            continue
        where = np.zeros(values.shape, bool)
        where[
            max(0, top - EDGE_PX) : bottom + EDGE_PX,
            max(0, inside.start - EDGE_PX) : inside.stop + EDGE_PX,
        ] = True
        return ScaleBar(where, bool(line[top] > line[bottom - 1]))
    return None


def _longest_run(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """Return start and end of the longest run of true flags; equal where there is none."""
    steps = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    if not len(starts):
        return 0, 0
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])


def _run_around(flags: NDArray[np.bool_], place: int) -> tuple[int, int]:
    """Return start and end of the run of true flags that holds a place."""
    before, after = np.flatnonzero(~flags[:place]), np.flatnonzero(~flags[place:])
    start = int(before[-1]) + 1 if len(before) else 0
    return start, place + int(after[0]) if len(after) else len(flags)
