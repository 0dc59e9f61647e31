"""Turns outlines that labelling tools draw (polygons, masks, turned boxes) into the boxes round them."""

import math
from collections.abc import Sequence
from typing import Any

from dd_livm_core.labels.label import Box

MAX_RUNS = 2**20
"""Of one mask: as many as a drone camera's frame has pixels."""


def box_of_points(points: Sequence[tuple[float, float]]) -> Box:
    """Return x, y, width, height of the box round points; raise a ValueError for fewer than two."""
    if len(points) < 2:
        raise ValueError(f"{len(points)} points")
    across, down = zip(*points, strict=True)
    return min(across), min(down), max(across) - min(across), max(down) - min(down)


def pairs_of(numbers: Sequence[Any]) -> list[tuple[float, float]]:
    """Return the points of x1, y1, x2, y2, ...; raise a ValueError for an odd count."""
    values = [float(number) for number in numbers]
    return list(zip(values[::2], values[1::2], strict=True))


def turned_box(box_xywh: Box, degrees: float) -> Box:
    """Return the upright box round a box that is turned about its centre."""
    x, y, width, height = box_xywh
    cos, sin = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    across, down = width * cos + height * sin, width * sin + height * cos
    return x + (width - across) / 2, y + (height - down) / 2, across, down


def box_of_mask(counts: Any, height_px: int) -> Box:
    """Return the box round a mask in COCO's run-length encoding, of pixels counted down the columns.

    Parameters
    ----------
    counts
        Lengths of runs outside and inside by turns, starting outside; or COCO's compressed text of them.

    Raises
    ------
    ValueError
        It is no encoding, or no pixel lies inside.
    """
    runs = _uncompressed(counts) if isinstance(counts, str) else [int(run) for run in counts]
    if height_px < 1 or len(runs) > MAX_RUNS or min(runs, default=0) < 0:
        raise ValueError("no run-length encoding")
    boxes: list[tuple[int, int, int, int]] = []
    at = 0
    for number, run in enumerate(runs):
        if number % 2 and run:
            first, last = at, at + run - 1
            left, right = first // height_px, last // height_px
            one_column = left == right
            top = first % height_px if one_column else 0
            bottom = last % height_px if one_column else height_px - 1
            boxes.append((left, top, right + 1, bottom + 1))
        at += run
    if not boxes:
        raise ValueError("a mask without pixels")
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    return float(left), float(top), float(right - left), float(bottom - top)


def _uncompressed(text: str) -> list[int]:
    """Return the runs in COCO's compressed text: 5 bits a character, from the third on as differences (maskApi.c)."""
    runs: list[int] = []
    value = shift = 0
    for character in text[: 8 * MAX_RUNS]:
        bits = ord(character) - 48
        if not 0 <= bits < 64:
            raise ValueError("no run-length encoding")
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return runs
